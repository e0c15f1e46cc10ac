"""Proves that no draw for training gives a held-out phrasing, and that held-out phrasings use no new word.

    python -m grammar.check [DRAWS]
"""
import random
import re
import sys

from .dialogue import Dialogue
from .phrases import PHRASES
from .sentences import MAX_CHARACTERS, draw_held_out_sentence, draw_spoken_sentence, vocabulary
from .split import held_out_pairs, is_held_out


def example(template):
    """A template with one value per slot."""
    values = {"day": "friday", "on": "on friday", "time": "seven thirty", "people": "four people", "name": "baker",
              "digits": "one two oh"}
    return re.sub(r"\{([a-z]+)\}", lambda slot: values[slot[1]], template)


def main():
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    trained = [(key, t) for key, (templates, _) in PHRASES.items() for t in templates]
    clashes = [(key, t) for key, t in trained if is_held_out(example(t))]
    assert not clashes, f"training phrases that count as held out: {clashes}"
    missed = [pair for pair in held_out_pairs() if not is_held_out(example(pair[1]))
              and pair[0] not in ("hello", "hesitation", "politeness")]
    assert not missed, f"held-out phrasings that are not recognised as such: {missed}"
    words = set(vocabulary())
    unknown = {w for _, t in held_out_pairs() for w in t.split() if "{" not in w} - words
    assert not unknown, f"words of held-out phrasings that training phrases lack: {sorted(unknown)}"
    rare = sorted(w for w in words if sum(w in t.split() for _, t in trained) == 1)
    rng = random.Random(1)
    spoken = [draw_spoken_sentence(rng) for _ in range(draws)]
    assert not any(is_held_out(s) or len(s) > MAX_CHARACTERS for s in spoken)
    assert all(not is_held_out(t.caller) for _ in range(draws // 20) for t in Dialogue(rng, strange=0.1).play())
    held = [draw_held_out_sentence(rng) for _ in range(draws // 4)]
    assert all(is_held_out(s) for s in held), [s for s in held if not is_held_out(s)][:20]
    assert all(len(t) >= 2 for _, t in PHRASES.values())
    print(f"{len(trained)} training phrases, {len(held_out_pairs())} held out, {len(words)} words, "
          f"{len(set(spoken))} of {draws} sentences differ; words of one phrase only: {' '.join(rare)}")


if __name__ == "__main__":
    main()
