/** What a caller measured of one turn, for tests. */
import type { StepResult } from '../../src/caller/caller-conversation.ts';

/** Said within the second before `endMs`, answered so much later; null: never. */
export function spokenStep(
  endMs: number,
  waitMs: number | null,
  changes: Partial<StepResult> = {},
): StepResult {
  return {
    goal: 'x',
    input: 'speech',
    said: 'x',
    reply: 'y',
    goalMet: true,
    bargeIn: false,
    startedAtMs: endMs - 1000,
    lastSpeechSentAtMs: endMs,
    speechEndTimestamp: 8 * endMs,
    replyAtMs: waitMs === null ? null : endMs + waitMs,
    repliedEarly: false,
    voiceToVoiceMs: waitMs,
    agentStoppedAtMs: null,
    ...changes,
  };
}
