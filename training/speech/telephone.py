"""The telephone: band, level, noise, G.711, and clips that begin or end a little late or early.

`Clip` carries samples together with the times of its phonemes, and every stage keeps both in step.
Every draw comes from a `random.Random`.
"""
from dataclasses import dataclass, field

import numpy as np
import soxr
from scipy.signal import firwin2, lfilter

from .loss import lose_packets
from .noise import LINE_RATE_HZ, TalkPool, draw_noise

OUT_RATE_HZ = 16000
ENCODER_FRAME_S = 0.02
COLOUR_BANDS, COLOUR_TAPS = [0, 0.1, 0.25, 0.45, 0.7, 1], 31  # of the Nyquist frequency


@dataclass
class Clip:
    audio: np.ndarray  # float32
    rate_hz: float
    events: list = field(default_factory=list)  # [(time in s, IPA phoneme)]

    def at_rate(self, rate_hz, quality="HQ"):
        return Clip(soxr.resample(self.audio, self.rate_hz, rate_hz, quality=quality).astype(np.float32), rate_hz, self.events)

    def moved(self, audio, by_s):
        return Clip(audio, self.rate_hz, [(t + by_s, p) for t, p in self.events])


def clip_of(synthesised):
    """(audio, rate, [(sample, phoneme)]) of a synthesiser -> Clip"""
    audio, rate_hz, events = synthesised
    return Clip(audio, rate_hz, [(sample / rate_hz, phoneme) for sample, phoneme in events])


def warp(clip, factor):
    """Plays faster and higher by `factor`: another vocal tract."""
    return Clip(clip.audio, clip.rate_hz * factor, [(t / factor, p) for t, p in clip.events])


def trim(clip, threshold=0.01):
    """Cuts the silence at both ends, leaving 25 ms before and 50 ms after."""
    audio = clip.audio / max(1e-4, np.abs(clip.audio).max())
    loud = np.nonzero(np.abs(audio) > threshold)[0]
    if loud.size == 0:
        return clip
    start = max(0, loud[0] - int(0.025 * clip.rate_hz))
    return clip.moved(audio[start: loud[-1] + int(0.05 * clip.rate_hz)], -start / clip.rate_hz)


def lengthen_pauses(rng, clip):
    """Makes the pauses inside (at commas) up to 400 ms longer."""
    marks = [i for i, (_, p) in enumerate(clip.events) if p == "" and 0 < i < len(clip.events) - 1]
    audio, events, added_s = [], list(clip.events), 0.0
    position = 0
    for mark in marks:
        middle_s, extra_s = (clip.events[mark][0] + clip.events[mark + 1][0]) / 2, rng.uniform(0, 0.4)
        cut = int(middle_s * clip.rate_hz)
        if cut <= position or rng.random() < 0.3:
            continue
        audio += [clip.audio[position:cut], np.zeros(int(extra_s * clip.rate_hz), np.float32)]
        position, added_s = cut, added_s + extra_s
        events[mark + 1:] = [(t + extra_s, p) for t, p in events[mark + 1:]]
    return Clip(np.concatenate([*audio, clip.audio[position:]]), clip.rate_hz, events) if added_s else clip


def equalise(rng, clip):
    """Random tilt, often the colour of a cheap microphone, and often a telephone's high-pass."""
    audio = lfilter([1, -rng.uniform(-0.4, 0.5)], [1], clip.audio)
    if rng.random() < 0.5:
        gains_db = [rng.uniform(-7, 7) for _ in COLOUR_BANDS]
        audio = lfilter(firwin2(COLOUR_TAPS, COLOUR_BANDS, [10 ** (db / 20) for db in gains_db]), [1], audio)
    if rng.random() < 0.6:
        audio = lfilter([1, -1], [1, -rng.uniform(0.85, 0.95)], audio)
    return Clip(audio.astype(np.float32), clip.rate_hz, clip.events)


def place(rng, clip):
    """Silence around the speech as a voice detector leaves it; now and then a clipped start or end."""
    audio, rate_hz, cut_s = clip.audio, clip.rate_hz, 0.0
    if rng.random() < 0.08:
        cut_s = rng.uniform(0.02, 0.09)
        audio = audio[int((0.025 + cut_s) * rate_hz):]
        cut_s += 0.025
    if rng.random() < 0.08:
        audio = audio[: -int((0.05 + rng.uniform(0.01, 0.08)) * rate_hz)]
    lead = 0 if cut_s and rng.random() < 0.7 else int(rate_hz * rng.uniform(0.02, 0.5))
    trail = int(rate_hz * rng.uniform(0.0, 0.8))
    audio = np.concatenate([np.zeros(lead), audio, np.zeros(trail)]).astype(np.float32)
    return clip.moved(audio / max(1e-4, np.abs(audio).max()), lead / rate_hz - cut_s)


def add_noise(rng, clip, line):
    """`line.snr_db` over the power of the speech, none over silence; None leaves digital silence between the words."""
    if line.snr_db is None:
        return clip
    loud = clip.audio[np.abs(clip.audio) > 0.02]
    if loud.size == 0:
        return clip
    speech = np.sqrt((loud ** 2).mean() + 1e-9)
    noise = line.talk.draw(rng, len(clip.audio), line.talkers) if line.talkers else None
    if noise is None:
        noise = draw_noise(rng, len(clip.audio), clip.rate_hz)
    return Clip(clip.audio + noise * speech * 10 ** (-line.snr_db / 20), clip.rate_hz, clip.events)


def set_level(audio, peak_db):
    return (audio / max(1e-9, np.abs(audio).max()) * 10 ** (peak_db / 20)).astype(np.float32)


def _expansion_tables():
    """The 256 linear values of the mu-law and A-law codes (ITU-T G.711), as float in -1..1."""
    code = np.arange(256)
    mu = ~code & 0xFF
    mu_value = ((((mu & 0x0F) << 3) + 0x84) << ((mu & 0x70) >> 4)) - 0x84
    a = code ^ 0x55
    exponent, mantissa = (a & 0x70) >> 4, (a & 0x0F) << 4
    a_value = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return (np.where(mu & 0x80, -mu_value, mu_value) / 32768, np.where(a & 0x80, a_value, -a_value) / 32768)


def _nearest(values):
    """Table from 16-bit sample + 32768 to the nearest of `values`."""
    ordered = np.sort(values)
    edges = (ordered[1:] + ordered[:-1]) / 2
    samples = np.arange(-32768, 32768) / 32768
    return ordered[np.searchsorted(edges, samples)].astype(np.float32)


MU_LAW, A_LAW = (_nearest(v) for v in _expansion_tables())


def g711(audio, law):
    """Through the codec and back."""
    return law[np.clip(np.round(audio * 32768), -32768, 32767).astype(np.int32) + 32768]


@dataclass
class Line:
    """What lies between a speaker and the recogniser."""

    snr_db: float | None = None  # None = no noise
    wideband: bool = False  # 16 kHz without codec
    talkers: int = 0  # the noise is so many other people, drawn from `talk`
    talk: TalkPool | None = None
    lost_share: float = 0.0  # of the packets of 20 ms
    mean_burst: float = 1.0  # packets lost in a row


def transmit(rng, clip, line=Line(), warp_range=(0.9, 1.13), placed=True):
    """A synthesised clip as the recogniser hears it: float32 at 16 kHz, with its phoneme times."""
    clip = warp(clip, rng.uniform(*warp_range)) if warp_range else clip
    clip = trim(clip.at_rate(OUT_RATE_HZ if line.wideband else LINE_RATE_HZ))
    clip = equalise(rng, clip)
    clip = place(rng, clip) if placed else clip
    if line.talk and not line.wideband:
        line.talk.add(clip.audio)
    clip = add_noise(rng, clip, line)
    audio = set_level(clip.audio, -rng.uniform(1, 26))
    if line.wideband:
        return Clip(audio, OUT_RATE_HZ, clip.events)
    audio = g711(audio, MU_LAW if rng.random() < 0.6 else A_LAW)
    if line.lost_share:
        audio = lose_packets(rng, audio, line.lost_share, line.mean_burst)
    return Clip(audio, LINE_RATE_HZ, clip.events).at_rate(OUT_RATE_HZ, "HQ" if rng.random() < 0.7 else "QQ")


def frame_phonemes(clip, frames):
    """The phoneme in the middle of each of `frames` encoder frames of 20 ms ('' before the first)."""
    times = np.array([t for t, _ in clip.events])
    names = [p.replace("ˈ", "").replace("ˌ", "") for _, p in clip.events]
    last = np.searchsorted(times, (np.arange(frames) + 0.5) * ENCODER_FRAME_S, side="right") - 1
    return [names[i] if i >= 0 else "" for i in last]
