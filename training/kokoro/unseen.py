"""Sentences that no training set has: neither the speaker's nor the recogniser's.

`shipped-speaker-heard.txt` lists the test sentences that the shipped speaker was trained on all the same: its data
were drawn before `build_data` left test sentences out. They are never used to measure it. Whoever trains a new
speaker empties the file.
"""
import random
from pathlib import Path

from grammar.sentences import MAX_CHARACTERS, is_test_sentence, normalise

HEARD = Path(__file__).with_name("shipped-speaker-heard.txt")


def draw_unseen(draw, count, seed):
    """-> `count` different texts of `draw(rng)`, as written"""
    heard = set(HEARD.read_text().split("\n"))
    rng, texts, words = random.Random(seed), [], set()
    while len(texts) < count:
        text = draw(rng)
        said = normalise(text)
        if is_test_sentence(said) and len(said) <= MAX_CHARACTERS and said not in heard and said not in words:
            texts.append(text[0].upper() + text[1:])
            words.add(said)
    return texts
