#!/bin/bash
# Installs what the pipeline needs from Python's package index (about 5 GB: torch brings its GPU libraries along).
# usage: training/setup.sh VENV_DIR
set -euo pipefail
venv=${1:?usage: training/setup.sh VENV_DIR}
for program in espeak-ng flite; do
  command -v $program > /dev/null || { echo "$program is missing: apt-get install espeak-ng flite" >&2; exit 3; }
done
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --requirement "$(dirname "$0")/requirements.txt"
