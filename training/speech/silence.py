"""Clips without speech: what a telephone line carries while nobody talks.

A recogniser that never saw any writes fluent sentences into them. The families named in HELD_OUT
are never trained on.
"""
import numpy as np
from scipy.signal import lfilter

from . import noise as noises
from .noise import draw_noise
from .telephone import A_LAW, LINE_RATE_HZ, MU_LAW, OUT_RATE_HZ, Clip, g711, set_level

DTMF_LOW, DTMF_HIGH = (697, 770, 852, 941), (1209, 1336, 1477)
HELD_OUT = ("sweep", "fax", "ringback")


def draw_silence(rng, held_out=False, talk=None, seconds=None):
    """-> (Clip at 16 kHz that has passed G.711, name of its family)

    `talk` (a TalkPool) adds what other people in the room say; `seconds` is drawn, .4 .. 9.6 s, unless given.
    """
    longest_s = 9.6 if rng.random() < 0.2 else 4.0
    count = int(LINE_RATE_HZ * (seconds or min(longest_s, 0.4 + rng.expovariate(2 / longest_s))))
    family = rng.choice([f for f in FAMILIES if (f in HELD_OUT) == held_out])
    audio = None
    if talk and not held_out and rng.random() < 0.25:
        audio, family_of_talk, peak_db = draw_talk(rng, talk, count)
    if audio is not None:
        family = family_of_talk
    else:  # nobody has talked yet, or too few for a crowd
        audio = FAMILIES[family](rng, count, np.arange(count) / LINE_RATE_HZ)
        peak_db = rng.choice([-rng.uniform(3, 30), -rng.uniform(30, 72)])
    if np.abs(audio).max() > 0:
        audio = set_level(audio, peak_db)
    if rng.random() < 0.4:
        audio = audio + draw_noise(rng, count) * 10 ** (-rng.uniform(45, 75) / 20)
    audio = g711(audio, MU_LAW if rng.random() < 0.6 else A_LAW)
    return Clip(audio, LINE_RATE_HZ).at_rate(OUT_RATE_HZ, "HQ" if rng.random() < 0.7 else "QQ"), family


def draw_talk(rng, talk, count):
    """Somebody far away, very quiet, or a crowd at any level. -> (audio or None, family, peak in dB)"""
    if rng.random() < 0.5:
        return talk.draw(rng, count, rng.choice([1, 1, 2])), "background talk", -rng.uniform(40, 56)
    return talk.draw(rng, count, rng.randint(6, 10)), "crowd", -rng.uniform(8, 45)


def sine(t, *frequencies_hz):
    return sum(np.sin(2 * np.pi * f * t) for f in frequencies_hz)


def bursts(rng, count):
    """Smooth swellings, like breath or a passing car."""
    envelope, position = np.zeros(count), 0
    while position < count:
        length = int(LINE_RATE_HZ * rng.uniform(0.1, 0.7))
        swell = np.hanning(length) ** rng.choice([1, 2, 4]) * rng.random()
        end = min(count, position + length)
        envelope[position:end] += swell[: end - position]
        position += int(length * rng.uniform(0.8, 4))
    return envelope


def nothing(rng, count, t):
    return np.zeros(count)


def noise(rng, count, t):
    return draw_noise(rng, count)


def breath(rng, count, t):
    return draw_noise(rng, count) * bursts(rng, count)


def hum(rng, count, t):
    return noises.hum(rng, count)


def tone(rng, count, t):
    return sine(t, *[rng.uniform(150, 3200) for _ in range(rng.choice([1, 1, 2, 3]))])


def progress_tone(rng, count, t):
    """Dial and busy tones."""
    period_s = rng.choice([0.5, 1.0, 4.0])
    return sine(t, *rng.choice([(425,), (350, 440), (480, 620), (400,)])) * ((t + rng.random()) % period_s < period_s / 2)


def dtmf(rng, count, t):
    audio, position = np.zeros(count), int(rng.uniform(0, 0.3) * LINE_RATE_HZ)
    while position < count:
        length = int(LINE_RATE_HZ * rng.uniform(0.05, 0.35))
        end = min(count, position + length)
        audio[position:end] = sine(t[position:end], rng.choice(DTMF_LOW), rng.choice(DTMF_HIGH))
        position = end + int(LINE_RATE_HZ * rng.uniform(0.05, 0.8))
    return audio


def music(rng, count, t):
    audio, start_s = np.zeros(count), rng.uniform(-0.3, 0.3)
    scale = [262, 294, 330, 349, 392, 440, 494, 523, 659]
    while start_s < t[-1]:
        after = np.maximum(0, t - start_s)
        root = rng.choice(scale) * rng.choice([0.5, 1, 2])
        audio += (t > start_s) * np.exp(-after * rng.uniform(1, 8)) * sum(np.sin(2 * np.pi * root * k * after) / k for k in (1, 2, 3))
        start_s += rng.choice([0.15, 0.25, 0.5])
    return audio


def note(rng, after, frequency_hz, decay):
    """One tone with overtones and vibrato that began `after` seconds ago (0 before)"""
    phase = 2 * np.pi * frequency_hz * after + rng.uniform(0, 0.4) * np.sin(2 * np.pi * 5.5 * after)
    strengths = [1, rng.uniform(0, 0.8), rng.uniform(0, 0.6), rng.uniform(0, 0.4)]
    wave = sum(strength * np.sin((k + 1) * phase) for k, strength in enumerate(strengths))
    return wave * (after > 0) * np.exp(-after * decay) * np.minimum(1, after * 60)


def hold_music(rng, count, t):
    """Chords, a tune above them, often a beat, with the loudness of a compressed record."""
    beat_s, key_hz, start_s = 60 / rng.uniform(70, 140), rng.uniform(110, 260), -rng.random()
    chords, scale = [(0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16), (2, 5, 9)], (0, 2, 4, 5, 7, 9, 11, 12, 14, 16)
    has_drums, sustain, audio, beat = rng.random() < 0.5, rng.uniform(0.3, 4), np.zeros(count), 0
    while start_s < t[-1]:
        after = np.maximum(0, t - start_s)
        if beat % 4 == 0:
            audio += 0.5 * sum(note(rng, after, key_hz * 2 ** (s / 12), sustain / 2) for s in rng.choice(chords))
        for half in range(rng.choice([0, 1, 1, 2])):
            pitch_hz = 2 * key_hz * 2 ** (rng.choice(scale) / 12)
            audio += note(rng, np.maximum(0, after - half * beat_s / 2), pitch_hz, sustain * 2)
        if has_drums:
            audio += draw_noise(rng, count) * (after > 0) * np.exp(-after * 30) * rng.uniform(0.2, 1)
        start_s, beat = start_s + beat_s, beat + 1
    return np.tanh(audio * rng.uniform(0.3, 2))


def clicks(rng, count, t):
    source = np.random.default_rng(rng.getrandbits(32))
    return lfilter([1], [1, -rng.uniform(0, 0.9)], (source.random(count) < rng.choice([3e-4, 1e-3, 3e-3])) * 1.0)


def sweep(rng, count, t):
    return np.sin(2 * np.pi * (200 * t + 300 * t * t))


def fax(rng, count, t):
    return sine(t, rng.choice([1100, 2100])) * (t % 3 < 2.4)


def ringback(rng, count, t):
    return sine(t, 440, 480) * (t % 3 < 1)


FAMILIES = dict(nothing=nothing, noise=noise, breath=breath, breath2=breath, hum=hum, tone=tone, progress_tone=progress_tone,
                dtmf=dtmf, music=music, hold_music=hold_music,
                hold_music2=hold_music, clicks=clicks, sweep=sweep, fax=fax, ringback=ringback)
