"""Trains the language model on dialogues that are drawn while training.

    python -m llama.train --out DIR --minutes 45        (or --end EPOCH_SECONDS)
    python -m llama.train --out DIR --minutes 8 --resume --rate 0.3

Writes DIR/tokenizer.json, DIR/model.pt (every few minutes and at the end) and DIR/train.log.
"""
import argparse
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from schedule import Deadline, Optimisers, cosine_rate

from .dataset import IGNORE, draw_dialogue, encode_copying, encode_dialogue
from .evaluate import score
from .model import build_model
from .tokenizer import END_OF_TEXT, build_tokenizer

BATCH = 16
POOL_BATCHES = 16  # samples are sorted by length within a pool, so that batches carry little padding
WARMUP_STEPS = 150
MAX_TOKENS = 512  # longer calls are cut: the memory of eager attention grows with the square
MATRIX_RATE, OTHER_RATE = 3e-3, 2e-3


def copy_share(progress):
    """Only copying at first, then a quarter, at last hardly any."""
    return 1.0 if progress < 0.08 else 0.25 if progress < 0.45 else 0.04


def draw_pool(tokenizer, rng, progress):
    """-> list of batches of samples"""
    def draw():
        if rng.random() < copy_share(progress):
            return encode_copying(tokenizer, rng)
        mature = progress > 0.25  # noise and broken histories wait until the plain task is understood
        sample = encode_dialogue(tokenizer, rng, draw_dialogue(rng), noisy=mature, history_accidents=mature)
        return tuple(values[:MAX_TOKENS] for values in sample)

    samples = sorted((draw() for _ in range(BATCH * POOL_BATCHES)), key=lambda s: len(s[0]))
    batches = [samples[i:i + BATCH] for i in range(0, len(samples), BATCH)]
    rng.shuffle(batches)
    return batches


def collate(batch, pad):
    """-> ids [B, N], labels [B, N], turn indices [B, N]"""
    length = max(len(ids) for ids, _, _ in batch)
    ids = torch.full((len(batch), length), pad)
    labels, turns = torch.full_like(ids, IGNORE), torch.full_like(ids, -1)
    for row, sample in enumerate(batch):
        for tensor, values in zip((ids, labels, turns), sample):
            tensor[row, : len(values)] = torch.tensor(values)
    return ids, labels, turns


def loss_of(model, ids, labels):
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
    wanted = labels[:, 1:] != IGNORE
    logits = model.lm_head(hidden[:, :-1][wanted].float())
    return F.cross_entropy(logits, labels[:, 1:][wanted])


def split_parameters(model):
    """-> (matrices inside the layers, everything else)"""
    inner = [p for n, p in model.named_parameters() if "layers" in n and p.dim() == 2]
    taken = {id(p) for p in inner}
    return inner, [p for p in model.parameters() if id(p) not in taken]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--end", type=float, help="seconds since the epoch")
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--resume", action="store_true", help="go on from DIR/model.pt, past the copying phase")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the learning rates")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    tokenizer.save(str(args.out / "tokenizer.json"))
    model = build_model(tokenizer, args.width, args.layers)
    if args.resume:
        model.load_state_dict(torch.load(args.out / "model.pt"))
    matrices, others = split_parameters(model)
    optimisers = Optimisers(matrices, others, MATRIX_RATE * args.rate, OTHER_RATE * args.rate, decay=0.05)
    train(args, tokenizer, model, optimisers)


def train(args, tokenizer, model, optimisers):
    deadline = Deadline(args.end, args.minutes and args.minutes * 60)
    rng, log = random.Random(12 if args.resume else 11), open(args.out / "train.log", "a" if args.resume else "w")
    pad, batches, losses, step, tokens, next_evaluation_s = tokenizer.token_to_id(END_OF_TEXT), [], [], 0, 0, 300
    while deadline.progress() < 1:
        batches = batches or draw_pool(tokenizer, rng, max(deadline.progress(), 0.5 if args.resume else 0.0))
        ids, labels, _ = collate(batches.pop(), pad)
        loss = loss_of(model, ids, labels)
        loss.backward()
        optimisers.step(cosine_rate(step, deadline.progress(), WARMUP_STEPS))
        step, tokens, losses = step + 1, tokens + ids.numel(), losses + [loss.item()]
        if step % 50 == 0:
            say(log, f"step {step} t {deadline.elapsed_s():.0f} dialogues {step * BATCH} "
                     f"tok/s {tokens / deadline.elapsed_s():.0f} loss {np.mean(losses[-50:]):.4f}")
        if deadline.elapsed_s() > next_evaluation_s:
            next_evaluation_s += 300
            torch.save(model.state_dict(), args.out / "model.pt")
            say(log, f"evaluation {score(model, tokenizer, seed=999, count=50, held_out=0.25)}")
    torch.save(model.state_dict(), args.out / "model.pt")
    say(log, f"done: {step * BATCH} dialogues, {tokens} tokens, {deadline.elapsed_s():.0f} s")


def say(log, line):
    print(line, flush=True)
    log.write(line + "\n")
    log.flush()


if __name__ == "__main__":
    main()
