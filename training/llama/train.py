"""Trains the language model on dialogues that are drawn while training.

    python -m llama.train --out DIR --minutes 60            from nothing
    python -m llama.train --out DIR --minutes 60 --resume   go on from DIR/checkpoint.pt where it stopped
    python -m llama.train --out DIR --minutes 8 --tune --rate 0.3   another, shorter schedule on top of DIR/model.pt

Writes DIR/tokenizer.json, DIR/model.pt and DIR/checkpoint.pt (every few minutes and at the end), DIR/train.log,
DIR/curve.jsonl (one line per evaluation) and DIR/training.json (where the weights come from).
"""
import argparse
import json
import random
import signal
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from provenance import Run
from schedule import Deadline, Optimisers, cosine_rate

from .dataset import IGNORE, draw_dialogue, encode_copying, encode_dialogue
from .evaluate import score
from .model import CONTEXT_TOKENS, build_model
from .tokenizer import END_OF_TEXT, build_tokenizer

BATCH = 16
POOL_BATCHES = 16  # samples are sorted by length within a pool, so that batches carry little padding
BATCH_SQUARES = 16 * 330**2  # samples x length^2: what eager attention takes; long calls come in smaller batches
WARMUP_STEPS = 150
MATRIX_RATE, OTHER_RATE = 3e-3, 2e-3
STRANGE_SHARE = 0.10  # answers in carriers of random words
BOOKING_SHARE = 0.25  # calls that are bookings in any case: they are the hardest
LONG_SHARE = 0.06  # calls with up to six requests, so that late positions are trained too
EVALUATION_S = 300


def copy_share(progress):
    """Only copying at first, then a quarter, at last hardly any."""
    return 1.0 if progress < 0.08 else 0.25 if progress < 0.45 else 0.04


def draw_sample(tokenizer, rng, progress):
    if rng.random() < copy_share(progress):
        return encode_copying(tokenizer, rng)
    mature = progress > 0.2  # noise and broken histories wait until the plain task is understood
    turns = draw_dialogue(rng, strange=STRANGE_SHARE, requests=6 if mature and rng.random() < LONG_SHARE else 3,
                          first="book" if rng.random() < BOOKING_SHARE else None)
    sample = encode_dialogue(tokenizer, rng, turns, noisy=mature, history_accidents=mature)
    return tuple(values[:CONTEXT_TOKENS] for values in sample)


def draw_pool(tokenizer, rng, progress):
    """-> list of batches of samples"""
    samples = sorted((draw_sample(tokenizer, rng, progress) for _ in range(BATCH * POOL_BATCHES)), key=lambda s: len(s[0]))
    batches = [[]]
    for sample in samples:
        if len(batches[-1]) == BATCH or (len(batches[-1]) + 1) * len(sample[0]) ** 2 > BATCH_SQUARES:
            batches.append([])
        batches[-1].append(sample)
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
    wanted = labels[:, 1:] != IGNORE
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
        logits = model.lm_head(hidden[:, :-1][wanted])
    return F.cross_entropy(logits.float(), labels[:, 1:][wanted])


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
    parser.add_argument("--resume", action="store_true", help="go on with the same schedule from DIR/checkpoint.pt")
    parser.add_argument("--tune", action="store_true", help="a new schedule, past the copying phase, from DIR/model.pt")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the learning rates")
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = open_tokenizer(args.out / "tokenizer.json", args.resume or args.tune)
    model = build_model(tokenizer, args.width, args.layers)
    if args.tune:
        model.load_state_dict(torch.load(args.out / "model.pt"))
    matrices, others = split_parameters(model)
    optimisers = Optimisers(matrices, others, MATRIX_RATE * args.rate, OTHER_RATE * args.rate, decay=0.05)
    trainer = Trainer(args, tokenizer, model, optimisers)
    trainer.run()
    if trainer.is_stopped:
        sys.exit(128 + signal.SIGTERM)


def open_tokenizer(path, exists):
    if exists:
        return Tokenizer.from_file(str(path))
    tokenizer = build_tokenizer()
    tokenizer.save(str(path))
    return tokenizer


class Trainer:
    def __init__(self, args, tokenizer, model, optimisers):
        self.args, self.tokenizer, self.model, self.optimisers = args, tokenizer, model, optimisers
        self.deadline = Deadline(args.end, args.minutes and args.minutes * 60)
        self.rng = random.Random(args.seed)
        self.step, self.samples, self.tokens, self.batches, self.losses = 0, 0, 0, [], []
        self.is_stopped = False
        seeds = {"dialogues": args.seed, "weights": 0}
        self.record = Run(seeds, continued_from=args.out if args.resume or args.tune else None)
        signal.signal(signal.SIGTERM, self.stop)
        self.log = open(args.out / "train.log", "a" if args.resume or args.tune else "w")
        if args.resume:
            self.load()

    def progress(self):
        return self.deadline.progress()

    def run(self):
        pad, next_evaluation_s = self.tokenizer.token_to_id(END_OF_TEXT), self.deadline.elapsed_s() + EVALUATION_S
        while self.progress() < 1 and not self.is_stopped:
            data_progress = max(self.progress(), 0.5) if self.args.tune else self.progress()
            self.batches = self.batches or draw_pool(self.tokenizer, self.rng, data_progress)
            self.learn(*collate(self.batches.pop(), pad))
            if self.step % 50 == 0:
                self.say(f"step {self.step} t {self.deadline.elapsed_s():.0f} dialogues {self.samples} "
                         f"tok/s {self.tokens / self.deadline.elapsed_s():.0f} loss {np.mean(self.losses[-50:]):.4f}")
            if self.deadline.elapsed_s() > next_evaluation_s:
                next_evaluation_s += EVALUATION_S
                self.save()
                self.evaluate()
        self.save()
        self.say(f"{'stopped' if self.is_stopped else 'done'}: {self.step} steps, {self.samples} dialogues, "
                 f"{self.tokens} tokens, {self.deadline.elapsed_s():.0f} s")

    def stop(self, *_):
        """SIGTERM: save after this step and end as not done, to be resumed."""
        self.is_stopped = True

    def learn(self, ids, labels, _):
        loss = loss_of(self.model, ids, labels)
        loss.backward()
        self.optimisers.step(cosine_rate(self.step, self.progress(), WARMUP_STEPS))
        self.step, self.samples, self.tokens = self.step + 1, self.samples + len(ids), self.tokens + ids.numel()
        self.losses = self.losses[-200:] + [loss.item()]

    def evaluate(self):
        tally = score(self.model, self.tokenizer, seed=999, count=75, held_out=0.6)
        scores = {kind: round(right / total, 4) for kind, (right, total) in tally.items()}
        self.say("evaluation " + " ".join(f"{kind} {share} ({tally[kind][1]})" for kind, share in scores.items()))
        with open(self.args.out / "curve.jsonl", "a") as file:
            point = {"step": self.step, "seconds": round(self.deadline.elapsed_s()), "samples": self.samples,
                     "tokens": self.tokens, "loss": round(float(np.mean(self.losses[-200:])), 4), **scores}
            file.write(json.dumps(point) + "\n")

    def save(self):
        self.record.write(self.args.out, steps=self.step, dialogues=self.samples, tokens=self.tokens)
        torch.save(self.model.state_dict(), self.args.out / "model.pt")
        state = {"model": self.model.state_dict(), "optimisers": self.optimisers.state(), "step": self.step,
                 "samples": self.samples, "tokens": self.tokens, "elapsed_s": self.deadline.elapsed_s(),
                 "rng": self.rng.getstate()}
        torch.save(state, self.args.out / "checkpoint.pt")

    def load(self):
        state = torch.load(self.args.out / "checkpoint.pt", weights_only=False)
        self.model.load_state_dict(state["model"])
        for (optimiser, _), saved in zip(self.optimisers.parts, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.step, self.samples, self.tokens = state["step"], state["samples"], state["tokens"]
        self.rng.setstate(state["rng"])
        self.deadline = Deadline(self.args.end, self.args.minutes and self.args.minutes * 60, state["elapsed_s"])

    def say(self, line):
        print(line, flush=True)
        self.log.write(line + "\n")
        self.log.flush()


if __name__ == "__main__":
    main()
