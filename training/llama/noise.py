"""What a recogniser does to a sentence without losing its facts."""
from grammar.garble import CARRIER_WORDS, SCRAPS
from grammar.phrases import ADDITIONS
from grammar.slots import NUMBERS, SLOT_WORDS

SOUND_ALIKES = {"at": "it", "would": "what", "please": "police", "like": "light",
                "table": "able", "and": "in", "is": "it's", "can": "could", "it's": "is", "under": "and the",
                "could": "can", "we": "the", "are": "or", "it": "at", "i": "a", "my": "by", "the": "a", "that's": "that",
                "i'm": "i am", "on": "and", "put": "but", "you": "we", "have": "of", "a": "the"}
ASIDE = sorted({w for trained, _ in ADDITIONS.values() for text in trained for w in text.split()} - SLOT_WORDS)
# words that may be damaged at will
HARMLESS = frozenset(CARRIER_WORDS) | {"name", "around", "about", "under", "please"} | frozenset(SCRAPS) | frozenset(ASIDE)
ERROR_COUNTS = [0] * 64 + [1] * 22 + [2] * 9 + [3] * 5
PUNCTUATION_SHARE = 0.08


def add_noise(rng, text):
    """-> the sentence with dropped, added, doubled and mistaken words"""
    words = text.split()
    for _ in range(rng.choice(ERROR_COUNTS)):
        words = damage(rng, words)
    return " ".join(words) + (rng.choice([".", "?", "."]) if words and rng.random() < PUNCTUATION_SHARE else "")


def damage(rng, words):
    """One error. A word that tells the intent is hit now and then, but only where others remain."""
    hit_any = len(words) > 4 and rng.random() < 0.2
    places = [i for i, w in enumerate(words) if w in HARMLESS or (hit_any and w not in SLOT_WORDS)]
    kind = rng.random()
    if kind < 0.25 or not places:
        return insert(rng, words)
    i = rng.choice(places)
    if kind < 0.5 and len(words) > 2:
        return words[:i] + words[i + 1:]
    if kind < 0.58:
        return words[:i] + [words[i]] + words[i:]
    if kind < 0.82 and words[i] in SOUND_ALIKES and (len(words) > 2):
        return words[:i] + SOUND_ALIKES[words[i]].split() + words[i + 1:]
    if len(words) > 2:
        return words[:i] + [rng.choice(CARRIER_WORDS)] + words[i + 1:]
    return words


def insert(rng, words):
    """A stray word, mostly at the beginning or the end; never inside a number, a time or a party."""
    if not words:
        return words
    inner = [i for i in range(1, len(words)) if words[i - 1] not in SLOT_WORDS and words[i] not in NUMBERS]
    i = rng.choice([0, rng.choice([0, *inner, len(words)])])
    return words[:i] + [rng.choice(SCRAPS if rng.random() < 0.6 else CARRIER_WORDS)] + words[i:]
