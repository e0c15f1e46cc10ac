"""Makes the recogniser's test sets: voices nobody trained on, sentences and phrasings nobody trained on.

    python -m whisper.build_tests FOLDER [--sentences 300] [--seed 910]

Every sentence is rendered once and sent over four lines: clean, snr15, noisy (5-12 dB), loss3 (3 % of the packets lost
and concealed). `voice` are the held-out espeak-ng variants, `rms` is the held-out flite speaker, who also has his own
way to say things. `house` is the speech synthesiser's teacher, clean. `silence` is ten minutes of everything but speech;
`confusers` is speech that the recogniser cannot know.
"""
import argparse
import random
from pathlib import Path

from grammar.sentences import draw_held_out_sentence, draw_spoken_sentence, is_test_sentence, normalise
from speech import flite, voices
from speech.silence import draw_silence
from speech.telephone import Line, transmit

from .build_data import NO_NOISE_DB, as_utterance
from .confusers import draw_confuser
from .shards import write_shard
from .texts import draw_digit_string

LINES = {
    "clean": lambda rng: Line(rng.choice([None, 30.0])),
    "snr15": lambda rng: Line(15.0),
    "noisy": lambda rng: Line(rng.uniform(5, 12)),
    "loss3": lambda rng: Line(30.0, lost_share=0.03, mean_burst=rng.choice([1.0, 1.0, 1.5])),
}
SILENCE_CLIPS, SILENCE_S = 61, 9.9  # > 10 min
HELD_OUT_NOISES = 0.25


def draw_test_text(rng):
    """Half of them in held-out phrasings, a tenth phone numbers, the rest held out by their hash."""
    x = rng.random()
    while True:
        text = draw_held_out_sentence(rng) if x < 0.5 else draw_digit_string(rng) if x < 0.6 else draw_spoken_sentence(rng, 0.08)
        text = normalise(text)
        if text and (x < 0.5 or is_test_sentence(text)):
            return text


def speak_voice(rng, text):
    voice, prosody = voices.draw_held_out_voice(rng)
    return voices.speak_espeak(text, voice, prosody), voice


def speak_rms(rng, text):
    return voices.speak_flite(text, flite.HELD_OUT, voices.draw_held_out_speaker(rng)), flite.HELD_OUT


def speak_house(rng, text):
    return voices.speak_espeak(text, voices.HOUSE_VOICE, voices.draw_house_prosody(rng)), voices.HOUSE_VOICE


def build_spoken(rng, speak, count, line_names):
    """-> {line: [(Utterance, mel)]}"""
    made = {name: [] for name in line_names}
    while len(made[line_names[0]]) < count:
        text = draw_test_text(rng)
        clip, voice = speak(rng, text)
        heard = [as_utterance(*hear(rng, clip, text, voice, LINES[name](rng))) for name in line_names]
        if all(heard):
            for name, pair in zip(line_names, heard):
                made[name].append(pair)
    return made


def hear(rng, clip, text, voice, line):
    snr_db = NO_NOISE_DB if line.snr_db is None else round(line.snr_db, 1)
    return transmit(rng, clip, line, warp_range=None), text, voice, snr_db


def build_confusers(rng, count):
    made = []
    while len(made) < count:
        voice, text = draw_confuser(rng)
        clip = voices.speak_espeak(text, voice, voices.draw_prosody(rng))
        pair = as_utterance(*hear(rng, clip, normalise(text), voice, LINES["clean"](rng)))
        made += [pair] if pair else []
    return made


def build_silence(rng):
    made = []
    while len(made) < SILENCE_CLIPS:
        clip, family = draw_silence(rng, rng.random() < HELD_OUT_NOISES, seconds=SILENCE_S)
        pair = as_utterance(clip, "", family, NO_NOISE_DB)
        made += [pair] if pair else []
    return made


def write(folder, name, pairs):
    write_shard(folder / f"test-{name}", [u for u, _ in pairs], [mel for _, mel in pairs])
    print(f"test-{name}: {len(pairs)} clips", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--seed", type=int, default=910)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    jobs = [("voice", speak_voice, args.sentences, list(LINES)), ("rms", speak_rms, args.sentences * 2 // 3, list(LINES)),
            ("house", speak_house, args.sentences // 2, ["clean"])]
    for number, (group, speak, count, line_names) in enumerate(jobs):
        for name, pairs in build_spoken(random.Random(args.seed + number), speak, count, line_names).items():
            write(args.folder, f"{group}-{name}", pairs)
    write(args.folder, "silence", build_silence(random.Random(args.seed + 10)))
    write(args.folder, "confusers", build_confusers(random.Random(args.seed + 11), args.sentences // 2))


if __name__ == "__main__":
    main()
