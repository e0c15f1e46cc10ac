"""Proves that a recogniser's training that was stopped goes on with its schedule, its log and its record.

    python -m whisper.check_resume DATA
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MINUTES, CHECKPOINT_S, NEVER_S, PATIENCE_S = 0.7, 8, 600, 600
PORT = 29612
SCRIPT = Path(__file__).parents[1] / "train-whisper.sh"


def start(data, out, checkpoint_s, *more):
    """In a session of its own, so that all of it can be stopped at once."""
    command = [SCRIPT, data, out, "--minutes", str(MINUTES), "--checkpoint-s", str(checkpoint_s), "--port", str(PORT), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)


def stop_after_checkpoint(training, out):
    """-> what the record says of the run that was stopped"""
    give_up_s = time.time() + PATIENCE_S
    while not (out / "checkpoint.pt").exists():
        assert training.poll() is None and time.time() < give_up_s, "no checkpoint"
        time.sleep(0.05)
    os.killpg(training.pid, signal.SIGTERM)
    assert training.wait() != 0, "a training that was stopped passes for done"
    return json.loads((out / "training.json").read_text())


def finish(training, log):
    """-> seconds from taking up the schedule to its end"""
    begun_s = wait_for("\nresumed", training, log)
    done_s = wait_for("\ndone", training, log)
    assert training.wait() == 0, "the training does not go on"
    return done_s - begun_s


def wait_for(text, training, log):
    while text not in log.read_text() and training.poll() is None:
        time.sleep(0.05)
    return time.time()


def main():
    data = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        out, log_path = Path(folder), Path(folder, "train.log")
        stopped = stop_after_checkpoint(start(data, out, CHECKPOINT_S), out)
        before = log_path.read_text()
        rest_s = finish(start(data, out, NEVER_S, "--resume"), log_path)
        log, runs = log_path.read_text(), json.loads((out / "training.json").read_text())
    assert log.startswith(before), "the log began anew"
    step, elapsed_s = map(int, re.search(r"^resumed at step (\d+) t (\d+)", log, re.M).groups())
    steps, whole_s = map(int, re.search(r"^done: (\d+) steps, .* (\d+) s$", log, re.M).groups())
    assert len(runs) == 2 and runs[:1] == stopped, "the stopped run is not on record"
    assert stopped[0]["steps"] == step < steps == runs[1]["steps"], "the steps are not counted on"
    assert rest_s < whole_s - elapsed_s / 2, "the schedule began anew"
    print(f"stopped at step {step} after {elapsed_s} s, went on to step {steps} at {whole_s} s of {MINUTES * 60:.0f}")


if __name__ == "__main__":
    main()
