#!/bin/bash
# Proves in a few minutes that every step of the pipeline runs; the models it makes are worth nothing.
# usage: PYTHON=.venv/bin/python training/smoke.sh [WORK_DIR]
set -euo pipefail
cd "$(dirname "$0")"
export PATH=$PWD/../node_modules/.bin:$PATH # the pinned Node runs the TypeScript that takes part
. ./environment.sh
work=${1:-$(mktemp -d)}
voices=../node_modules/kokoro-js/voices pack=$work/pack

"$PYTHON" -m grammar.check 2000

"$PYTHON" -m llama.train --out "$work/llama" --minutes 0.4
"$PYTHON" -m llama.export_gguf --model "$work/llama" --type f16 "$pack/llama/harbour-f16.gguf"
"$PYTHON" -m llama.write_dialogues 2 "$work/dialogues.json"
(cd .. && node_modules/.bin/node training/llama/talk.mjs "$pack/llama/harbour-f16.gguf" "$work/dialogues.json")

"$PYTHON" -m kokoro.build_data 90 21 "$work/tts/data.pkl"
"$PYTHON" -m kokoro.train --data "$work/tts/data.pkl" --voices "$voices" --out "$work/tts" --minutes 0.3
"$PYTHON" -m kokoro.export --model "$work/tts/model.pt" --out "$pack/kokoro"

"$PYTHON" -m whisper.tokenizer "$work/tokenizer.json"
mkdir -p "$work/stt" && mv "$work/tokenizer.json" "$work/stt/"
"$PYTHON" -m whisper.build_tests "$work/stt" --sentences 60
"$PYTHON" -m whisper.build_data espeak 300 101 "$work/stt/train-espeak-0"
"$PYTHON" -m whisper.build_data flite 60 103 "$work/stt/train-flite-0"
./train-whisper.sh "$work/stt" "$work/stt-run" --minutes 0.5 --port 29612
"$PYTHON" -m whisper.export --checkpoint "$work/stt-run/checkpoint.pt" --tokenizer "$work/stt/tokenizer.json" --out "$pack/whisper"

"$PYTHON" -m pack.manifest "$pack"
"$PYTHON" -m pack.chain "$pack" --voices "$voices" --sentences 2
echo "the pipeline runs; its throw-away pack is in $pack"
