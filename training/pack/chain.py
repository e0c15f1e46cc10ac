"""The pack's own voices over a telephone into its own recogniser: is every sentence heard as it was said?

    python -m pack.chain PACK --voices node_modules/kokoro-js/voices [--sentences 200] [--list FILE]

Sentences come from the grammar (unseen ones only) or from FILE, one per line.
"""
import argparse
from pathlib import Path

from grammar.sentences import normalise
from kokoro.onnx_model import OnnxSpeaker
from kokoro.readback import KINDS, STUDENTS, hear
from kokoro.unseen import draw_unseen
from kokoro.vocoder import RATE_HZ
from whisper.onnx_model import OnnxRecogniser
from whisper.words import word_errors

SEED = 4_711


def measure(title, speaker, recogniser, sentences, voice):
    errors, words, missed, worst = 0, 0, [], 0.0
    for text in sentences:
        made, wanted = hear(recogniser, speaker.speak(text[0].upper() + text[1:], voice), RATE_HZ), normalise(text)
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
        counts = {"caller": args.sentences, "assistant": args.sentences // 2}
        sets = {kind: draw_unseen(draw, counts[kind], SEED) for kind, draw in KINDS.items()}
    for title, sentences in sets.items():
        for voice in STUDENTS:
            measure(title, speaker, recogniser, sentences, voice)


if __name__ == "__main__":
    main()
