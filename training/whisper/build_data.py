"""Makes the recogniser's data sets. Run with PYTHONHASHSEED=0.

    python -m whisper.build_data KIND COUNT SEED PATH [--seconds LIMIT] [--speaker PACK/kokoro --voices FOLDER]

KIND is espeak, flite or speaker (training), or one of the test sets house, seen, voice, noisy, rms, silence.
`speaker` is the pack's own text-to-speech model, whom the demo's caller borrows its voice from.
"""
import argparse
import random
import time
from pathlib import Path

from grammar.sentences import draw_spoken_sentence, is_test_sentence
from kokoro.onnx_model import OnnxSpeaker
from kokoro.vocoder import RATE_HZ as SPEAKER_RATE_HZ
from speech import flite, voices
from speech.features import log_mel
from speech.silence import draw_silence
from speech.telephone import Clip, frame_phonemes, transmit

from .shards import Utterance, write_shard

MAX_SAMPLES = 159_000  # at 16 kHz: the encoder's window is 10 s
SILENT_SHARE = 0.06
NO_NOISE_DB = 99.0


def draw_snr(rng):
    """-> dB, or None for a line without any noise"""
    x = rng.random()
    return None if x < 0.3 else rng.uniform(20, 50) if x < 0.72 else rng.uniform(6, 22)


def train_espeak(rng, text):
    voice, prosody = voices.draw_training_voice(rng)
    is_house = voice in (voices.HOUSE_VOICE, voices.HOUSE_VOICE_FEMALE)
    warp_range = (0.97, 1.03) if is_house and rng.random() < 0.7 else (0.9, 1.13)
    snr_db = draw_snr(rng)
    clip = transmit(rng, voices.speak_espeak(text, voice, prosody), snr_db, warp_range, wideband=rng.random() < 0.08)
    return clip, voice, snr_db


def train_flite(rng, text):
    voice, snr_db = rng.choice(flite.TRAINED), draw_snr(rng)
    return transmit(rng, voices.speak_flite(rng, text, voice), snr_db, wideband=rng.random() < 0.08), voice, snr_db


def train_speaker(speaker):
    """The pack's own voices, at speeds around 1; their phonemes are not labelled."""
    def make(rng, text):
        voice, snr_db = rng.choice(sorted(speaker.voices)), draw_snr(rng)
        spelled = text[0].upper() + text[1:] + rng.choice(["", ".", ".", "?"])
        wave = speaker.speak(spelled, voice, rng.uniform(0.85, 1.2) if rng.random() < 0.5 else 1.0)
        warp_range = (0.95, 1.06) if rng.random() < 0.4 else None
        clip = transmit(rng, Clip(wave, SPEAKER_RATE_HZ), snr_db, warp_range, wideband=rng.random() < 0.08)
        return clip, voice, snr_db
    return make


def test_clip(draw_voice, snr_range):
    def make(rng, text):
        voice, prosody = draw_voice(rng)
        snr_db = rng.uniform(*snr_range) if snr_range else None
        return transmit(rng, voices.speak_espeak(text, voice, prosody), snr_db, warp_range=None), voice, snr_db
    return make


def test_rms(rng, text):
    clip = voices.speak_flite(rng, text, flite.HELD_OUT, (0.95, 1.1))
    return transmit(rng, clip, 30.0, warp_range=None), flite.HELD_OUT, 30.0


def draw_house(rng):
    return voices.HOUSE_VOICE, voices.draw_house_prosody(rng)


KINDS = {  # name -> (maker, is training)
    "espeak": (train_espeak, True),
    "flite": (train_flite, True),
    "house": (test_clip(draw_house, None), False),
    "seen": (test_clip(voices.draw_training_voice, (30, 30)), False),
    "voice": (test_clip(voices.draw_held_out_voice, (30, 30)), False),
    "noisy": (test_clip(voices.draw_held_out_voice, (5, 12)), False),
    "rms": (test_rms, False),
}


def make_utterance(rng, kind):
    """-> (Utterance, mel), or None when the draw belongs to the other side of the split"""
    if kind == "silence" or (KINDS[kind][1] and rng.random() < SILENT_SHARE):
        clip, text, voice, snr_db = draw_silence(rng, rng.random() < 0.25 and kind == "silence"), "", "silence", None
    else:
        make, is_training = KINDS[kind]
        text = draw_spoken_sentence(rng)
        if is_test_sentence(text) == is_training:
            return None
        clip, voice, snr_db = make(rng, text)
    if len(clip.audio) > MAX_SAMPLES or len(clip.audio) < 1600:
        return None
    mel = log_mel(clip.audio)
    phonemes = frame_phonemes(clip, len(mel) // 2) if clip.events else None if text else [""] * (len(mel) // 2)
    snr = NO_NOISE_DB if snr_db is None else round(snr_db, 1)
    return Utterance(text, voice, snr, len(mel), phonemes), mel


def build(kind, count, seed, path, limit_s):
    rng, utterances, mels, start_s = random.Random(seed), [], [], time.time()
    while len(utterances) < count and time.time() - start_s < limit_s:
        made = make_utterance(rng, kind)
        if made:
            utterances.append(made[0])
            mels.append(made[1].astype("float16"))
    write_shard(path, utterances, mels)
    hours = sum(u.frames for u in utterances) / 360_000
    print(f"{path}: {len(utterances)} clips, {hours:.1f} h, {time.time() - start_s:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=[*KINDS, "speaker", "silence"])
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--speaker", type=Path)
    parser.add_argument("--voices", type=Path)
    args = parser.parse_args()
    if args.speaker:
        KINDS["speaker"] = (train_speaker(OnnxSpeaker(args.speaker, args.voices)), True)
    args.path.parent.mkdir(parents=True, exist_ok=True)
    build(args.kind, args.count, args.seed, args.path, args.seconds)


if __name__ == "__main__":
    main()
