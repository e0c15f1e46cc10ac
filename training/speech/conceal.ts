/**
 * Conceals lost frames exactly as a call does: the training's clips pass through src/audio/plc.ts itself.
 * Reads from stdin, again and again: a count of 20 ms frames (uint32, little endian), one byte per frame (1 = lost),
 * then the frames (160 samples of int16 each). Writes each clip's frames back. Ends with stdin.
 */
import { PacketLossConcealer } from '../../src/audio/plc.ts';

const FRAME_SAMPLES = 160;
const COUNT_BYTES = 4;

let pending = Buffer.alloc(0);

/** The first clip of `pending`, concealed, or null while it is not complete. */
function takeClip(): Buffer | null {
  if (pending.length < COUNT_BYTES) return null;
  const frames = pending.readUInt32LE(0);
  const end = COUNT_BYTES + frames * (1 + FRAME_SAMPLES * 2);
  if (pending.length < end) return null;
  const lost = pending.subarray(COUNT_BYTES, COUNT_BYTES + frames);
  const samples = new Int16Array(frames * FRAME_SAMPLES);
  Buffer.from(samples.buffer).set(pending.subarray(COUNT_BYTES + frames, end));
  pending = pending.subarray(end);
  const concealer = new PacketLossConcealer();
  for (let i = 0; i < frames; i++) {
    const frame = samples.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES);
    if (lost[i] === 1) concealer.conceal(frame);
    else concealer.good(frame);
  }
  return Buffer.from(samples.buffer);
}

for await (const chunk of process.stdin) {
  pending = Buffer.concat([pending, chunk as Buffer]);
  for (let clip = takeClip(); clip !== null; clip = takeClip()) process.stdout.write(clip);
}
