"""What can be measured in a waveform of speech without knowing the words: level, rests, edges, average spectrum."""
import numpy as np

FRAME_S = 0.01
SPEECH_RANGE_DB = 30  # frames this far below the loudest one do not count for the level
SOFTEST_SOUND_DB = 40  # a soft consonant may be this far below the loudest frame, a rest is lower
DECAY_S, ATTACK_S = 0.05, 0.05  # of a rest: a soft consonant that ends or begins the speech beside it
BANDS, BAND_RANGE_HZ = 40, (100, 3800)  # what a telephone carries
SPECTRUM_SAMPLES_S = 0.032


def to_db(amplitude):
    return 20 * np.log10(np.maximum(amplitude, 1e-9))


def peak_db(wave):
    return float(to_db(np.abs(wave).max()))


def frame_levels(wave, rate_hz):
    """-> RMS of each 10 ms, dBFS"""
    size = int(FRAME_S * rate_hz)
    frames = wave[: len(wave) // size * size].reshape(-1, size).astype(np.float64)
    return to_db(np.sqrt((frames ** 2).mean(1)))


def speech_level(wave, rate_hz):
    """Level of the speech itself, rests not counted, dBFS"""
    levels = frame_levels(wave, rate_hz)
    speech = levels[levels > levels.max() - SPEECH_RANGE_DB]
    return float(10 * np.log10((10 ** (speech / 10)).mean()))


def rests(wave, rate_hz, count):
    """The `count` longest rests between words -> [(loudest 10 ms, dBFS, without decay and attack beside it; length, ms)]"""
    levels = frame_levels(wave, rate_hz)
    loud = np.nonzero(levels > levels.max() - SOFTEST_SOUND_DB)[0]
    spans = sorted(((start, end) for start, end in zip(loud[:-1] + 1, loud[1:])), key=lambda s: s[0] - s[1])[:count]
    decay, attack = round(DECAY_S / FRAME_S), round(ATTACK_S / FRAME_S)
    return [(float(levels[start + decay: end - attack].max()), round(1000 * FRAME_S) * int(end - start))
            for start, end in spans if end - start > decay + attack]


def edge_db(wave):
    """The larger of first and last sample, dBFS: what would click where two sentences join"""
    return float(to_db(max(abs(wave[0]), abs(wave[-1]))))


def average_spectrum(wave, rate_hz):
    """-> mean log power of the speech in mel-spaced bands, dB, without its level"""
    size = int(SPECTRUM_SAMPLES_S * rate_hz)
    starts = np.arange(0, len(wave) - size, size // 2)
    power = np.abs(np.fft.rfft(wave[starts[:, None] + np.arange(size)] * np.hanning(size))) ** 2
    loudness = 10 * np.log10(power.sum(1) + 1e-9)
    power = power[loudness > loudness.max() - SPEECH_RANGE_DB]
    low, high = 2595 * np.log10(1 + np.array(BAND_RANGE_HZ) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 1) / 2595) - 1)
    band = np.digitize(np.fft.rfftfreq(size, 1 / rate_hz), edges)
    bands = np.stack([power[:, band == b].mean(1) for b in range(1, BANDS + 1) if (band == b).any()], 1)
    spectrum = (10 * np.log10(bands + 1e-9)).mean(0)
    return spectrum - spectrum.mean()


def spread(values):
    """-> mean, standard deviation and extremes, rounded"""
    return {"mean": round(float(np.mean(values)), 2), "sd": round(float(np.std(values)), 2),
            "least": round(float(np.min(values)), 2), "most": round(float(np.max(values)), 2)}
