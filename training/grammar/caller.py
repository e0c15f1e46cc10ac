"""Caller utterances: a carrier phrase with slots filled in. Lower-case words, no punctuation."""
from . import phrases
from .slots import is_self_explaining, on_day, people, speak_digits


def pick(rng, pair, held_out=False):
    """One phrase of a (trained, held-out) pair."""
    return rng.choice(pair[1] if held_out else pair[0])


def fill(rng, template, slot, spoken, must_say_people=False):
    if slot == "party":
        return template.replace("{people}", people(rng, spoken, must_say_people))
    return template.replace("{on}", on_day(rng, spoken)).replace("{}", spoken)


def book(rng, spoken, held_out=False):
    """spoken: {slot: words} given in the first sentence, in the order of saying."""
    parts = []
    if "party" in spoken:
        parts.append("for " + people(rng, spoken["party"]))
    if "day" in spoken:
        parts.append(on_day(rng, spoken["day"]))
    if "time" in spoken:
        parts.append(rng.choice(["at ", "at ", "around "]) + spoken["time"])
    if rng.random() < 0.3:
        rng.shuffle(parts)
    sentence = " ".join([pick(rng, phrases.BOOK, held_out)] + parts)
    if "name" in spoken:
        sentence += " " + rng.choice(["under the name ", "my name is ", "the name is ", "for "]) + spoken["name"]
    if rng.random() < 0.15 and not sentence.endswith("please"):
        sentence += " please"
    return rng.choice(phrases.HELLO) + sentence


def answer(rng, slot, spoken, held_out=False):
    return fill(rng, pick(rng, phrases.SLOT[slot], held_out), slot, spoken)


def change(rng, slot, spoken, held_out=False):
    template = pick(rng, phrases.CHANGE[slot], held_out)
    alone = template == "we are {people}" and not is_self_explaining(spoken)
    return fill(rng, template, slot, spoken, must_say_people=not alone)


def phone(rng, digits, held_out=False):
    return pick(rng, phrases.CALL_PHONE, held_out).replace("{}", speak_digits(rng, digits))


def info(rng, topic, held_out=False):
    return pick(rng, phrases.INFO[topic][:2], held_out)
