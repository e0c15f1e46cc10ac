"""flite through its shared libraries: slt, awb and rms learnt their sound from recordings of people, kal and kal16 are diphones.

Pitch, its range and speed are set inside the synthesiser, so that one voice can stand for many speakers once its formants
are moved, too (`speech.voices`). The segments' end times give the recogniser the same frame labels as espeak-ng's events.
One process, one thread, as in `espeak`.
"""
import ctypes as C
from dataclasses import dataclass

import numpy as np

TRAINED = ["slt"] * 5 + ["awb"] * 4 + ["kal16"] * 2 + ["kal"]
HELD_OUT = "rms"
PITCH_HZ = dict(slt=170.0, awb=120.0, kal=95.0, kal16=95.0, rms=95.0)  # about what they were made with
ARPABET_TO_IPA = dict(
    aa="ɑː", ae="æ", ah="ʌ", ao="ɔː", aw="aʊ", ax="ə", ay="aɪ", b="b", ch="tʃ", d="d", dh="ð", eh="ɛ", er="ɜː",
    ey="eɪ", f="f", g="ɡ", hh="h", ih="ɪ", iy="iː", jh="dʒ", k="k", l="l", m="m", n="n", ng="ŋ", ow="oʊ", oy="ɔɪ",
    p="p", r="ɹ", s="s", sh="ʃ", t="t", th="θ", uh="ʊ", uw="uː", v="v", w="w", y="j", z="z", zh="ʒ", pau="",
    axr="ɚ", dx="ɾ", em="m", en="n̩", el="əl", ssil="", nx="n")


class _Wave(C.Structure):
    _fields_ = [("type", C.c_char_p), ("rate_hz", C.c_int), ("samples", C.c_int), ("channels", C.c_int),
                ("data", C.POINTER(C.c_short))]


class _Voice(C.Structure):
    _fields_ = [("name", C.c_char_p), ("features", C.c_void_p)]  # the first two fields of cst_voice


@dataclass
class Manner:
    stretch: float = 1.0  # of durations
    pitch_hz: float | None = None  # mean; None = the voice's own, with its own range
    pitch_range: float = 0.15  # standard deviation as a share of the mean


_SIGNATURES = dict(  # name -> (result, arguments)
    flite_synth_text=(C.c_void_p, [C.c_char_p, C.c_void_p]), utt_wave=(C.c_void_p, [C.c_void_p]),
    utt_relation=(C.c_void_p, [C.c_void_p, C.c_char_p]), relation_head=(C.c_void_p, [C.c_void_p]),
    item_next=(C.c_void_p, [C.c_void_p]), item_feat_float=(C.c_float, [C.c_void_p, C.c_char_p]),
    item_feat_string=(C.c_char_p, [C.c_void_p, C.c_char_p]), delete_utterance=(None, [C.c_void_p]),
    feat_set_float=(None, [C.c_void_p, C.c_char_p, C.c_float]), feat_remove=(C.c_int, [C.c_void_p, C.c_char_p]))
_library, _voices = None, {}


def open_library():
    global _library
    if _library is None:
        _library = C.CDLL("libflite.so.1", mode=C.RTLD_GLOBAL)
        for part in ("usenglish", "cmulex"):
            C.CDLL(f"libflite_{part}.so.1", mode=C.RTLD_GLOBAL)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(_library, name)
            function.restype, function.argtypes = result, arguments
        _library.flite_init()
    return _library


def _voice(name):
    """-> (voice, its features), registered once"""
    if name not in _voices:
        register = getattr(C.CDLL(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
        register.restype, register.argtypes = C.c_void_p, [C.c_char_p]
        pointer = register(None)
        _voices[name] = pointer, C.cast(pointer, C.POINTER(_Voice)).contents.features
    return _voices[name]


def synthesise(text, voice, manner=Manner()):
    """-> (samples float32 in -1..1, rate in Hz, [(sample position, IPA)])"""
    library = open_library()
    pointer, features = _voice(voice)
    library.feat_set_float(features, b"duration_stretch", manner.stretch)
    pitch_hz = manner.pitch_hz or PITCH_HZ[voice]
    for name, value in ((b"int_f0_target_mean", pitch_hz), (b"int_f0_target_stddev", pitch_hz * manner.pitch_range)):
        if manner.pitch_hz is None and voice not in ("kal", "kal16"):
            library.feat_remove(features, name)  # the statistical voices know their own
        else:
            library.feat_set_float(features, name, value)
    utterance = library.flite_synth_text(text.encode(), pointer)
    wave = C.cast(library.utt_wave(utterance), C.POINTER(_Wave)).contents
    rate_hz, audio = wave.rate_hz, np.ctypeslib.as_array(wave.data, (wave.samples,)).astype(np.float32) / 32768
    events, start_s, item = [], 0.0, library.relation_head(library.utt_relation(utterance, b"Segment"))
    while item:
        phone = library.item_feat_string(item, b"name").decode()
        events.append((int(start_s * rate_hz), ARPABET_TO_IPA[phone]))
        start_s, item = library.item_feat_float(item, b"end"), library.item_next(item)
    library.delete_utterance(utterance)
    return audio, rate_hz, events
