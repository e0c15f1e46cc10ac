"""Writes the evaluation set of turn-taking: callers who pause, with the true end of their turn.

    python -m turns.build_set ../models/evaluation/turns

One G.711 mu-law WAV file (8 kHz) per caller and index.json. Voices and phrasings are held-out ones. The labels are the
synthesisers' own phoneme times and the pauses that were put in; no detector had a part in them. The same command
writes the same bytes.
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np
import soundfile

from speech.noise import LINE_RATE_HZ, draw_noise
from speech.telephone import set_level
from speech.voices import draw_held_out_speaker, draw_held_out_voice, speak_espeak, speak_flite

from .parts import KINDS, Draw, draw_utterance

SEED = 60_117
RMS_SHARE = 0.25  # of the clips are spoken by the held-out flite speaker
LEAD_MS, TRAIL_MS = 400, 1400  # TRAIL_MS: longer than any endpointing may wait
MOST_SPEECH_MS = 5500
ROOM_BEFORE_MS, ROOM_AFTER_MS = 20, 60  # of a part's sound kept beyond its phonemes
SNR_DB = (12, 32)
PEAK_DBFS = (-22, -2)
SPEECH_FLOOR = 0.02  # of the peak: quieter samples do not count for the power of speech


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for old in args.folder.glob("*.wav"):
        old.unlink()
    rng = random.Random(SEED)
    draw, clips = Draw(rng), []
    for kind, count in KINDS:
        for _ in range(count):
            label, audio = draw_clip(rng, draw, kind)
            label["file"] = f"{len(clips):03}.wav"
            soundfile.write(args.folder / label["file"], audio, LINE_RATE_HZ, subtype="ULAW")
            clips.append(label)
    index = {"schemaVersion": 1, "sampleRateHz": LINE_RATE_HZ, "encoding": "mu-law", "seed": SEED, "clips": clips}
    (args.folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    total = sum(path.stat().st_size for path in args.folder.iterdir())
    print(f"{len(clips)} clips, {sum(len(c['pauses']) for c in clips)} pauses, {total / 1e6:.2f} MB")


def draw_clip(rng, draw, kind):
    """-> (label, audio at 8 kHz)"""
    while True:
        parts = draw_utterance(draw, kind)
        voice, speak = draw_voice(rng)
        placed, segments = place(parts, [speak(text_of(parts, i)) for i in range(len(parts))])
        if segments[-1][1] - LEAD_MS <= MOST_SPEECH_MS:
            break
    snr_db = rng.choice([None, rng.randint(*SNR_DB)])
    audio = set_level(add_noise(rng, placed, snr_db), rng.uniform(*PEAK_DBFS))
    pauses = [{"kind": part.pause_kind, "startMs": before[1], "endMs": after[0]}
              for part, before, after in zip(parts, segments, segments[1:])]
    label = {"file": "", "kind": kind.__name__, "text": " ".join(p.text for p in parts), "parts": [p.text for p in parts],
             "voice": voice, "snrDb": snr_db, "segments": segments, "pauses": pauses, "turnEndMs": segments[-1][1]}
    return label, audio


def draw_voice(rng):
    """-> (name, function text -> Clip); all parts of a caller sound alike"""
    if rng.random() < RMS_SHARE:
        manner = draw_held_out_speaker(rng)
        return "rms", lambda text: speak_flite(text, "rms", manner)
    voice, prosody = draw_held_out_voice(rng)
    return voice, lambda text: speak_espeak(text, voice, prosody)


def text_of(parts, index):
    """A comma keeps the voice up where the caller will go on."""
    return parts[index].text + ("," if index < len(parts) - 1 else ".")


def place(parts, clips):
    """-> (audio with lead, pauses and trail; [startMs, endMs] of the phonemes of each part)"""
    sounds = [cut(clip) for clip in clips]
    segments, at = [], LEAD_MS
    for part, (_, speech_ms) in zip(parts, sounds):
        segments.append([round(at), round(at + speech_ms)])
        at += speech_ms + part.pause_ms
    audio = np.zeros(samples(segments[-1][1] + TRAIL_MS), np.float32)
    for (sound, _), (start_ms, _) in zip(sounds, segments):
        first = samples(start_ms - ROOM_BEFORE_MS)
        audio[first: first + len(sound)] += sound
    return audio, segments


def cut(clip):
    """-> (a part at 8 kHz without its silence, length of its phonemes in ms)"""
    clip = clip.at_rate(LINE_RATE_HZ)
    spoken = [index for index, (_, phoneme) in enumerate(clip.events) if phoneme]
    start_s = clip.events[spoken[0]][0]
    end_s = clip.events[spoken[-1] + 1][0] if spoken[-1] + 1 < len(clip.events) else len(clip.audio) / LINE_RATE_HZ
    first = samples(1000 * start_s - ROOM_BEFORE_MS)
    padded = np.pad(clip.audio, (max(0, -first), 0))
    return padded[max(0, first): max(0, first) + samples(1000 * (end_s - start_s) + ROOM_BEFORE_MS + ROOM_AFTER_MS)], 1000 * (end_s - start_s)


def samples(ms):
    return round(ms * LINE_RATE_HZ / 1000)


def add_noise(rng, audio, snr_db):
    """Noise over the whole line, `snr_db` below the power of the speech; None leaves digital silence."""
    audio = audio / np.abs(audio).max()
    if snr_db is None:
        return audio
    speech = np.sqrt((audio[np.abs(audio) > SPEECH_FLOOR] ** 2).mean())
    return audio + draw_noise(rng, len(audio)) * speech * 10 ** (-snr_db / 20)


if __name__ == "__main__":
    main()
