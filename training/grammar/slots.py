"""The four facts of a booking (party, day, time, name) and phone numbers.

Every draw gives a pair (spoken, normal): what the caller says and what the assistant repeats.
All draws take a `random.Random`, so a seed reproduces a data set.
"""

ORDER = ["day", "time", "party", "name"]  # the order in which the assistant asks
NAMES = (
    "smith jones taylor brown williams wilson johnson davies patel robinson wright thompson evans walker "
    "white roberts green hall wood harris martin jackson clarke lewis baker cooper morgan bell murphy bailey "
    "miller anna peter maria david sarah james laura daniel emma oliver"
).split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
RELATIVE_DAYS = "today tonight tomorrow".split()
DAYS = WEEKDAYS + RELATIVE_DAYS
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
HOURS = ["noon", "twelve", "one", "five", "six", "seven", "eight", "nine"]
PARTIES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve"]
MINUTES = ["", "", "thirty", "fifteen", "forty five"]
SYLLABLES = "ba ke lo mi ra son ter vil dan ho gre ste ny ford ley man zo ti".split()

ONSETS = "b br c ch d dr f fl g gr h j k kr l m n p r s sh st t th tr v w y z".split()
NUCLEI = "a e i o u ai ea ee ie oo ou".split()
CODAS = ["", "", "", "d", "ck", "l", "ll", "m", "n", "nd", "ng", "r", "rt", "s", "sh", "t", "x"]

# words a noisy transcript must keep, or the right answer would be unknowable
SLOT_WORDS = frozenset(
    NUMBERS + NAMES + DAYS
    + "half quarter to past thirty fifteen forty noon oh no not yes me us wife husband couple just people".split()
)
COUPLE = ["two of us", "me and my wife", "me and my husband", "a couple", "me and my wife", "just the two of us"]
ALONE = ["just me", "only me", "just one person"]


def spoken_times(normal):
    """-> every way of saying a time"""
    hour, _, minutes = normal.partition(" ")
    if hour == "noon":
        return ["noon"]
    if minutes == "thirty":
        return [normal, f"half past {hour}", normal + " pm"]
    if minutes == "fifteen":
        return [normal, f"quarter past {hour}", f"a quarter past {hour}", normal + " pm"]
    if minutes == "forty five":
        following = NUMBERS[NUMBERS.index(hour) % 12 + 1]
        return [normal, f"quarter to {following}", f"a quarter to {following}", normal + " pm"]
    return [normal, normal + " o'clock", normal + " pm", normal + " in the evening", normal + " o'clock in the evening"]


def spoken_people(normal):
    """-> every way of saying a party that no hearer takes for a time"""
    if normal == "one":
        return ["one person", *ALONE]
    endings = [f"{normal} people", f"{normal} persons", f"{normal} guests", f"{normal} of us"]
    return endings + (COUPLE[1:] if normal == "two" else [])


def draw_time(rng):
    hour = rng.choice(HOURS)
    normal = hour if hour == "noon" else f"{hour} {rng.choice(MINUTES)}".strip()
    return (normal if rng.random() < 0.35 else rng.choice(spoken_times(normal))), normal


def draw_party(rng):
    size = rng.choice(PARTIES)
    if size == "one" and rng.random() < 0.5:
        return rng.choice(ALONE), size
    if size == "two" and rng.random() < 0.3:
        return rng.choice(COUPLE), size
    return size, size


def draw_day(rng):
    day = rng.choice(DAYS)
    return day, day


def draw_name(rng):
    name = rng.choice(NAMES)
    return name, name


DRAW = {"day": draw_day, "time": draw_time, "party": draw_party, "name": draw_name}


def draw_slot(rng, slot):
    """-> (spoken, normal)"""
    return DRAW[slot](rng)


def invent_name(rng):
    """A pronounceable name nobody has, so that the model learns to copy rather than to recall."""
    if rng.random() < 0.4:
        return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice([2, 2, 3])))
    return "".join(rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS) for _ in range(rng.choice([1, 2, 2, 3])))


def is_self_explaining(spoken_party):
    """True for party phrases that cannot be taken for a time: 'just me', 'two of us', 'me and my wife'."""
    return spoken_party.startswith(("just", "only", "me ", "a ")) or spoken_party.endswith("of us")


def people(rng, spoken_party, must_say=False):
    """The party after 'for': 'four', 'four people'. `must_say` forbids the bare number."""
    if is_self_explaining(spoken_party):
        return spoken_party
    if spoken_party == "one":
        return "one person" if must_say else rng.choice(["one person", "one"])
    endings = [" people", " people", " persons", " guests", " of us"] + ([] if must_say else ["", ""])
    return spoken_party + rng.choice(endings)


def on_day(rng, day):
    """The day with its preposition: 'on friday', 'tomorrow'."""
    if day in RELATIVE_DAYS:
        return day
    return rng.choice(["on ", "on ", "this ", "for ", "next "]) + day


LONGEST_RUN = 3
DIGIT_COUNTS = [3, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11]


def draw_digits(rng, count=None):
    """Phone number as a list of digit words; doubled and tripled digits are more common than in real numbers."""
    repeats, digits, count = rng.choice([0.1, 0.1, 0.4]), [], count or rng.choice(DIGIT_COUNTS)
    while len(digits) < count:
        digit = digits[-1] if digits and rng.random() < repeats else rng.choice(NUMBERS[:10])
        if digits[-LONGEST_RUN:] != [digit] * LONGEST_RUN:
            digits.append(digit)
    return digits


def speak_digits(rng, digits):
    share = rng.choice([0.0, 0.0, 0.3, 1.0])
    return " ".join("oh" if d == "zero" and rng.random() < share else d for d in digits)
