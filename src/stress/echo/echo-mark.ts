/**
 * Content marks: every echoed frame says which line it belongs to and which frame it is, and all of its bytes are known,
 * so that each one that comes back is checked to the bit. Thread: echo lines. Hot; no allocation. Pure.
 *
 * G.711 comes back as it was sent where nobody but an echo decodes and encodes it. All bytes are loud codes (segment 0
 * of mu-law, the same byte in A-law), so no receiver takes a frame for silence that may be left out:
 *
 *     byte 0..5   frame number, 4 bits each, highest first
 *     byte 6..8   line number, 4 bits each, highest first
 *     byte 9      sum of the above, 4 bits
 *     byte 10..   0x85
 */

export const FRAME_BYTES = 160;
export const MAX_LINES = 4096;
const NIBBLE_BASE = 0x80;
const FRAME_NIBBLES = 6;
const LINE_NIBBLES = 3;
const SUM_AT = FRAME_NIBBLES + LINE_NIBBLES;
const FILL_AT = SUM_AT + 1;
const FILL_BYTE = 0x85;

/** No mark, or a damaged one. */
export const NO_MARK = -1;

/** Fills one payload. @param payload FRAME_BYTES long @param frame 0..2^24-1 @param line 0..MAX_LINES-1 */
export function writeMark(payload: Uint8Array, frame: number, line: number): void {
  let sum = 0;
  for (let at = 0; at < SUM_AT; at += 1) {
    const nibble = nibbleOf(at, frame, line);
    payload[at] = NIBBLE_BASE | nibble;
    sum += nibble;
  }
  payload[SUM_AT] = NIBBLE_BASE | (sum & 0x0f);
  payload.fill(FILL_BYTE, FILL_AT, FRAME_BYTES);
}

/**
 * @param bytes a datagram whose payload lies in [start, end)
 * @returns the frame number; NO_MARK unless every byte is what `writeMark` wrote for this line
 */
export function readMark(bytes: Uint8Array, start: number, end: number, line: number): number {
  if (end - start !== FRAME_BYTES) return NO_MARK;
  let frame = 0;
  for (let at = 0; at < FRAME_NIBBLES; at += 1) frame = (frame << 4) | (bytes[start + at]! & 0x0f);
  let sum = 0;
  for (let at = 0; at < SUM_AT; at += 1) {
    const nibble = nibbleOf(at, frame, line);
    if (bytes[start + at] !== (NIBBLE_BASE | nibble)) return NO_MARK;
    sum += nibble;
  }
  if (bytes[start + SUM_AT] !== (NIBBLE_BASE | (sum & 0x0f))) return NO_MARK;
  for (let at = start + FILL_AT; at < end; at += 1) if (bytes[at] !== FILL_BYTE) return NO_MARK;
  return frame;
}

function nibbleOf(at: number, frame: number, line: number): number {
  if (at < FRAME_NIBBLES) return (frame >>> (4 * (FRAME_NIBBLES - 1 - at))) & 0x0f;
  return (line >>> (4 * (SUM_AT - 1 - at))) & 0x0f;
}
