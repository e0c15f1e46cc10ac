"""Data sets on disk: `NAME.mel.npy` (all frames one after another, float16) and `NAME.json` (one entry per clip)."""
import json
import os
import sys
from dataclasses import dataclass

import numpy as np

MEL_BANDS = 80
FRAME_BYTES = MEL_BANDS * 2


@dataclass
class Utterance:
    """One clip of a shard. `text` is '' when nobody speaks; `phonemes` names the phoneme per 20 ms."""

    text: str
    voice: str
    snr_db: float  # 99 = no noise added
    frames: int  # mel frames of 10 ms
    phonemes: list | None  # None: not known
    shard: int = 0
    first_frame: int = 0


def write_shard(path, utterances, mels):
    np.save(f"{path}.mel.npy", np.ascontiguousarray(np.concatenate(mels), np.float16))  # frame after frame: mels come band after band
    fields = ("text", "voice", "snr_db", "frames", "phonemes")
    with open(f"{path}.json.new", "w") as file:
        json.dump([{f: getattr(u, f) for f in fields} for u in utterances], file, ensure_ascii=False)
    os.replace(f"{path}.json.new", f"{path}.json")  # a training that is running sees whole shards only


class Shards:
    """Several shards as one list. Mels stay on disk: the page cache holds them for both ranks."""

    def __init__(self, paths=()):
        self.files, self.utterances = [], []
        for path in paths:
            self.add(path)

    def add(self, path):
        """-> the utterances added"""
        first, before = 0, len(self.utterances)
        for entry in json.load(open(f"{path}.json")):
            if entry["phonemes"]:  # each name once in memory, not once per frame
                entry["phonemes"] = [sys.intern(p) for p in entry["phonemes"]]
            self.utterances.append(Utterance(**entry, shard=len(self.files), first_frame=first))
            first += entry["frames"]
        mapped = np.load(f"{path}.mel.npy", mmap_mode="r")
        self.files.append((os.open(f"{path}.mel.npy", os.O_RDONLY), mapped.offset))
        return self.utterances[before:]

    def __len__(self):
        return len(self.utterances)

    def mel(self, index):
        """-> [frames, 80] float32"""
        u = self.utterances[index]
        file, offset = self.files[u.shard]
        data = os.pread(file, u.frames * FRAME_BYTES, offset + u.first_frame * FRAME_BYTES)
        return np.frombuffer(data, np.float16).reshape(u.frames, MEL_BANDS).astype(np.float32)
