"""Phoneme strings as kokoro-js makes them, and their alignment to espeak-ng's phoneme events."""
import re

import numpy as np

from speech import espeak

PUNCTUATION = ";:,.!?¡¿—…\"«»“”(){}[]"
_ESCAPED = re.escape(PUNCTUATION)
_PIECES = re.compile(rf"(\s*[{_ESCAPED}]+\s*)+|[^{_ESCAPED}]+?(?=\s*[{_ESCAPED}]|$)")
_ONLY_PUNCTUATION = re.compile(rf"(\s*[{_ESCAPED}]+\s*)+")
REPLACED = {"ʲ": "j", "r": "ɹ", "x": "k", "ɬ": "l"}
PAD = "$"
COMBINING = ["\u0329", "\u0303"]  # syllabic, nasal
VOCABULARY = {character: index for index, character in enumerate(
    [PAD, *";:,.!?¡¿—…\"«»“” ˈˌː", *"abcdefhijklmnopqrstuvwxyzɡɹɾɪʊʌɐɑɒɔəɚɛɜɝæðθŋʃʒʔᵻᵊɫʲ", *COMBINING])}
SILENT = set("ˈˌ " + PUNCTUATION)


def phonemise(text, voice="en-us"):
    """-> one string of IPA and punctuation, as `phonemize` of kokoro-js gives it"""
    parts = []
    for match in _PIECES.finditer(text):
        piece = match.group(0)
        parts.append(piece if _ONLY_PUNCTUATION.fullmatch(piece) else " ".join(espeak.phonemes(piece, voice)))
    string = "".join(parts)
    for old, new in REPLACED.items():
        string = string.replace(old, new)
    return re.sub(r"(?<=nˈaɪn)ti(?!ː)", "di", string).strip()


def token_ids(phonemes):
    return [0] + [VOCABULARY[c] for c in phonemes if c in VOCABULARY] + [0]


def align(phonemes, events, total_samples):
    """Durations in samples per token (with the pad at both ends), or None when the events do not match.

    Phonemes of several characters share their time; stress marks and spaces take none; a pause goes
    to the next punctuation mark or space.
    """
    spans = _match(phonemes, events, total_samples)
    if spans is None:
        return None
    durations, last = np.zeros(len(phonemes) + 2), 0
    durations[0] = spans[0][0] if spans else 0
    for start, end, characters in spans:
        if characters is None:
            token = last + 1
            while token <= len(phonemes) and phonemes[token - 1] not in PUNCTUATION + " ":
                token += 1
            durations[min(token, len(phonemes) + 1)] += end - start
        else:
            for character in characters:
                durations[character + 1] += (end - start) / len(characters)
            last = characters[-1] + 1
    return durations


def _match(phonemes, events, total_samples):
    """-> [(start, end, character positions, None = pause)], or None"""
    spans, position = [], 0
    for index, (start, name) in enumerate(events):
        end = events[index + 1][0] if index + 1 < len(events) else total_samples
        for old, new in REPLACED.items():
            name = name.replace(old, new)
        name = name.replace("ˈ", "").replace("ˌ", "")
        if name == "":
            spans.append((start, end, None))
            continue
        position, characters = _skip_silent(phonemes, position), []
        for character in name:
            if position < len(phonemes) and _same(phonemes[position], character):
                characters.append(position)
                position += 1
            else:
                return None
        spans.append((start, end, characters))
    return spans if _skip_silent(phonemes, position) == len(phonemes) else None


def _same(written, heard):
    return written == heard or (written == "d" and heard == "t")  # 'ninety' is respelled by kokoro-js


def _skip_silent(phonemes, position):
    while position < len(phonemes) and phonemes[position] in SILENT:
        position += 1
    return position
