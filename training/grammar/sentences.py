"""Single sentences for speech: what callers say and what the assistant says, as plain words.

A sentence is a *test sentence* when md5(sentence) % 20 == 0; no training set ever contains one.
Held-out phrasings (split.py) are never drawn here, but by `draw_held_out_sentence`.
"""
import hashlib
import re

from . import agent, slots
from . import caller as say
from .dialogue import Dialogue
from .phrases import PHRASES
from .slots import NAMES, ORDER, draw_digits, draw_slot
from .split import is_held_out

MAX_CHARACTERS = 110
SHORT_KEYS = ["yes", "yes", "yes", "no", "no", "noMore", "noMore", "bye", "bye", "repeat", "hold", "junk", "human",
              "callback", "callback", "helloAlone", "stillThere", "stillHere", "wantsMore"]
TOPIC_KEYS = [key for key in PHRASES if key.startswith("info.")]


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


def draw_phone(rng, held_out=False):
    return say.speak(rng, "phone" if rng.random() < 0.75 else "phoneAgain", {"digits": draw_digits(rng)}, held_out)


def draw_name_sentence(rng, held_out=False):
    name, x = rng.choice(NAMES), rng.random()
    if x < 0.55:
        return say.speak(rng, "answer.name", {"name": name}, held_out)
    if x < 0.75:
        return say.change(rng, "name", name, held_out)
    if x < 0.88:
        return say.speak(rng, "cancelNamed", {"name": name}, held_out)
    return draw_booking(rng, held_out, name)


def draw_booking(rng, held_out=False, name=None):
    spoken = {slot: draw_slot(rng, slot)[0] for slot in ORDER}
    spoken["name"] = name or spoken["name"]
    if rng.random() < 0.35 and not name:
        return say.speak(rng, "bookWith", spoken, held_out)
    chosen = {slot: spoken[slot] for slot in ("party", "day", "time") if rng.random() < 0.5}
    if name:
        chosen["name"] = name
    return say.book(rng, chosen, held_out)


def draw_answer(rng, held_out=False):
    slot, spoken = rng.choice(ORDER), {slot: draw_slot(rng, slot)[0] for slot in ORDER}
    x = rng.random()
    if x < 0.15:
        return say.speak(rng, "answer.day+time", spoken, held_out)
    if x < 0.23 and not held_out:
        return say.several(rng, {slot: spoken[slot] for slot in rng.sample(ORDER, rng.choice([2, 2, 3]))})
    if x < 0.3 and not held_out:
        return say.slip(rng, slot, draw_slot(rng, slot)[0], spoken[slot])
    return say.speak(rng, "answer." + slot, spoken, held_out)


def draw_change(rng, held_out=False):
    slot = rng.choice(ORDER)
    return say.change(rng, slot, draw_slot(rng, slot)[0], held_out)


def draw_word_list(rng, held_out=False):
    """Words in no order: keeps the recogniser's decoder from inventing fluent sentences."""
    return " ".join(rng.choice(vocabulary()) for _ in range(rng.randint(1, 6)))


def from_keys(keys):
    return lambda rng, held_out=False: say.speak(rng, rng.choice(keys), None, held_out)


CALLER_SHARES = [  # a flat distribution over caller sentences, digits and names oversampled
    (0.14, draw_phone),
    (0.13, draw_name_sentence),
    (0.08, from_keys(SHORT_KEYS)),
    (0.10, from_keys(TOPIC_KEYS)),
    (0.03, from_keys(["cancel"])),
    (0.14, draw_booking),
    (0.18, draw_answer),
    (0.10, draw_change),
    (0.10, draw_word_list),
]


def draw_caller_sentence(rng):
    """A caller's sentence, never a held-out phrasing."""
    draw = rng.choices([d for _, d in CALLER_SHARES], [share for share, _ in CALLER_SHARES])[0]
    while True:
        text = normalise(draw(rng))
        if not is_held_out(text):
            return text


def draw_held_out_sentence(rng):
    """A caller's sentence in a held-out phrasing: for tests only."""
    shares = [(share, draw) for share, draw in CALLER_SHARES if draw is not draw_word_list]
    draw = rng.choices([d for _, d in shares], [share for share, _ in shares])[0]
    while True:
        text = normalise(draw(rng, True))
        if len(text) <= MAX_CHARACTERS:
            return text


def draw_spoken_sentence(rng, agent_share=0.15):
    """Text of one utterance for the recogniser; never a held-out phrasing of a caller."""
    while True:
        text = normalise(draw_agent_text(rng)) if rng.random() < agent_share else draw_caller_sentence(rng)
        if 0 < len(text) <= MAX_CHARACTERS and not is_held_out(text):
            return text


_vocabulary = []


def vocabulary():
    """Every word of the training phrases, the slots and the replies, sorted."""
    if not _vocabulary:
        texts = [template for trained, _ in PHRASES.values() for template in trained]
        texts += slots.NAMES + slots.DAYS + slots.NUMBERS + slots.ALONE + slots.COUPLE + say.CORRECTION + say.BETWEEN
        times = [f"{hour} {minutes}".strip() for hour in slots.HOURS for minutes in slots.MINUTES]
        texts += [spoken for time in times for spoken in slots.spoken_times(time)]
        texts += slots.spoken_people("one") + slots.spoken_people("two")
        texts += ["on this for next oh at around about under the name but mean"]
        texts += agent.every_text()
        _vocabulary[:] = sorted({word for text in texts for word in normalise(re.sub(r"\{.*?\}", " ", text)).split()})
    return _vocabulary
