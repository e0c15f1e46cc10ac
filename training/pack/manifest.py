"""Writes PACK/manifest.json: what the stages need, with the size and hash of every file.

    python -m pack.manifest PACK [--whisper-dtype fp32] [--speaker kokoro]

The pack holds one speaker in two formats; --speaker says which one calls use.
"""
import argparse
import hashlib
import json
from pathlib import Path

from grammar import agent

VERSION = "0.3.1"
DESCRIPTION = (
    "Small models trained from nothing on synthetic speech: the phone assistant of the Harbour Kitchen, a made-up restaurant."
)
# loses one of 2000 right transcripts; `whisper.evaluate` and the models bench print what other limits would do
WHISPER_GUARDS = {"minMeanLogProbability": -0.55}
FOLDERS = ("callers", "kokoro", "llama", "piper", "whisper")  # the README beside them may change
SPEAKERS = {
    "kokoro": {"engine": "kokoro", "folder": "kokoro", "dtype": "fp32", "voice": "af_heart"},
    "piper": {"engine": "piper", "folder": "piper", "voice": "heart"},
}


def describe(folder, whisper_dtype, speaker="kokoro"):
    """-> the manifest"""
    files = sorted(p for name in FOLDERS for p in (folder / name).rglob("*") if p.is_file())
    return {
        "schemaVersion": 1, "name": "embedded", "version": VERSION, "licence": "Apache-2.0", "description": DESCRIPTION,
        "agent": {
            "systemPrompt": agent.SYSTEM_PROMPT, "greeting": agent.GREETING, "apology": agent.APOLOGY,
            "noInputPrompt": agent.NO_INPUT_PROMPT, "goodbye": agent.GOODBYE, "language": "en",
        },
        "stages": {
            "whisper": {"engine": "whisper", "folder": "whisper", "dtype": whisper_dtype, "window": "utterance",
                        "guards": WHISPER_GUARDS},
            "llama": {"engine": "llama", "file": next(f for f in names(folder, files) if f.endswith(".gguf")), "temperature": 0},
            "tts": SPEAKERS[speaker],
        },
        "files": [{"path": name, "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                  for name, path in zip(names(folder, files), files)],
    }


def names(folder, files):
    return [p.relative_to(folder).as_posix() for p in files]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--whisper-dtype", choices=["fp32", "q8"], default="fp32")
    parser.add_argument("--speaker", choices=list(SPEAKERS), default="kokoro")
    args = parser.parse_args()
    manifest = describe(args.folder, args.whisper_dtype, args.speaker)
    (args.folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{len(manifest['files'])} files, {sum(f['bytes'] for f in manifest['files']) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
