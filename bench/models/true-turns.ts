/** Single replies under a true history: right is right to the letter. Thread: main. */
import { plainWords } from '../../src/caller/caller-grammar.ts';
import { type BenchRow, figure, rounded } from '../bench-row.ts';
import { TalkingAgent } from './agent-talk.ts';
import { mapAtOnce } from './engines.ts';
import type { Dialogue } from './evaluation-data.ts';
import { patternOf } from './final-slots.ts';
import type { Stage } from './talks.ts';

interface ScoredTurn {
  readonly caller: string;
  readonly expected: string;
  readonly reply: string;
  readonly kind: string;
  readonly heldOut: boolean;
  readonly isRight: boolean;
}

const MOST_EXAMPLES = 40;
const FIRST_CALL_ID = 1;

/** Rows for all turns, for full confirmations, and for numbers read back. */
export async function turnRows(stage: Stage, dialogues: readonly Dialogue[]): Promise<BenchRow[]> {
  const scored = await mapAtOnce(
    dialogues,
    { atOnce: stage.atOnce, label: 'true turns' },
    (dialogue, index) => scoredTurns(stage, dialogue, FIRST_CALL_ID + index),
  );
  const turns = scored.flat();
  const { confirm, readBack } = stage.grammar.agent;
  const expecting = (template: string): ScoredTurn[] =>
    turns.filter(({ expected }) => patternOf(template).test(plainWords(expected)));
  const wholeDialogues = scored.filter((dialogue) => dialogue.every(({ isRight }) => isRight)).length;
  return [
    shareRow('models.turns.true', turns, {
      dialogues: dialogues.length,
      heldOut: rounded(shareOf(turns.filter(({ heldOut }) => heldOut))),
      trained: rounded(shareOf(turns.filter(({ heldOut }) => !heldOut))),
      wholeDialogues: rounded(wholeDialogues / dialogues.length),
      byKind: Object.fromEntries(
        [...Map.groupBy(turns, ({ kind }) => kind)].map(([kind, own]) => [
          kind,
          { right: own.filter(({ isRight }) => isRight).length, of: own.length },
        ]),
      ),
    }),
    shareRow('models.confirmations.true', expecting(confirm)),
    shareRow('models.readBack.true', expecting(readBack)),
  ];
}

async function scoredTurns(stage: Stage, dialogue: Dialogue, callId: number): Promise<ScoredTurn[]> {
  const agent = new TalkingAgent(stage.llama, stage.persona, callId);
  try {
    const scored: ScoredTurn[] = [];
    for (const { caller, reply: expected, kind, heldOut } of dialogue.turns) {
      const reply = await agent.replyBeside(caller, expected);
      scored.push({ caller, expected, reply, kind, heldOut, isRight: reply === expected });
    }
    return scored;
  } finally {
    await agent.close();
  }
}

function shareRow(name: string, turns: readonly ScoredTurn[], details: object = {}): BenchRow {
  return figure(name, 'fraction', shareOf(turns), {
    turns: turns.length,
    right: turns.filter(({ isRight }) => isRight).length,
    ...details,
    wrong: turns
      .filter(({ isRight }) => !isRight)
      .slice(0, MOST_EXAMPLES)
      .map(({ caller, expected, reply, heldOut }) => ({ caller, expected, reply, heldOut })),
  });
}

function shareOf(turns: readonly ScoredTurn[]): number {
  return turns.filter(({ isRight }) => isRight).length / turns.length;
}
