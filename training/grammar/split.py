"""Tells whether a sentence is a held-out phrasing, whatever its slots, greeting, hesitations and polite endings."""
import re
from functools import lru_cache

from .phrases import ADDITIONS, PHRASES
from .slots import ALONE, COUPLE, DAYS, NUMBERS

CONTAINED_WORDS = 4  # a held-out phrasing of so many own words counts wherever it stands in a sentence
COUNT = "|".join(NUMBERS)
PATTERNS = {
    "day": "(?:" + "|".join(DAYS) + ")",
    "on": "(?:(?:on|this|for|next) )?(?:" + "|".join(DAYS) + ")",
    "time": f"(?:(?:a )?(?:half past|quarter past|quarter to) )?(?:noon|{COUNT})"
            "(?: (?:thirty|fifteen|forty five|o'clock|pm|in the evening))*",
    "people": "(?:" + "|".join([*ALONE, *COUPLE, f"(?:{COUNT})(?: (?:people|person|persons|guests|of us))?"]) + ")",
    "name": r"[a-z']+",
    "digits": f"(?:(?:{COUNT}|oh)(?: |$))+",
}
HESITATIONS = re.compile(r"\b(?:um|uh)\b ?")


def held_out_pairs():
    """-> (key, template) of every held-out phrasing"""
    return [(key, template) for key, (_, held_out) in PHRASES.items() for template in held_out]


def to_pattern(template):
    return re.sub(r"\{([a-z]+)\}", lambda slot: PATTERNS[slot[1]], template)


def own_words(template):
    return [word for word in template.split() if "{" not in word]


@lru_cache(maxsize=1)
def matchers():
    """-> (whole sentences, parts of sentences, additions to strip) as compiled patterns"""
    cores = [t for key, t in held_out_pairs() if key not in ADDITIONS]
    whole = "|".join(to_pattern(t) for t in cores)
    parts = "|".join(to_pattern(t).strip() for t in cores if len(own_words(t)) >= CONTAINED_WORDS)
    before = sorted(sum(ADDITIONS["hello"] + ADDITIONS["hesitation"], []), key=len, reverse=True)
    after = sorted(sum(ADDITIONS["politeness"], []), key=len, reverse=True)
    strip = re.compile(f"^(?:{'|'.join(before)}) (?=.)"), re.compile(f"(?<=.) (?:{'|'.join(after)})$")
    new_before = "|".join(ADDITIONS["hello"][1] + ADDITIONS["hesitation"][1])
    added = f"^(?:{new_before}) |(?<=.) (?:{'|'.join(ADDITIONS['politeness'][1])})$"
    return re.compile(whole), re.compile(rf"\b(?:{parts})(?:\b|$)"), strip, re.compile(added)


def is_held_out(sentence):
    """True if the core or an addition of the sentence is kept from training."""
    whole, parts, strip, added = matchers()
    if added.search(sentence) or parts.search(sentence):
        return True
    waiting, seen = [sentence, HESITATIONS.sub("", sentence).strip()], set()
    while waiting:
        core = waiting.pop()
        if whole.fullmatch(core) or parts.search(core):
            return True
        seen.add(core)
        waiting += {shorter for pattern in strip if (shorter := pattern.sub("", core)) not in seen}
    return False
