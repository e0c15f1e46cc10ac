"""Measures an exported recogniser on unseen sentences, and what it writes when nobody speaks.

    python -m whisper.evaluate --pack PACK/whisper --data DIR [--int8] [--sentences 300]
"""
import argparse
from pathlib import Path

import numpy as np

from grammar.slots import DAYS, NAMES, NUMBERS

from .batches import pad_to_window
from .onnx_model import OnnxRecogniser
from .shards import Shards
from .words import missed_words, word_errors

SETS = ["house", "seen", "voice", "noisy", "rms"]
DIGITS = set(NUMBERS[:10] + ["oh"])
TIME_WORDS = set("noon half quarter past thirty fifteen forty o'clock pm evening".split())
MISSES_SHOWN = 8


def kind_of(word, is_phone):
    if word in NAMES:
        return "name"
    if word in DAYS:
        return "day"
    if is_phone and word in DIGITS:
        return "digit"
    if word in NUMBERS:
        return "number"
    return "time" if word in TIME_WORDS else None


def measure(recogniser, shards, limit):
    """-> (figures, [(Transcript, wanted text)])"""
    results, errors, words, kinds, phones = [], 0, 0, {}, [0, 0]
    for index in range(min(limit, len(shards))):
        wanted = shards.utterances[index].text
        made = recogniser.transcribe(pad_to_window(shards.mel(index)).numpy())
        results.append((made, wanted))
        errors, words = errors + word_errors(wanted, made.text), words + len(wanted.split())
        is_phone = sum(w in DIGITS for w in wanted.split()) >= 5
        if is_phone:
            phones = [phones[0] + (made.text == wanted), phones[1] + 1]
        for word, missed in zip(wanted.split(), missed_words(wanted, made.text)):
            kind = kind_of(word, is_phone)
            if kind:
                before = kinds.get(kind, (0, 0))
                kinds[kind] = before[0] + missed, before[1] + 1
    exact = np.mean([made.text == wanted for made, wanted in results])
    missed = {k: f"{a / b:.3f} of {b}" for k, (a, b) in sorted(kinds.items())}
    return f"WER {errors / words:.4f}, exact {exact:.3f}, phone numbers {phones[0]}/{phones[1]}, missed {missed}", results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--sentences", type=int, default=300)
    args = parser.parse_args()
    recogniser, spoken = OnnxRecogniser(args.pack, "_quantized" if args.int8 else ""), []
    for name in SETS:
        figures, results = measure(recogniser, Shards([args.data / f"test-{name}"]), args.sentences)
        spoken += [(name, made, wanted) for made, wanted in results]
        print(f"{name}: {figures}", flush=True)
        for made, wanted in [r for r in results if r[0].text != r[1]][:MISSES_SHOWN]:
            print(f"    said {wanted!r} heard {made.text!r} log-prob {made.mean_log_prob:.2f}")
    report_silence(recogniser, Shards([args.data / "test-silence"]), spoken)


def report_silence(recogniser, shards, spoken):
    silent = [recogniser.transcribe(pad_to_window(shards.mel(i)).numpy()) for i in range(len(shards))]
    print(f"silence: {len(silent)} clips, {sum(bool(s.text) for s in silent)} with text, "
          f"{sum(len(s.text.split()) for s in silent)} words without any threshold")
    for limit in (0.3, 0.5, 0.6, 0.8):
        words = sum(len(s.text.split()) for s in silent if s.no_speech_prob < limit)
        lost = {name: sum(m.no_speech_prob >= limit for n, m, w in spoken if n == name) for name in SETS}
        print(f"  no-speech probability >= {limit} is silence: {words} words left; speech clips lost {lost}")
    for limit in (-1.0, -0.7, -0.5, -0.4, -0.3):
        words = sum(len(s.text.split()) for s in silent if s.mean_log_prob >= limit)
        right = {n: [m for k, m, w in spoken if k == n and m.text == w] for n in SETS}
        wrong = {n: [m for k, m, w in spoken if k == n and m.text != w] for n in SETS}
        print(f"  mean log-prob >= {limit}: {words} words left; "
              f"right sentences lost {({n: sum(m.mean_log_prob < limit for m in v) for n, v in right.items()})}; "
              f"wrong ones caught {({n: f'{sum(m.mean_log_prob < limit for m in v)}/{len(v)}' for n, v in wrong.items()})}")
    for made in [s for s in silent if s.text][:MISSES_SHOWN]:
        print(f"    heard {made.text!r} log-prob {made.mean_log_prob:.2f} no-speech {made.no_speech_prob:.2f}")


if __name__ == "__main__":
    main()
