"""Writes test dialogues for talk.mjs.

    python -m llama.write_dialogues COUNT HELD_OUT_SHARE OUT.json
"""
import json
import random
import sys

from .dataset import draw_dialogue

SEED = 20_001


def main():
    count, held_out, path = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    rng = random.Random(SEED)
    dialogues = [draw_dialogue(rng, held_out, invented_names=0.0) for _ in range(count)]
    with open(path, "w") as file:
        json.dump([[[t.caller, t.reply] for t in d if not t.prompt_before] for d in dialogues], file)


if __name__ == "__main__":
    main()
