"""Speaks everything that the planned callers may say, in voices that no model was trained on.

    node evaluation/write-plans.ts $OUT/plans.json
    python -m evaluation.record_callers $OUT/plans.json ../models/evaluation/callers

One G.711 mu-law WAV file (8 kHz) per caller, its utterances one after another, and index.json with the plan, the voice
and the place of each utterance. Two callers of three speak in a held-out espeak-ng variant, the third is flite's rms.
outside.wav holds the sentences of outside.txt: English that the models do not know and must not take for something else.
Nobody has been trained on these sentences: they hold a held-out phrasing, or they are test sentences; the few that are
neither are marked `fixed`. The same commands write the same bytes.
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np
import soundfile

from grammar.sentences import is_test_sentence, normalise
from grammar.split import is_held_out
from speech import flite, voices
from speech.telephone import LINE_RATE_HZ, set_level, trim

SEED = 70_406
GAP_S = 0.03
PEAK_DB = (-20, -6)  # one level per caller


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plans", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    plans = json.loads(args.plans.read_text())
    args.folder.mkdir(parents=True, exist_ok=True)
    for old in args.folder.glob("*.wav"):
        old.unlink()
    callers = [record_caller(plan, number, args.folder) for number, plan in enumerate(plans)]
    index = {"schemaVersion": 1, "sampleRateHz": LINE_RATE_HZ, "encoding": "mu-law", "seed": SEED, "callers": callers,
             "outside": record_outside(args.folder)}
    text = json.dumps(index, separators=(",", ":"))
    for start in ('{"plan"', '"outside"', '{"voice"'):  # a line per entry
        text = text.replace(start, "\n" + start)
    (args.folder / "index.json").write_text(text + "\n")
    report(callers, args.folder)


def record_caller(plan, number, folder):
    """Writes one caller's file. -> its entry in the index"""
    rng = random.Random(SEED + number)
    voice, speak = draw_voice(rng, number)
    peak_db = rng.uniform(*PEAK_DB)
    sayings = [(occasion, index, wording["text"]) for occasion, wordings in plan["utterances"].items()
               for index, wording in enumerate(wordings)]
    lines = [line_of(speak(text), peak_db) for _, _, text in sayings]
    file = f"{number:03d}.wav"
    utterances = [{"occasion": occasion, "indexInOccasion": index, "text": text, "split": split_of(text), **span}
                  for (occasion, index, text), span in zip(sayings, write_wav(folder / file, lines))]
    return {"plan": plan, "voice": voice, "file": file, "peakDbfs": round(peak_db, 1), "utterances": utterances}


def record_outside(folder):
    """Writes outside.wav. -> the entries of its sentences"""
    rng, voices_drawn, lines = random.Random(SEED - 1), [], []
    texts = Path(__file__).with_name("outside.txt").read_text().split("\n")[:-1]
    for number, text in enumerate(texts):
        voice, speak = draw_voice(rng, number)
        voices_drawn.append(voice)
        lines.append(line_of(speak(text), rng.uniform(*PEAK_DB)))
    return [{"voice": voice, "file": "outside.wav", "text": text, **span}
            for voice, text, span in zip(voices_drawn, texts, write_wav(folder / "outside.wav", lines))]


def line_of(clip, peak_db):
    """-> samples at 8 kHz, trimmed"""
    return set_level(trim(clip.at_rate(LINE_RATE_HZ)).audio, peak_db)


def write_wav(path, lines):
    """The lines one after another with gaps, through the codec. -> the place of each"""
    gap, parts, spans, position = np.zeros(int(GAP_S * LINE_RATE_HZ), np.float32), [], [], 0
    for line in lines:
        start = position + len(gap)
        position = start + len(line)
        parts += [gap, line]
        spans.append({"startSample": start, "endSample": position})
    soundfile.write(path, np.concatenate(parts + [gap]), LINE_RATE_HZ, subtype="ULAW")
    return spans


def draw_voice(rng, number):
    """-> (name, text -> Clip)"""
    if number % 3 == 2:
        manner = voices.draw_held_out_speaker(rng)
        return f"flite {flite.HELD_OUT}", lambda text: voices.speak_flite(text, flite.HELD_OUT, manner)
    voice, prosody = voices.draw_held_out_voice(rng)
    return voice, lambda text: voices.speak_espeak(text, voice, prosody)


def split_of(text):
    """'heldOut', 'test', or 'fixed' for what training may have heard"""
    words = normalise(text)
    return "heldOut" if is_held_out(words) else "test" if is_test_sentence(words) else "fixed"


def report(callers, folder):
    utterances = [u for c in callers for u in c["utterances"]]
    counts = {split: sum(u["split"] == split for u in utterances) for split in ("heldOut", "test", "fixed")}
    phones = {u["text"] for c in callers for u in c["utterances"] if u["occasion"].startswith("phone")}
    seconds = sum(u["endSample"] - u["startSample"] for u in utterances) / LINE_RATE_HZ
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{len(callers)} callers, {len(utterances)} utterances {counts}, {len(phones)} phone numbers, "
          f"{seconds:.0f} s, {size / 1e6:.1f} MB")
    print("fixed:", sorted({u["text"] for u in utterances if u["split"] == "fixed"}))


if __name__ == "__main__":
    main()
