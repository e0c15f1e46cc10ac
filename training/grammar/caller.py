"""Caller utterances: a phrase with slots filled in, dressed with what people say around it.

Lower-case words, no punctuation.
"""
import re

from .phrases import PHRASES, WITH_HELLO, WITH_HESITATION, WITH_POLITENESS
from .slots import is_self_explaining, on_day, people, speak_digits
from .split import is_held_out

HELLO_SHARE, HESITATION_SHARE, POLITENESS_SHARE, INNER_HESITATION_SHARE = 0.45, 0.16, 0.2, 0.05
# templates that fit 'just me' and 'me and my wife' as well as 'four people'
FITS_ANY_PEOPLE = re.compile(
    r"(?:no |no sorry |i think |maybe |sorry |actually )?(?:\{people\}|for|it|that|this|a table|make it|i meant|i said)\b.*"
    r"|\{people\}.*")
CORRECTION = ["no", "no sorry", "sorry", "actually", "no no", "wait", "oh no", "no wait", "oh sorry"]
BETWEEN = ["no sorry", "no i meant", "no", "sorry i meant", "or rather", "i mean", "no wait", "sorry", "no actually"]


def speak(rng, key, spoken=None, held_out=False, must_say_people=False):
    """One sentence for `key`; `spoken` {slot: words} fills the placeholders, `digits` a list of digit words."""
    while True:
        template = draw_template(rng, key, spoken or {}, held_out)
        text = dress(rng, key, fill(rng, template, spoken or {}, must_say_people), held_out)
        if held_out or not is_held_out(text):
            return text


def draw_template(rng, key, spoken, held_out):
    templates = PHRASES[key][1 if held_out else 0]
    template = rng.choice(templates)
    if "{people}" in template and is_self_explaining(spoken["party"]):
        fitting = [t for t in templates if FITS_ANY_PEOPLE.fullmatch(t)]
        return rng.choice(fitting) if fitting else template
    return template


def fill(rng, template, spoken, must_say_people=False):
    if "{people}" in template:
        template = template.replace("{people}", people(rng, spoken["party"], must_say_people))
    if "{on}" in template:
        template = template.replace("{on}", on_day(rng, spoken["day"]))
    if "{digits}" in template:
        template = template.replace("{digits}", speak_digits(rng, spoken["digits"]))
    for slot in ("day", "time", "name"):
        template = template.replace("{" + slot + "}", spoken.get(slot, ""))
    return template


def dress(rng, key, text, held_out=False):
    """Adds a greeting, a hesitation, a polite ending, each now and then."""
    def addition(kind, keys, share):
        if not key.startswith(keys) or rng.random() > share:
            return ""
        return rng.choice(PHRASES[kind][1 if held_out and rng.random() < 0.6 else 0])

    ending = addition("politeness", WITH_POLITENESS, POLITENESS_SHARE)
    parts = [addition("hello", WITH_HELLO, HELLO_SHARE), addition("hesitation", WITH_HESITATION, HESITATION_SHARE),
             text, "" if set(ending.split()) & set(text.split()) & {"please", "if", "thank", "thanks"} else ending]
    words = " ".join(part for part in parts if part).split()
    if len(words) > 3 and key.startswith(WITH_HESITATION) and rng.random() < INNER_HESITATION_SHARE:
        words.insert(rng.randrange(1, len(words)), rng.choice(["um", "uh"]))
    return " ".join(words)


def book(rng, spoken, held_out=False):
    """An opening with the slots in `spoken`, in any order: a book phrase with parts after (or before) it."""
    while True:
        core = rng.choice(PHRASES["book"][1 if held_out else 0])
        parts = slot_parts(rng, spoken)
        rng.shuffle(parts)
        front = [parts.pop()] if parts and rng.random() < 0.08 else []
        text = dress(rng, "book", " ".join([*front, core, *parts]), held_out)
        if held_out or not is_held_out(text):
            return text


def slot_parts(rng, spoken, must_say_people=False):
    """The given slots as parts of a sentence: 'for four', 'on friday', 'at seven', 'under the name baker'."""
    parts = []
    if "party" in spoken:
        prefix = "" if is_self_explaining(spoken["party"]) and rng.random() < 0.3 else "for "
        parts.append(prefix + people(rng, spoken["party"], must_say_people))
    if "day" in spoken:
        parts.append(on_day(rng, spoken["day"]))
    if "time" in spoken:
        parts.append(rng.choice(["at ", "at ", "at ", "around ", "at about ", "at around "]) + spoken["time"])
    if "name" in spoken:
        lead = rng.choice(["under the name ", "my name is ", "the name is ", "under ", "in the name of "])
        parts.append(lead + spoken["name"])
    return parts


def several(rng, spoken):
    """Several slots at once: 'on friday at seven for four people'."""
    parts = slot_parts(rng, spoken, must_say_people=True)
    rng.shuffle(parts)
    text = rng.choice([" ", " ", " and "]).join(parts)
    return undetected(rng, "answer.", text)


def undetected(rng, key, text):
    """The text dressed, without becoming a held-out phrasing."""
    dressed = dress(rng, key, text)
    return text if is_held_out(dressed) else dressed


def slip(rng, slot, wrong, right):
    """A caller who corrects himself: 'on friday no sorry saturday', 'not friday saturday'."""
    wrong, right = [slot_parts(rng, {slot: words}, must_say_people=True)[0] for words in (wrong, right)]
    forms = [f"{wrong} {rng.choice(BETWEEN)} {right}"] * 6
    forms += [f"not {wrong} {right}", f"not {wrong} but {right}", f"{right} not {wrong}"]
    return undetected(rng, "answer.", rng.choice(forms))


def change(rng, slot, spoken, held_out=False):
    """Said at the confirmation; a bare number there is a time, so parties name people."""
    text = speak(rng, "change." + slot, {slot: spoken}, held_out, must_say_people=True)
    if held_out or rng.random() < 0.7 or text.startswith(("no", "sorry", "actually", "oh", "wait")):
        return text
    corrected = rng.choice(CORRECTION) + " " + text
    return text if is_held_out(corrected) else corrected
