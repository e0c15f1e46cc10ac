"""How many replies are right, to the letter, given the true history.

    python -m llama.evaluate --model DIR [--dialogues 400] [--json FILE] [--show 10]

A call counts as right in its *facts* when every reply that carries facts and that the caller then says yes to
(a full confirmation, a phone number read back, the name of a booking to cancel) is right.
"""
import argparse
import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer

from .dataset import IGNORE, draw_dialogue, encode_dialogue
from .model import build_model
from .tokenizer import END_OF_TEXT

BATCH = 25
SEED = 4242
SETS = {  # name -> share of held-out phrasings, transcription noise and broken histories, share of calls with invented names
    "seen": (0.0, False, 0.0),
    "heldOut": (0.6, False, 0.0),
    "heldOutNoisy": (0.6, True, 0.0),
    "seenNoisy": (0.0, True, 0.0),
    "inventedNames": (0.3, False, 1.0),
}


@torch.no_grad()
def score(model, tokenizer, seed, count, held_out=0.0, noisy=False, invented_names=0.15, show=0):
    """-> {kind: [right, all]} over `count` dialogues"""
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
    return dict(sorted(tally.items()))


def tally_dialogue(tally, dialogue, wrong, turns, predicted, tokenizer, show):
    all_right, facts_right = True, True
    for index, turn in enumerate(dialogue):
        spoken = turns == index
        if not bool(spoken.any()):
            continue
        right = not bool((wrong & spoken).any())
        all_right &= right
        facts_right &= right or not is_agreed(dialogue, index)
        for kind in kinds_of(turn):
            count(tally, kind, right)
        if not right and show > 0:
            show -= 1
            print("  caller:", turn.caller, "| wanted:", turn.reply, "| got:", tokenizer.decode(predicted[spoken].tolist()))
    count(tally, "calls", all_right)
    count(tally, "calls facts", facts_right)
    return show


def kinds_of(turn):
    kinds = ["turns", "turns held out" if turn.held_out else "turns seen", "kind " + turn.kind]
    kinds += ["confirmations"] if turn.reply.startswith("So that is") else []
    return kinds + (["readBacks"] if turn.reply.startswith("I have ") else [])


def is_agreed(dialogue, index):
    """True for a reply with facts that the caller's next answer is a yes to."""
    following = dialogue[index + 1:index + 2]
    return bool(following) and following[0].kind == "yes"


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
    parser.add_argument("--dialogues", type=int, default=400)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load(args.model)
    results = {}
    for name in args.sets:
        held_out, noisy, invented = SETS[name]
        tally = score(model, tokenizer, SEED, args.dialogues, held_out, noisy, invented, args.show)
        results[name] = {kind: {"share": round(right / total, 4), "right": right, "of": total}
                         for kind, (right, total) in tally.items()}
        print(name, {kind: f"{r['share']} ({r['of']})" for kind, r in results[name].items()}, flush=True)
    if args.json:
        args.json.write_text(json.dumps({"seed": SEED, "calls": args.dialogues, "sets": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
