"""How many replies are right, to the letter, given the true history.

    python -m llama.evaluate --model DIR
"""
import argparse
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer

from .dataset import IGNORE, draw_dialogue, encode_dialogue
from .model import build_model
from .tokenizer import END_OF_TEXT

BATCH = 25
SETS = [  # name, share of held-out phrasings, transcription noise and broken histories
    ("seen phrasings", 0.0, False),
    ("25 % held-out phrasings", 0.25, False),
    ("noise and barge-ins", 0.0, True),
]


@torch.no_grad()
def score(model, tokenizer, seed, count, held_out=0.0, noisy=False, invented_names=0.15, show=0):
    """-> {kind: 'share right (number)'} over `count` dialogues."""
    from .train import collate

    model.eval()
    rng, tally, pad = random.Random(seed), {}, tokenizer.token_to_id(END_OF_TEXT)
    for _ in range(0, count, BATCH):
        dialogues = [draw_dialogue(rng, held_out, invented_names) for _ in range(BATCH)]
        samples = [encode_dialogue(tokenizer, rng, d, noisy, noisy) for d in dialogues]
        ids, labels, turns = collate(samples, pad)
        predicted = model(input_ids=ids, use_cache=False).logits.argmax(-1)[:, :-1]
        wrong = (predicted != labels[:, 1:]) & (labels[:, 1:] != IGNORE)
        for row, dialogue in enumerate(dialogues):
            show = tally_dialogue(tally, dialogue, wrong[row], turns[row, 1:], predicted[row], tokenizer, show)
    model.train()
    return {kind: f"{right / total:.4f} ({total})" for kind, (right, total) in sorted(tally.items())}


def tally_dialogue(tally, dialogue, wrong, turns, predicted, tokenizer, show):
    all_right = True
    for index, turn in enumerate(dialogue):
        spoken = turns == index
        if not bool(spoken.any()):
            continue
        right = not bool((wrong & spoken).any())
        all_right &= right
        kinds = ["turns", "turns held out" if turn.held_out else "turns seen", "kind " + turn.kind]
        for kind in kinds + (["confirmations"] if turn.reply.startswith("So that is") else []):
            count(tally, kind, right)
        if not right and show > 0:
            show -= 1
            print("  caller:", turn.caller, "| wanted:", turn.reply, "| got:", tokenizer.decode(predicted[spoken].tolist()))
    count(tally, "dialogues", all_right)
    return show


def count(tally, kind, right):
    before = tally.get(kind, (0, 0))
    tally[kind] = before[0] + int(right), before[1] + 1


def load(folder, **size):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = build_model(tokenizer, **size)
    model.load_state_dict(torch.load(folder / "model.pt"))
    return model, tokenizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dialogues", type=int, default=300)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load(args.model)
    for name, held_out, noisy in SETS:
        print(name, score(model, tokenizer, 4242, args.dialogues, held_out, noisy, show=10), flush=True)


if __name__ == "__main__":
    main()
