"""Makes the recogniser's training sets. Run with PYTHONHASHSEED=0.

    python -m whisper.build_data KIND COUNT SEED PATH [--seconds LIMIT] [--speaker PACK/kokoro --voices FOLDER]

KIND is espeak, flite (each rendering heard by several microphones) or speaker: the pack's own text-to-speech
model, whom the demo's caller borrows its voice from.
"""
import argparse
import random
import shutil
import time
from pathlib import Path

from grammar.sentences import is_test_sentence
from grammar.split import is_held_out
from kokoro.onnx_model import OnnxSpeaker
from kokoro.vocoder import RATE_HZ as SPEAKER_RATE_HZ
from speech import flite, voices
from speech.features import log_mel
from speech.noise import TalkPool
from speech.silence import draw_silence
from speech.telephone import Clip, Line, frame_phonemes, lengthen_pauses, transmit

from .shards import Utterance, write_shard
from .texts import draw_text, with_pauses

MAX_SAMPLES, MIN_SAMPLES = 159_000, 1600  # at 16 kHz: the encoder's window is 10 s
SILENT_SHARE = 0.07
NO_NOISE_DB = 99.0
FLITE_VARIANTS = 4


def draw_line(rng, talk):
    """An eighth without noise, two thirds with a lot of it, a fifth with lost packets"""
    x = rng.random()
    snr_db = None if x < 0.13 else rng.uniform(18, 45) if x < 0.33 else rng.uniform(2, 18)
    line = Line(snr_db, wideband=rng.random() < 0.05, talk=talk)
    if rng.random() < 0.2:
        line.lost_share, line.mean_burst = rng.uniform(0.01, 0.08), rng.choice([1.0, 1.0, 1.5, 2.5])
    if snr_db is not None and rng.random() < 0.15:
        line.talkers = rng.choice([1, 2, 4, 6])
        line.snr_db = max(snr_db, 14 if line.talkers < 3 else 6)  # one loud neighbour could be the caller
    return line


def make_espeak(rng, text, talk):
    voice, prosody = voices.draw_training_voice(rng)
    is_house = voice in (voices.HOUSE_VOICE, voices.HOUSE_VOICE_FEMALE)
    warp_range = (0.97, 1.03) if is_house and rng.random() < 0.5 else (0.88, 1.15)
    clip = lengthen_pauses(rng, voices.speak_espeak(with_pauses(rng, text), voice, prosody))
    line = draw_line(rng, talk)
    return [(transmit(rng, clip, line, warp_range), voice, line)]


def make_flite(rng, text, talk):
    """One rendering is slow, what follows is not: other vocal tracts and other lines for the same words."""
    voice, made = rng.choice(flite.TRAINED), []
    manner, factor = voices.draw_speaker(rng, voice)
    clip = voices.speak_flite(with_pauses(rng, text), voice, manner)
    for _ in range(FLITE_VARIANTS):
        around, line = min(1.22, max(0.8, factor * rng.uniform(0.93, 1.07))), draw_line(rng, talk)
        made.append((transmit(rng, lengthen_pauses(rng, clip), line, (around, around)), voice, line))
    return made


def make_speaker(speaker):
    """The pack's own voices, at speeds around 1; their phonemes are not labelled."""
    def make(rng, text, talk):
        voice, line = rng.choice(sorted(speaker.voices)), draw_line(rng, talk)
        spelled = with_pauses(rng, text[0].upper() + text[1:]) + rng.choice(["", ".", ".", "?"])
        wave = speaker.speak(spelled, voice, rng.uniform(0.85, 1.2) if rng.random() < 0.5 else 1.0)
        warp_range = (0.93, 1.08) if rng.random() < 0.5 else None
        return [(transmit(rng, Clip(wave, SPEAKER_RATE_HZ), line, warp_range), voice, line)]
    return make


MAKERS = {"espeak": make_espeak, "flite": make_flite}


def make_clips(rng, kind, talk):
    """-> [(Clip, text, voice, snr in dB)]; none when the draw belongs to the test side of the split"""
    if rng.random() < SILENT_SHARE:
        clip, family = draw_silence(rng, talk=talk)
        return [(clip, "", family, NO_NOISE_DB)]
    text = draw_text(rng)
    if is_test_sentence(text) or is_held_out(text):
        return []
    return [(clip, text, voice, NO_NOISE_DB if line.snr_db is None else round(line.snr_db, 1))
            for clip, voice, line in MAKERS[kind](rng, text, talk)]


def as_utterance(clip, text, voice, snr_db):
    """-> (Utterance, mel), or None for a clip that does not fit the window"""
    if not MIN_SAMPLES <= len(clip.audio) <= MAX_SAMPLES:
        return None
    mel = log_mel(clip.audio)
    phonemes = frame_phonemes(clip, len(mel) // 2) if clip.events else None if text else [""] * (len(mel) // 2)
    return Utterance(text, voice, snr_db, len(mel), phonemes), mel


def build(kind, count, seed, path, limit_s):
    rng, talk, utterances, mels, start_s = random.Random(seed), TalkPool(), [], [], time.time()
    while len(utterances) < count and time.time() - start_s < limit_s:
        for clip in make_clips(rng, kind, talk):
            made = as_utterance(*clip)
            if made:
                utterances.append(made[0])
                mels.append(made[1].astype("float16"))
    write_shard(path, utterances, mels)
    hours = sum(u.frames for u in utterances) / 360_000
    print(f"{path}: {len(utterances)} clips, {hours:.1f} h, {time.time() - start_s:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=[*MAKERS, "speaker"])
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--speaker", type=Path)
    parser.add_argument("--voices", type=Path)
    args = parser.parse_args()
    if args.speaker:
        MAKERS["speaker"] = make_speaker(OnnxSpeaker(args.speaker, args.voices))
    args.path.parent.mkdir(parents=True, exist_ok=True)
    data_copy = voices.invent(args.seed) if args.kind == "espeak" else None
    build(args.kind, args.count, args.seed, args.path, args.seconds)
    if data_copy:
        shutil.rmtree(data_copy)


if __name__ == "__main__":
    main()
