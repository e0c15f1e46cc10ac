"""Pitch of the teacher's voice by normalised cross-correlation."""
import numpy as np
import soxr

TRACK_RATE_HZ = 8000
WINDOW, HOP = 320, 80  # 40 ms, 10 ms at 8 kHz


def track(audio, rate_hz, low_hz, high_hz):
    """-> f0 in Hz per 10 ms; 0 where unvoiced"""
    x = soxr.resample(audio, rate_hz, TRACK_RATE_HZ).astype(np.float32)
    frames = len(audio) * 100 // rate_hz
    low, high = int(TRACK_RATE_HZ / high_hz), int(TRACK_RATE_HZ / low_hz) + 1
    x = np.pad(x, (WINDOW // 2, WINDOW + high + HOP))
    starts = np.arange(frames) * HOP
    pieces = x[starts[:, None] + np.arange(WINDOW + high)[None]]
    base = pieces[:, :WINDOW]
    energy = (base ** 2).sum(1)
    correlation = np.zeros((frames, high + 1), np.float32)
    for lag in range(low, high + 1):
        shifted = pieces[:, lag: lag + WINDOW]
        correlation[:, lag] = (base * shifted).sum(1) / np.sqrt(energy * (shifted ** 2).sum(1) + 1e-7)
    return _first_peak(correlation, energy, low)


def _first_peak(correlation, energy, low):
    """The shortest lag whose peak reaches 90 % of the highest: the period, not a multiple of it."""
    middle = correlation[:, low + 1: -1]
    before, after = correlation[:, low:-2], correlation[:, low + 2:]
    highest = correlation.max(1)
    peaks = (middle > 0.9 * highest[:, None]) & (middle >= before) & (middle >= after)
    column = peaks.argmax(1)
    row = np.arange(len(correlation))
    p, q, s = before[row, column], middle[row, column], after[row, column]
    lag = column + low + 1 + 0.5 * (p - s) / (p - 2 * q + s + 1e-9)
    voiced = peaks.any(1) & (highest > 0.6) & (energy > 1e-3)
    return np.where(voiced, TRACK_RATE_HZ / np.maximum(lag, 1), 0).astype(np.float32)


def fill_gaps(f0_hz):
    """Interpolates over unvoiced frames and smooths; None without any voice."""
    voiced = np.nonzero(f0_hz)[0]
    if len(voiced) < 5:
        return None
    filled = np.interp(np.arange(len(f0_hz)), voiced, f0_hz[voiced])
    return np.convolve(np.pad(filled, 2, mode="edge"), np.ones(5) / 5, "valid").astype(np.float32)
