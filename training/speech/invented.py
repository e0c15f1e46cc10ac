"""Voices that nobody has: espeak-ng variants with drawn formants, pitch, tone and breath.

espeak-ng's eighty variants are few enough to be learnt by heart; a recogniser that has heard hundreds of throats must listen to
what they have in common. The variants are written into a copy of espeak-ng's data, from which the library is then opened.
"""
import shutil
import tempfile
from pathlib import Path

FORMANTS = 9
PREFIX = "invented"
CHILD, WOMAN, MAN = (1.18, 240), (1.10, 195), (0.97, 100)  # (length of the vocal tract as a factor of the formants, pitch in Hz)


def draw_variant(rng):
    """-> the text of a variant file (espeak-ng, docs/voices.md): frequency, height and width of each formant in per cent"""
    tract, pitch_hz = rng.choices([CHILD, WOMAN, MAN], [1, 4, 5])[0]
    tract, low_hz = tract * rng.uniform(0.9, 1.1), pitch_hz * rng.uniform(0.75, 1.3)
    lines = ["language variant", f"pitch {low_hz:.0f} {low_hz * rng.uniform(1.15, 1.7):.0f}", f"flutter {rng.randint(0, 6)}",
             f"roughness {rng.choice([0, 0, 0, 1, 2, 3])}", *formant_lines(rng, tract)]
    if rng.random() < 0.4:
        lines.append(f"voicing {rng.randint(45, 125)}")
    if rng.random() < 0.5:
        lines.append(f"consonants {rng.randint(45, 125)} {rng.randint(45, 125)}")
    if rng.random() < 0.45:
        lines.append("tone " + " ".join(f"{hz} {level}" for hz, level in draw_tone(rng)))
    if rng.random() < 0.12:
        lines.append(f"klatt {rng.choice([1, 2, 3, 4, 5])}")
    if rng.random() < 0.15:
        lines.append(f"echo {rng.randint(20, 140)} {rng.randint(5, 40)}")
    if rng.random() < 0.1:
        lines.append("breath " + " ".join(str(rng.randint(0, 8)) for _ in range(8)))
    if rng.random() < 0.35:
        stressed = [rng.randint(12, 18), rng.randint(12, 18), rng.randint(16, 24), rng.randint(16, 24), 16, 16, rng.randint(18, 26), rng.randint(18, 26)]
        lines.append("stressAmp " + " ".join(map(str, stressed)))
    return "\n".join(lines) + "\n"


def formant_lines(rng, tract):
    lines = []
    for number in range(FORMANTS):
        frequency = 100 * (tract if number else 1) * rng.uniform(0.93, 1.07)
        height, width = rng.uniform(45, 105), rng.uniform(75, 170)
        shift_hz = rng.randint(-250, 250) if number in (1, 2) and rng.random() < 0.25 else 0
        lines.append(f"formant {number} {frequency:.0f} {height:.0f} {width:.0f} {shift_hz}")
    return lines


def draw_tone(rng):
    """A voice's own colour: [(Hz, level 0..255)], mostly falling as it rises"""
    fall, level, points = rng.uniform(0.35, 1.0), 255.0, []
    for hz in (100, 600, 1200, 2000, 3000):
        points.append((hz, max(8, round(level * rng.uniform(0.75, 1.0)))))
        level *= fall ** 0.5 if hz < 1000 else fall
    return points


def write_variants(rng, count, data_folder):
    """A copy of espeak-ng's data, of its languages English only, with `count` more variants: it lists 349 voices at most.

    -> (folder to open the library with, names of the variants)
    """
    folder = Path(tempfile.mkdtemp(prefix="espeak-"))
    shutil.copytree(data_folder, folder / "espeak-ng-data")
    shutil.rmtree(folder / "espeak-ng-data" / "voices" / "mb", ignore_errors=True)
    for language in (folder / "espeak-ng-data" / "lang").rglob("*"):
        if language.is_file() and not language.name.startswith("en"):
            language.unlink()
    names = [f"{PREFIX}{number}" for number in range(count)]
    for name in names:
        (folder / "espeak-ng-data" / "voices" / "!v" / name).write_text(f"name {name}\n" + draw_variant(rng))
    return folder, names
