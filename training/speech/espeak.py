"""espeak-ng through its shared library: samples, phoneme times and phoneme strings.

One process, one thread: the library keeps its state in globals, and so does this binding.
"""
import ctypes as C
import subprocess
from dataclasses import dataclass

import numpy as np

SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples come back through the callback
PHONEME_EVENTS_IPA = 3  # espeakINITIALIZE_PHONEME_EVENTS | espeakINITIALIZE_PHONEME_IPA
EVENT_END, EVENT_PHONEME = 0, 7
UTF8 = 1
IPA = 2
RATE, VOLUME, PITCH, RANGE, WORD_GAP = 1, 2, 3, 4, 7


class _Id(C.Union):
    _fields_ = [("number", C.c_int), ("name", C.c_char_p), ("string", C.c_char * 8)]


class _Event(C.Structure):
    _fields_ = [
        ("type", C.c_int), ("unique", C.c_uint), ("text_position", C.c_int), ("length", C.c_int),
        ("audio_position", C.c_int), ("sample", C.c_int), ("user_data", C.c_void_p), ("id", _Id),
    ]


_Callback = C.CFUNCTYPE(C.c_int, C.POINTER(C.c_short), C.c_int, C.POINTER(_Event))
_samples, _events = [], []
_library = None
_rate_hz = 0


@dataclass
class Prosody:
    words_per_minute: int = 150
    pitch: int = 45  # 0..100
    pitch_range: int = 50  # 0..100
    word_gap: int = 0  # units of 10 ms


def _on_samples(samples, count, events):
    if count > 0 and samples:
        _samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
    index = 0
    while events[index].type != EVENT_END:
        if events[index].type == EVENT_PHONEME:
            name = bytes(events[index].id.string).split(b"\0")[0].decode("utf8", "replace")
            _events.append((events[index].sample, name))
        index += 1
    return 0


_callback = _Callback(_on_samples)  # kept: the library holds only a pointer


def open_library(data_parent=None):
    """Loads the library once. data_parent: the folder of another espeak-ng-data than the installed one. -> sample rate in Hz"""
    global _library, _rate_hz
    if _library is None:
        _library = C.CDLL("libespeak-ng.so.1")
        _rate_hz = _library.espeak_Initialize(SYNCHRONOUS, 0, data_parent and str(data_parent).encode(), PHONEME_EVENTS_IPA)
        _library.espeak_SetSynthCallback(_callback)
        _library.espeak_TextToPhonemes.restype = C.c_char_p
    return _rate_hz


def installed_data():
    """-> the path of the installed espeak-ng-data"""
    told = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    return told.split("Data at:")[1].strip()


def _set_voice(voice):
    if _library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice!r}")


def synthesise(text, voice="en-us", prosody=Prosody()):
    """-> (samples float32 in -1..1, rate in Hz, [(sample position, IPA of the phoneme, '' = pause)])"""
    rate_hz = open_library()
    _samples.clear()
    _events.clear()
    _set_voice(voice)
    settings = {RATE: prosody.words_per_minute, VOLUME: 100, PITCH: prosody.pitch,
                RANGE: prosody.pitch_range, WORD_GAP: prosody.word_gap}
    for parameter, value in settings.items():
        _library.espeak_SetParameter(parameter, int(value), 0)
    data = text.encode()
    _library.espeak_Synth(data, C.c_size_t(len(data) + 1), 0, 0, 0, UTF8, None, None)
    _library.espeak_Synchronize()
    audio = np.concatenate(_samples) if _samples else np.zeros(0, np.int16)
    return audio.astype(np.float32) / 32768, rate_hz, list(_events)


def phonemes(text, voice="en-us"):
    """-> IPA strings, one per clause"""
    open_library()
    _set_voice(voice)
    pointer, clauses = C.c_char_p(text.encode()), []
    while pointer.value is not None:
        clause = _library.espeak_TextToPhonemes(C.byref(pointer), UTF8, IPA)
        clauses.append(clause.decode() if clause else "")
    return clauses
