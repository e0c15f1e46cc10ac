/**
 * models.hallucinatedWords: words that the recogniser writes into ten minutes of silence, noise, tones and hold
 * music, guards included, as the runtime would get them.
 * Run: node bench/main.ts models/silence [--pack PACK] [--limit CLIPS]
 */
import { plainWords } from '../../src/caller/caller-grammar.ts';
import { loadPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { type BenchOptions, type BenchResult, figure } from '../bench-row.ts';
import { mapAtOnce, packMachine, recogniserMachine, startRecogniser } from './engines.ts';
import { silentClips } from './silence-audio.ts';
import { judged } from './targets.ts';
import { LINE_RATE_HZ } from './telephone-line.ts';

const TOTAL_S = 600;
const SEED = 60_311;

export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(name));
  const recogniser = await startRecogniser(pack);
  const clips = silentClips(TOTAL_S, SEED).slice(0, limit ?? undefined);
  try {
    const heard = await mapAtOnce(clips, { atOnce: 8, label: 'silence' }, async ({ samples }) =>
      recogniser.transcribeSamples(samples, LINE_RATE_HZ),
    );
    const written = heard
      .map(({ text, meanLogProbability, noSpeechProbability }, i) => ({
        kind: clips[i]!.kind,
        peakDbfs: clips[i]!.peakDbfs,
        heard: plainWords(text),
        meanLogProbability,
        noSpeechProbability,
      }))
      .filter((entry) => entry.heard !== '');
    const words = written.reduce((sum, entry) => sum + entry.heard.split(' ').length, 0);
    const seconds = clips.reduce((sum, { samples }) => sum + samples.length, 0) / LINE_RATE_HZ;
    const details = { seconds, clips: clips.length, seed: SEED, clipsWithWords: written.length, written };
    return {
      rows: [judged(figure('models.hallucinatedWords', 'count', words, details))],
      machine: { ...packMachine(pack), ...recogniserMachine(recogniser) },
    };
  } finally {
    await recogniser.close();
  }
}
