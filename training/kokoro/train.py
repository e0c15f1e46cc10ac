"""Trains the speaker on its teachers' durations, pitch and sound.

    python -m kokoro.train --data DATA.pkl --voices node_modules/kokoro-js/voices --out DIR --minutes 25

Writes DIR/model.pt, DIR/train.log and DIR/training.json (where the weights came from).
"""
import argparse
import json
import pickle
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from provenance import Run
from schedule import Deadline, cosine_rate

from .model import F0_LOG_CENTER, F0_LOG_SCALE, Speaker
from .style import fit_gate, is_female, load_voices
from .vocoder import HOP_SAMPLES

BATCH = 8
SEGMENT_FRAMES = 120
PEAK_RATE, WARMUP_STEPS = 2e-3, 100
HELD_BACK = 60  # sentences for the evaluation
WEIGHT_SEED, BATCH_SEED = 0, 0


class Batches:
    """Draws batches of sentences of similar length."""

    def __init__(self, examples, voices, rng):
        self.examples = sorted(examples, key=lambda e: len(e.f0_hz))
        self.rng = rng
        self.styles = {sex: [v for n, v in voices.items() if is_female(n) == sex] for sex in (False, True)}

    def draw_style(self, example):
        table = self.rng.choice(self.styles[bool(example.is_female)])
        return table[min(max(len(example.tokens) - 2, 0), len(table) - 1)]

    def draw(self):
        """-> dict of padded tensors"""
        first = self.rng.randrange(len(self.examples) - BATCH)
        chosen = self.examples[first: first + BATCH]
        tokens, frames = max(len(e.tokens) for e in chosen), max(len(e.f0_hz) for e in chosen)
        ids, durations = torch.zeros(BATCH, tokens, dtype=torch.long), torch.zeros(BATCH, tokens, dtype=torch.long)
        token_mask, f0 = torch.zeros(BATCH, tokens), torch.full((BATCH, frames), 100.0)
        frame_mask, audio = torch.zeros(BATCH, frames), torch.zeros(BATCH, frames * HOP_SAMPLES)
        for row, e in enumerate(chosen):
            n, t = len(e.tokens), len(e.f0_hz)
            ids[row, :n], durations[row, :n] = torch.tensor(e.tokens), torch.tensor(e.durations.astype(np.int64))
            token_mask[row, :n], f0[row, :t], frame_mask[row, :t] = 1, torch.tensor(e.f0_hz), 1
            audio[row, : len(e.audio)] = torch.tensor(e.audio.astype(np.float32))
        style = torch.tensor(np.stack([self.draw_style(e) for e in chosen]))
        return dict(ids=ids, durations=durations, token_mask=token_mask, f0=f0, frame_mask=frame_mask, audio=audio, style=style)


def spectral_loss(made, wanted):
    """Multi-resolution STFT: spectral convergence and log magnitude."""
    total = 0
    for size in (256, 512, 1024, 2048):
        window = torch.hann_window(size)
        a, b = [torch.stft(x, size, size // 4, window=window, return_complex=True).abs() for x in (made, wanted)]
        total = total + 0.5 * (a - b).norm() / b.norm().clamp(min=1e-3) + F.l1_loss(torch.log(a + 3e-3), torch.log(b + 3e-3))
    return total / 4


def losses_of(model, batch, rng):
    """-> (spectral, duration, pitch); the true durations and pitch are given to the decoder"""
    x, log_durations = model.encode(batch["ids"], model.femaleness(batch["style"]))
    wanted = torch.log1p(batch["durations"].float())
    duration = (((log_durations - wanted) ** 2) * batch["token_mask"]).sum() / batch["token_mask"].sum()
    frames = batch["f0"].shape[1]
    log_f0, harmonic, noise_level = model.shape(model.spread(x, batch["durations"], frames))
    target = (torch.log(batch["f0"]) - F0_LOG_CENTER) / F0_LOG_SCALE
    pitch = (((log_f0 - target) ** 2) * batch["frame_mask"]).sum() / batch["frame_mask"].sum()
    start = rng.randrange(max(1, frames - SEGMENT_FRAMES))
    cut = slice(start, min(frames, start + SEGMENT_FRAMES))
    noise = torch.randn(BATCH, (cut.stop - cut.start) * HOP_SAMPLES)
    made = model.vocoder(batch["f0"][:, cut], harmonic[..., cut], noise_level[..., cut], noise)
    spectral = spectral_loss(made, batch["audio"][:, cut.start * HOP_SAMPLES: cut.stop * HOP_SAMPLES])
    return spectral, duration, pitch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--end", type=float, help="seconds since the epoch")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(WEIGHT_SEED)
    args.out.mkdir(parents=True, exist_ok=True)
    data_seed = json.loads(args.data.with_suffix(".json").read_text())["seed"]
    run = Run({"data": data_seed, "weights": WEIGHT_SEED, "batches": BATCH_SEED})
    voices = load_voices(args.voices)
    model = Speaker()
    weight, bias = fit_gate(voices)
    model.gate.weight.data.copy_(weight[None])
    model.gate.bias.data.copy_(bias)
    examples = pickle.load(open(args.data, "rb"))
    steps = train(args, model, Batches(examples[HELD_BACK:], voices, random.Random(BATCH_SEED)))
    run.write(args.out, steps=steps, sentences=len(examples) - HELD_BACK)


def train(args, model, batches):
    """-> the number of steps"""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, PEAK_RATE, betas=(0.9, 0.98))
    deadline, step, recent = Deadline(args.end, args.minutes and args.minutes * 60), 0, []
    log = open(args.out / "train.log", "w")
    while deadline.progress() < 1:
        for group in optimiser.param_groups:
            group["lr"] = PEAK_RATE * cosine_rate(step, deadline.progress(), WARMUP_STEPS)
        spectral, duration, pitch = losses_of(model, batches.draw(), batches.rng)
        (spectral + duration + 0.3 * pitch).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step += 1
        recent = recent[-99:] + [(spectral.item(), duration.item(), pitch.item())]
        if step % 100 == 0:
            means = np.mean(recent, 0)
            line = f"step {step} t {deadline.elapsed_s():.0f} spectral {means[0]:.3f} duration {means[1]:.4f} pitch {means[2]:.4f}"
            print(line, flush=True)
            log.write(line + "\n")
            log.flush()
        if step % 500 == 0:
            torch.save(model.state_dict(), args.out / "model.pt")
    torch.save(model.state_dict(), args.out / "model.pt")
    return step


if __name__ == "__main__":
    main()
