"""The speaker's network: characters of IPA -> durations -> pitch and envelopes per 10 ms -> vocoder."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .phonemes import PAD, PUNCTUATION, VOCABULARY
from .style import STYLE_SIZE
from .vocoder import HARMONIC_BANDS, HOP_SAMPLES, NOISE_BANDS, Vocoder, limit, silence_rests

WIDTH = 128
MAX_FRAMES_PER_TOKEN = 80
LEAD_FRAMES = 4  # the opening pad is at least this long, so that no input gives an empty waveform
F0_RANGE_HZ = (50, 420)
F0_LOG_CENTER, F0_LOG_SCALE = 4.9, 0.4
SPEED_RANGE = (0.25, 4.0)
DECODER_REACH_FRAMES = 28  # of the decoder's convolutions to either side
VOCODER_REACH_FRAMES = 4  # of the vocoder's windows, and of what is decided by the neighbours of a frame


class Residual(nn.Module):
    def __init__(self, kernel, dilation):
        super().__init__()
        self.spread = nn.Conv1d(WIDTH, WIDTH, kernel, padding=(kernel // 2) * dilation, dilation=dilation)
        self.mix = nn.Conv1d(WIDTH, WIDTH, 1)

    def forward(self, x):
        return x + self.mix(F.leaky_relu(self.spread(x), 0.1))


class Speaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), WIDTH)
        self.gate = nn.Linear(STYLE_SIZE, 1).requires_grad_(False)  # set by style.fit_gate
        self.voice = nn.Linear(1, WIDTH)
        self.encoder = nn.Sequential(*[Residual(5, d) for d in (1, 1, 2)])
        self.duration = nn.Sequential(Residual(3, 1), Residual(3, 2), nn.LeakyReLU(0.1), nn.Conv1d(WIDTH, 1, 1))
        self.position = nn.Conv1d(3, WIDTH, 1)
        self.pitch = nn.Sequential(Residual(5, 1), Residual(5, 4), nn.LeakyReLU(0.1), nn.Conv1d(WIDTH, 1, 1))
        self.decoder = nn.Sequential(*[Residual(5, d) for d in (1, 2, 4, 1, 2, 4)], nn.LeakyReLU(0.1))
        self.harmonic, self.noise = nn.Conv1d(WIDTH, HARMONIC_BANDS, 1), nn.Conv1d(WIDTH, NOISE_BANDS, 1)
        nn.init.constant_(self.harmonic.bias, -4.0)
        nn.init.constant_(self.noise.bias, -6.0)
        self.vocoder = Vocoder()
        spoken = torch.tensor([float(c not in PUNCTUATION + PAD) for c in VOCABULARY])
        self.register_buffer("is_spoken", spoken, persistent=False)

    def femaleness(self, style):
        """style [B, 256] -> 0 (male) .. 1 (female), [B, 1]"""
        return torch.sigmoid(self.gate(torch.clamp(style, -10, 10)))

    def encode(self, ids, femaleness):
        """-> (token features [B, WIDTH, N], log1p of the durations in frames [B, N])"""
        x = self.embedding(ids).transpose(1, 2) + self.voice(femaleness)[:, :, None]
        x = self.encoder(x)
        return x, self.duration(x)[:, 0]

    def tokens_of_frames(self, durations, frames):
        """durations [B, N] -> which token each frame belongs to [B, frames]"""
        ends = torch.cumsum(durations, 1)
        frame = torch.arange(frames)[None, :]
        return (ends[:, None, :] <= frame[:, :, None]).long().sum(-1).clamp(max=durations.shape[1] - 1)

    def spread(self, x, durations, frames):
        """Repeats each token for its frames and adds where in the token a frame lies."""
        token = self.tokens_of_frames(durations, frames)
        frame = torch.arange(frames)[None, :]
        start = torch.gather(torch.cumsum(durations, 1) - durations, 1, token)
        length = torch.gather(durations, 1, token).clamp(min=1)
        repeated = torch.gather(x, 2, token[:, None].expand(-1, WIDTH, -1))
        into = (frame - start).float()
        where = torch.stack([into / length, into * 0.1, length.float() * 0.1], 1)
        return repeated + self.position(where)

    def shape(self, y, low=0):
        """-> (normalised log f0 [B, T], log harmonic envelope, log noise envelope; both from frame `low` on)"""
        decoded = self.decoder(y[:, :, low:])
        return self.pitch(y)[:, 0], self.harmonic(decoded), self.noise(decoded)

    def forward(self, input_ids, style, speed):
        """One sentence: ids [1, N], style [1, 256], speed [1] -> waveform [1, samples] at 24 kHz"""
        return self.speak(input_ids.clamp(0, len(VOCABULARY) - 1), self.femaleness(style), speed)

    def speak(self, ids, femaleness, speed):
        """ids [1, N] of VOCABULARY with a pad at both ends, femaleness [1, 1], speed [1] -> waveform [1, samples]"""
        x, durations = self.pace(ids, femaleness, speed)
        whole = (0, durations.sum())
        return self.sound(ids, x, durations, whole, whole)

    def speak_window(self, ids, femaleness, speed, window):
        """As `speak`, but of the frames [window[0], window[1]) alone -> (their waveform [1, samples], all frames [1])

        The samples are those of the whole. What follows the window costs nothing; what precedes it its pitch, which the phase
        of the pulses adds up; the network and the vocoder hear as far as they reach on both sides.
        """
        x, durations = self.pace(ids, femaleness, speed)
        frames = durations.sum()
        start, end = torch.minimum(window.clamp(min=0), frames).unbind()

        def around(reach):
            return (start - reach).clamp(min=0), torch.minimum(end + reach, frames)

        made, heard = around(VOCODER_REACH_FRAMES), around(DECODER_REACH_FRAMES + VOCODER_REACH_FRAMES)
        wave = self.sound(ids, x, durations, made, heard)
        return wave[:, (start - made[0]) * HOP_SAMPLES: (end - made[0]) * HOP_SAMPLES], frames[None]

    def pace(self, ids, femaleness, speed):
        """-> (token features [1, WIDTH, N], durations in frames [1, N])"""
        x, log_durations = self.encode(ids, femaleness)
        speed = torch.clamp(speed, *SPEED_RANGE)
        durations = (torch.exp(torch.clamp(log_durations, 0, 4.4)) - 1) / speed[:, None]
        durations = torch.round(torch.clamp(durations, 0, MAX_FRAMES_PER_TOKEN)).long()
        return x, torch.cat([durations[:, :1].clamp(min=LEAD_FRAMES), durations[:, 1:]], 1)

    def sound(self, ids, x, durations, made, heard):
        """The waveform of the frames `made` = [low, high), as if there were none outside of `heard`, which holds them."""
        (low, high), (first, last) = made, heard
        log_f0, harmonic, noise_level = self.shape(self.spread(x, durations, last), first)
        f0 = torch.exp(log_f0[:, :high] * F0_LOG_SCALE + F0_LOG_CENTER).clamp(*F0_RANGE_HZ)
        noise = self.vocoder.noise(low * HOP_SAMPLES, high * HOP_SAMPLES)
        inner = slice(low - first, high - first)
        wave = limit(self.vocoder(f0, harmonic[:, :, inner], noise_level[:, :, inner], noise, low))
        speech = torch.gather(self.is_spoken[ids], 1, self.tokens_of_frames(durations, high))[:, low:]
        return silence_rests(wave, speech, low * HOP_SAMPLES, durations.sum() * HOP_SAMPLES)
