"""Texts for the recogniser: the grammar's sentences with more digits, names and odd compositions, and pauses at commas."""
from grammar import sentences
from grammar.sentences import MAX_CHARACTERS, draw_spoken_sentence, normalise
from grammar.slots import NAMES, NUMBERS

PREFIXES = ["", "", "", "", "it's ", "my number is ", "yes ", "no it's ", "the number is ", "sure it's ", "you can reach me on "]
NAME_FRAMES = ["{}", "my name is {}", "{} please", "it's {}", "under the name {}", "under {}", "no {}", "the name is {}", "this is {}"]


def draw_digit_string(rng):
    """Three to eleven digits, of which many come twice in a row."""
    digits = []
    for _ in range(rng.choice([3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 10, 10, 11, 11])):
        repeats = digits and rng.random() < 0.22
        digits.append(digits[-1] if repeats else rng.choice(NUMBERS[:10]))
    words = " ".join("oh" if d == "zero" and rng.random() < 0.3 else d for d in digits)
    return rng.choice(PREFIXES) + words


def draw_names(rng):
    """Names where nothing but the sound tells which."""
    return rng.choice(NAME_FRAMES).format(rng.choice(NAMES))


def draw_composition(rng):
    """Two things that people say after one another, or the beginning of one with the end of the other: keeps the decoder
    from knowing how a sentence goes on."""
    first, second = draw_spoken_sentence(rng, 0.0), draw_spoken_sentence(rng, 0.0)
    if rng.random() < 0.6:
        head, tail = first.split(), second.split()
        return " ".join(head[: rng.randint(1, len(head))] + tail[rng.randrange(len(tail)):])
    short = [t for t in (first, second) if len(t) <= 34]
    return " ".join(short) or first


def draw_mutation(rng):
    """A sentence in which any word may be another one, missing or new: what was said counts, not what is usually said."""
    words, known = [], sentences.vocabulary()
    for word in draw_spoken_sentence(rng, 0.1).split():
        x = rng.random()
        if x < 0.2:
            words += [rng.choice(known)] + ([word] if x < 0.06 else [])
        elif x > 0.06 + 0.2:
            words.append(word)
    return " ".join(words)


DRAWS = [(0.42, draw_spoken_sentence), (0.13, draw_digit_string), (0.07, draw_names), (0.18, draw_composition), (0.16, draw_mutation),
         (0.04, lambda rng: normalise(sentences.draw_word_list(rng)))]


def draw_text(rng):
    """-> one training text; it may belong to the test side of a split"""
    while True:
        draw = rng.choices([d for _, d in DRAWS], [share for share, _ in DRAWS])[0]
        text = normalise(draw(rng))
        if 0 < len(text) <= MAX_CHARACTERS:
            return text


def with_pauses(rng, text):
    """The text as it is given to a synthesiser: now and then a comma after the first word or two, between digits, anywhere."""
    words = text.split()
    if len(words) < 2:
        return text
    if sum(w in NUMBERS or w == "oh" for w in words) >= 5:
        if rng.random() < 0.45:
            return text
        group = rng.choice([2, 3, 3, 4])
        return " ".join(w + ("," if i % group == group - 1 and i < len(words) - 1 else "") for i, w in enumerate(words))
    for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 1, 1, 2])):
        at = rng.choice([0, 1, rng.randrange(len(words) - 1)])
        if at < len(words) - 1:
            words[at] = words[at].rstrip(",") + ","
    return " ".join(words)
