"""Writes the sentences that student and teacher of the speaker are compared on, spoken by the teachers.

    python -m kokoro.build_teacher_set ../models/evaluation/teacher

One G.711 mu-law WAV file (8 kHz) per teacher, its sentences one after another, and index.json that says where each
one lies. Nobody has been trained on these sentences; the same command writes the same bytes.
"""
import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile
import soxr

from grammar.sentences import draw_agent_text, draw_caller_sentence, normalise
from speech import espeak
from speech.telephone import LINE_RATE_HZ

from .build_data import GAIN, TEACHERS, prosody_of
from .unseen import draw_unseen

SEED = 80_210
PER_KIND = 60  # sentences per teacher from callers, and as many from the assistant
GAP_S = 0.25
STUDENTS = ["am_michael", "af_heart"]  # the voices that learned from TEACHERS[0] and TEACHERS[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    callers = draw_unseen(draw_caller_sentence, 2 * PER_KIND, SEED)
    assistant = draw_unseen(draw_agent_text, 2 * PER_KIND, SEED + 1)
    clips = []
    for number, (student, (_, teacher)) in enumerate(zip(STUDENTS, TEACHERS)):
        mine = slice(number * PER_KIND, (number + 1) * PER_KIND)
        clips += write_voice(args.folder, teacher, student, callers[mine] + assistant[mine])
    index = {
        "schemaVersion": 1, "sampleRateHz": LINE_RATE_HZ, "encoding": "mu-law", "seed": SEED,
        "teachers": [{"voice": t.voice, "student": s, **asdict(prosody_of(t))} for s, (_, t) in zip(STUDENTS, TEACHERS)],
        "clips": clips,
    }
    (args.folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(clips)} sentences, {sum(c['endSample'] - c['startSample'] for c in clips) / LINE_RATE_HZ:.0f} s")


def write_voice(folder, teacher, student, texts):
    """-> index entries of the file that was written"""
    file, parts, clips, position = f"{teacher.voice}.wav", [], [], 0
    gap = np.zeros(int(GAP_S * LINE_RATE_HZ), np.float32)
    for text in texts:
        audio, rate_hz, _ = espeak.synthesise(text, teacher.voice, prosody_of(teacher))
        line = soxr.resample(audio * GAIN, rate_hz, LINE_RATE_HZ).astype(np.float32)
        parts += [gap, np.clip(line, -1, 1)]
        start = position + len(gap)
        position = start + len(line)
        clips.append({"file": file, "voice": teacher.voice, "student": student, "text": normalise(text), "written": text,
                      "startSample": start, "endSample": position})
    soundfile.write(folder / file, np.concatenate(parts + [gap]), LINE_RATE_HZ, subtype="ULAW")
    return clips


if __name__ == "__main__":
    main()
