#!/bin/bash
# Everything from the grammar to a pack and its evaluation sets. A step that is done is skipped, so that a run which
# was stopped goes on where it stopped; delete WORK/done/STEP to do one again.
# usage: PYTHON=$PWD/.venv/bin/python [SIZE=smoke] training/pipeline.sh WORK_DIR PACK_DIR
set -euo pipefail
mkdir -p "$1" "$2"
work=$(realpath "$1") pack=$(realpath "$2")
cd "$(dirname "$0")"
export PATH=$PWD/../node_modules/.bin:$PATH # the pinned Node runs the TypeScript that takes part
. ./environment.sh
voices=../node_modules/kokoro-js/voices port=29611

case ${SIZE:-full} in
  full) # hours: README.md, "How version 0.3.0 was made"
    draws=20000 llama_minutes=90 calls=200 speaker_sentences=5000 speaker_minutes=30 read_back=100
    shards=8 espeak_clips=15000 flite_clips=15000 speaker_clips=8000 whisper_minutes=180 tests=300 ;;
  smoke) # minutes; the models are worth nothing
    draws=2000 llama_minutes=0.4 calls=2 speaker_sentences=90 speaker_minutes=0.3 read_back=2
    shards=1 espeak_clips=300 flite_clips=60 speaker_clips=20 whisper_minutes=0.5 tests=60 ;;
  *) echo "SIZE is full or smoke" >&2; exit 2 ;;
esac

step() { # NAME COMMAND...
  local name=$1
  shift
  [ -e "$work/done/$name" ] && return
  echo "== $name"
  "$@"
  mkdir -p "$work/done"
  touch "$work/done/$name"
}

python() { "$PYTHON" -m "$@"; }

# A training that was stopped goes on from its checkpoint.
train_llama() { python llama.train --out "$work/llama" --minutes $llama_minutes $([ -e "$work/llama/checkpoint.pt" ] && echo --resume); }
train_whisper() {
  ./train-whisper.sh "$work/stt" "$work/stt-run" --minutes $whisper_minutes --port $port \
    $([ -e "$work/stt-run/checkpoint.pt" ] && echo --resume)
}

step split-of-phrasings python grammar.check $draws

step language-model train_llama
step language-model-calls python llama.write_dialogues $calls "$work/calls.json"
step language-model-figures python llama.evaluate --model "$work/llama" --dialogues $calls --json "$work/llama.json"
step language-model-export python llama.export_gguf --model "$work/llama" --type f16 "$pack/llama/harbour-f16.gguf"
step language-model-product node llama/talk.mjs "$pack/llama/harbour-f16.gguf" "$work/calls.json"

step speaker-data python kokoro.build_data $speaker_sentences 21 "$work/tts/data.pkl"
step speaker python kokoro.train --data "$work/tts/data.pkl" --voices $voices --out "$work/tts" --minutes $speaker_minutes
step speaker-export python kokoro.export --model "$work/tts/model.pt" --out "$pack/kokoro"
step speaker-windows python kokoro.export_windowed "$pack/kokoro"
step speaker-piper python kokoro.export_piper --model "$work/tts/model.pt" --out "$pack/piper"

mkdir -p "$work/stt"
step silence python speech.check_silence
step recogniser-words python whisper.tokenizer "$work/stt/tokenizer.json"
step recogniser-tests python whisper.build_tests "$work/stt" --sentences $tests
for ((i = 0; i < shards; i++)); do
  step recogniser-espeak-$i python whisper.build_data espeak $espeak_clips $((311 + i)) "$work/stt/train-espeak-$i"
  step recogniser-flite-$i python whisper.build_data flite $flite_clips $((351 + i)) "$work/stt/train-flite-$i"
done
step recogniser-speaker python whisper.build_data speaker $speaker_clips 391 "$work/stt/train-speaker-0" \
  --speaker "$pack/kokoro" --voices $voices
step recogniser-splits python whisper.check_splits "$work/stt"
step recogniser-resumes python whisper.check_resume "$work/stt"
step recogniser train_whisper
step recogniser-export python whisper.export --checkpoint "$work/stt-run/checkpoint.pt" \
  --tokenizer "$work/stt/tokenizer.json" --out "$pack/whisper"
# Proves that a later training can go on from the pack alone.
step recogniser-again python whisper.from_pack --pack "$pack/whisper" --data "$work/stt" --out "$work/stt-again"
step recogniser-figures python whisper.evaluate --pack "$pack/whisper" --data "$work/stt" --sentences $tests --json "$work/whisper.json"
step recogniser-curve python whisper.curve "$work/whisper.csv" run="$work/stt-run/train.log"

mkdir -p "$pack/callers"
step callers python grammar.export_callers "$pack/callers/grammar.json"
step manifest python pack.manifest "$pack"
step speaker-figures python kokoro.evaluate --pack "$pack" --voices $voices --sentences $read_back --out "$work/kokoro.json"
step chain python pack.chain "$pack" --voices $voices --sentences $read_back

step evaluation-calls python llama.write_dialogues 200 "$work/evaluation/dialogues.json"
step evaluation-teacher python kokoro.build_teacher_set "$work/evaluation/teacher"
step evaluation-turns python turns.build_set "$work/evaluation/turns"
step evaluation-plans node evaluation/write-plans.ts "$work/plans.json"
step evaluation-callers python evaluation.record_callers "$work/plans.json" "$work/evaluation/callers"
echo "the pack is in $pack, its figures and evaluation sets are in $work"
