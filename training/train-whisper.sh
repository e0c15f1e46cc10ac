#!/bin/bash
# Two ranks of the recogniser's training, one per core. Fails when either does, and leaves neither behind.
# usage: ./train-whisper.sh DATA_DIR OUT_DIR --minutes 75     (or --end EPOCH_SECONDS)
set -euo pipefail
cd "$(dirname "$0")"
. ./environment.sh
data=$1 out=$2
shift 2
mkdir -p "$out"
ranks=()
trap 'kill "${ranks[@]}" 2> /dev/null || true; wait' EXIT # a rank without the other would wait for it
taskset -c 1 "$PYTHON" -m whisper.train --data "$data" --out "$out" --rank 1 "$@" > "$out/rank1.out" 2>&1 &
ranks+=($!)
taskset -c 0 "$PYTHON" -m whisper.train --data "$data" --out "$out" --rank 0 "$@" > >(tee "$out/rank0.out") 2>&1 &
ranks+=($!)
wait -n "${ranks[@]}" # the first to end
for rank in "${ranks[@]}"; do wait "$rank"; done
