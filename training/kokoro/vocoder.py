"""Harmonic-plus-noise vocoder, written so that it exports to plain ONNX operators.

A band-limited pulse train and white noise are cut into overlapping frames; each frame is filtered in
the frequency domain by an envelope the network gives (zero phase) and added up again. All values
come from the network through exp(), so they are clamped: no input can make the output infinite.
"""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

RATE_HZ, HOP_SAMPLES, WINDOW_SAMPLES = 24000, 240, 480
FFT = 640
BINS = FFT // 2 + 1
HARMONIC_BANDS, NOISE_BANDS = 80, 32
TOP_HARMONIC_HZ = 10500
LOG_ENVELOPE_RANGE = (-14.0, 3.5)
PEAK = 0.88  # -1.1 dBFS, reached by no sample
LOUDNESS = 0.7
DECAY_FRAMES = 3  # a rest is silent from here on: the last sound before it needs as long to die away
FADE_SAMPLES = 120


def mel_interpolation(bands):
    """Matrix [bands, BINS] that interpolates linearly between `bands` knots on the mel scale."""
    frequencies = np.linspace(0, RATE_HZ / 2, BINS)
    mel = 2595 * np.log10(1 + frequencies / 700)
    step = mel[-1] / (bands - 1)
    lower = np.minimum((mel / step).astype(int), bands - 2)
    share = mel / step - lower
    matrix = np.zeros((bands, BINS), np.float32)
    matrix[lower, np.arange(BINS)] = 1 - share
    matrix[lower + 1, np.arange(BINS)] += share
    return torch.tensor(matrix)


class Vocoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("harmonic_knots", mel_interpolation(HARMONIC_BANDS), persistent=False)
        self.register_buffer("noise_knots", mel_interpolation(NOISE_BANDS), persistent=False)
        window = torch.zeros(FFT)
        start = (FFT - WINDOW_SAMPLES) // 2
        window[start: start + WINDOW_SAMPLES] = torch.hann_window(WINDOW_SAMPLES)
        weight = torch.full((BINS,), 2.0)
        weight[0] = weight[-1] = 1
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("bin_weight", torch.cat([weight, weight]) / FFT, persistent=False)
        self.register_buffer("bins", torch.arange(BINS, dtype=torch.float64), persistent=False)
        self.register_buffer("times", torch.arange(FFT, dtype=torch.float64), persistent=False)

    def fourier_basis(self):
        """[2 BINS, FFT] cos and -sin; computed in the graph, because the table would be 1.6 MB of the file."""
        turns = self.bins[:, None] * self.times[None, :] / FFT
        angle = (turns - torch.floor(turns)) * (2 * math.pi)
        return torch.cat([torch.cos(angle), -torch.sin(angle)], 0).float()

    def pulses(self, f0, low=0):
        """f0 [B, samples] in Hz -> all harmonics below TOP_HARMONIC_HZ in closed form, about unit power, from sample `low` on"""
        phase = torch.cumsum(f0.double() / RATE_HZ, 1)[:, low:]
        f0 = f0[:, low:]
        phase = (phase - torch.floor(phase)).float() * (2 * math.pi)
        harmonics = torch.floor(TOP_HARMONIC_HZ / f0)
        sine = torch.sin(phase / 2)
        at_pulse = sine.abs() < 1e-3
        train = torch.sin((harmonics + 0.5) * phase) / torch.where(at_pulse, torch.ones_like(sine), sine) - 1
        return torch.where(at_pulse, 2 * harmonics, train) * torch.sqrt(f0 / RATE_HZ) * 0.7

    def noise(self, low, high):
        """White noise [1, high - low] from a hash of the sample number: the same text always gives the same samples."""
        number = torch.arange(low, high, dtype=torch.float64)
        hashed = torch.sin(number * 12.9898 + 0.5) * 43758.5453
        return ((hashed - torch.floor(hashed)).float() - 0.5)[None] * math.sqrt(12)

    def forward(self, f0, harmonic, noise_level, noise, low=0):
        """f0 [B, T] Hz, log envelopes [B, bands, T - low], noise [B, (T - low) * HOP] -> waveform [B, (T - low) * HOP]"""
        frames = harmonic.shape[2]
        f0 = F.interpolate(f0[:, None], scale_factor=HOP_SAMPLES, mode="linear")[:, 0]
        sources = torch.stack([self.pulses(f0, low * HOP_SAMPLES), noise], 1).reshape(-1, 1, frames * HOP_SAMPLES)
        basis = self.fourier_basis()
        analysis = (basis * self.window)[:, None]
        spectra = F.conv1d(F.pad(sources, (FFT // 2, FFT // 2)), analysis, stride=HOP_SAMPLES)[..., :frames]
        spectra = spectra.reshape(f0.shape[0], 2, 2 * BINS, frames)
        voiced = self.envelope(harmonic, self.harmonic_knots)
        breathy = self.envelope(noise_level, self.noise_knots)
        filtered = spectra[:, 0] * voiced + spectra[:, 1] * breathy
        synthesis = (basis * self.bin_weight[:, None])[:, None]
        wave = F.conv_transpose1d(filtered, synthesis, stride=HOP_SAMPLES)[:, 0]
        return wave[:, FFT // 2: FFT // 2 + frames * HOP_SAMPLES]

    def envelope(self, log_bands, knots):
        level = torch.einsum("bct,cf->bft", torch.clamp(log_bands, *LOG_ENVELOPE_RANGE), knots).exp()
        return torch.cat([level, level], 1)


def silence_rests(wave, speech, low, samples):
    """Rests become digital silence and both ends fade: no hiss or breath between words, no click where sentences join.

    wave [B, T * HOP], the part from sample `low` on of `samples` in all; speech [B, T], 1 in frames of phonemes, 0 in
    frames of punctuation and pads.
    """
    near_speech = F.max_pool1d(speech[:, None], 2 * DECAY_FRAMES + 1, 1, DECAY_FRAMES)
    gain = F.interpolate(near_speech, scale_factor=HOP_SAMPLES, mode="linear")[:, 0]
    sample = torch.arange(wave.shape[1]) + low
    to_edge = torch.minimum(sample, samples - 1 - sample)
    return wave * gain * torch.clamp(to_edge.float() / FADE_SAMPLES, max=1)


def limit(wave):
    """Soft limiter: linear for speech, never above PEAK."""
    return PEAK * torch.tanh(wave * (LOUDNESS / PEAK))
