"""Training against the clock: a cosine schedule that ends at a wall-clock time, whatever else the machine does.

environment.sh sets GLIBC_TUNABLES for these processes: by default malloc hands every activation back to
the kernel, and two trainings side by side halve each other with page faults.
"""
import math
import time

import torch


class Deadline:
    """Progress 0..1 from construction to `end_s` (seconds since the epoch) or for `duration_s`.

    A training that was stopped after `elapsed_s` goes on as if it had begun that much earlier.
    """

    def __init__(self, end_s=None, duration_s=None, elapsed_s=0.0):
        self.start_s = time.time() - elapsed_s
        self.end_s = end_s or self.start_s + duration_s

    def elapsed_s(self):
        return time.time() - self.start_s

    def progress(self):
        return min(1.0, self.elapsed_s() / (self.end_s - self.start_s))


def cosine_rate(step, progress, warmup_steps):
    """Factor of the peak learning rate."""
    return min(1.0, (step + 1) / warmup_steps) * (0.5 * (1 + math.cos(math.pi * min(1.0, progress))) + 0.003)


class Optimisers:
    """Muon for the matrices inside the layers, AdamW for everything else; one rate factor for both."""

    def __init__(self, matrices, others, matrix_rate, other_rate, decay, clipped=None):
        """`clipped`: all parameters whose gradients count for the norm, if others than these two lists."""
        self.parts = []
        if matrices:
            muon = torch.optim.Muon(matrices, matrix_rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            self.parts.append((muon, matrix_rate))
        self.parts.append((torch.optim.AdamW(others, other_rate, betas=(0.9, 0.98), weight_decay=decay, fused=True), other_rate))
        self.parameters = clipped or list(matrices) + list(others)

    def step(self, rate_factor, clip=1.0):
        torch.nn.utils.clip_grad_norm_(self.parameters, clip)
        for optimiser, rate in self.parts:
            for group in optimiser.param_groups:
                group["lr"] = rate * rate_factor
            optimiser.step()
        for parameter in self.parameters:
            parameter.grad = None

    def state(self):
        return [optimiser.state_dict() for optimiser, _ in self.parts]
