"""Checks an exported speaker: level, finiteness, speed, pitch of the two voices, determinism.

    python -m kokoro.evaluate --pack PACK/kokoro --voices node_modules/kokoro-js/voices [--wav FOLDER]
"""
import argparse
import random
import time
from pathlib import Path

import numpy as np
import soundfile

from .onnx_model import OnnxSpeaker
from .phonemes import VOCABULARY
from .pitch import track
from .style import STYLE_SIZE, check_gate, load_voices
from .vocoder import RATE_HZ
from .words import draw_text

SENTENCES = 60
RANDOM_INPUTS = 300


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--wav", type=Path)
    args = parser.parse_args()
    speaker = OnnxSpeaker(args.pack, args.voices)
    check_sentences(speaker, args.wav)
    check_random_inputs(speaker)
    wrong = {n: round(s, 2) for n, s in check_gate(load_voices(args.voices)).items() if s < 1}
    print("style rows on the right side when their voice was left out of the fit, if not all:", wrong)


def check_sentences(speaker, wav_folder):
    rng, peak, spent_s, audio_s, pitch = random.Random(77), 0.0, 0.0, 0.0, {"af_heart": [], "am_michael": []}
    for index in range(SENTENCES):
        text, voice = draw_text(rng), ["af_heart", "am_michael"][index % 2]
        start_s = time.perf_counter()
        wave = speaker.speak(text, voice)
        spent_s, audio_s = spent_s + time.perf_counter() - start_s, audio_s + len(wave) / RATE_HZ
        assert np.isfinite(wave).all(), text
        peak = max(peak, float(np.abs(wave).max()))
        f0 = track(wave, RATE_HZ, 60, 340)
        pitch[voice].append(np.median(f0[f0 > 0]) if (f0 > 0).any() else 0)
        if wav_folder and index < 10:
            wav_folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(wav_folder / f"{index}-{voice}.wav", wave, RATE_HZ)
    again = speaker.speak("Is that correct?"), speaker.speak("Is that correct?")
    print(f"peak {20 * np.log10(peak):.1f} dBFS, real-time factor {spent_s / audio_s:.4f}, "
          f"median pitch {({v: round(float(np.median(p))) for v, p in pitch.items()})} Hz, repeatable {np.array_equal(*again)}")


def check_random_inputs(speaker):
    """Any ids, styles and speeds must give finite samples below -1 dBFS."""
    source, peak = np.random.default_rng(1), 0.0
    for index in range(RANDOM_INPUTS):
        ids = source.integers(0, len(VOCABULARY), source.integers(1, 120)).tolist()
        style = source.standard_normal((1, STYLE_SIZE)) * [0, 0.3, 3, 1e4][index % 4]
        wave = speaker.run(ids, style, [1.0, 0.5, 2.0, 0.0, 50.0][index % 5])
        assert len(wave) > 0 and np.isfinite(wave).all()
        peak = max(peak, float(np.abs(wave).max()))
    print(f"{RANDOM_INPUTS} random inputs: all finite, peak {20 * np.log10(peak):.1f} dBFS")


if __name__ == "__main__":
    main()
