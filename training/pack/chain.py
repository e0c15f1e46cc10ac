"""The pack's own voices over a telephone into its own recogniser: is every sentence heard as it was said?

    python -m pack.chain PACK --voices node_modules/kokoro-js/voices [--sentences 200] [--list FILE]

Sentences come from the grammar (test sentences only, no training set has them) or from FILE, one per line.
"""
import argparse
import random
from pathlib import Path

import numpy as np
import soxr

from grammar.sentences import draw_agent_text, draw_caller_sentence, is_test_sentence, normalise
from kokoro.onnx_model import OnnxSpeaker
from kokoro.vocoder import RATE_HZ
from speech.features import log_mel
from speech.telephone import LINE_RATE_HZ, MU_LAW, OUT_RATE_HZ, g711
from whisper.batches import pad_to_window
from whisper.onnx_model import OnnxRecogniser
from whisper.words import word_errors

VOICES = ["af_heart", "am_michael"]
SEED = 4_711


def hear(recogniser, wave, lead_s=0.2, trail_s=0.4):
    """waveform at 24 kHz -> 8 kHz mu-law -> 16 kHz -> Transcript"""
    line = soxr.resample(wave, RATE_HZ, LINE_RATE_HZ).astype(np.float32)
    line = np.concatenate([np.zeros(int(lead_s * LINE_RATE_HZ)), line, np.zeros(int(trail_s * LINE_RATE_HZ))]).astype(np.float32)
    audio = soxr.resample(g711(line, MU_LAW), LINE_RATE_HZ, OUT_RATE_HZ).astype(np.float32)
    return recogniser.transcribe(pad_to_window(log_mel(audio)).numpy())


def draw_sentences(draw, count):
    rng, sentences = random.Random(SEED), []
    while len(sentences) < count:
        text = draw(rng)
        if is_test_sentence(normalise(text)) and text not in sentences:
            sentences.append(text)
    return sentences


def measure(title, speaker, recogniser, sentences, voice):
    errors, words, missed, worst = 0, 0, [], 0.0
    for text in sentences:
        made, wanted = hear(recogniser, speaker.speak(text[0].upper() + text[1:], voice)), normalise(text)
        errors, words = errors + word_errors(wanted, made.text), words + len(wanted.split())
        worst = max(worst, made.no_speech_prob)
        if made.text != wanted:
            missed.append((wanted, made.text, made.mean_log_prob))
    exact = 1 - len(missed) / len(sentences)
    print(f"{title}, {voice}: exact {exact:.3f}, WER {errors / words:.4f}, {len(sentences)} sentences, "
          f"highest no-speech probability {worst:.3f}", flush=True)
    for wanted, heard, log_prob in missed:
        print(f"    said {wanted!r} heard {heard!r} log-prob {log_prob:.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pack", type=Path)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--list", type=Path)
    args = parser.parse_args()
    speaker, recogniser = OnnxSpeaker(args.pack / "kokoro", args.voices), OnnxRecogniser(args.pack / "whisper")
    if args.list:
        sets = {"list": [line.strip() for line in args.list.read_text().splitlines() if line.strip()]}
    else:
        sets = {"caller": draw_sentences(draw_caller_sentence, args.sentences),
                "assistant": draw_sentences(draw_agent_text, args.sentences // 2)}
    for title, sentences in sets.items():
        for voice in VOICES:
            measure(title, speaker, recogniser, sentences, voice)


if __name__ == "__main__":
    main()
