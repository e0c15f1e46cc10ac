"""Utterances as parts with pauses between: what callers say who hesitate, think, or read out a number.

Phrasings are held-out ones only. A pause has a kind, which says where in the utterance it lies.
"""
from dataclasses import dataclass, field

from grammar.phrases import PHRASES
from grammar.slots import DAYS, NAMES, NUMBERS, PARTIES, draw_time, on_day, people

PAUSES_MS = [150, 250, 350, 450, 550, 700, 900]
SLOW_DIGIT_MS = (150, 300)
SHORT_KEYS = ["yes", "no", "noMore", "bye", "repeat", "hold", "human"]
ANSWER_KEYS = ["answer.day", "answer.time", "answer.party", "answer.name", "change.day", "change.time", "change.name"]
SLOT_KEYS = ANSWER_KEYS + ["bookWith", "cancelNamed"]
CLAUSES = [("no", "change.day"), ("no", "change.name"), ("book", "answer.day"), ("hold", "answer.time")]


@dataclass
class Part:
    text: str
    pause_ms: int = 0  # after it
    pause_kind: str = ""


@dataclass
class Draw:
    """Draws with pause lengths that come round evenly."""

    rng: object
    pauses: list = field(default_factory=list)

    def pause_ms(self):
        if not self.pauses:
            self.pauses = self.rng.sample(PAUSES_MS, len(PAUSES_MS))
        return self.pauses.pop()

    def phrase(self, key):
        return self.rng.choice([t for t in PHRASES[key][1] if t])

    def fill(self, template):
        day, party = self.rng.choice(DAYS), self.rng.choice(PARTIES)
        values = {"day": day, "on": on_day(self.rng, day), "time": draw_time(self.rng)[0], "name": self.rng.choice(NAMES),
                  "people": people(self.rng, party, True), "digits": " ".join(self.digits(6))}
        return template.format(**values)

    def digits(self, count):
        return [self.rng.choice(NUMBERS[:10]) for _ in range(count)]


def complete(draw):
    key = draw.rng.choice(SHORT_KEYS + ANSWER_KEYS + ["info.hours", "info.dogs", "info.parking", "bookWith", "phone"])
    return [Part(draw.fill(draw.phrase(key)))]


def after_hesitation(draw):
    hesitation = draw.rng.choice(["um", draw.phrase("hesitation")])
    return [Part(hesitation, draw.pause_ms(), "hesitation"), Part(draw.fill(draw.phrase(draw.rng.choice(ANSWER_KEYS))))]


def before_slot(draw):
    """The carrier is out, the slot has still to be thought of; every other one says "um" meanwhile."""
    while True:
        carrier, brace, rest = draw.phrase(draw.rng.choice(SLOT_KEYS)).partition("{")
        if len(carrier.split()) >= 2:
            filler = draw.rng.choice(["", " um"])
            return [Part(carrier.strip() + filler, draw.pause_ms(), "slot"), Part(draw.fill(brace + rest))]


def between_digits(draw):
    carrier = draw.phrase("phone").removesuffix("{digits}").strip()
    groups = [draw.digits(size) for size in draw.rng.choice([(3, 3), (2, 2, 2), (3, 4), (4, 3)])]
    parts = [Part(carrier + " " + " ".join(groups[0]), draw.pause_ms(), "digits")]
    if draw.rng.random() < 0.5:
        parts = [Part(carrier, draw.pause_ms(), "slot"), Part(" ".join(groups[0]), draw.pause_ms(), "digits")]
    return parts + [Part(" ".join(group), draw.pause_ms(), "digits") for group in groups[1:]]


def slow_digits(draw):
    return [Part(digit, draw.rng.randint(*SLOW_DIGIT_MS), "slowDigits") for digit in draw.digits(draw.rng.randint(5, 6))]


def between_clauses(draw):
    first, second = draw.rng.choice(CLAUSES)
    return [Part(draw.phrase(first), draw.pause_ms(), "clause"), Part(draw.fill(draw.phrase(second)))]


KINDS = [(complete, 16), (after_hesitation, 12), (before_slot, 14), (between_digits, 10), (slow_digits, 4), (between_clauses, 4)]


def draw_utterance(draw, kind):
    """-> parts; no pause after the last one"""
    parts = kind(draw)
    parts[-1] = Part(parts[-1].text)
    return parts
