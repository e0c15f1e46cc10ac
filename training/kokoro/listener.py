"""PocketSphinx at work; run by kokoro.listen with the Python of another environment.

    python listener.py SENTENCES.txt|- FILE.wav...      prints a JSON list of what it heard

SENTENCES.txt becomes a trigram model; "-" takes PocketSphinx's own model of general English. Words that its
dictionary lacks cannot be heard.
"""
import json
import sys
import wave

from pocketsphinx import Decoder
from pocketsphinx.lm import ArpaBoLM


def main():
    sentences, *paths = sys.argv[1:]
    decoder = Decoder(samprate=16000, cmn="batch", dither=True, seed=1, loglevel="FATAL")
    if sentences != "-":
        decoder.add_lm_file("domain", write_model(sentences))
        decoder.activate_search("domain")
    print(json.dumps([hear(decoder, path) for path in paths]))


def write_model(sentences):
    path = sentences + ".arpa"
    with open(sentences) as text, open(path, "w") as out:
        model = ArpaBoLM(sentfile=text, add_start=True)
        model.compute()
        model.write(out)
    return path


def hear(decoder, path):
    with wave.open(path) as file:
        samples = file.readframes(file.getnframes())
    decoder.start_utt()
    decoder.process_raw(samples, no_search=False, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found else ""


if __name__ == "__main__":
    main()
