"""Trains the recogniser: two ranks, one per core, one cosine schedule that ends on time.

    python -m whisper.train --data DIR --out DIR --minutes 60 --rank 0 &
    python -m whisper.train --data DIR --out DIR --minutes 60 --rank 1

`--resume` goes on from OUT/checkpoint.pt where it stopped, in the same schedule; the log and the record go on, too.
`--tune CHECKPOINT --rate .5` is another schedule on top of one: half the peak rate, without the easy beginning.
`--warm-heads 300` lets both heads of a checkpoint of `whisper.from_pack` learn for so many steps before they teach the encoder.
`--weight train-old=.3` (any number of times) takes so much of the shards with that beginning into each epoch.
Rank 0 writes OUT/checkpoint.pt (all heads and optimiser states) and OUT/training.json every few minutes, and OUT/train.log.
"""
import argparse
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from tokenizers import Tokenizer

from provenance import Run
from schedule import Deadline, Optimisers, cosine_rate

from .batches import IGNORE, BatchMaker, pad_to_window
from .epochs import Epochs
from .model import Recogniser, transcribe
from .shards import Shards
from .words import word_errors

RANKS = 2
BATCH, SMALLEST_PART = 48, 10
LONG_FRAMES = 500
MATRIX_RATE, OTHER_RATE, WARMUP_STEPS, TUNED_WARMUP_STEPS, DECAY = 2.5e-3, 1.5e-3, 200, 50, 0.02
EASY_SHARE = 0.10  # of the schedule: clean clips only, until the encoder has found the phonemes
EASY_DB = 18
TEST_SETS = [["voice-clean", "rms-noisy", "silence"], ["rms-clean", "voice-noisy", "rms-loss3"]]  # per rank
TEST_CLIPS = 60


class Trainer:
    def __init__(self, args):
        self.args, self.rank = args, args.rank
        source = args.out / "checkpoint.pt" if args.resume else args.tune
        saved = torch.load(source, weights_only=False) if source else None
        if args.resume and "elapsed_s" not in saved:
            sys.exit(f"{source} is not of a stopped schedule: --tune it")
        self.is_tuned = saved["is_tuned"] if args.resume else saved is not None
        self.run_record = Run({"batches": args.seed, "weights": 0}, source and source.parent)
        self.log = open(args.out / "train.log", "a" if args.resume else "w") if self.rank == 0 else None
        self.tokenizer = Tokenizer.from_file(str(args.data / "tokenizer.json"))
        self.shards, self.shard_paths = Shards(), self.list_shards()
        for path in self.shard_paths:
            self.shards.add(path)
        phonemes = saved["phonemes"] if saved else sorted({p for u in self.shards.utterances for p in u.phonemes or []} | {""})
        self.phonemes = {p: i for i, p in enumerate(phonemes)}
        self.maker = BatchMaker(self.shards, self.tokenizer, self.phonemes, random.Random(args.seed * 100 + 10 + self.rank))
        self.make_model(saved)
        self.tests = {name: Shards([args.data / f"test-{name}"]) for name in TEST_SETS[self.rank]}
        self.shared_rng = random.Random(99 + args.seed)  # the same draws on both ranks
        self.progress, self.step, self.seen, self.recent = 0.0, 0, 0, []
        self.epoch, self.batches_taken, self.elapsed_s = 0, 0, 0.0
        self.seconds_per_clip = [0.02] * RANKS  # smoothed
        self.say(f"{sum(p.numel() for p in self.parameters)} parameters, {len(self.shards)} clips, "
                 f"{sum(u.frames for u in self.shards.utterances) / 360000:.1f} h; {args}")
        if args.resume:
            self.take_up(saved)

    def take_up(self, saved):
        """Goes on where the schedule stopped. (An epoch that shards joined later than at its start is drawn anew.)"""
        for name in ("progress", "step", "seen", "epoch", "batches_taken", "elapsed_s"):
            setattr(self, name, saved[name])
        own, shared = saved["draws"][self.rank]
        self.maker.rng.setstate(own)
        self.shared_rng.setstate(shared)
        self.say(f"resumed at step {self.step} t {self.elapsed_s:.0f} seen {self.seen}")

    def make_model(self, saved):
        self.model = Recogniser(self.tokenizer, list(self.phonemes))
        if saved:
            self.model.load_state_dict(saved["model"])
        self.matrices, self.others = self.model.split_parameters()
        self.parameters = self.matrices + self.others
        for p in self.parameters:
            dist.broadcast(p.data, 0)
        mine, rate = self.matrices[self.rank::RANKS], self.args.rate  # each rank orthogonalises half of the matrices
        self.optimisers = Optimisers(mine, self.others, MATRIX_RATE * rate, OTHER_RATE * rate, DECAY, clipped=self.parameters)
        if saved and "optimisers" in saved:
            for (optimiser, _), state in zip(self.optimisers.parts, saved["optimisers"][self.rank]):
                optimiser.load_state_dict(state)
        # gradients, then progress, then the seconds per clip of each rank
        self.flat = torch.zeros(sum(p.numel() for p in self.parameters) + 1 + RANKS)

    def list_shards(self):
        """The training shards on disk, as rank 0 sees them."""
        found = [sorted(str(p)[: -len(".json")] for p in self.args.data.glob("train-*.json"))]
        dist.broadcast_object_list(found, 0)
        return found[0]

    def add_new_shards(self):
        """Shards made while training join at the next epoch (the speaker's own voice comes late)."""
        for path in self.list_shards():
            if path not in self.shard_paths:
                self.shard_paths.append(path)
                self.maker.index(self.shards.add(path))
                self.say(f"added {path}")
        self.epochs = Epochs(self.shards, self.shard_paths, dict(self.args.weight), EASY_DB)

    def say(self, line):
        if self.rank == 0:
            print(line, flush=True)
            self.log.write(line + "\n")
            self.log.flush()

    def run(self, deadline):
        next_checkpoint_s = self.elapsed_s + self.args.checkpoint_s
        dist.barrier()
        while self.progress < 1:
            self.add_new_shards()
            batches = self.epochs.draw(self.epoch + self.args.seed * 1000, BATCH, self.is_easy())
            for indices in batches[self.batches_taken:]:
                self.train_step(indices, deadline)
                self.batches_taken += 1
                if self.progress * (deadline.end_s - deadline.start_s) >= next_checkpoint_s and self.progress < 0.97:
                    next_checkpoint_s += self.args.checkpoint_s
                    self.save(deadline)
                    self.evaluate(deadline)
                if self.progress >= 1 or (self.is_easy() and self.progress >= EASY_SHARE):
                    break
            self.epoch, self.batches_taken = self.epoch + 1, 0
        self.save(deadline)
        self.say(f"done: {self.step} steps, {self.seen} clips, {deadline.elapsed_s():.0f} s")
        dist.barrier()

    def is_easy(self):
        return self.epoch == 0 and not self.is_tuned

    def my_part(self, indices):
        """The slower rank gets fewer clips: other work may share its core."""
        speeds = [1 / s for s in self.seconds_per_clip]
        first = round(BATCH * speeds[0] / sum(speeds))
        first = min(BATCH - SMALLEST_PART, max(SMALLEST_PART, first))
        order = np.random.default_rng(self.step).permutation(indices)
        return order[:first] if self.rank == 0 else order[first:]

    def stage(self):
        """Progress of the curriculum: a tuned training is past it."""
        return 1.0 if self.is_tuned else self.progress

    def train_step(self, indices, deadline):
        late = max(0.0, (self.stage() - EASY_SHARE) / (1 - EASY_SHARE))
        full = self.shared_rng.random() < (0.02 if self.progress < 0.8 else 0.12)
        noise_share, token_noise = 0.3 * min(1, late / 0.25), 0.06 * min(1, late / 0.25)
        mine, start_s = self.my_part(indices), time.perf_counter()
        is_long = full or max(self.shards.utterances[i].frames for i in mine) > LONG_FRAMES
        for part in np.array_split(mine, 2 if is_long else 1):  # in halves, or their activations fill the memory
            loss, figures = self.losses(self.maker.make(list(part), full, noise_share, token_noise))
            (loss * (len(part) * RANKS / len(indices))).backward()
        self.average_gradients(deadline, (time.perf_counter() - start_s) / len(mine))
        self.optimisers.step(cosine_rate(self.step, self.progress, TUNED_WARMUP_STEPS if self.is_tuned else WARMUP_STEPS))
        self.share_matrices()
        self.step, self.seen = self.step + 1, self.seen + len(indices)
        self.recent = self.recent[-99:] + [figures]
        if self.step % 100 == 0:
            ce, ctc, phone = np.mean(self.recent, 0)
            self.say(f"step {self.step} t {deadline.elapsed_s():.0f} seen {self.seen} clips/s {self.seen / deadline.elapsed_s():.0f} "
                     f"ce {ce:.3f} ctc {ctc:.3f} phonemes {phone:.3f} part {len(mine)}")

    def losses(self, batch):
        """-> (weighted sum, (cross entropy, CTC, share of phoneme frames right))"""
        with torch.autocast("cpu", torch.bfloat16):
            encoded = self.model.encode(batch.mel)
            logits = self.model.decode(batch.decoder_input, encoded).float()
            taught = encoded.detach() if self.step < self.args.warm_heads else encoded
            characters, phones = self.model.ctc(taught).float(), self.model.phone(taught).float()
        ce = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORE, label_smoothing=0.05)
        ctc = F.ctc_loss(characters.log_softmax(-1).transpose(0, 1), batch.characters, batch.encoded_frames,
                         batch.character_counts, zero_infinity=True)
        known = (batch.phonemes != IGNORE).sum().clamp(min=1)
        phone = F.cross_entropy(phones.flatten(0, 1), batch.phonemes.flatten(), ignore_index=IGNORE, reduction="sum") / known
        spoken = batch.phonemes > 0
        right = ((phones.argmax(-1) == batch.phonemes) & spoken).sum().item() / max(1, spoken.sum().item())
        ctc_weight = 0.1 + 0.3 * (1 - self.stage())
        phone_weight = max(0.3, min(1.0, 1 - 1.4 * (self.stage() - 0.3)))
        return ce + ctc_weight * ctc + phone_weight * phone, (ce.item(), ctc.item(), right)

    def average_gradients(self, deadline, seconds_per_clip):
        """One all-reduce; with it go progress, so that both ranks follow one schedule, and each rank's speed."""
        pieces = [p.grad.reshape(-1) if p.grad is not None else torch.zeros(p.numel()) for p in self.parameters]
        torch.cat(pieces, out=self.flat[:-1 - RANKS])
        self.flat[-1 - RANKS:] = 0
        self.flat[-1 - RANKS], self.flat[-RANKS + self.rank] = deadline.progress(), seconds_per_clip
        dist.all_reduce(self.flat)
        for rank, measured in enumerate(self.flat[-RANKS:].tolist()):
            self.seconds_per_clip[rank] += 0.03 * (measured - self.seconds_per_clip[rank])
        self.flat /= RANKS
        self.progress, position = float(self.flat[-1 - RANKS]), 0
        for p in self.parameters:
            p.grad = self.flat[position: position + p.numel()].view_as(p)
            position += p.numel()

    @torch.no_grad()
    def share_matrices(self):
        """Every rank has updated its own half of the matrices; the sum over ranks is the whole."""
        pieces = [p.reshape(-1) * (i % RANKS == self.rank) for i, p in enumerate(self.matrices)]
        flat = torch.cat(pieces)
        dist.all_reduce(flat)
        position = 0
        for p in self.matrices:
            p.copy_(flat[position: position + p.numel()].view_as(p))
            position += p.numel()

    def evaluate(self, deadline):
        mine, everyone = [], [None] * RANKS
        for name, shards in self.tests.items():
            errors, words, exact, clips = 0, 0, 0, min(TEST_CLIPS, len(shards))
            for start in range(0, clips, 30):
                rows = range(start, min(clips, start + 30))
                texts, _, _ = transcribe(self.model, self.tokenizer, torch.stack([pad_to_window(shards.mel(i)) for i in rows]))
                for i, text in zip(rows, texts):
                    wanted = shards.utterances[i].text
                    errors, words = errors + word_errors(wanted, text), words + len(wanted.split())
                    exact += text == wanted
            mine.append(f"{name} " + (f"wer {errors / words:.3f} " if words else "") + f"exact {exact / clips:.2f}")
        dist.all_gather_object(everyone, "; ".join(mine))
        self.say(f"evaluation t {deadline.elapsed_s():.0f} seen {self.seen}: " + "; ".join(everyone))

    def save(self, deadline):
        states = [None] * RANKS
        draws = self.maker.rng.getstate(), self.shared_rng.getstate()
        dist.all_gather_object(states, (self.optimisers.state(), draws))
        if self.rank == 0:
            self.run_record.write(self.args.out, steps=self.step, clipsSeen=self.seen, ranks=RANKS,
                                  shards=[Path(p).name for p in self.shard_paths])
            path = self.args.out / "checkpoint.pt"
            torch.save({"model": self.model.state_dict(), "phonemes": list(self.phonemes),
                        "optimisers": [optimisers for optimisers, _ in states], "draws": [draws for _, draws in states],
                        "step": self.step, "seen": self.seen, "progress": self.progress, "elapsed_s": deadline.elapsed_s(),
                        "epoch": self.epoch, "batches_taken": self.batches_taken, "is_tuned": self.is_tuned},
                       path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)


def parse_weight(text):
    """'train-flite=.5' -> ('train-flite', .5)"""
    name, share = text.split("=")
    return name, float(share)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--end", type=float, help="seconds since the epoch")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--resume", action="store_true", help="go on with the same schedule from OUT/checkpoint.pt")
    start.add_argument("--tune", type=Path, metavar="CHECKPOINT", help="a new schedule on top of this one")
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the peak learning rates")
    parser.add_argument("--warm-heads", type=int, default=0, metavar="STEPS")
    parser.add_argument("--weight", type=parse_weight, action="append", default=[], metavar="PREFIX=SHARE")
    parser.add_argument("--seed", type=int, default=0, help="of the draws of batches and noise")
    parser.add_argument("--checkpoint-s", type=float, default=300, help="seconds between checkpoints")
    parser.add_argument("--port", type=int, default=29611)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    args.out.mkdir(parents=True, exist_ok=True)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{args.port}", rank=args.rank, world_size=RANKS)
    trainer = Trainer(args)
    trainer.run(Deadline(args.end, args.minutes and args.minutes * 60, trainer.elapsed_s))


if __name__ == "__main__":
    main()
