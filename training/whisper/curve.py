"""Turns training logs into one CSV: a row per evaluation and per hundred steps, runs one after another. Of a run that was
stopped, what came after the checkpoint from which it went on is left out: no weights hold it.

    python -m whisper.curve OUT.csv RUN_NAME=LOG [RUN_NAME=LOG ...]
"""
import csv
import re
import sys
from pathlib import Path

STEP = re.compile(r"step (?P<step>\d+) t (?P<seconds>\d+) seen (?P<clips>\d+) .*ce (?P<ce>\S+) ctc (?P<ctc>\S+) phonemes (?P<phonemes>\S+)")
EVALUATION = re.compile(r"evaluation t (?P<seconds>\d+) seen (?P<clips>\d+): (?P<sets>.*)")
RESUMED = re.compile(r"resumed at step \d+ t \d+ seen (?P<clips>\d+)")
SET = re.compile(r"(\S+) (?:wer (\S+) )?exact ([\d.]+)")


def rows_of(run, log):
    rows = []
    for line in Path(log).read_text().splitlines():
        step, evaluation, resumed = STEP.match(line), EVALUATION.match(line), RESUMED.match(line)
        if resumed:
            rows = [row for row in rows if int(row["clips"]) <= int(resumed["clips"])]
        elif step:
            rows.append({"run": run, **step.groupdict()})
        elif evaluation:
            row = {"run": run, "seconds": evaluation["seconds"], "clips": evaluation["clips"]}
            for name, wer, exact in SET.findall(evaluation["sets"]):
                row[name + (" wer" if wer else " exact")] = (wer or exact).rstrip(";")
            rows.append(row)
    return rows


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
