/**
 * The files of models/evaluation, read and checked; what is wrong with one is told by its name. Thread: main, at start.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseWav } from '../../src/audio/wav.ts';
import { messageOf, WildfireError } from '../../src/errors.ts';
import { LINE_RATE_HZ } from './telephone-line.ts';

export const EVALUATION_FOLDER = fileURLToPath(new URL('../../models/evaluation/', import.meta.url));

/** A JSON file of this shape. @throws WildfireError MODEL_MISSING or MODEL_DAMAGED */
export function readIndex<Shape extends z.ZodType>(path: string, shape: Shape): z.output<Shape> {
  const text = new TextDecoder().decode(readBytes(path));
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(path, error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error));
  }
}

/** The samples of a WAV file, mono at 8 kHz. @throws WildfireError MODEL_MISSING or MODEL_DAMAGED */
export function readRecording(path: string): Int16Array {
  const { rateHz, channels } = parsedWav(path);
  const [samples] = channels;
  const isMono = samples !== undefined && channels.length === 1;
  if (rateHz !== LINE_RATE_HZ || !isMono) throw damaged(path, 'it is not mono at 8 kHz');
  return samples;
}

export function damaged(path: string, reason: string): WildfireError {
  return new WildfireError('MODEL_DAMAGED', `evaluation data ${path}: ${reason}`);
}

function parsedWav(path: string): ReturnType<typeof parseWav> {
  const bytes = readBytes(path);
  try {
    return parseWav(bytes);
  } catch (error) {
    throw damaged(path, messageOf(error));
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new WildfireError('MODEL_MISSING', `evaluation data ${path}: ${messageOf(error)}`);
  }
}
