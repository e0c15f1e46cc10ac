/** What `call` and `demo` leave behind with --out: a stereo WAV, the timeline as JSON and a page. */
import { writeWav } from '../audio/wav.ts';
import type { CallResult } from '../caller/call-result.ts';
import type { PlacedCall } from '../caller/place-call.ts';
import { writeFiles } from './output-folder.ts';
import { renderWaterfallPage } from './waterfall-page.ts';

const RATE_HZ = 8000;

/**
 * Writes call.wav (caller left, agent right), timeline.json and index.html.
 * @returns the paths written
 * @throws WildfireError USAGE_INVALID that names the one that could not be written
 */
export function writeConversation(folder: string, result: CallResult, placed: PlacedCall): string[] {
  return writeFiles(folder, {
    'call.wav': writeWav({
      rateHz: RATE_HZ,
      channels: sameLength(placed.saidSamples, placed.heardSamples),
    }),
    'timeline.json': `${JSON.stringify(result, null, 2)}\n`,
    'index.html': renderWaterfallPage(result),
  });
}

function sameLength(left: Int16Array, right: Int16Array): Int16Array[] {
  const lengthSamples = Math.max(left.length, right.length);
  return [left, right].map((samples) => {
    const padded = new Int16Array(lengthSamples);
    padded.set(samples);
    return padded;
  });
}
