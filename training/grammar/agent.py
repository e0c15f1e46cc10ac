"""What the assistant says.

Slot words stay in lower case inside replies: a copied name is then the same token in the question
and in the answer, without which a model of this size does not learn to copy at all.
"""
from .phrases import ANSWERS
from .slots import ORDER, RELATIVE_DAYS

SYSTEM_PROMPT = "You are the phone assistant of the Harbour Kitchen."
GREETING = "Hello, this is the automatic assistant of the Harbour Kitchen. How can I help you?"
APOLOGY = "Sorry, I did not catch that. Could you say it again?"
NO_INPUT_PROMPT = "Are you still there?"
GOODBYE = "Thank you for calling. Goodbye!"
ANYTHING_ELSE = "Is there anything else I can do for you?"
HOW_CAN_I_HELP = "How can I help you?"
WHAT_TO_CHANGE = "What would you like to change?"
ASK = {
    "day": "For which day would you like the table?",
    "time": "What time would you like to come?",
    "party": "For how many people?",
    "name": "What name should I put it under?",
}
ASK_PHONE = "What is your phone number?"
ASK_BOOKING_NAME = "Under what name is the booking?"
CALL_BACK = "Good, we will call you back. " + ANYTHING_ELSE
CANCELLED = "Your booking is cancelled. " + ANYTHING_ELSE
NOT_CANCELLED = "All right, your booking stays as it is. " + ANYTHING_ELSE
BOOKED = "Great, your table is booked. " + ANYTHING_ELSE
HANDOVER = "Of course. I will put you through to a colleague."
TAKE_YOUR_TIME = "Of course, take your time."
I_HEAR_YOU = "Yes, I can hear you. "
SAY_PLEASURE = "With pleasure. "


def say_day(day):
    return day if day in RELATIVE_DAYS else "on " + day


def say_party(party):
    return "one person" if party == "one" else party + " people"


def confirm(slots):
    return (
        f"So that is a table for {say_party(slots['party'])} {say_day(slots['day'])} at {slots['time']}, "
        f"under the name {slots['name']}. Is that correct?"
    )


def next_question(slots):
    """Asks for the first missing slot; with all four known it asks for confirmation."""
    for slot in ORDER:
        if slot not in slots:
            return ASK[slot]
    return confirm(slots)


def acknowledge(slots, given):
    """Repeats the first of the slots that this turn gave."""
    first = next((slot for slot in ORDER if slot in given), None)
    if first is None:
        return ""
    value = slots[first]
    said = {
        "day": f"Okay, {say_day(value)}. ",
        "time": f"Okay, at {value}. ",
        "party": f"Okay, for {say_party(value)}. ",
        "name": f"Thank you, {value}. ",
    }
    return said[first]


def read_back(digits):
    return f"I have {' '.join(digits)}. Is that correct?"


def ask_cancel(name):
    return f"Do you want to cancel the booking of {name}?"


def every_text():
    """-> every fixed text, for the vocabulary"""
    fixed = [text for name, text in sorted(globals().items()) if name.isupper() and isinstance(text, str)]
    slots = {"party": "two", "day": "friday", "time": "seven", "name": "baker"}
    return fixed + list(ASK.values()) + list(ANSWERS.values()) + [
        confirm(slots), read_back(["one"]), ask_cancel("baker"), say_party("one"),
        *(acknowledge(slots, [slot]) for slot in ORDER)]
