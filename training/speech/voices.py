"""Which voices speak in the data sets, and which are kept back for the evaluation."""
import random

from . import espeak, flite, invented
from .telephone import clip_of

HOUSE_VOICE = "en-us"  # also the teacher of the shipped text-to-speech model
HOUSE_VOICE_FEMALE = "en-us+f3"
ACCENTS = ["en-us"] * 5 + ["en"] * 3 + [
    "en-gb-x-rp", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029"]
COMMON_VARIANTS = "f1 f2 f3 f5 m1 m2 m3 m4 m6 m7 m8".split()
VARIANTS = COMMON_VARIANTS + (
    "Alex Alicia Andrea Andy Annie antonio aunty benjamin boris caleb david Denis Diogo ed edward edward2 Gene "
    "Gene2 gustave Henrique Hugo iven iven2 iven3 iven4 Jacky john Lee marcelo Marco Mario max Michael michel "
    "miguel Nguyen pablo paul pedro quincy rob robert steph steph3 zac anika klatt klatt2 klatt4 klatt5 norbert "
    "sandro shelby travis victor").split()
ROBOTS = "announcer grandma grandpa kaukovalta RicishayMax RicishayMax2 RicishayMax3 Storm".split()
HELD_OUT_VARIANTS = "adam linda belinda klatt3 steph2 Mike f4 m5".split()
INVENTED = 200
_invented = []  # names, once `invent` has made them


def draw_prosody(rng):
    return espeak.Prosody(rng.randint(125, 200), rng.randint(15, 85), rng.randint(20, 80), rng.choice([0, 0, 0, 0, 2, 5]))


def draw_house_prosody(rng):
    """Near the teacher's own: the caller of the demo sounds like this."""
    if rng.random() < 0.5:
        return espeak.Prosody(rng.randint(140, 165), rng.randint(38, 52), 50, 0)
    return espeak.Prosody(rng.randint(120, 190), rng.randint(30, 70), rng.randint(30, 70), rng.choice([0, 0, 2]))


def invent(seed):
    """Opens espeak-ng with INVENTED variants that nobody has, drawn by `seed`, and lets `draw_training_voice` choose among them."""
    folder, names = invented.write_variants(random.Random(seed), INVENTED, espeak.installed_data())
    espeak.open_library(folder)
    _invented[:] = names
    return folder


def draw_training_voice(rng):
    """-> (voice, prosody): a sixth house voice, a third accents and variants, the rest voices that nobody has"""
    x = rng.random()
    if x < 0.12:
        return HOUSE_VOICE, draw_house_prosody(rng)
    if x < 0.16:
        return HOUSE_VOICE_FEMALE, draw_house_prosody(rng)
    if x < 0.22:
        return "en-us+" + rng.choice(COMMON_VARIANTS), draw_prosody(rng)
    if x < 0.26:
        return rng.choice(ACCENTS), draw_prosody(rng)
    if x < 0.52 or not _invented:
        variant = rng.choice(VARIANTS if rng.random() < 0.97 else ROBOTS)
    else:
        variant = rng.choice(_invented)
    return rng.choice(ACCENTS) + "+" + variant, draw_prosody(rng)


def draw_held_out_voice(rng):
    return rng.choice(ACCENTS) + "+" + rng.choice(HELD_OUT_VARIANTS), draw_prosody(rng)


def speak_espeak(text, voice, prosody):
    return clip_of(espeak.synthesise(text, voice, prosody))


def draw_speaker(rng, voice):
    """A speaker made of one flite voice: formants moved by playing faster or slower, pitch and speed set against it.

    -> (Manner, warp of the formants); slt slowed down and lowered is a man, awb the other way a woman.
    """
    factor = rng.uniform(0.80, 1.08) if voice == "slt" else rng.uniform(0.86, 1.22)
    final_pitch_hz = min(260.0, max(75.0, 170 * factor ** 2 * rng.uniform(0.6, 1.25)))
    speed = rng.uniform(0.8, 1.3)
    return flite.Manner(speed * factor, final_pitch_hz / factor, rng.uniform(0.06, 0.22)), factor


def speak_flite(text, voice, manner):
    return clip_of(flite.synthesise(text, voice, manner))


def draw_held_out_speaker(rng):
    """rms as he is, only a little faster or slower"""
    return flite.Manner(rng.uniform(0.95, 1.1))
