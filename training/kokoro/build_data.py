"""Makes the speaker's data: text, phonemes, durations, pitch and audio of two teacher voices.

    python -m kokoro.build_data COUNT SEED PATH.pkl

Beside it PATH.json keeps the seed for the record of the training.
"""
import argparse
import json
import pickle
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from grammar.sentences import is_test_sentence, normalise
from speech import espeak
from speech.voices import HOUSE_VOICE, HOUSE_VOICE_FEMALE

from .example import Example
from .phonemes import VOCABULARY, align, phonemise, token_ids
from .pitch import fill_gaps, track
from .vocoder import HOP_SAMPLES, RATE_HZ

GAIN = 1.5  # espeak-ng is quiet


@dataclass
class Teacher:
    voice: str
    phoneme_voice: str
    is_female: int
    pitch: int
    f0_range_hz: tuple


TEACHERS = [  # with their share of the sentences
    (0.44, Teacher(HOUSE_VOICE, "en-us", 0, 45, (60, 200))),
    (0.44, Teacher(HOUSE_VOICE_FEMALE, "en-us", 1, 50, (100, 340))),
    (0.06, Teacher("en", "en", 0, 45, (60, 200))),
    (0.06, Teacher("en+f3", "en", 1, 50, (100, 340))),
]


def prosody_of(teacher):
    return espeak.Prosody(150, teacher.pitch, 50)


def make_example(text, teacher):
    """-> Example, or None when the alignment fails"""
    audio, rate_hz, events = espeak.synthesise(text, teacher.voice, prosody_of(teacher))
    phonemes = "".join(c for c in phonemise(text, teacher.phoneme_voice) if c in VOCABULARY)
    durations = align(phonemes, events, len(audio))
    if durations is None:
        return None
    audio = soxr.resample(audio, rate_hz, RATE_HZ).astype(np.float32)
    ends = np.round(np.cumsum(durations * RATE_HZ / rate_hz) / HOP_SAMPLES).astype(int)
    frames = int(ends[-1])
    audio = np.pad(audio, (0, max(0, (frames + 1) * HOP_SAMPLES - len(audio))))
    low_hz, high_hz = teacher.f0_range_hz
    f0 = track(audio, RATE_HZ, low_hz, high_hz)[:frames]
    f0 = fill_gaps(np.where((f0 > low_hz) & (f0 < high_hz), f0, 0))
    if f0 is None or len(f0) < frames:
        return None
    samples = (audio[: frames * HOP_SAMPLES] * GAIN).astype(np.float16)
    frame_counts = np.diff(np.concatenate([[0], ends])).astype(np.int16)
    return Example(text, np.array(token_ids(phonemes)), frame_counts, f0, samples, teacher.is_female)


def main():
    from .words import draw_text

    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("path", type=Path)
    args = parser.parse_args()
    rng, examples, failed, start_s = random.Random(args.seed), [], 0, time.time()
    while len(examples) < args.count:
        text = draw_text(rng)
        if is_test_sentence(normalise(text)):
            continue
        teacher = rng.choices([t for _, t in TEACHERS], [share for share, _ in TEACHERS])[0]
        example = make_example(text, teacher)
        if example is None:
            failed += 1
            continue
        examples.append(example)
    args.path.parent.mkdir(parents=True, exist_ok=True)
    with open(args.path, "wb") as file:
        pickle.dump(examples, file)
    args.path.with_suffix(".json").write_text(json.dumps({"seed": args.seed, "sentences": args.count}) + "\n")
    seconds = sum(len(e.audio) for e in examples) / RATE_HZ
    print(f"{len(examples)} sentences, {failed} not aligned, {seconds:.0f} s of audio, {time.time() - start_s:.0f} s")


if __name__ == "__main__":
    main()
