/**
 * Holds a scripted conversation over an established line: waits for its turn, speaks, keys or barges in, listens,
 * understands and measures on the wire. Thread: the caller process's main thread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../observability/clock.ts';
import { meetsExpectations, type TranscribeSamples, understand } from './ear.ts';
import type { CallerScript, CallerStep } from './script.ts';
import type { TalkSpan } from './talk-queue.ts';
import type { Telephone } from './telephone.ts';

/** The agent counts as done when it was silent for this long: longer than its pause between sentences. */
const AGENT_DONE_MS = 650;
/** A pause of this length starts "the agent stopped" after a barge-in; short, since the answer may come quickly. */
const STOPPED_MS = 120;
const GREETING_TIMEOUT_MS = 10_000;
const REPLY_TIMEOUT_MS = 10_000;
const REPLY_LENGTH_LIMIT_MS = 40_000;
const POLL_MS = 10;

/** One step as it went. Times are monotonicMs(). */
export interface StepResult {
  readonly goal: string;
  /** The words spoken, or the keys. */
  readonly said: string;
  /** What the agent said aloud, as the caller understood it. */
  readonly reply: string;
  readonly goalMet: boolean;
  readonly bargeIn: boolean;
  readonly startedAtMs: number;
  readonly lastSpeechSentAtMs: number;
  /** First voiced packet of the reply; null when none came. */
  readonly replyAtMs: number | null;
  /** Wire to wire; null when no reply came. */
  readonly voiceToVoiceMs: number | null;
  /** After a barge-in: arrival of the last voiced packet before the agent fell silent. */
  readonly agentStoppedAtMs: number | null;
}

export interface ConversationResult {
  /** Answer (ACK) to the first voiced packet; null when the agent never spoke. */
  readonly greetingMs: number | null;
  readonly greeting: string;
  readonly steps: readonly StepResult[];
  /** The agent hung up before the script was through. */
  readonly endedEarly: boolean;
}

export interface ConversationParts {
  readonly telephone: Telephone;
  readonly transcribe: TranscribeSamples;
  /** Renders a prompt to 8 kHz samples; called ahead of time. */
  readonly render: (text: string) => Promise<Int16Array>;
  /** Set when the far side hung up. */
  readonly isHungUp: () => boolean;
  readonly onGreeting?: (text: string) => void;
  readonly onStep?: (step: StepResult) => void;
}

/** Runs the script from the answer on. The line stays up. */
export async function holdConversation(
  script: CallerScript,
  parts: ConversationParts,
): Promise<ConversationResult> {
  const answeredAtMs = monotonicMs();
  const prompts = await Promise.all(
    script.steps.map(({ say }) => (say === undefined ? null : parts.render(say))),
  );
  const greetingAtMs = script.expectsGreeting
    ? await agentStarts(parts, answeredAtMs, GREETING_TIMEOUT_MS)
    : null;
  const greetingEndMs = greetingAtMs === null ? answeredAtMs : await agentIsDone(parts, greetingAtMs);
  const greeting = greetingAtMs === null ? '' : await transcript(parts, greetingAtMs, greetingEndMs);
  parts.onGreeting?.(greeting);
  const steps: StepResult[] = [];
  let replyAtMs = greetingAtMs ?? answeredAtMs;
  for (const [i, step] of script.steps.entries()) {
    if (parts.isHungUp()) break;
    const nextBargesIn = script.steps[i + 1]?.bargeInAfterMs !== undefined;
    const result = await runStep(step, prompts[i] ?? null, {
      parts,
      previousReplyAtMs: replyAtMs,
      nextBargesIn,
    });
    replyAtMs = result.replyAtMs ?? monotonicMs();
    steps.push(result);
    parts.onStep?.(result);
  }
  return {
    greetingMs: greetingAtMs === null ? null : greetingAtMs - answeredAtMs,
    greeting,
    steps: await withInterruptedReplies(steps, parts),
    endedEarly: steps.length < script.steps.length,
  };
}

/** Fills in what was heard of the replies that the caller talked over; there was no time for it before. */
async function withInterruptedReplies(
  steps: readonly StepResult[],
  parts: ConversationParts,
): Promise<StepResult[]> {
  const filled: StepResult[] = [];
  for (const [i, step] of steps.entries()) {
    const next = steps[i + 1];
    const isInterrupted = step.replyAtMs !== null && next?.bargeIn === true;
    filled.push(
      isInterrupted
        ? {
            ...step,
            reply: await transcript(parts, step.replyAtMs, next.agentStoppedAtMs ?? next.startedAtMs),
          }
        : step,
    );
  }
  return filled;
}

interface StepContext {
  readonly parts: ConversationParts;
  readonly previousReplyAtMs: number;
  /** The next step talks over this reply, so this one must not wait for its end. */
  readonly nextBargesIn: boolean;
}

async function runStep(
  step: CallerStep,
  prompt: Int16Array | null,
  context: StepContext,
): Promise<StepResult> {
  const { parts } = context;
  if (step.bargeInAfterMs !== undefined) await until(parts, context.previousReplyAtMs + step.bargeInAfterMs);
  const startedAtMs = monotonicMs();
  const span = await speak(step, prompt, parts.telephone);
  const bargeIn = step.bargeInAfterMs !== undefined;
  const silentFromMs = bargeIn ? await agentFallsSilent(parts, startedAtMs) : startedAtMs;
  const agentStoppedAtMs = bargeIn ? parts.telephone.heard.lastVoicedAtMs(startedAtMs, silentFromMs) : null;
  const searchFromMs = Math.max(silentFromMs, span.lastSpeechSentAtMs);
  const replyAtMs = await agentStarts(parts, searchFromMs, REPLY_TIMEOUT_MS);
  const reply = replyAtMs === null ? '' : await hearReply(context, replyAtMs);
  return {
    goal: step.goal,
    said: step.say ?? step.dtmf ?? '',
    reply,
    goalMet: replyAtMs !== null && meetsExpectations(reply, step.expect),
    bargeIn,
    startedAtMs: span.firstSentAtMs,
    lastSpeechSentAtMs: span.lastSpeechSentAtMs,
    replyAtMs,
    voiceToVoiceMs: replyAtMs === null ? null : replyAtMs - span.lastSpeechSentAtMs,
    agentStoppedAtMs,
  };
}

function speak(step: CallerStep, prompt: Int16Array | null, telephone: Telephone): Promise<TalkSpan> {
  return prompt === null ? telephone.key(step.dtmf ?? '') : telephone.say(prompt);
}

// A reply that will be talked over has no end to wait for; withInterruptedReplies() reads it later.
async function hearReply(context: StepContext, replyAtMs: number): Promise<string> {
  if (context.nextBargesIn) return '';
  const endMs = await agentIsDone(context.parts, replyAtMs);
  return transcript(context.parts, replyAtMs, endMs);
}

async function transcript(parts: ConversationParts, fromMs: number, toMs: number): Promise<string> {
  return understand(parts.telephone.heard.slice(fromMs - 100, toMs + 200), parts.transcribe);
}

async function agentStarts(
  parts: ConversationParts,
  sinceMs: number,
  timeoutMs: number,
): Promise<number | null> {
  return poll(parts, timeoutMs, () => parts.telephone.heard.firstVoicedAtMs(sinceMs));
}

async function agentIsDone(parts: ConversationParts, sinceMs: number): Promise<number> {
  const { heard } = parts.telephone;
  const endMs = await poll(parts, REPLY_LENGTH_LIMIT_MS, () => heard.silenceStartMs(sinceMs, AGENT_DONE_MS));
  return endMs ?? monotonicMs();
}

async function agentFallsSilent(parts: ConversationParts, sinceMs: number): Promise<number> {
  const { heard } = parts.telephone;
  return (
    (await poll(parts, REPLY_TIMEOUT_MS, () => heard.silenceStartMs(sinceMs, STOPPED_MS))) ?? monotonicMs()
  );
}

async function until(parts: ConversationParts, atMs: number): Promise<void> {
  await poll(parts, REPLY_LENGTH_LIMIT_MS, () => (monotonicMs() >= atMs ? atMs : null));
}

async function poll(
  parts: ConversationParts,
  timeoutMs: number,
  probe: () => number | null,
): Promise<number | null> {
  const giveUpAtMs = monotonicMs() + timeoutMs;
  for (;;) {
    const found = probe();
    if (found !== null) return found;
    if (monotonicMs() > giveUpAtMs || parts.isHungUp()) return null;
    await delay(POLL_MS);
  }
}
