#!/bin/bash
# Two ranks of the recogniser's training, one per core.
# usage: ./train-whisper.sh DATA_DIR OUT_DIR --minutes 75     (or --end EPOCH_SECONDS)
set -e
cd "$(dirname "$0")"
. ./environment.sh
data=$1 out=$2
shift 2
mkdir -p "$out"
taskset -c 1 "$PYTHON" -m whisper.train --data "$data" --out "$out" --rank 1 "$@" > "$out/rank1.out" 2>&1 &
taskset -c 0 "$PYTHON" -m whisper.train --data "$data" --out "$out" --rank 0 "$@" 2>&1 | tee "$out/rank0.out"
wait
