"""Checks that clips without speech can be drawn whoever has talked before (nobody, too few for a crowd, enough), and that
a voice that says nothing passes the telephone: a speaker that has only begun to train is one.

    python -m speech.check_silence
"""
import random

import numpy as np

from .noise import TalkPool
from .silence import draw_silence
from .telephone import LINE_RATE_HZ, Clip, Line, transmit

DRAWS = 300
TALK = {"background talk", "crowd"}


def families_after(talkers):
    families = set()
    for seed in range(DRAWS):
        pool = TalkPool()
        for voice in range(talkers):
            pool.add(np.random.default_rng(voice).standard_normal(LINE_RATE_HZ).astype(np.float32))
        clip, family = draw_silence(random.Random(seed), talk=pool, seconds=0.5)
        assert np.isfinite(clip.audio).all(), (seed, family)
        families.add(family)
    return families


def check_silent_voice():
    for seed in range(DRAWS):
        clip = Clip(np.zeros(LINE_RATE_HZ, np.float32), LINE_RATE_HZ, [])
        heard = transmit(random.Random(seed), clip, Line(snr_db=10))
        assert np.isfinite(heard.audio).all(), seed


def main():
    nobody, one, many = (families_after(talkers) for talkers in (0, 1, 12))
    assert not nobody & TALK, nobody
    assert one & TALK == {"background talk"}, one
    assert TALK <= many, many
    check_silent_voice()
    print(f"silence can be drawn after 0, 1 and 12 talkers: {len(many)} families")


if __name__ == "__main__":
    main()
