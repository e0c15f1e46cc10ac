/**
 * Looks at a TTS folder before any thread is started for it, so that a missing file is named in one clear line.
 * Thread: main, once at start. (Whether files are whole is the pack's checksum; whether they load, the worker says.)
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WildfireError } from '../../errors.ts';
import type { EngineName } from './tts-task.ts';

/** File suffix by dtype, as transformers.js names them. */
const KOKORO_SUFFIX: Readonly<Record<string, string>> = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  q4: '_q4',
  q4f16: '_q4f16',
};

/**
 * The model that makes any part of a piece (kokoro-network-model.ts), where the folder has one; absolute.
 * A pack's own addition to what kokoro-js loads: it stands beside `onnx/model*.onnx` and has the same weights.
 */
export function windowedModelIn(folder: string, dtype: string): string | null {
  const file = join(folder, `onnx/windowed${KOKORO_SUFFIX[dtype] ?? ''}.onnx`);
  return existsSync(file) ? file : null;
}

/** @throws WildfireError MODEL_MISSING or MODEL_DAMAGED (empty file), naming the file; CONFIG_INVALID for the dtype. */
export function assertFolder({
  engine,
  folder,
  dtype,
}: {
  engine: EngineName;
  folder: string;
  dtype: string;
}): void {
  const files = engine === 'kokoro' ? kokoroFiles(dtype) : piperFiles(folder);
  for (const file of files) assertFile(join(folder, file), folder);
}

function kokoroFiles(dtype: string): string[] {
  const suffix = KOKORO_SUFFIX[dtype];
  if (suffix === undefined) {
    const known = Object.keys(KOKORO_SUFFIX).join(', ');
    throw new WildfireError('CONFIG_INVALID', `Kokoro has no dtype "${dtype}"; it has ${known}`);
  }
  return ['config.json', 'tokenizer.json', 'tokenizer_config.json', `onnx/model${suffix}.onnx`];
}

function piperFiles(folder: string): string[] {
  const first = piperVoicesIn(folder)[0] ?? '<voice>';
  return [`${first}.onnx`, `${first}.onnx.json`];
}

/** Names of the Piper voices in a folder, sorted; empty when there is none, or no folder. */
export function piperVoicesIn(folder: string): string[] {
  try {
    const models = readdirSync(folder).filter((file) => file.endsWith('.onnx'));
    return models.sort().map((file) => file.slice(0, -'.onnx'.length));
  } catch {
    return []; // no folder, no voices: the caller names what it misses
  }
}

function assertFile(file: string, folder: string): void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) {
    throw new WildfireError('MODEL_MISSING', `TTS model file ${file} is missing`, {
      context: { file, folder },
    });
  }
  if (bytes === 0) {
    throw new WildfireError('MODEL_DAMAGED', `TTS model file ${file} is empty`, {
      context: { file, folder },
    });
  }
}
