"""What a recogniser leaves of a sentence that it did not understand, and carriers that make no sense."""
from .carriers import CARRIERS
from .phrases import PHRASES
from .slots import SLOT_WORDS
from .split import is_held_out

SCRAPS = "the a um and in of it is was with would like for at to we can uh so".split()
ECHOES = ["is there anything else i can do for you", "what would you like to change", "of course take your time",
          "is that correct", "sorry i did not catch that", "what name should i put it under"]
TELLING = set(
    "yes not no sorry one that's fine okay change instead wrong open book booked booking cancel call space table reservation "
    "dinner person many called rather please at around about name for under".split())


def carrier_words():
    """Words around slots that neither carry a fact nor an intent, sorted."""
    words = {w for trained, _ in CARRIERS.values() for t in trained for w in t.split() if "{" not in w}
    return sorted(words - SLOT_WORDS - TELLING)


CARRIER_WORDS = carrier_words()
CARRIER_SET = frozenset(CARRIER_WORDS)
BEGINNINGS = [[w for w in t.split("{")[0].split() if w not in SLOT_WORDS] for trained, _ in PHRASES.values() for t in trained]


def draw_garble(rng):
    """Mumbling, scraps, the assistant's own words."""
    x = rng.random()
    if x < 0.5:
        return rng.choice(PHRASES["junk"][0])
    if x < 0.65:
        return " ".join(rng.choice(SCRAPS) for _ in range(rng.randint(1, 5)))
    if x < 0.85:
        return without_held_out(" ".join(rng.choice(CARRIER_WORDS) for _ in range(rng.randint(1, 6))))
    return rng.choice(ECHOES)


def draw_symbols(rng):
    """Text that nobody says, such as a prompt's markup; it must never be taken for a name."""
    parts = ["<|", "|>", "im_", "start", "end", "_start", "_end", "|", "<", ">", "[", "]", "{", "}", "#", "/", "\\n", "system",
             "user", "assistant", ":", "user:", "assistant:", "system:", "<|im", "<|im_", "_start|", "_end|", "|> <|", "text", "prompt"]
    return "".join(rng.choice(parts) + rng.choice(["", "", " "]) for _ in range(rng.randint(2, 9))).strip()


def strange_carrier(rng, part):
    """'be would the baker', 'we can come seven hope it': random words, or another phrase's beginning, around a fact."""
    if rng.random() < 0.4:
        before = [w for w in rng.choice(BEGINNINGS)[-4:] if w in CARRIER_SET]
    else:
        before = [rng.choice(CARRIER_WORDS) for _ in range(rng.choice([0, 1, 2, 2, 3, 4]))]
    after = [rng.choice(CARRIER_WORDS) for _ in range(rng.choice([0, 0, 0, 1, 2]))]
    return without_held_out(" ".join([*before, part, *after]), part)


def without_held_out(text, otherwise="the"):
    return otherwise if is_held_out(text) else text


def lose_slot(rng, words, spoken):
    """The sentence without its fact, or None where something telling would remain."""
    rest = f" {words} ".replace(f" {spoken} ", rng.choice([" ", " ", " the ", " a "])).split()
    if set(rest) & SLOT_WORDS or len(rest) == len(words.split()) or set(rest) & TELLING:
        return None
    return " ".join(rest)
