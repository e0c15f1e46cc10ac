"""Turns training logs into one CSV: a row per evaluation and per hundred steps, runs one after another.

    python -m whisper.curve OUT.csv RUN_NAME=LOG [RUN_NAME=LOG ...]
"""
import csv
import re
import sys
from pathlib import Path

STEP = re.compile(r"step (?P<step>\d+) t (?P<seconds>\d+) seen (?P<clips>\d+) .*ce (?P<ce>\S+) ctc (?P<ctc>\S+) phonemes (?P<phonemes>\S+)")
EVALUATION = re.compile(r"evaluation t (?P<seconds>\d+) seen (?P<clips>\d+): (?P<sets>.*)")
SET = re.compile(r"(\S+) (?:wer (\S+) )?exact ([\d.]+)")


def rows_of(run, log):
    for line in Path(log).read_text().splitlines():
        step, evaluation = STEP.match(line), EVALUATION.match(line)
        if step:
            yield {"run": run, **step.groupdict()}
        elif evaluation:
            row = {"run": run, "seconds": evaluation["seconds"], "clips": evaluation["clips"]}
            for name, wer, exact in SET.findall(evaluation["sets"]):
                row[name + (" wer" if wer else " exact")] = (wer or exact).rstrip(";")
            yield row


def main():
    rows = [row for argument in sys.argv[2:] for row in rows_of(*argument.split("=", 1))]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    with open(sys.argv[1], "w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
