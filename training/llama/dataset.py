"""Dialogues as token sequences, cut into chunks exactly as the runtime's ChatML wrapper cuts them.

A sample is (token ids, labels, turn index per token); labels are IGNORE except on the assistant's
replies. What a real call does to a history is done here: transcription noise, a spoken greeting or
none, assistant turns cut short by a barge-in, prompts of the runtime that nobody answered.
"""
from functools import lru_cache

from grammar import agent
from grammar import caller as say
from grammar.dialogue import Dialogue
from grammar.garble import CARRIER_WORDS
from grammar.slots import DAYS, NAMES, NUMBERS, draw_digits, invent_name

from .noise import add_noise
from .tokenizer import END_OF_TEXT, ORDINARY_TOKENS, TURN_END, TURN_START

IGNORE = -100
CUT_SHARE = 0.12  # assistant turns of the history that a barge-in cut short
PROMPT_SHARE = 0.07  # turns before which the runtime itself asked again, as it does for what it could not hear
LEADING_SPACE_SHARE = 0.2
GREETING_SHARE = 0.85


@lru_cache(maxsize=20_000)
def encode(tokenizer, text):
    return tokenizer.encode(text).ids


class Sample:
    """Grows token by token; `only_listen` text carries no loss."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.ids, self.labels, self.turns = [], [], []

    def listen(self, text):
        ids = encode(self.tokenizer, text)
        self.append(ids, [IGNORE] * len(ids), -1)

    def speak(self, text, turn, is_last=True):
        ids = encode(self.tokenizer, text) + (encode(self.tokenizer, TURN_END) if is_last else [])
        self.append(ids, ids, turn)

    def append(self, ids, labels, turn):
        self.ids += ids
        self.labels += labels
        self.turns += [turn] * len(ids)

    def arrays(self):
        return self.ids, self.labels, self.turns


def heard_part(rng, text):
    """The words of a reply that were played before a barge-in; at least one."""
    words = text.split(" ")
    return " ".join(words[: rng.randrange(1, max(2, len(words)))])


class Messages:
    """The history as the runtime keeps it: what follows in the same role goes into the same message."""

    def __init__(self):
        self.messages = []  # [role, [(text, index of the turn to learn or -1)]]

    def add(self, role, text, turn=-1):
        if not text:
            return
        if not self.messages or self.messages[-1][0] != role:
            self.messages.append((role, []))
        self.messages[-1][1].append((text, turn))


def tell(rng, turns, noisy, history_accidents):
    """-> Messages of one call, with what happens on a real line."""
    history = Messages()
    if rng.random() < GREETING_SHARE:
        history.add("assistant", agent.GREETING if rng.random() < 0.85 else heard_part(rng, agent.GREETING))
    for index, turn in enumerate(turns):
        history.add("assistant", turn.prompt_before)
        while history_accidents and rng.random() < PROMPT_SHARE:
            history.add("assistant", agent.APOLOGY if rng.random() < 0.75 else agent.NO_INPUT_PROMPT)
        history.add("user", add_noise(rng, turn.caller) if noisy else turn.caller)
        if history_accidents and index + 1 < len(turns) and rng.random() < CUT_SHARE:
            history.add("assistant", heard_part(rng, turn.reply))
        else:
            history.add("assistant", turn.reply, index)
    return history


def encode_dialogue(tokenizer, rng, turns, noisy=True, history_accidents=True):
    """-> (ids, labels, turn indices) of one call."""
    sample = Sample(tokenizer)
    sample.listen(END_OF_TEXT)  # the runtime opens every context with it
    sample.listen(f"{TURN_START}system\n")
    sample.listen(agent.SYSTEM_PROMPT)
    sample.listen(f"{TURN_END}\n")
    with_space = rng.random() < LEADING_SPACE_SHARE
    for role, parts in tell(rng, turns, noisy, history_accidents).messages:
        sample.listen(f"{TURN_START}{role}\n")
        for number, (text, turn) in enumerate(parts):
            spaced = " " + text if number or (with_space and role == "user") else text
            if turn < 0:
                sample.listen(spaced)
            else:
                sample.speak(spaced, turn, is_last=number + 1 == len(parts))
        sample.listen("\n" if parts[-1][1] >= 0 else f"{TURN_END}\n")
    return sample.arrays()


def encode_copying(tokenizer, rng):
    """Dense copy task: the caller says anything, the assistant repeats it, or the facts in it.

    From dialogues alone a model of this size does not learn within an hour to copy a name into
    the confirmation; from this task it learns it in minutes.
    """
    sample = Sample(tokenizer)
    for _ in range(rng.randint(2, 4)):
        said, lead, repeated = draw_copy_pair(tokenizer, rng)
        sample.listen(f"{TURN_START}user\n")
        sample.append(said, [IGNORE] * len(said), -1)
        sample.listen(f"{TURN_END}\n{TURN_START}assistant\n")
        sample.listen(lead)
        ids = repeated + encode(tokenizer, TURN_END)
        sample.append(ids, ids, -1)
        sample.listen("\n")
    return sample.arrays()


LEADS = ["you said", "so that is", "okay", "I have"]


def draw_copy_pair(tokenizer, rng):
    """-> (tokens said, text before the answer, tokens of the answer)"""
    x = rng.random()
    if x < 0.3:
        tokens = [rng.randrange(ORDINARY_TOKENS) for _ in range(rng.randint(2, 14))]
        return tokens, rng.choice(LEADS), tokens
    space = rng.choice(["", " "])
    if x < 0.55:
        digits = draw_digits(rng)
        said = say.speak(rng, rng.choice(["phone", "phoneAgain"]), {"digits": digits})
        return encode(tokenizer, space + said), "", encode(tokenizer, agent.read_back(digits))
    facts = [rng.choice(NUMBERS + NAMES + DAYS + [invent_name(rng)] * 20) for _ in range(rng.randint(1, 8))]
    if x < 0.8:
        return encode(tokenizer, space + " ".join(facts)), rng.choice(LEADS), encode(tokenizer, " " + " ".join(facts))
    said = list(facts[:4])
    for _ in range(rng.randint(1, 6)):
        said.insert(rng.randrange(len(said) + 1), rng.choice(CARRIER_WORDS))
    return encode(tokenizer, space + " ".join(said)), "it is about", encode(tokenizer, " " + " ".join(facts[:4]))


def draw_dialogue(rng, held_out=0.0, invented_names=0.3, strange=0.0, requests=3, first=None):
    return Dialogue(rng, held_out, invented_names, strange, requests).play(first)
