"""Draws teacher and student side by side: pictures for the model card.

    python -m kokoro.spectrograms --pack PACK --voices node_modules/kokoro-js/voices ../docs/images
"""
import argparse
import io
from pathlib import Path

import matplotlib
import numpy as np
import soxr
from PIL import Image

from .measures import to_db
from .onnx_model import OnnxSpeaker
from .readback import STUDENTS, teach
from .vocoder import RATE_HZ

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend comes first)

SENTENCES = {
    "booking": "Your table for four is booked for Thursday at seven thirty.",
    "fox": "The quick brown fox jumps over the lazy dog.",
}
WINDOW_SAMPLES, HOP_SAMPLES, TOP_HZ = 512, 120, 8000
RANGE_DB = (-75, -5)
COLOURS = 64  # a palette keeps a picture under 150 kB


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    speaker = OnnxSpeaker(args.pack / "kokoro", args.voices)
    for voice, teacher in STUDENTS.items():
        for name, text in SENTENCES.items():
            audio, rate_hz = teach(text, teacher)
            waves = {f"teacher: espeak-ng {teacher.voice}": soxr.resample(audio, rate_hz, RATE_HZ),
                     f"student: {voice}": speaker.speak(text, voice)}
            path = args.folder / f"spectrogram-{voice}-{name}.png"
            path.write_bytes(draw(waves, text))
            print(f"{path} {path.stat().st_size // 1024} KiB")


def draw(waves, text):
    """{title: waveform at 24 kHz} -> PNG"""
    figure, axes = pyplot.subplots(1, len(waves), figsize=(11, 3.2), sharey=True, layout="constrained")
    longest_s = max(len(w) for w in waves.values()) / RATE_HZ
    for axis, (title, wave) in zip(axes, waves.items()):
        seconds = len(wave) / RATE_HZ
        axis.imshow(spectrogram(wave), origin="lower", aspect="auto", cmap="magma", vmin=RANGE_DB[0], vmax=RANGE_DB[1],
                    extent=(0, seconds, 0, TOP_HZ / 1000), interpolation="nearest")
        axis.set(title=title, xlabel="s", xlim=(0, longest_s))
    axes[0].set_ylabel("kHz")
    figure.suptitle(f"\u201c{text}\u201d", fontsize=11)
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, dpi=90)
    pyplot.close(figure)
    Image.open(raw).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def spectrogram(wave):
    """-> levels in dB below a full-scale tone [bins up to TOP_HZ, frames]"""
    starts = np.arange(0, len(wave) - WINDOW_SAMPLES, HOP_SAMPLES)
    window = np.hanning(WINDOW_SAMPLES)
    spectrum = np.abs(np.fft.rfft(wave[starts[:, None] + np.arange(WINDOW_SAMPLES)] * window)) / (window.sum() / 2)
    return to_db(spectrum[:, : WINDOW_SAMPLES * TOP_HZ // RATE_HZ + 1]).T


if __name__ == "__main__":
    main()
