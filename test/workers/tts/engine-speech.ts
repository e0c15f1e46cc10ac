/** What an engine says, its chunks joined to utterances. */
import { joinedFloats } from '../../../src/audio/pcm.ts';
import type { SpeechWindows } from '../../../src/workers/tts/speech-windows.ts';
import type { SpeechStyle, TtsEngine } from '../../../src/workers/tts/tts-engine.ts';

/** @returns one array for each utterance: one as a rule, none for a text without phonemes. */
export async function utterancesOf(
  engine: TtsEngine,
  text: string,
  style: SpeechStyle,
  windows: SpeechWindows | null = null,
): Promise<Float32Array[]> {
  const utterances: Float32Array[] = [];
  let open: Float32Array[] = [];
  for await (const { samples, isLast } of engine.synthesize(text, style, windows)) {
    open.push(samples);
    if (!isLast) continue;
    utterances.push(joinedFloats(open));
    open = [];
  }
  if (open.length > 0) throw new Error('the last chunk does not say that it is the last');
  return utterances;
}
