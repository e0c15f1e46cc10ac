"""Where weights came from: each training leaves OUT/training.json, and each exporter copies it beside the weights.

The file holds a list, one entry per run of the training (a resumed one adds an entry, whose figures, minutes apart, count
from the beginning of its schedule). It is written with every checkpoint, so that a run that was stopped is in it, too:
{"commit", "uncommittedChanges", "command", "seeds", "minutes", "versions", "cores", ... figures of the run}

    python -m provenance PACK/whisper          # prints what the file of a pack says
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

FILE = "training.json"
SOURCES = ["."]  # uncommitted changes outside of this folder do not matter


class Run:
    """One run of a training program; `write` writes it down, as often as wanted. The commit is that of the start."""

    def __init__(self, seeds, continued_from=None):
        """seeds: {what: seed}. continued_from: the folder of the run whose checkpoint this one goes on with."""
        self.earlier = read(continued_from) if continued_from else []
        self.start_s = time.time()
        self.entry = {
            "commit": git("rev-parse", "HEAD"),
            "uncommittedChanges": git("status", "--porcelain", "--", *SOURCES) not in ("", None),
            "command": " ".join(["python -m", module_name(), *map(str, sys.argv[1:])]),
            "seeds": seeds,
            "versions": {"python": platform.python_version(), "torch": version("torch")},
            "cores": len(os.sched_getaffinity(0)),
        }

    def write(self, folder, **figures):
        """Writes FOLDER/training.json. figures: steps, clips, losses ... so far."""
        entry = {**self.entry, "minutes": round((time.time() - self.start_s) / 60, 1), **figures}
        new = Path(folder, FILE).with_suffix(".new")
        new.write_text(json.dumps(self.earlier + [entry], indent=2) + "\n")
        new.replace(Path(folder, FILE))


def read(folder):
    """-> the runs behind the weights in a folder; [] where nobody wrote them down"""
    path = Path(folder, FILE)
    return json.loads(path.read_text()) if path.exists() else []


def copy(run_folder, pack_folder):
    """The exporters' part; refuses to export weights that nobody can trace."""
    if not Path(run_folder, FILE).exists():
        sys.exit(f"{run_folder} has no {FILE}: train again with this version, or write down where the weights come from")
    shutil.copyfile(Path(run_folder, FILE), Path(pack_folder, FILE))


def module_name():
    main = sys.modules["__main__"].__spec__
    return main.name if main else Path(sys.argv[0]).name


def git(*arguments):
    """-> what git prints, or None outside of a checkout"""
    try:
        run = subprocess.run(["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return run.stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for entry in read(parser.parse_args().folder):
        print(json.dumps(entry, indent=2))


if __name__ == "__main__":
    main()
