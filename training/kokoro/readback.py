"""Student and teacher read the same unseen sentences over a telephone to the pack's recogniser: who is misheard more?"""
import numpy as np
import soxr

from grammar.sentences import draw_agent_text, draw_caller_sentence, normalise
from speech import espeak
from speech.features import log_mel
from speech.telephone import LINE_RATE_HZ, MU_LAW, OUT_RATE_HZ, g711
from whisper.batches import pad_to_window
from whisper.onnx_model import OnnxRecogniser
from whisper.words import word_errors

from .build_data import GAIN, TEACHERS, prosody_of
from .product import speak_lines
from .unseen import draw_unseen
from .vocoder import RATE_HZ

SEED = 4_711
KINDS = {"caller": draw_caller_sentence, "assistant": draw_agent_text}
STUDENTS = {"am_michael": TEACHERS[0][1], "af_heart": TEACHERS[1][1]}  # voice -> the teacher it learned from
LEAD_S, TRAIL_S = 0.2, 0.4


def draw_texts(count):
    """-> {kind: texts as written}"""
    return {kind: draw_unseen(draw, count, SEED) for kind, draw in KINDS.items()}


def hear(recogniser, wave, rate_hz):
    """-> Transcript of a waveform that went through 8 kHz mu-law"""
    line = soxr.resample(wave, rate_hz, LINE_RATE_HZ).astype(np.float32)
    line = np.pad(line, (int(LEAD_S * LINE_RATE_HZ), int(TRAIL_S * LINE_RATE_HZ)))
    audio = soxr.resample(g711(line, MU_LAW), LINE_RATE_HZ, OUT_RATE_HZ).astype(np.float32)
    return recogniser.transcribe(pad_to_window(log_mel(audio)).numpy())


def teach(text, teacher):
    """-> (waveform of a teacher, rate in Hz), as loud as the student's training data had it"""
    audio, rate_hz, _ = espeak.synthesise(text, teacher.voice, prosody_of(teacher))
    return np.clip(audio * GAIN, -1, 1).astype(np.float32), rate_hz


def count_errors(recogniser, texts, waves, rate_hz):
    """-> {"wer", "exact", "missed"}"""
    errors, words, missed = 0, 0, []
    for text, wave in zip(texts, waves):
        wanted, heard = normalise(text), hear(recogniser, wave, rate_hz).text
        errors, words = errors + word_errors(wanted, heard), words + len(wanted.split())
        if heard != wanted:
            missed.append([wanted, heard])
    return {"wer": round(errors / words, 4), "exact": round(1 - len(missed) / len(texts), 4), "words": words,
            "sentences": len(texts), "missed": missed}


def compare(recogniser_folder, speaker, products, count):
    """speaker: OnnxSpeaker; products: {who: (engine, folder, {voice: its name there})}. -> {voice: {kind: {who: figures}}}"""
    recogniser, texts = OnnxRecogniser(recogniser_folder), draw_texts(count)
    figures = {}
    for voice, teacher in STUDENTS.items():
        figures[voice] = {}
        for kind, lines in texts.items():
            taught = [teach(text, teacher) for text in lines]
            heard = {"student": ([speaker.speak(t, voice) for t in lines], RATE_HZ)}
            for who, (engine, folder, names) in products.items():
                heard[who] = speak_lines(engine, folder, [(text, names[voice]) for text in lines])[0], LINE_RATE_HZ
            heard["teacher"] = [a for a, _ in taught], taught[0][1]
            figures[voice][kind] = {who: count_errors(recogniser, lines, *sound) for who, sound in heard.items()}
    return figures
