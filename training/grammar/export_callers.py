"""Writes the grammar for the generator of scripted callers (src/caller): slots, phrases, the assistant's texts.

    python -m grammar.export_callers ../models/embedded/callers/grammar.json
"""
import json
import random
import sys

from . import agent
from .check import example
from .phrases import ADDITIONS, ANSWERS, PHRASES
from .slots import DAYS, HOURS, MINUTES, NAMES, NUMBERS, PARTIES, RELATIVE_DAYS, spoken_people, spoken_times
from .split import is_held_out

SEED = 31
COMBINATIONS = ["for {people}", "{on}", "for {people} {on}", "{on} at {time}", "for {people} at {time}", "{on} for {people}",
                "for {people} {on} at {time}", "{on} at {time} for {people}", "at {time} {on}", "under the name {name}",
                "{on} under the name {name}", "for {people} {on} under the name {name}"]


def slots():
    times = ["noon"] + [f"{hour} {minutes}".strip() for hour in HOURS[1:] for minutes in dict.fromkeys(MINUTES)]
    return {
        "day": [{"normal": d, "spoken": [d], "on": ways_of_saying_on(d)} for d in DAYS],
        "time": [{"normal": t, "spoken": spoken_times(t)} for t in times],
        "party": [{"normal": p, "spoken": [p] + ["a couple"] * (p == "two"), "people": spoken_people(p)} for p in PARTIES],
        "name": [{"normal": n, "spoken": [n]} for n in NAMES],
    }


def ways_of_saying_on(day):
    return [day] if day in RELATIVE_DAYS else [f"on {day}", f"this {day}", f"for {day}", f"next {day}"]


def phrases():
    rng, exported = random.Random(SEED), {}
    for key, (trained, held_out) in PHRASES.items():
        empty = [""] if key in ADDITIONS else []
        exported[key] = {"trained": empty * len(trained) + trained, "heldOut": empty * len(held_out) + held_out}
    for side, index, count in (("trained", 0, 2), ("heldOut", 1, 6)):
        whole = [f"{core} {parts}" for core in PHRASES["book"][index] for parts in rng.sample(COMBINATIONS, count)]
        exported["bookWith"][side] = exported["bookWith"][side] + whole
    return exported


def texts():
    person = {str(size): agent.say_party(size) for size in PARTIES}
    return {
        "greeting": agent.GREETING, "apology": agent.APOLOGY, "noInputPrompt": agent.NO_INPUT_PROMPT, "goodbye": agent.GOODBYE,
        "anythingElse": agent.ANYTHING_ELSE, "howCanIHelp": agent.HOW_CAN_I_HELP, "whatToChange": agent.WHAT_TO_CHANGE,
        "askPhone": agent.ASK_PHONE, "askBookingName": agent.ASK_BOOKING_NAME, "callBack": agent.CALL_BACK,
        "cancelled": agent.CANCELLED, "notCancelled": agent.NOT_CANCELLED, "booked": agent.BOOKED, "handover": agent.HANDOVER,
        "takeYourTime": agent.TAKE_YOUR_TIME, "iHearYou": agent.I_HEAR_YOU.strip(), "ask": agent.ASK,
        "confirm": agent.confirm({"party": "{party}", "day": "{day}", "time": "{time}", "name": "{name}"})
        .replace("{party} people", "{party}").replace("on {day}", "{day}"),
        "readBack": agent.read_back(["{digits}"]), "askCancel": agent.ask_cancel("{name}"),
        "sayDay": {day: agent.say_day(day) for day in DAYS}, "sayParty": person, "info": ANSWERS,
    }


def main():
    digits = [{"normal": d, "spoken": ["zero", "oh"] if d == "zero" else [d]} for d in NUMBERS[:10]]
    exported = {"schemaVersion": 1, "slots": slots(), "digits": digits, "phrases": phrases(), "agent": texts()}
    trained = [t for key, pair in exported["phrases"].items() if key not in ADDITIONS for t in pair["trained"]]
    assert not any(is_held_out(example(template)) for template in trained)
    assert all(len(pair["heldOut"]) >= 2 for pair in exported["phrases"].values())
    with open(sys.argv[1], "w") as file:
        json.dump(exported, file, indent=1)
        file.write("\n")
    print(f"{sys.argv[1]}: {sum(len(p['trained']) for p in exported['phrases'].values())} trained phrases, "
          f"{sum(len(p['heldOut']) for p in exported['phrases'].values())} held out")


if __name__ == "__main__":
    main()
