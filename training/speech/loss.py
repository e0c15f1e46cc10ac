"""Lost packets: patterns of loss, and their concealment by the product's own code (`conceal.ts`, run by node)."""
import subprocess
from pathlib import Path

import numpy as np

FRAME_SAMPLES = 160
SCRIPT = Path(__file__).resolve().with_name("conceal.ts")
OWN_NODE = SCRIPT.parents[2] / "node_modules" / ".bin" / "node"  # 24: runs TypeScript as it is


def draw_losses(rng, frames, share, mean_burst=1.0):
    """-> uint8 per frame, 1 = lost. `mean_burst` 1 loses frames one by one, more loses them in a row (Gilbert)."""
    recover = 1 / mean_burst
    lose = share * recover / (1 - share)
    lost, is_lost = np.zeros(frames, np.uint8), False
    for i in range(frames):
        is_lost = rng.random() < ((1 - recover) if is_lost else lose)
        lost[i] = is_lost
    return lost


class Concealer:
    """One node process, started at the first clip."""

    def __init__(self):
        self.process = None

    def conceal(self, audio, lost):
        """audio float32 at 8 kHz, `lost` per frame of 20 ms -> the same, concealed; whole frames only"""
        if self.process is None:
            node = str(OWN_NODE) if OWN_NODE.exists() else "node"
            self.process = subprocess.Popen([node, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        samples = np.round(audio[: len(lost) * FRAME_SAMPLES] * 32768).clip(-32768, 32767).astype("<i2").tobytes()
        self.process.stdin.write(np.uint32(len(lost)).tobytes() + lost.tobytes() + samples)
        self.process.stdin.flush()
        answer = self.process.stdout.read(len(samples))
        if len(answer) != len(samples):
            raise RuntimeError("conceal.ts ended early; see what node wrote above")
        return np.frombuffer(answer, "<i2").astype(np.float32) / 32768


CONCEALER = Concealer()


def lose_packets(rng, audio, share, mean_burst):
    frames = len(audio) // FRAME_SAMPLES
    return CONCEALER.conceal(audio, draw_losses(rng, frames, share, mean_burst))
