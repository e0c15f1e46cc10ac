/**
 * The language model in whole conversations, with the history as the runtime builds it.
 * models.turns.true, models.confirmations.true, models.readBack.true: each turn of models/evaluation/dialogues.json
 * under its true history, right to the letter. models.dialogue.true: generated callers of held-out phrasings, text
 * only, the model's own replies in the history. models.dialogue.recognised: the recorded callers, through G.711 and
 * the recogniser.
 * Run: node bench/main.ts models/dialogue [--pack PACK] [--limit DIALOGUES]
 */
import { join } from 'node:path';
import { GRAMMAR_FILE, readCallerGrammar } from '../../src/caller/caller-grammar.ts';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { loadPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { personaOf } from '../../src/runtime/persona.ts';
import type { BenchOptions, BenchResult } from '../bench-row.ts';
import {
  CONVERSATIONS,
  languageModelMachine,
  packMachine,
  startLanguageModel,
  startRecogniser,
} from './engines.ts';
import { readDialogues, readRecordedCallers } from './evaluation-data.ts';
import { generatedTalks, recordedTalks, type Stage, talkRow } from './talks.ts';
import { judged } from './targets.ts';
import { turnRows } from './true-turns.ts';

/** About a quarter of them need fewer than four turns and do not count. */
const GENERATED_CALLERS = 280;

export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(name));
  const grammar = readCallerGrammar(join(pack.folder, GRAMMAR_FILE));
  const most = limit ?? Number.POSITIVE_INFINITY;
  const dialogues = readDialogues().slice(0, most);
  const recorded = readRecordedCallers().slice(0, most);
  const llama = await startLanguageModel(pack);
  const stage: Stage = { llama, grammar, persona: personaOf(DEFAULT_CONFIG, pack), atOnce: CONVERSATIONS };
  try {
    const turns = await turnRows(stage, dialogues);
    const generated = await generatedTalks(stage, Math.min(most, GENERATED_CALLERS));
    const recogniser = await startRecogniser(pack);
    try {
      const clean = await recordedTalks(stage, recogniser, { callers: recorded, condition: 'clean' });
      const noisy = await recordedTalks(stage, recogniser, { callers: recorded, condition: 'snr15' });
      const rows = [
        ...turns,
        talkRow('models.dialogue.true', generated, 'fourToTen'),
        talkRow('models.dialogue.recognised', clean, 'all'),
        talkRow('models.dialogue.recognised.snr15', noisy, 'all'),
      ];
      return { rows: rows.map(judged), machine: { ...packMachine(pack), ...languageModelMachine(llama) } };
    } finally {
      await recogniser.close();
    }
  } finally {
    await llama.close();
  }
}
