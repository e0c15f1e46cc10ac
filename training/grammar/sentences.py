"""Single sentences for speech: what callers say and what the assistant says, as plain words.

A sentence is a *test sentence* when md5(sentence) % 20 == 0; no training set ever contains one.
"""
import hashlib
import random
import re

from . import agent, phrases
from . import caller as say
from .dialogue import Dialogue
from .slots import NAMES, ORDER, draw_digits, draw_slot, draw_time

MAX_CHARACTERS = 110
SHORT_PHRASES = sum(
    [list(p) for p in (*phrases.YES, phrases.NO, *phrases.NO_MORE, *phrases.BYE, phrases.REPEAT, phrases.HOLD,
                       phrases.JUNK, *phrases.HUMAN, *phrases.CALLBACK, phrases.HELLO_ALONE, phrases.STILL_THERE,
                       phrases.STILL_HERE, phrases.WANTS_MORE)], [])
QUESTIONS = [q for trained, held_out, _ in phrases.INFO.values() for q in trained + held_out]


def normalise(text):
    """'Yes, on Friday.' -> 'yes on friday'"""
    return re.sub(r"\s+", " ", re.sub(r"[^a-z' ]", " ", text.lower())).strip()


def is_test_sentence(sentence):
    return int(hashlib.md5(sentence.encode()).hexdigest(), 16) % 20 == 0


def draw_agent_text(rng):
    """One reply, or one sentence of a reply, with its punctuation."""
    if rng.random() < 0.04:
        return rng.choice([agent.GREETING, agent.APOLOGY, agent.NO_INPUT_PROMPT, agent.GOODBYE])
    reply = rng.choice(Dialogue(rng).play()).reply
    if rng.random() < 0.5:
        return reply
    return rng.choice([s for s in re.split(r"(?<=[.?!]) ", reply) if s])


def draw_phone(rng):
    digits = draw_digits(rng, rng.choice([3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 10]))
    return say.phone(rng, digits, rng.random() < 0.2)


def draw_name_sentence(rng):
    name, x = rng.choice(NAMES), rng.random()
    if x < 0.55:
        return say.answer(rng, "name", name, rng.random() < 0.3)
    if x < 0.7:
        return rng.choice(["", "no "]) + say.change(rng, "name", name, rng.random() < 0.3)
    if x < 0.85:
        request = say.pick(rng, phrases.CANCEL, rng.random() < 0.2)
        return rng.choice(phrases.HELLO) + request + " under the name " + name
    return draw_booking(rng, name)


def draw_booking(rng, name=None):
    spoken = {s: draw_slot(rng, s)[0] for s in ("party", "day", "time") if rng.random() < 0.5}
    if name:
        spoken["name"] = name
    return say.book(rng, spoken, rng.random() < 0.15)


def draw_answer(rng):
    slot = rng.choice(ORDER)
    if rng.random() < 0.15:
        return say.answer(rng, "day", draw_slot(rng, "day")[0]) + " at " + draw_time(rng)[0]
    return say.answer(rng, slot, draw_slot(rng, slot)[0], rng.random() < 0.2)


def draw_change(rng):
    slot = rng.choice(ORDER)
    return rng.choice(phrases.CORRECTION) + say.change(rng, slot, draw_slot(rng, slot)[0], rng.random() < 0.2)


def draw_word_list(rng):
    """Words in no order: keeps the recogniser's decoder from inventing fluent sentences."""
    return " ".join(rng.choice(vocabulary()) for _ in range(rng.randint(1, 6)))


CALLER_SHARES = [  # a flat distribution over caller sentences, digits and names oversampled
    (0.11, draw_phone),
    (0.12, draw_name_sentence),
    (0.07, lambda rng: rng.choice(SHORT_PHRASES)),
    (0.09, lambda rng: rng.choice(phrases.HELLO) + rng.choice(QUESTIONS)),
    (0.03, lambda rng: rng.choice(phrases.HELLO) + say.pick(rng, phrases.CANCEL, rng.random() < 0.2)),
    (0.18, draw_booking),
    (0.20, draw_answer),
    (0.13, draw_change),
    (0.07, draw_word_list),
]


def draw_caller_sentence(rng):
    draw = rng.choices([d for _, d in CALLER_SHARES], [share for share, _ in CALLER_SHARES])[0]
    return normalise(draw(rng))


def draw_spoken_sentence(rng, agent_share=0.15):
    """Text of one utterance for the recogniser."""
    while True:
        text = normalise(draw_agent_text(rng)) if rng.random() < agent_share else draw_caller_sentence(rng)
        if 0 < len(text) <= MAX_CHARACTERS:
            return text


_vocabulary = []


def vocabulary():
    """Every word of the grammar, sorted (never in set order: data must not depend on the hash seed)."""
    if not _vocabulary:
        _vocabulary.append("the")  # ends the recursion through draw_word_list
        rng = random.Random(3)
        _vocabulary[:] = sorted({w for _ in range(6000) for w in draw_spoken_sentence(rng).split()})
    return _vocabulary
