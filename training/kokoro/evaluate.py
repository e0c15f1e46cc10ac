"""Measures an exported speaker: level, rests, speed, its two voices, text it never saw, and how well it is heard.

    python -m kokoro.evaluate --pack PACK --voices node_modules/kokoro-js/voices [--out FILE.json] [--sentences 100]

"product" in the figures is the product's own path (src/workers/tts) at 8 kHz, "piper" the same with the pack's Piper
voice; the rest is the model's output at 24 kHz. Real-time factors are of one thread.
"""
import argparse
import itertools
import json
import random
import re
import time
from pathlib import Path

import numpy as np

from grammar.sentences import draw_agent_text

from .hard_texts import HARD_TEXTS, NOTHING_TO_SAY
from .measures import average_spectrum, edge_db, peak_db, rests, speech_level, spread
from .onnx_model import OnnxSpeaker
from .phonemes import VOCABULARY
from .pitch import track
from .product import LINE_RATE_HZ, speak_lines
from .readback import STUDENTS, compare, teach
from .style import STYLE_SIZE, check_gate, load_voices
from .vocoder import RATE_HZ
from .words import draw_text

PIPER_NAMES = {"af_heart": "heart", "am_michael": "michael"}
SENTENCES = 60  # per voice
RANDOM_INPUTS = 300
SEED = 77
SENTENCE_END, CLAUSE_END = r"(?<=[.?!]) ", r"(?<=[.?!,;:]) "


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=100, help="per voice, speaker and kind, for the recogniser")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    folder = args.pack / "kokoro"
    speaker = OnnxSpeaker(folder, args.voices)
    figures = {
        "model": measure_model(speaker), "product": measure_product(folder), "voices": tell_apart(speaker),
        "hardTexts": measure_hard_texts(speaker, folder), "randomInputs": check_random_inputs(speaker),
        "styleRowsWrongWhenLeftOut": {n: round(1 - s, 3) for n, s in check_gate(load_voices(args.voices)).items() if s < 1},
    }
    print(json.dumps(figures, indent=1))
    if args.sentences:
        products = {"product": ("kokoro", folder, {voice: voice for voice in STUDENTS})}
        if (args.pack / "piper").exists():
            products["piper"] = ("piper", args.pack / "piper", PIPER_NAMES)
        figures["readBack"] = compare(args.pack / "whisper", speaker, products, args.sentences)
        show(figures["readBack"])
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1) + "\n")


def draw_texts():
    """General English and the assistant's replies; half of the replies have two sentences with a rest between."""
    rng = random.Random(SEED)
    return [draw_text(rng) if index % 2 else draw_agent_text(rng) for index in range(SENTENCES)]


def measure_model(speaker):
    texts, figures = draw_texts(), {}
    for voice in STUDENTS:
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        waves = [speaker.speak(text, voice) for text in texts]
        spent_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
        assert all(np.isfinite(w).all() for w in waves)
        audio_s = sum(map(len, waves)) / RATE_HZ
        again = speaker.speak(texts[0], voice)
        figures[voice] = {**levels(texts, waves, RATE_HZ), "realTimeFactor": round(cpu_s / audio_s, 4),
                          "realTimeFactorWallClock": round(spent_s / audio_s, 4), "repeatable": bool(np.array_equal(again, waves[0]))}
    return figures


def measure_product(folder):
    """A sentence at a time, as a call speaks; a reply is its sentences in a row."""
    texts, figures = draw_texts(), {}
    sentences = [s for text in texts for s in re.split(SENTENCE_END, text)]
    for voice in STUDENTS:
        waves, factor = speak_lines("kokoro", folder, [(text, voice) for text in sentences])
        joints = rests(np.concatenate(waves), LINE_RATE_HZ, len(waves) - 1)
        figures[voice] = {**levels(sentences, waves, LINE_RATE_HZ), "restsBetweenSentences": rest_figures(joints),
                          "realTimeFactorWithTextRules": round(factor, 4)}
    return figures


def levels(texts, waves, rate_hz):
    ends = [rests(w, rate_hz, len(re.findall(SENTENCE_END, t))) for t, w in zip(texts, waves)]
    clauses = [rests(w, rate_hz, len(re.findall(CLAUSE_END, t))) for t, w in zip(texts, waves)]
    return {"peakDbfs": round(max(map(peak_db, waves)), 2), "speechDbfs": spread([speech_level(w, rate_hz) for w in waves]),
            "edgeDbfs": round(max(map(edge_db, waves)), 1), "restsAtSentenceEnds": rest_figures(sum(ends, [])),
            "restsAtPunctuation": rest_figures(sum(clauses, []))}


def rest_figures(found):
    if not found:
        return {"count": 0}
    loudest, ms = np.array(found).T
    return {"count": len(found), "loudestDbfs": round(loudest.max(), 1), "medianDbfs": round(float(np.median(loudest)), 1),
            "under60dbfs": round(float((loudest < -60).mean()), 3), "shortestMs": int(ms.min()), "medianMs": int(np.median(ms))}


def tell_apart(speaker):
    """Pitch, and how far the average spectra of sentences lie apart within one voice and between the two (dB RMS)."""
    texts = draw_texts()
    spectra, pitch = {}, {}
    for voice in STUDENTS:
        waves = [speaker.speak(text, voice) for text in texts]
        spectra[voice] = np.stack([average_spectrum(w, RATE_HZ) for w in waves])
        tracks = [f0[f0 > 0] for f0 in (track(w, RATE_HZ, 60, 340) for w in waves)]
        pitch[voice] = [float(np.median(f0)) for f0 in tracks if len(f0)]
    one, other = spectra.values()
    centers = np.stack([one.mean(0), other.mean(0)])
    right = [distance(s, centers[own]) < distance(s, centers[1 - own]) for own, rows in enumerate((one, other)) for s in rows]
    within = [distance(a, b) for rows in (one, other) for a, b in itertools.combinations(rows, 2)]
    between = [distance(a, b) for i, a in enumerate(one) for j, b in enumerate(other) if i != j]
    same_text = [distance(a, b) for a, b in zip(one, other)]
    return {"pitchHz": {voice: spread(values) for voice, values in pitch.items()},
            "spectralDistanceDb": {"withinAVoice": spread(within), "betweenVoices": spread(between), "sameText": spread(same_text)},
            "nearestCenterRight": round(float(np.mean(right)), 4)}


def distance(a, b):
    return float(np.sqrt(((a - b) ** 2).mean()))


def measure_hard_texts(speaker, folder):
    """Length beside the teacher's, who reads digits and symbols the same way; nothing for text without words."""
    figures = {}
    for voice, teacher in STUDENTS.items():
        waves = [speaker.speak(text, voice) for text in HARD_TEXTS]
        taught = [teach(text, teacher) for text in HARD_TEXTS]
        ratios = [len(w) / RATE_HZ / (len(a) / rate_hz) for w, (a, rate_hz) in zip(waves, taught)]
        product, _ = speak_lines("kokoro", folder, [(text, voice) for text in HARD_TEXTS + NOTHING_TO_SAY])
        spoken, nothing = product[: len(HARD_TEXTS)], product[len(HARD_TEXTS):]
        assert all(np.isfinite(w).all() for w in waves) and all(len(w) > 0.15 * LINE_RATE_HZ for w in spoken)
        assert all(len(w) == 0 for w in nothing)
        figures[voice] = {"texts": len(waves), "peakDbfs": round(max(map(peak_db, waves)), 2), "lengthToTeacher": spread(ratios),
                          "speechDbfs": spread([speech_level(w, RATE_HZ) for w in waves])}
    return figures


def check_random_inputs(speaker):
    """Any ids, styles and speeds must give finite samples below -1 dBFS."""
    source, peak = np.random.default_rng(1), -200.0
    for index in range(RANDOM_INPUTS):
        ids = source.integers(0, len(VOCABULARY), source.integers(1, 120)).tolist()
        style = source.standard_normal((1, STYLE_SIZE)) * [0, 0.3, 3, 1e4][index % 4]
        wave = speaker.run(ids, style, [1.0, 0.5, 2.0, 0.0, 50.0][index % 5])
        assert len(wave) > 0 and np.isfinite(wave).all()
        peak = max(peak, peak_db(wave))
    return {"inputs": RANDOM_INPUTS, "peakDbfs": round(peak, 2)}


def show(read_back):
    for voice, kinds in read_back.items():
        for kind, speakers in kinds.items():
            for who, f in speakers.items():
                print(f"{voice} {kind:9} {who:7} WER {f['wer']:.4f} exact {f['exact']:.3f} of {f['sentences']}", flush=True)
                for wanted, heard in f["missed"][:6]:
                    print(f"    said {wanted!r} heard {heard!r}")


if __name__ == "__main__":
    main()
