"""Proves that no training shard holds a sentence of the test side; the shards of an older grammar may, and are filtered.

    python -m whisper.check_splits DATA
"""
import json
import sys
from pathlib import Path

from grammar.sentences import is_test_sentence
from grammar.split import is_held_out
from speech import flite, voices


def main():
    data = Path(sys.argv[1])
    tested = {u["text"] for path in data.glob("test-*.json") for u in json.loads(path.read_text()) if u["text"]}
    for path in sorted(data.glob("train-*.json")):
        clips = json.loads(path.read_text())
        texts = [u["text"] for u in clips if u["text"]]
        hashed, phrased = sum(map(is_test_sentence, texts)), sum(map(is_held_out, texts))
        voiced = sum(u["voice"] == flite.HELD_OUT or u["voice"].split("+")[-1] in voices.HELD_OUT_VARIANTS for u in clips)
        print(f"{path.stem}: {len(clips)} clips, {len(set(texts))} texts; {hashed} held out by hash, {phrased} hold held-out "
              f"phrasings (left out of every epoch), {voiced} in held-out voices, {len(tested & set(texts))} texts of a test set")
        assert hashed == 0 and voiced == 0


if __name__ == "__main__":
    main()
