"""Noise of telephone lines and rooms. Every draw comes from a `random.Random`; results have unit power."""
import numpy as np
from scipy.signal import lfilter

LINE_RATE_HZ = 8000
POOL_CLIPS = 80


def unit_power(audio):
    return (audio / (np.sqrt((audio ** 2).mean()) + 1e-9)).astype(np.float32)


def draw_noise(rng, count, rate_hz=LINE_RATE_HZ):
    """`count` samples: white, brown, pink, resonant, humming, or coming and going"""
    source = np.random.default_rng(rng.getrandbits(32))
    noise, kind = source.standard_normal(count).astype(np.float32), rng.random()
    if kind < 0.30:
        noise = lfilter([1], [1, -rng.uniform(0.5, 0.97)], noise)
    elif kind < 0.38:
        noise = lfilter([1], [1, -1.6, 0.9], noise)
    elif kind < 0.50:
        noise = noise * np.repeat(source.random(count // 800 + 1) ** 2, 800)[:count]
    elif kind < 0.60:
        noise = coloured(noise, rng.uniform(0.3, 1.0))
    elif kind < 0.67:
        noise = unit_power(lfilter([1], [1, -rng.uniform(0, 0.9)], noise)) * rng.uniform(0.2, 1) + hum(rng, count, rate_hz)
    return unit_power(noise)


def coloured(noise, exponent):
    """Power falling with frequency ** (2 * exponent): .5 is pink."""
    spectrum = np.fft.rfft(noise)
    return np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** exponent, len(noise))


def hum(rng, count, rate_hz=LINE_RATE_HZ):
    base_hz, t = rng.choice([50, 60]), np.arange(count) / rate_hz
    return unit_power(sum(rng.random() / k ** 0.3 * np.sin(2 * np.pi * base_hz * k * t + rng.random() * 6) for k in range(1, 9)))


class TalkPool:
    """The last clips that were spoken, 8 kHz: what other people in the room say."""

    def __init__(self):
        self.clips, self.added = [None] * POOL_CLIPS, 0

    def add(self, audio):
        self.clips[self.added % POOL_CLIPS] = audio
        self.added += 1

    def draw(self, rng, count, talkers):
        """`talkers` people at once, at levels up to 6 dB apart; None before anybody has spoken"""
        if self.added < talkers:
            return None
        mixed = np.zeros(count, np.float32)
        for _ in range(talkers):
            clip = unit_power(self.clips[rng.randrange(min(self.added, POOL_CLIPS))])
            start = rng.randrange(len(clip))
            mixed += np.resize(np.roll(clip, -start), count) * 10 ** (-rng.uniform(0, 6) / 20)
        if rng.random() < 0.7:  # heard from afar
            mixed = lfilter([1], [1, -rng.uniform(0.2, 0.7)], mixed)
        return unit_power(mixed)
