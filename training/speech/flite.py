"""flite voices: the only ones here that were cut from recordings of people (slt, awb, rms) beside two diphone voices.

`-psdur` prints phone end times, which give the recogniser the same frame labels as espeak-ng's events.
"""
import os
import subprocess

import soundfile

TRAINED = ["slt", "slt", "awb", "awb", "kal16", "kal"]
HELD_OUT = "rms"
ARPABET_TO_IPA = dict(
    aa="ɑː", ae="æ", ah="ʌ", ao="ɔː", aw="aʊ", ax="ə", ay="aɪ", b="b", ch="tʃ", d="d", dh="ð", eh="ɛ", er="ɜː",
    ey="eɪ", f="f", g="ɡ", hh="h", ih="ɪ", iy="iː", jh="dʒ", k="k", l="l", m="m", n="n", ng="ŋ", ow="oʊ", oy="ɔɪ",
    p="p", r="ɹ", s="s", sh="ʃ", t="t", th="θ", uh="ʊ", uw="uː", v="v", w="w", y="j", z="z", zh="ʒ", pau="",
    axr="ɚ", dx="ɾ", em="m", en="n̩", el="əl", ssil="", nx="n")


def synthesise(text, voice, stretch=1.0):
    """-> (samples float32, rate in Hz, [(sample position, IPA)])"""
    path = f"/dev/shm/flite-{os.getpid()}.wav"
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-psdur", "-t", text, "-o", path]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    audio, rate_hz = soundfile.read(path, dtype="float32")
    events, start_s = [], 0.0
    for entry in printed.split():
        phone, end_s = entry.split(":")
        events.append((int(start_s * rate_hz), ARPABET_TO_IPA[phone]))
        start_s = float(end_s)
    return audio, rate_hz, events
