/** Prints a conversation for a person: the dialogue as it happens, then one waterfall per turn. */
import type { StagesMs } from '../call/reports.ts';
import type { CallResult, TurnResult } from '../caller/call-result.ts';
import type { StepResult } from '../caller/caller-conversation.ts';

const BAR_WIDTH = 48;

/** One line each for what was said and what came back. */
export function printStep(step: StepResult): void {
  const keyed = /^[0-9*#A-D]+$/.test(step.said) ? 'keys ' : '';
  console.error(`  caller ${step.bargeIn ? '(interrupts) ' : ''}${keyed}"${step.said}"`);
  if (step.reply !== '') console.error(`  agent  "${step.reply}"`);
  console.error(`         ${step.goalMet ? 'ok' : 'MISSED'}: ${step.goal} (${waitOf(step)})`);
}

function waitOf({ voiceToVoiceMs, repliedEarly }: StepResult): string {
  if (voiceToVoiceMs !== null) return `${Math.round(voiceToVoiceMs)} ms voice to voice`;
  return repliedEarly ? 'the agent was talking already' : 'no reply';
}

/** The waterfalls and the totals. */
export function printCall(call: CallResult): void {
  for (const [i, turn] of call.turns.entries()) printWaterfall(i + 1, turn);
  const met = call.turns.filter(({ goalMet }) => goalMet).length;
  console.log(
    `\ngoals met: ${met} of ${call.turns.length}; ended by ${call.endedBy}; greeting after ${call.greetingMs} ms`,
  );
  const { sent, received, lost, late, underrunFrames } = call.rtp;
  console.log(
    `RTP: ${sent} sent, ${received} received, ${lost} lost, ${late} late, ${underrunFrames} underrun frames`,
  );
  if (call.ledger !== null) {
    const held = Object.entries(call.ledger).filter(([, count]) => count > 0);
    console.log(
      `ledger after the call: ${held.length === 0 ? 'empty' : JSON.stringify(Object.fromEntries(held))}`,
    );
  }
}

function printWaterfall(number: number, turn: TurnResult): void {
  console.log(`\nturn ${number}: "${turn.said}" -> "${turn.reply}"`);
  const stages = Object.entries(turn.stagesMs) as [keyof StagesMs, number][];
  const totalMs = Math.max(turn.voiceToVoiceMs, sumMs(stages), 1);
  let startMs = 0;
  for (const [name, ms] of stages) {
    if (ms >= 0.05) console.log(`  ${name.padEnd(14)} ${bar(startMs, ms, totalMs)} ${ms.toFixed(1)} ms`);
    startMs += ms;
  }
  // Another SIP agent tells nothing of its stages.
  const explainedMs = sumMs(stages);
  const rest =
    explainedMs === 0 ? '' : ` (${(turn.voiceToVoiceMs - explainedMs).toFixed(1)} ms outside the stages)`;
  const onWire = `${turn.voiceToVoiceMs.toFixed(1)} ms on the wire${rest}`;
  console.log(`  voice to voice ${turn.voiceToVoiceMs === 0 ? 'not measured' : onWire}`);
  if (turn.bargeInToSilenceMs !== null)
    console.log(`  barge-in: silent ${turn.bargeInToSilenceMs} ms after the decision`);
}

function bar(startMs: number, ms: number, totalMs: number): string {
  const from = Math.min(BAR_WIDTH - 1, Math.round((startMs / totalMs) * BAR_WIDTH));
  const length = Math.max(1, Math.min(BAR_WIDTH - from, Math.round((ms / totalMs) * BAR_WIDTH)));
  return (' '.repeat(from) + '#'.repeat(length)).padEnd(BAR_WIDTH);
}

function sumMs(stages: readonly (readonly [string, number])[]): number {
  return stages.reduce((sum, [, ms]) => sum + ms, 0);
}
