#!/bin/bash
# Proves in a few minutes that every step of the pipeline runs; the models it makes are worth nothing.
# usage: PYTHON=$PWD/.venv/bin/python training/smoke.sh [WORK_DIR]
set -euo pipefail
work=${1:-$(mktemp -d)}
SIZE=smoke "$(dirname "$0")/pipeline.sh" "$work" "$work/pack"
