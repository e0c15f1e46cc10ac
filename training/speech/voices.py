"""Which voices speak in the data sets, and which are kept back for the evaluation."""
from . import espeak, flite
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


def draw_prosody(rng):
    return espeak.Prosody(rng.randint(125, 200), rng.randint(15, 85), rng.randint(20, 80), rng.choice([0, 0, 0, 0, 2, 5]))


def draw_house_prosody(rng):
    """Near the teacher's own: the caller of the demo sounds like this."""
    if rng.random() < 0.5:
        return espeak.Prosody(rng.randint(140, 165), rng.randint(38, 52), 50, 0)
    return espeak.Prosody(rng.randint(120, 190), rng.randint(30, 70), rng.randint(30, 70), rng.choice([0, 0, 2]))


def draw_training_voice(rng):
    """-> (voice, prosody): a third house voice, the rest accents and variants"""
    x = rng.random()
    if x < 0.30:
        return HOUSE_VOICE, draw_house_prosody(rng)
    if x < 0.38:
        return HOUSE_VOICE_FEMALE, draw_house_prosody(rng)
    if x < 0.48:
        return "en-us+" + rng.choice(COMMON_VARIANTS), draw_prosody(rng)
    if x < 0.54:
        return rng.choice(ACCENTS), draw_prosody(rng)
    variant = rng.choice(VARIANTS if rng.random() < 0.97 else ROBOTS)
    return rng.choice(ACCENTS) + "+" + variant, draw_prosody(rng)


def draw_held_out_voice(rng):
    return rng.choice(ACCENTS) + "+" + rng.choice(HELD_OUT_VARIANTS), draw_prosody(rng)


def speak_espeak(text, voice, prosody):
    return clip_of(espeak.synthesise(text, voice, prosody))


def speak_flite(rng, text, voice, stretch_range=(0.8, 1.25)):
    return clip_of(flite.synthesise(text, voice, rng.uniform(*stretch_range)))
