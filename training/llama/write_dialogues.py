"""Writes held-out test calls: models/evaluation/dialogues.json.

    python -m llama.write_dialogues COUNT OUT.json [--held-out 0.6] [--invented-names 0]

[{"turns": [{"caller", "reply", "kind", "heldOut"}]}]: true transcripts and the replies that are right, to the letter.
Calls have 4 to 10 turns; a turn that can be phrased in a held-out way is so with the probability given.
"""
import argparse
import json
import random
from pathlib import Path

from grammar.split import is_held_out

from .dataset import draw_dialogue

SEED = 20_001
FEWEST_TURNS, MOST_TURNS = 4, 10


def draw_calls(rng, count, held_out, invented_names):
    """-> lists of turns of the wanted length; without prompts that nobody answered, which the schema cannot tell"""
    calls = []
    while len(calls) < count:
        turns = draw_dialogue(rng, held_out, invented_names)
        if FEWEST_TURNS <= len(turns) <= MOST_TURNS and not any(t.prompt_before for t in turns):
            calls.append(turns)
    return calls


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--held-out", type=float, default=0.6)
    parser.add_argument("--invented-names", type=float, default=0.0)
    args = parser.parse_args()
    calls = draw_calls(random.Random(SEED), args.count, args.held_out, args.invented_names)
    assert all(is_held_out(t.caller) for turns in calls for t in turns if t.held_out)
    rows = [json.dumps({"turns": [{"caller": t.caller, "reply": t.reply, "kind": t.kind, "heldOut": t.held_out}
                                  for t in turns]}) for turns in calls]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    turns = [t for call in calls for t in call]
    print(f"{args.out}: {len(calls)} calls, {len(turns)} turns, {sum(t.held_out for t in turns)} held out")


if __name__ == "__main__":
    main()
