"""Cross-check by an independent listener: CMU PocketSphinx, whose models were trained on recordings of people.

    PocketSphinx is no part of the pipeline: python3 -m venv DIR && DIR/bin/pip install pocketsphinx==5.1.1
    python -m kokoro.listen --pack PACK --voices node_modules/kokoro-js/voices --python DIR/bin/python [--out FILE.json]

Student and teacher speak the same sentences; it hears them in wide band (16 kHz, as its models want). For callers and the
assistant its language model is a trigram of the grammar's training sentences; "general" is everyday English under its
own model. Only the comparison of student and teacher counts: its acoustic models know no synthetic voices.
"""
import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from grammar.sentences import draw_agent_text, draw_caller_sentence, is_test_sentence, normalise
from whisper.words import word_errors

from .onnx_model import OnnxSpeaker
from .readback import STUDENTS, teach
from .unseen import draw_unseen
from .vocoder import RATE_HZ

LISTENER = Path(__file__).with_name("listener.py")
EAR_RATE_HZ = 16000
SEED, SENTENCES_FOR_MODEL = 61_001, 20_000
GAP_S = 0.3
GENERAL = [  # everyday English of frequent words, written for this purpose
    "The weather was cold and wet for most of the winter.",
    "Please open the window before you leave the room.",
    "My brother works in a small office near the river.",
    "They bought a new house at the end of the street.",
    "She asked the doctor about the pain in her shoulder.",
    "We walked along the beach until the sun went down.",
    "The train to the city leaves every twenty minutes.",
    "He forgot his umbrella on the bus this morning.",
    "The children played in the garden after school.",
    "I would like some bread and a glass of milk.",
    "Our company has more than two hundred workers.",
    "The teacher wrote the answer on the blackboard.",
    "Most people in the village know each other well.",
    "It takes an hour to drive from here to the airport.",
    "The old man sat under a tree and read the paper.",
    "You should never leave your car keys on the table.",
    "The government will raise the price of water next year.",
    "Her daughter plays the piano better than anyone else.",
    "There was a strange noise in the kitchen last night.",
    "The police found the money in a box behind the wall.",
    "He has been looking for a job since the summer.",
    "The soup is too hot and the bread is too hard.",
    "A large ship came into the harbor early in the day.",
    "Nobody could explain why the machine had stopped.",
]
KINDS = {"caller": draw_caller_sentence, "assistant": draw_agent_text}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--python", required=True, help="of an environment that has pocketsphinx")
    parser.add_argument("--sentences", type=int, default=40, help="per kind, voice and speaker")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    speaker = OnnxSpeaker(args.pack / "kokoro", args.voices)
    figures = {}
    with tempfile.TemporaryDirectory() as work:
        model = Path(work, "domain.txt")
        model.write_text("\n".join(domain_text()) + "\n")
        for kind, texts in {**{k: draw_unseen(d, args.sentences, SEED) for k, d in KINDS.items()}, "general": GENERAL}.items():
            for voice, teacher in STUDENTS.items():
                taught = [teach(text, teacher) for text in texts]
                heard = {"student": [soxr.resample(speaker.speak(t, voice), RATE_HZ, EAR_RATE_HZ) for t in texts],
                         "teacher": [soxr.resample(a, rate_hz, EAR_RATE_HZ) for a, rate_hz in taught]}
                for who, waves in heard.items():
                    made = listen(args.python, waves, None if kind == "general" else model, Path(work))
                    figures.setdefault(kind, {}).setdefault(voice, {})[who] = score(texts, made)
                    print(kind, voice, who, figures[kind][voice][who], flush=True)
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1) + "\n")


def domain_text():
    """Training sentences of the grammar: what the listener may expect, not what it will hear"""
    rng, texts = random.Random(SEED), []
    while len(texts) < SENTENCES_FOR_MODEL:
        text = normalise(rng.choice([draw_caller_sentence, draw_agent_text])(rng))
        if not is_test_sentence(text):
            texts.append(text)
    return texts


def listen(python, waves, model, work):
    """-> what was heard, one line per waveform"""
    gap = np.zeros(int(GAP_S * EAR_RATE_HZ), np.float32)
    for index, wave in enumerate(waves):
        soundfile.write(work / f"{index:04}.wav", np.concatenate([gap, wave, gap]), EAR_RATE_HZ, subtype="PCM_16")
    command = [python, LISTENER, *([model] if model else ["-"]), *[work / f"{i:04}.wav" for i in range(len(waves))]]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def score(texts, heard):
    wanted = [normalise(text) for text in texts]
    errors = sum(word_errors(w, h) for w, h in zip(wanted, heard))
    return {"wer": round(errors / sum(len(w.split()) for w in wanted), 3),
            "exact": round(float(np.mean([w == h for w, h in zip(wanted, heard)])), 3), "sentences": len(texts)}


if __name__ == "__main__":
    main()
