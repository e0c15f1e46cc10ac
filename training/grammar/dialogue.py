"""Whole telephone calls: who says what, in which order, and what the assistant must answer.

`Dialogue(rng).play()` draws one call as a list of `Turn`s. `held_out` is the share of turns that use
phrasings which are never trained on (evaluation only).
"""
from dataclasses import dataclass

from . import agent, phrases
from . import caller as say
from .slots import ORDER, draw_digits, draw_slot, draw_time, invent_name

REQUESTS = ["book", "cancel", "info", "callback", "human"]
REQUEST_SHARES = [0.56, 0.12, 0.18, 0.11, 0.03]


@dataclass
class Turn:
    caller: str
    reply: str
    kind: str  # intent, for the evaluation
    held_out: bool = False
    prompt_before: str = ""  # said by the assistant, unanswered, before this turn ('Are you still there?')


class Dialogue:
    def __init__(self, rng, held_out=0.0, invented_names=0.0):
        self.rng = rng
        self.held_out = held_out
        self.invent = rng.random() < invented_names
        self.turns = []
        self.hung_up = False

    def play(self):
        requests = 0
        pending = self.rng.choices(REQUESTS, REQUEST_SHARES)[0]
        self.small_talk_before()
        while pending and not self.hung_up:
            requests += 1
            getattr(self, pending)()
            pending = None
            if requests < 3 and self.rng.random() < 0.22:
                pending = self.rng.choice(["info", "info", "book", "cancel", "callback"])
                if self.rng.random() < 0.3:
                    self.add(self.rng.choice(phrases.WANTS_MORE), agent.HOW_CAN_I_HELP, "more")
        if not self.hung_up:
            self.add_pair(phrases.NO_MORE, agent.GOODBYE, "nomore")
            if self.rng.random() < 0.3:
                self.add_pair(phrases.BYE, agent.GOODBYE, "bye")
        return self.turns

    # -- helpers

    def add(self, caller, reply, kind, held_out=False):
        self.turns.append(Turn(caller, reply, kind, held_out))

    def held(self):
        return self.held_out > 0 and self.rng.random() < self.held_out

    def add_pair(self, pair, reply, kind, prefix=""):
        held = self.held()
        self.add(prefix + say.pick(self.rng, pair, held), reply, kind, held)

    def draw(self, slot):
        """-> (spoken, normal), with an invented name in some calls"""
        if slot == "name" and self.invent:
            name = invent_name(self.rng)
            return name, name
        return draw_slot(self.rng, slot)

    # -- things that happen at any time

    def small_talk_before(self):
        if self.rng.random() < 0.06:
            self.add(self.rng.choice(phrases.HELLO_ALONE), "Hello. " + agent.HOW_CAN_I_HELP, "hello")
        elif self.rng.random() < 0.04:
            self.add(self.garbled(), agent.APOLOGY, "junk")

    def interlude(self, pending):
        """Sometimes the caller asks, mishears, mumbles or waits; the assistant comes back to `pending`."""
        rng, x = self.rng, self.rng.random()
        if x < 0.11:
            topic, held = rng.choice(list(phrases.INFO)), self.held()
            self.add(say.info(rng, topic, held), phrases.INFO[topic][2] + " " + pending, "info", held)
        elif x < 0.15:
            self.add(rng.choice(phrases.REPEAT), pending, "repeat")
        elif x < 0.20:
            self.add(self.garbled(), agent.APOLOGY, "junk")
        elif x < 0.22:
            self.add(rng.choice(phrases.HOLD), agent.TAKE_YOUR_TIME, "hold")
        elif x < 0.24:
            self.add(rng.choice(phrases.STILL_THERE), agent.I_HEAR_YOU + pending, "hello")
        elif x < 0.25:
            self.add(rng.choice(phrases.STILL_HERE), pending, "here")
            self.turns[-1].prompt_before = agent.NO_INPUT_PROMPT
        elif x < 0.26:
            self.add(say.pick(rng, phrases.BYE), agent.GOODBYE, "bye")
            self.hung_up = True

    def garbled(self):
        """What a recogniser writes when it understood nothing: mumbling, scraps, silence, our own words."""
        x = self.rng.random()
        if x < 0.55:
            return self.rng.choice(phrases.JUNK)
        if x < 0.75:
            scraps = "the a um and in of it is was with would like for at to we can".split()
            return " ".join(self.rng.choice(scraps) for _ in range(self.rng.randint(1, 5)))
        if x < 0.9:
            return ""
        return self.rng.choice(["is there anything else i can do for you", "what would you like to change",
                                "of course take your time", "is that correct", "sorry i did not catch that"])

    # -- the five requests

    def info(self):
        for _ in range(self.rng.choice([1, 1, 2])):
            topic, held = self.rng.choice(list(phrases.INFO)), self.held()
            question = self.rng.choice(phrases.HELLO) + say.info(self.rng, topic, held)
            self.add(question, phrases.INFO[topic][2] + " " + agent.ANYTHING_ELSE, "info", held)

    def human(self):
        self.add_pair(phrases.HUMAN, agent.HANDOVER, "human")
        self.hung_up = True

    def callback(self):
        self.add_pair(phrases.CALLBACK, agent.ASK_PHONE, "callback")
        self.interlude(agent.ASK_PHONE)
        if self.hung_up:
            return
        self.give_phone()
        while self.rng.random() < 0.25:
            if self.rng.random() < 0.5:
                self.add(self.rng.choice(phrases.NO), "Sorry. " + agent.ASK_PHONE, "no")
                self.give_phone()
            else:
                self.give_phone(prefix=self.rng.choice(["no ", "no it's ", "sorry "]))
        self.add_pair(phrases.YES, agent.CALL_BACK, "yes")

    def give_phone(self, prefix=""):
        digits = draw_digits(self.rng, self.rng.choice([3, 4, 5, 6, 6, 6, 7, 7, 8, 8, 9, 10, 11]))
        held = self.held() and not prefix
        words = prefix + say.speak_digits(self.rng, digits) if prefix else say.phone(self.rng, digits, held)
        self.add(words, agent.read_back(digits), "digits", held)

    def cancel(self):
        rng, name = self.rng, self.draw("name")[0]
        hello = rng.choice(phrases.HELLO)
        question = agent.ask_cancel(name)
        if rng.random() < 0.3:
            held = self.held()
            request = hello + say.pick(rng, phrases.CANCEL, held) + rng.choice([" under the name ", " for "]) + name
            self.add(request, question, "cancel", held)
        else:
            self.add_pair(phrases.CANCEL, agent.ASK_BOOKING_NAME, "cancel", hello)
            self.interlude(agent.ASK_BOOKING_NAME)
            if self.hung_up:
                return
            held = self.held()
            self.add(say.answer(rng, "name", name, held), question, "name", held)
        if rng.random() < 0.1:
            name = self.draw("name")[0]
            self.add(rng.choice(["", "no "]) + say.change(rng, "name", name), agent.ask_cancel(name), "change")
        if rng.random() < 0.8:
            self.add_pair(phrases.YES, agent.CANCELLED, "yes")
        else:
            self.add(rng.choice(phrases.NO), agent.NOT_CANCELLED, "no")

    def book(self):
        slots = self.open_booking()
        while len(slots) < len(ORDER) and not self.hung_up:
            self.interlude(agent.next_question(slots))
            if self.hung_up:
                return
            if slots and self.rng.random() < 0.06:
                self.correct_early(slots)
            else:
                self.give_slot(slots)
        self.interlude(agent.confirm(slots))
        if self.hung_up:
            return
        while self.rng.random() < 0.3:
            self.correct(slots)
        self.add_pair(phrases.YES, agent.BOOKED, "yes")

    def open_booking(self):
        rng, spoken, slots = self.rng, {}, {}
        given = [s for s in ("party", "day", "time") if rng.random() < 0.4]
        if rng.random() < 0.12:
            given.append("name")
        for slot in given:
            spoken[slot], slots[slot] = self.draw(slot)
        held = self.held()
        reply = ("" if len(slots) == len(ORDER) else agent.SAY_PLEASURE) + agent.next_question(slots)
        self.add(say.book(rng, spoken, held), reply, "book", held)
        return slots

    def give_slot(self, slots):
        """Answers the question asked; now and then with more than was asked, or with something else."""
        rng = self.rng
        missing = [s for s in ORDER if s not in slots]
        slot = missing[0] if rng.random() < 0.93 else rng.choice(missing)
        spoken, normal = self.draw(slot)
        must_say = slot == "party" and missing[0] == "time"  # a bare number would be taken for the hour
        held, given = self.held(), {slot: normal}
        words = say.fill(rng, say.pick(rng, phrases.SLOT[slot], held), slot, spoken, must_say)
        if slot == "day" and "time" in missing and rng.random() < 0.3:
            spoken, given["time"] = draw_time(rng)
            words += " at " + spoken
        if slot in ("day", "time") and "party" in missing and rng.random() < 0.12:
            spoken, given["party"] = self.draw("party")
            words += " for " + say.people(rng, spoken, must_say=True)
        slots.update(given)
        self.add(words, self.reply_to(slots, given), slot, held)

    def reply_to(self, slots, given):
        question = agent.next_question(slots)
        return question if len(slots) == len(ORDER) else agent.acknowledge(slots, given) + question

    def correct_early(self, slots):
        """Changes a known slot while the assistant is still asking for another one."""
        slot, held = self.rng.choice(list(slots)), self.held()
        spoken, normal = self.draw(slot)
        slots[slot] = normal
        prefix = self.rng.choice(["sorry ", "no ", "no sorry ", "wait "])
        template = {"day": "make it {on}", "time": "make it at {}", "party": "make it {people}", "name": "the name is {}"}
        words = prefix + say.fill(self.rng, template[slot], slot, spoken, must_say_people=True)
        self.add(words, self.reply_to(slots, {slot: normal}), "early", held)

    def correct(self, slots):
        """At the confirmation: 'no make it five people' -> a new confirmation."""
        rng, slot, held = self.rng, self.rng.choice(ORDER), self.held()
        spoken, normal = self.draw(slot)
        if normal == slots[slot]:
            return
        words = say.change(rng, slot, spoken, held)
        if rng.random() < 0.35:
            self.add(rng.choice(phrases.NO), agent.WHAT_TO_CHANGE, "no")
        else:
            words = rng.choice(phrases.CORRECTION) + words
        slots[slot] = normal
        self.add(words, agent.confirm(slots), "change", held)
