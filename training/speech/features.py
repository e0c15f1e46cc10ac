"""Whisper's log-mel features, equal to those of Hugging Face's WhisperFeatureExtractor to float precision."""
import torch
from transformers.audio_utils import mel_filter_bank

RATE_HZ = 16000
FFT_SAMPLES, HOP_SAMPLES, MEL_BANDS = 400, 160, 80
FRAMES_PER_SECOND = RATE_HZ // HOP_SAMPLES
WINDOW = torch.hann_window(FFT_SAMPLES)
MEL_FILTERS = torch.tensor(
    mel_filter_bank(1 + FFT_SAMPLES // 2, MEL_BANDS, 0.0, 8000.0, RATE_HZ, norm="slaney", mel_scale="slaney"),
    dtype=torch.float32).T.contiguous()  # [80, 201]


def mel_power(audio):
    """audio float32 at 16 kHz -> mel power [80, frames]"""
    spectrum = torch.stft(torch.from_numpy(audio), FFT_SAMPLES, HOP_SAMPLES, window=WINDOW, return_complex=True)
    return MEL_FILTERS @ (spectrum[:, :-1].abs() ** 2)


def log_mel(audio):
    """audio float32 at 16 kHz -> normalised log-mel [frames, 80] as numpy float32.

    The clip is not padded: silence after it would be `silence_level(mel)` in every band.
    """
    mel = torch.clamp(mel_power(audio), min=1e-10).log10()
    mel = torch.maximum(mel, mel.max() - 8)
    return ((mel + 4) / 4).T.numpy()


def silence_level(mel):
    """What digital silence becomes beside this clip: 8 decades below the maximum, in normalised units."""
    return max(mel.max() - 2, -1.5)
