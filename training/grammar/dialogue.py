"""Whole telephone calls: who says what, in which order, and what the assistant must answer.

`Dialogue(rng).play()` draws one call as a list of `Turn`s. `held_out` is the share of turns that use
phrasings which are never trained on (evaluation only); `strange` the share of answers in carriers of
random words, which teach that the carrier does not matter (training only).
"""
from dataclasses import dataclass

from . import agent
from . import caller as say
from .garble import draw_garble, draw_symbols, lose_slot, strange_carrier
from .phrases import ANSWERS
from .slots import ORDER, draw_digits, draw_slot, invent_name

REQUESTS = ["book", "cancel", "info", "callback", "human"]
REQUEST_SHARES = [0.52, 0.13, 0.15, 0.17, 0.03]
TOPICS = list(ANSWERS)
PLACES = {"day": ("on", "day"), "party": ("people",)}  # placeholders of a slot in templates, if not its own name
EARLY_CHANGE = {  # while another question is open: nothing here can be taken for its answer
    "day": ["make it {on}", "{on}", "i meant {on}"],
    "time": ["make it at {time}", "at {time}", "i meant at {time}"],
    "party": ["make it {people}", "we are {people}", "for {people}"],
    "name": ["the name is {name}", "my name is {name}"],
}


@dataclass
class Turn:
    caller: str
    reply: str
    kind: str  # intent, for the evaluation
    held_out: bool = False
    prompt_before: str = ""  # said by the assistant, unanswered, before this turn ('Are you still there?')


class Dialogue:
    def __init__(self, rng, held_out=0.0, invented_names=0.0, strange=0.0, requests=3):
        self.rng = rng
        self.held_out = held_out
        self.strange = strange
        self.most_requests = requests
        self.go_on_share = 0.28 if requests <= 3 else 0.85
        self.invent = rng.random() < invented_names
        self.turns = []
        self.stopped = False  # the current request was given up
        self.current, self.pending = None, None  # this request and the next one
        self.hung_up = False

    def play(self, first=None):
        requests = 0
        self.pending = first or self.rng.choices(REQUESTS, REQUEST_SHARES)[0]
        self.small_talk_before()
        while self.pending and not self.hung_up:
            requests += 1
            self.current, self.pending, self.stopped = self.pending, None, False
            getattr(self, self.current)()
            if not self.pending and not self.hung_up:
                self.between_requests(requests)
        if not self.hung_up:
            if self.rng.random() < 0.85:
                self.add("noMore", agent.GOODBYE, "nomore")
            if not self.turns or self.turns[-1].kind != "nomore" or self.rng.random() < 0.25:
                self.add("bye", agent.GOODBYE, "bye")
        return self.turns

    # -- helpers

    def add_text(self, caller, reply, kind, held_out=False):
        self.turns.append(Turn(caller, reply, kind, held_out))

    def held(self):
        return self.held_out > 0 and self.rng.random() < self.held_out

    def add(self, key, reply, kind, spoken=None, must_say_people=False):
        """One turn with a phrase of `key`."""
        held = self.held()
        self.add_text(say.speak(self.rng, key, spoken, held, must_say_people), reply, kind, held)

    def draw(self, slot):
        """-> (spoken, normal), with an invented name in some calls"""
        if slot == "name" and self.invent:
            name = invent_name(self.rng)
            return name, name
        return draw_slot(self.rng, slot)

    # -- things that happen at any time

    def small_talk_before(self):
        x = self.rng.random()
        if x < 0.06:
            self.add("helloAlone", "Hello. " + agent.HOW_CAN_I_HELP, "hello")
        elif x < 0.10:
            self.mumble()
        elif x < 0.12:
            self.add("stillThere", agent.I_HEAR_YOU + agent.HOW_CAN_I_HELP, "hello")
        elif x < 0.13:
            self.add("repeat", agent.HOW_CAN_I_HELP, "repeat")

    def between_requests(self, requests):
        rng = self.rng
        self.interlude(agent.ANYTHING_ELSE, 0.3)
        if self.hung_up or self.pending or requests >= self.most_requests or rng.random() > self.go_on_share:
            return
        self.pending = rng.choice(["info", "info", "book", "cancel", "callback", "callback"])
        if rng.random() < 0.3:
            self.add("wantsMore", agent.HOW_CAN_I_HELP, "more")

    def interlude(self, pending, scale=1.0):
        """Sometimes the caller asks, mishears, mumbles or waits; the assistant comes back to `pending`."""
        rng, x = self.rng, self.rng.random() / scale
        if x < 0.09:
            topic = rng.choice(TOPICS)
            self.add("info." + topic, ANSWERS[topic] + " " + pending, "info")
        elif x < 0.14:
            self.add("repeat", pending, "repeat")
        elif x < 0.20:
            self.mumble()
        elif x < 0.22:
            self.add("hold", agent.TAKE_YOUR_TIME, "hold")
        elif x < 0.24:
            self.add("stillThere", agent.I_HEAR_YOU + pending, "hello")
        elif x < 0.26:
            self.add("stillHere", pending, "here")
            self.turns[-1].prompt_before = agent.NO_INPUT_PROMPT
        elif x < 0.275:
            self.add("bye", agent.GOODBYE, "bye")
            self.stopped, self.hung_up = True, rng.random() < 0.6
            self.pending = None if self.hung_up else rng.choice(["book", "cancel", "callback", "info"])
        elif x < 0.305:  # the wrong request was understood, or the caller has changed his mind
            others = [request for request in ("book", "callback", "cancel", "human") if request != self.current]
            self.pending, self.stopped = rng.choice(others), True

    def mumble(self):
        if self.held():
            self.add_text(say.speak(self.rng, "junk", held_out=True), agent.APOLOGY, "junk", True)
        else:
            is_odd = self.strange > 0 and self.rng.random() < 0.25
            for _ in range(2 if is_odd and self.rng.random() < 0.5 else 1):
                self.add_text(draw_symbols(self.rng) if is_odd else draw_garble(self.rng), agent.APOLOGY, "junk")

    def lose(self, words, spoken):
        """Sometimes the fact itself is not heard: an apology, and the caller says it again."""
        if self.rng.random() < 0.04:
            lost = lose_slot(self.rng, words, spoken)
            if lost is not None:
                self.add_text(lost, agent.APOLOGY, "lost")

    # -- the five requests

    def info(self):
        for _ in range(self.rng.choice([1, 1, 2])):
            topic = self.rng.choice(TOPICS)
            self.add("info." + topic, ANSWERS[topic] + " " + agent.ANYTHING_ELSE, "info")

    def human(self):
        self.add("human", agent.HANDOVER, "human")
        self.hung_up = True

    def callback(self):
        rng = self.rng
        self.add("callback", agent.ASK_PHONE, "callback")
        self.interlude(agent.ASK_PHONE)
        if self.stopped:
            return
        digits = self.give_phone("phone")
        self.interlude(agent.read_back(digits), 0.5)
        while not self.stopped and rng.random() < 0.35:
            if rng.random() < 0.4:
                self.add("no", "Sorry. " + agent.ASK_PHONE, "no")
                digits = self.give_phone("phone")
            else:
                digits = self.give_phone("phoneAgain")
        if not self.stopped:
            self.add("yes", agent.CALL_BACK, "yes")

    def give_phone(self, key):
        digits, rng = draw_digits(self.rng), self.rng
        if self.strange and rng.random() < self.strange:
            self.add_text(strange_carrier(rng, say.speak_digits(rng, digits)), agent.read_back(digits), "digits")
        else:
            self.add(key, agent.read_back(digits), "digits", {"digits": digits})
        return digits

    def cancel(self):
        rng, name = self.rng, self.draw("name")[0]
        if rng.random() < 0.35:
            self.add("cancelNamed", agent.ask_cancel(name), "cancel", {"name": name})
        else:
            self.add("cancel", agent.ASK_BOOKING_NAME, "cancel")
            self.interlude(agent.ASK_BOOKING_NAME)
            if self.stopped:
                return
            self.answer("name", name, agent.ask_cancel(name), "name")
        self.interlude(agent.ask_cancel(name), 0.5)
        while not self.stopped and rng.random() < 0.2:
            name, held = self.draw("name")[0], self.held()
            self.add_text(say.change(rng, "name", name, held), agent.ask_cancel(name), "change", held)
        if self.stopped:
            return
        if rng.random() < 0.8:
            self.add("yes", agent.CANCELLED, "yes")
        else:
            self.add("no", agent.NOT_CANCELLED, "no")

    def book(self):
        slots = self.open_booking()
        while len(slots) < len(ORDER) and not self.stopped:
            self.interlude(agent.next_question(slots))
            if self.stopped:
                return
            if slots and self.rng.random() < 0.07:
                self.correct_early(slots)
            else:
                self.give_slot(slots)
        self.interlude(agent.confirm(slots))
        while not self.stopped and self.rng.random() < 0.35:
            self.correct(slots)
        if not self.stopped:
            self.add("yes", agent.BOOKED, "yes")

    def open_booking(self):
        rng, drawn = self.rng, {slot: self.draw(slot) for slot in ORDER}
        held = self.held()
        if rng.random() < 0.25:
            template = say.draw_template(rng, "bookWith", {s: drawn[s][0] for s in ORDER}, held)
            given = [s for s in ORDER if any("{" + place + "}" in template for place in PLACES.get(s, (s,)))]
            spoken = {slot: drawn[slot][0] for slot in given}
            text = say.dress(rng, "bookWith", say.fill(rng, template, spoken), held)
            if not held and say.is_held_out(text):
                text = say.book(rng, spoken)
        else:
            given = [s for s in ("party", "day", "time") if rng.random() < 0.35]
            given += ["name"] if rng.random() < 0.12 else []
            text = say.book(rng, {slot: drawn[slot][0] for slot in given}, held)
        slots = {slot: drawn[slot][1] for slot in given}
        reply = ("" if len(slots) == len(ORDER) else agent.SAY_PLEASURE) + agent.next_question(slots)
        self.add_text(text, reply, "book", held)
        return slots

    def answer(self, slot, spoken, reply, kind, must_say_people=False):
        """An answer to a question, in a trained, a held-out or a strange carrier."""
        rng, held = self.rng, self.held()
        text = say.speak(rng, "answer." + slot, {slot: spoken}, held, must_say_people)
        if self.strange and rng.random() < self.strange:
            part = say.slot_parts(rng, {slot: spoken}, True)[0] if must_say_people or rng.random() < 0.5 else spoken
            text = strange_carrier(rng, part)
        elif not held:
            self.lose(text, spoken)
        self.add_text(text, reply, kind, held)

    def give_slot(self, slots):
        """Answers the question asked; now and then with more than was asked, or with something else."""
        rng = self.rng
        missing = [s for s in ORDER if s not in slots]
        slot = missing[0] if rng.random() < 0.94 else rng.choice(missing)
        extra = [s for s in missing if s != slot and rng.random() < 0.14]
        if slot == "day" and "time" in missing and rng.random() < 0.2:
            extra = ["time"]
        wished_again = rng.random() < 0.05  # says the opening once more
        drawn = {each: self.draw(each) for each in ([] if wished_again and rng.random() < 0.4 else [slot, *extra])}
        spoken, given = ({each: pair[part] for each, pair in drawn.items()} for part in (0, 1))
        slots.update(given)
        reply = self.reply_to(slots, given)
        if wished_again:
            held = self.held()
            self.add_text(say.book(rng, spoken, held), reply, "again", held)
        elif set(given) == {"day", "time"}:
            self.add("answer.day+time", reply, "day", spoken)
        elif extra:
            self.add_text(say.several(rng, spoken), reply, slot)
        elif rng.random() < 0.05:
            self.add_text(say.slip(rng, slot, draw_slot(rng, slot)[0], spoken[slot]), reply, slot)
        else:  # a bare number at any other question would be taken for the hour
            self.answer(slot, spoken[slot], reply, slot, must_say_people=slot != missing[0])

    def reply_to(self, slots, given):
        question = agent.next_question(slots)
        return question if len(slots) == len(ORDER) else agent.acknowledge(slots, given) + question

    def correct_early(self, slots):
        """Changes a known slot while the assistant is still asking for another one."""
        rng, slot = self.rng, self.rng.choice(list(slots))
        spoken, normal = self.draw(slot)
        slots[slot] = normal
        if slot in ("time", "party") or rng.random() < 0.4:
            part = say.fill(rng, rng.choice(EARLY_CHANGE[slot]), {slot: spoken}, must_say_people=True)
            self.add_text(rng.choice(say.CORRECTION) + " " + part, self.reply_to(slots, {slot: normal}), "early")
        else:
            held = self.held()
            self.add_text(say.change(rng, slot, spoken, held), self.reply_to(slots, {slot: normal}), "early", held)

    def correct(self, slots):
        """At the confirmation: 'no make it five people' -> a new confirmation."""
        rng, slot, held = self.rng, self.rng.choice(ORDER), self.held()
        spoken, normal = self.draw(slot)
        other = rng.choice(ORDER)
        if normal == slots[slot] and rng.random() < 0.5:
            return
        asked = rng.random() < 0.3
        if asked:
            self.add("no", agent.WHAT_TO_CHANGE, "no")
        before, slots[slot] = slots[slot], normal
        if not held and other != slot and rng.random() < 0.12:
            other_spoken, slots[other] = self.draw(other)
            words = "no " + say.several(rng, {slot: spoken, other: other_spoken})
        elif not held and rng.random() < 0.1:
            words = "no " * (rng.random() < 0.5) + say.slip(rng, slot, before, spoken)
        elif asked and slot != "party" and rng.random() < 0.3:
            words = say.speak(rng, "answer." + slot, {slot: spoken}, held)
        elif not held and rng.random() < self.strange:
            words = rng.choice(["", "no "]) + strange_carrier(rng, say.slot_parts(rng, {slot: spoken}, True)[0])
        else:
            words = say.change(rng, slot, spoken, held)
        self.add_text(words, agent.confirm(slots), "change", held)
