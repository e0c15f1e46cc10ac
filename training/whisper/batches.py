"""Turns clips into batches: length buckets, noise, SpecAugment, labels for the decoder and both heads."""
from dataclasses import dataclass

import numpy as np
import torch

from speech.features import mel_power, silence_level
from speech.telephone import LINE_RATE_HZ, MU_LAW, OUT_RATE_HZ, Clip, draw_noise, g711

from .model import CHARACTERS, WINDOW_FRAMES
from .tokenizer import END_OF_TEXT, ENGLISH, NO_SPEECH, NO_TIMESTAMPS, START, TRANSCRIBE, encode_text

IGNORE = -100
NOISE_CLIPS = 120
MAX_SHIFT_FRAMES = 14
MASKS, MASK_BANDS, MASK_FRAMES = 2, 12, 12


@dataclass
class Batch:
    mel: torch.Tensor  # [B, 80, frames]
    decoder_input: torch.Tensor  # [B, U]
    labels: torch.Tensor  # [B, U]
    characters: torch.Tensor  # all CTC targets one after another
    character_counts: torch.Tensor  # [B]
    encoded_frames: torch.Tensor  # [B] frames of 20 ms that CTC may use
    phonemes: torch.Tensor  # [B, frames / 2]


class BatchMaker:
    def __init__(self, shards, tokenizer, phoneme_ids, rng):
        self.shards, self.rng, self.tokenizer, self.phoneme_ids = shards, rng, tokenizer, phoneme_ids
        self.tokens, self.phonemes = [], []
        self.index(shards.utterances)
        self.ids = {t: tokenizer.token_to_id(t) for t in (END_OF_TEXT, START, ENGLISH, TRANSCRIBE, NO_TIMESTAMPS, NO_SPEECH)}
        self.noises = [make_noise_mel(rng) for _ in range(NOISE_CLIPS)]

    def index(self, utterances):
        """Takes in utterances that were added to the shards."""
        for u in utterances:
            self.tokens.append(encode_text(self.tokenizer, u.text))
            known = [self.phoneme_ids.get(p, IGNORE) for p in u.phonemes] if u.phonemes else [IGNORE] * (u.frames // 2)
            self.phonemes.append(np.array(known, np.int16))
            u.phonemes = None  # the names take ten times the memory of the numbers

    def make(self, indices, full_window, noise_share, token_noise):
        """`noise_share` of the clips get more noise; `token_noise` of the decoder's input tokens are wrong."""
        longest = max(self.shards.utterances[i].frames for i in indices)
        frames = WINDOW_FRAMES if full_window else min(WINDOW_FRAMES, longest + self.rng.choice([0, 10, 30]))
        frames = max(frames + frames % 2, longest + longest % 2)
        mel = np.zeros((len(indices), frames, 80), np.float32)
        phonemes = np.zeros((len(indices), frames // 2), np.int64)
        for row, index in enumerate(indices):
            self.fill_row(mel[row], phonemes[row], index, noise_share)
        texts = [[CHARACTERS[c] for c in self.shards.utterances[i].text] for i in indices]
        room = [min(frames, self.shards.utterances[i].frames + 20) // 2 for i in indices]
        decoder_input, labels = self.decoder_rows(indices, token_noise)
        return Batch(torch.from_numpy(mel).transpose(1, 2).contiguous(), decoder_input, labels,
                     torch.tensor(sum(texts, [])), torch.tensor([len(t) for t in texts]), torch.tensor(room),
                     torch.from_numpy(phonemes))

    def fill_row(self, row, phonemes, index, noise_share):
        mel = self.shards.mel(index)
        if self.tokens[index] and self.rng.random() < noise_share:
            mel = self.add_noise(mel)
        row[:] = silence_level(mel)
        room = len(row) - len(mel)
        start = self.rng.randint(0, min(MAX_SHIFT_FRAMES, room)) // 2 * 2
        row[start: start + len(mel)] = mel
        labels = self.phonemes[index]
        phonemes[start // 2: start // 2 + len(labels)] = labels
        for _ in range(MASKS):
            bands, length = self.rng.randint(0, MASK_BANDS), self.rng.randint(0, min(MASK_FRAMES, len(mel) // 10))
            band, frame = self.rng.randint(0, 80 - bands), self.rng.randint(0, len(row) - length)
            row[:, band: band + bands] = mel.mean()
            row[frame: frame + length] = mel.mean()

    def add_noise(self, mel):
        """Adds telephone noise in the mel-power domain, 3 .. 25 dB under the louder half of the frames."""
        power = 10 ** (4 * mel - 4)
        energy = np.sort(power.sum(1))
        noise = self.noises[self.rng.randrange(len(self.noises))]
        noise = np.tile(noise, (len(mel) // len(noise) + 2, 1))
        start = self.rng.randrange(len(noise) - len(mel))
        scale = energy[len(energy) // 2:].mean() * 10 ** (-self.rng.uniform(3, 25) / 10)
        mixed = np.log10(np.maximum(power + noise[start: start + len(mel)] * scale, 1e-10))
        return (np.maximum(mixed, mixed.max() - 8) + 4) / 4

    def decoder_rows(self, indices, token_noise):
        """Clips without speech predict <|nospeech|> after the start token, and an empty text if forced to go on."""
        ids, length = self.ids, max(len(self.tokens[i]) for i in indices) + 4
        decoder_input = np.full((len(indices), length), ids[END_OF_TEXT])
        labels = np.full((len(indices), length), IGNORE)
        for row, index in enumerate(indices):
            tokens = self.tokens[index]
            n = len(tokens)
            decoder_input[row, :4] = ids[START], ids[ENGLISH], ids[TRANSCRIBE], ids[NO_TIMESTAMPS]
            decoder_input[row, 4: 4 + n] = [t if self.rng.random() >= token_noise else self.rng.randrange(300, 760) for t in tokens]
            labels[row, 0] = ids[ENGLISH] if tokens else ids[NO_SPEECH]
            labels[row, 3: 3 + n], labels[row, 3 + n] = tokens, ids[END_OF_TEXT]
        return torch.from_numpy(decoder_input), torch.from_numpy(labels)


def make_noise_mel(rng):
    """8 s of line noise after G.711 as mel power [800, 80], mean power 1"""
    noise = draw_noise(rng, LINE_RATE_HZ * 8)
    noise = g711((noise / np.abs(noise).max() * 0.5).astype(np.float32), MU_LAW)
    power = mel_power(Clip(noise, LINE_RATE_HZ).at_rate(OUT_RATE_HZ).audio).T.numpy()
    return (power / power.sum(1).mean()).astype(np.float32)


def pad_to_window(mel):
    """[frames, 80] -> [80, 1000] as the runtime's feature extractor pads with zeros"""
    window = np.full((WINDOW_FRAMES, 80), silence_level(mel), np.float32)
    window[: len(mel)] = mel[:WINDOW_FRAMES]
    return torch.from_numpy(window.T.copy())
