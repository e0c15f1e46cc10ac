"""Which clips make up an epoch: so much of every shard, in batches of similar length."""
from pathlib import Path

import numpy as np

from grammar.split import is_held_out

LENGTH_JITTER_FRAMES = 20


class Epochs:
    def __init__(self, shards, paths, weights, easy_db):
        """`weights`: beginning of a shard's file name -> how often one of its clips comes in an epoch (1 unless named)"""
        self.lengths = np.array([u.frames for u in shards.utterances])
        self.easy = np.array([u.snr_db > easy_db for u in shards.utterances])
        allowed = np.array([not is_held_out(u.text) for u in shards.utterances])  # the grammar may have grown since
        of_shard = np.array([u.shard for u in shards.utterances])
        self.parts = [(np.nonzero((of_shard == i) & allowed)[0], self.weight_of(path, weights)) for i, path in enumerate(paths)]

    @staticmethod
    def weight_of(path, weights):
        """The longest beginning that fits counts."""
        fitting = [p for p in weights if Path(path).name.startswith(p)]
        return weights[max(fitting, key=len)] if fitting else 1.0

    def draw(self, seed, batch, easy=False):
        """-> index arrays of `batch` clips of similar length, shuffled; the same for the same seed"""
        source, chosen = np.random.default_rng(seed), []
        for indices, weight in self.parts:
            whole, part = int(weight), round((weight - int(weight)) * len(indices))
            chosen += [indices] * whole + [source.permutation(indices)[:part]]
        chosen = np.concatenate(chosen)
        if easy:
            chosen = chosen[self.easy[chosen]]
        jitter = source.integers(0, LENGTH_JITTER_FRAMES, len(chosen))
        order = chosen[np.argsort(self.lengths[chosen] + jitter, kind="stable")]
        batches = [order[i: i + batch] for i in range(0, len(order) - batch + 1, batch)]
        source.shuffle(batches)
        return batches
