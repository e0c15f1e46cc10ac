"""Measures an exported recogniser on the sets of `build_tests`.

    python -m whisper.evaluate --pack PACK/whisper --data DIR [--json FILE] [--int8] [--sentences 300] [--window utterance]

`--window utterance` shows the encoder only as many frames as the clip has, as the runtime's switch of that name does.
"""
import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grammar.sentences import vocabulary
from grammar.slots import DAYS, NAMES, NUMBERS
from grammar.split import is_held_out

from .batches import pad_to_window
from .model import WINDOW_FRAMES
from .onnx_model import OnnxRecogniser
from .shards import Shards
from .words import missed_words, word_errors

SETS = ["house-clean"] + [f"{group}-{line}" for line in ("clean", "snr15", "noisy", "loss3") for group in ("voice", "rms")]
DIGITS = {*NUMBERS[:10], "oh"}
TIME_WORDS = set("noon half quarter past thirty fifteen forty o'clock pm evening".split())
FEWEST_DIGITS = 5  # that make a phone number
MISSES_SHOWN = 8
TRAILING_FRAMES, FRAME_STEP = 20, 50  # of the runtime, with --window utterance
RIGHT_ONES_LOST = [0.002, 0.005, 0.01]


@dataclass
class Heard:
    wanted: str
    text: str
    mean_log_prob: float
    min_log_prob: float
    no_speech_prob: float


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


def digits_of(text):
    """The digits in a sentence, 'oh' being zero."""
    return ["zero" if w == "oh" else w for w in text.split() if w in DIGITS]


def listen(recogniser, shards, limit, window):
    """-> [Heard]"""
    heard = []
    for index in range(min(limit, len(shards))):
        mel = pad_to_window(shards.mel(index)).numpy()
        if window == "utterance":
            frames = -(-(shards.utterances[index].frames + TRAILING_FRAMES) // FRAME_STEP) * FRAME_STEP
            mel = mel[:, : min(frames, WINDOW_FRAMES)]
        made = recogniser.transcribe(mel)
        heard.append(Heard(shards.utterances[index].text, made.text, made.mean_log_prob, made.min_log_prob, made.no_speech_prob))
    return heard


def summarise(heard):
    """-> figures of one set as a dictionary"""
    errors, words, kinds, phones = 0, 0, {}, []
    for h in heard:
        errors, words = errors + word_errors(h.wanted, h.text), words + len(h.wanted.split())
        is_phone = sum(w in DIGITS for w in h.wanted.split()) >= FEWEST_DIGITS
        if is_phone:
            phones.append(digits_of(h.wanted) == digits_of(h.text))
        for word, missed in zip(h.wanted.split(), missed_words(h.wanted, h.text)):
            kind = kind_of(word, is_phone)
            if kind:
                kinds.setdefault(kind, []).append(missed)
    slots = sum((m for kind, m in kinds.items() if kind != "digit"), [])
    return {"sentences": len(heard), "words": words, "wer": round(errors / max(1, words), 4),
            "exact": round(float(np.mean([h.text == h.wanted for h in heard])), 4),
            "slotError": round(float(np.mean(slots)), 4) if slots else None,
            "phones": [sum(phones), len(phones)],
            "missed": {kind: [sum(m), len(m)] for kind, m in sorted(kinds.items())}}


def by_sentence(heard):
    """-> figures apart for held-out phrasings, held-out hashes, and word lists without order"""
    groups = {"heldOutPhrasing": [h for h in heard if is_held_out(h.wanted)],
              "heldOutHash": [h for h in heard if not is_held_out(h.wanted)]}
    return {name: {k: summarise(part)[k] for k in ("sentences", "wer", "exact")} for name, part in groups.items() if part}


def confidence(spoken, confusers):
    """How well a limit on the mean or the smallest log-probability tells right sentences from wrong ones.

    `spoken`: everything heard of speech that it should know. Wrong = at least half of the words. Confusers are known
    words only by chance: those of vocabulary words alone do not count.
    """
    right = [h for h in spoken if h.text == h.wanted]
    wrong = [h for h in spoken if h.text != h.wanted]
    bad = [h for h in wrong if word_errors(h.wanted, h.text) * 2 >= len(h.wanted.split())]
    known = set(vocabulary())
    strange = [h for h in confusers if not all(w in known for w in h.wanted.split()) and h.text]
    figures = {"right": len(right), "wrong": len(wrong), "halfWrong": len(bad), "confusers": len(strange),
               "confusersEmpty": sum(not h.text for h in confusers), "limits": []}
    for score in ("mean_log_prob", "min_log_prob") if right else ():
        values = np.sort([getattr(h, score) for h in right])
        for share in RIGHT_ONES_LOST:
            limit = float(values[int(share * len(values))])
            figures["limits"].append({"score": score, "limit": round(limit, 3), "rightFlagged": share, **{
                name: round(float(np.mean([getattr(h, score) < limit for h in group])), 3) if group else None
                for name, group in (("wrongFlagged", wrong), ("halfWrongFlagged", bad), ("confusersFlagged", strange))}})
    return figures


def print_set(name, heard, figures):
    missed = ", ".join(f"{kind} {a}/{b}" for kind, (a, b) in figures["missed"].items())
    print(f"{name}: WER {figures['wer']:.4f} exact {figures['exact']:.3f} slots {figures['slotError']} "
          f"phones {figures['phones'][0]}/{figures['phones'][1]}; missed {missed}; {by_sentence(heard)}", flush=True)
    for h in [h for h in heard if h.text != h.wanted][:MISSES_SHOWN]:
        print(f"    said {h.wanted!r} heard {h.text!r} mean {h.mean_log_prob:.2f} min {h.min_log_prob:.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--window", choices=["full", "utterance"], default="full")
    args = parser.parse_args()
    recogniser, spoken, start_s = OnnxRecogniser(args.pack, "_quantized" if args.int8 else ""), [], time.time()
    results = {"window": args.window, "sets": {}}
    for name in SETS:
        heard = listen(recogniser, Shards([args.data / f"test-{name}"]), args.sentences, args.window)
        figures = summarise(heard)
        results["sets"][name] = {**figures, "bySentence": by_sentence(heard)}
        print_set(name, heard, figures)
        spoken += heard
    results["noSpeechProbabilityOfSpeech"] = {"highest": round(max(h.no_speech_prob for h in spoken), 4)}
    report_silence(recogniser, args, results)
    confusers = listen(recogniser, Shards([args.data / "test-confusers"]), args.sentences, args.window)
    results["confidence"] = confidence(spoken, confusers)
    for line in results["confidence"]["limits"]:
        print(line)
    clips = len(spoken) + len(confusers)
    results["msPerClip"] = round((time.time() - start_s) * 1000 / clips, 1)
    print({k: v for k, v in results["confidence"].items() if k != "limits"}, "ms per clip", results["msPerClip"])
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def report_silence(recogniser, args, results):
    shards = Shards([args.data / "test-silence"])
    heard = listen(recogniser, shards, len(shards), args.window)
    written = [(u.voice, h.text) for u, h in zip(shards.utterances, heard) if h.text]
    results["silence"] = {"clips": len(heard), "seconds": round(sum(u.frames for u in shards.utterances) / 100),
                          "words": sum(len(h.text.split()) for h in heard), "lowestNoSpeechProbability": round(
                              min(h.no_speech_prob for h in heard), 4)}
    print("silence:", results["silence"], written[:MISSES_SHOWN], flush=True)


if __name__ == "__main__":
    main()
