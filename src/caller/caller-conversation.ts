/**
 * Holds a conversation over an established line: hears the agent out, lets the mind decide, speaks, keys or barges in,
 * and measures on the wire. Thread: the caller process's main thread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../observability/clock.ts';
import type { CallerAction, CallerMind, CallerOutcome } from './caller-mind.ts';
import { type TranscribeSamples, understand } from './ear.ts';
import type { Utterance } from './speechwriter.ts';
import type { TalkSpan } from './talk-queue.ts';
import type { Telephone } from './telephone.ts';

/** The agent counts as done when it was silent for this long: longer than its pause between sentences. */
const AGENT_DONE_MS = 650;
/** Waited for when what the agent said so far wants no answer yet. */
const AGENT_GOES_ON_MS = 1800;
/** A pause of this length starts "the agent stopped" after a barge-in; short, since the answer may come quickly. */
const STOPPED_MS = 120;
const GREETING_TIMEOUT_MS = 10_000;
const REPLY_TIMEOUT_MS = 10_000;
const REPLY_LENGTH_LIMIT_MS = 40_000;
const POLL_MS = 10;

/** One step as it went. Times are monotonicMs(). */
export interface StepResult {
  readonly goal: string;
  readonly input: 'speech' | 'dtmf';
  /** The words spoken, or the keys. */
  readonly said: string;
  /** What the agent said aloud, as the caller understood it. */
  readonly reply: string;
  readonly goalMet: boolean;
  readonly bargeIn: boolean;
  readonly startedAtMs: number;
  readonly lastSpeechSentAtMs: number;
  /** RTP timestamp after the packet that was sent then. */
  readonly speechEndTimestamp: number;
  /** First voiced packet of the reply; null when none came. */
  readonly replyAtMs: number | null;
  /** The agent was talking when the caller ended: what is heard then was begun before, and tells nothing of a wait. */
  readonly repliedEarly: boolean;
  /** Wire to wire; null when no reply came, or an early one. */
  readonly voiceToVoiceMs: number | null;
  /** After a barge-in: arrival of the last voiced packet before the agent fell silent. */
  readonly agentStoppedAtMs: number | null;
}

export interface ConversationResult {
  /** Answer (ACK) to the first voiced packet; null when the agent never spoke. */
  readonly greetingMs: number | null;
  readonly greeting: string;
  readonly steps: readonly StepResult[];
  /** The call was over before the caller wanted to hang up. */
  readonly endedEarly: boolean;
  readonly outcome: CallerOutcome;
}

export interface ConversationParts {
  readonly telephone: Telephone;
  readonly transcribe: TranscribeSamples;
  /** Renders an utterance to 8 kHz samples. */
  readonly render: (utterance: Utterance) => Promise<Int16Array>;
  /** Set when the call is over. */
  readonly isHungUp: () => boolean;
  /** Whether the agent speaks first. */
  readonly expectsGreeting: boolean;
  readonly onGreeting?: (text: string) => void;
  readonly onStep?: (step: StepResult) => void;
}

/** What was heard of the agent at a stretch. */
interface Heard {
  readonly text: string;
  readonly endMs: number;
}

type Turn = Exclude<CallerAction, { kind: 'hangUp' }>;

/** A turn that was spoken or keyed, and when its reply began. */
type Spoken = Omit<StepResult, 'reply' | 'goalMet'>;

/** Talks from the answer on until the mind wants to hang up or the call is over. The line stays up. */
export async function holdConversation(
  mind: CallerMind,
  parts: ConversationParts,
): Promise<ConversationResult> {
  const answeredAtMs = monotonicMs();
  const greetingAtMs = parts.expectsGreeting
    ? await agentStarts(parts, answeredAtMs, GREETING_TIMEOUT_MS)
    : null;
  let heard =
    greetingAtMs === null
      ? { text: '', endMs: answeredAtMs }
      : await hearOut(mind, parts, { fromMs: greetingAtMs, sinceMs: greetingAtMs });
  const greeting = heard.text;
  parts.onGreeting?.(greeting);
  const steps: StepResult[] = [];
  let action = mind.begin(greeting);
  let bargesIn = false;
  while (action.kind !== 'hangUp' && !parts.isHungUp()) {
    const spoken = await takeTurn(action, parts, { heardEndMs: heard.endMs, bargesIn });
    const reply = await hearReply(action, spoken, { mind, parts });
    const step = { ...spoken, reply: reply.heard.text, goalMet: mind.wasReplyGood };
    steps.push(step);
    parts.onStep?.(step);
    action = reply.next;
    heard = reply.heard;
    bargesIn = reply.isCut;
  }
  return {
    greetingMs: greetingAtMs === null ? null : greetingAtMs - answeredAtMs,
    greeting,
    steps: await withInterruptedReplies(steps, parts),
    endedEarly: action.kind !== 'hangUp',
    outcome: mind.outcome,
  };
}

interface TurnTiming {
  /** End of what the agent said before. */
  readonly heardEndMs: number;
  readonly bargesIn: boolean;
}

async function takeTurn(
  action: Turn,
  parts: ConversationParts,
  { heardEndMs, bargesIn }: TurnTiming,
): Promise<Spoken> {
  const samples = action.kind === 'say' ? await parts.render(action.utterance) : null;
  if (!bargesIn) await until(parts, heardEndMs + action.thinkMs);
  const calledAtMs = monotonicMs();
  const span = await speak(action, samples, parts.telephone);
  const silentFromMs = bargesIn ? await agentFallsSilent(parts, calledAtMs) : calledAtMs;
  const agentStoppedAtMs = bargesIn ? parts.telephone.heard.lastVoicedAtMs(calledAtMs, silentFromMs) : null;
  const searchFromMs = Math.max(silentFromMs, span.lastSpeechSentAtMs);
  const replyAtMs = await agentStarts(parts, searchFromMs, REPLY_TIMEOUT_MS);
  const repliedEarly = replyAtMs !== null && wasTalking(span, replyAtMs, parts.telephone);
  return {
    goal: action.purpose,
    input: action.kind === 'say' ? 'speech' : 'dtmf',
    said: action.kind === 'say' ? action.utterance.text : action.digits,
    bargeIn: bargesIn,
    startedAtMs: span.firstSentAtMs,
    lastSpeechSentAtMs: span.lastSpeechSentAtMs,
    speechEndTimestamp: span.speechEndTimestamp,
    replyAtMs,
    repliedEarly,
    voiceToVoiceMs: replyAtMs === null || repliedEarly ? null : replyAtMs - span.lastSpeechSentAtMs,
    agentStoppedAtMs,
  };
}

/** Whether the agent's voice went on over the end of what the caller said. */
function wasTalking(
  { firstSentAtMs, lastSpeechSentAtMs }: TalkSpan,
  replyAtMs: number,
  { heard }: Telephone,
): boolean {
  const lastAtMs = heard.lastVoicedAtMs(firstSentAtMs, lastSpeechSentAtMs);
  return lastAtMs !== null && replyAtMs - lastAtMs < STOPPED_MS;
}

function speak(action: Turn, samples: Int16Array | null, telephone: Telephone): Promise<TalkSpan> {
  if (action.kind === 'key') return telephone.key(action.digits);
  return telephone.say(samples ?? new Int16Array(0));
}

interface Reply {
  readonly heard: Heard;
  readonly next: CallerAction;
  /** The next turn talks over the rest of it. */
  readonly isCut: boolean;
}

async function hearReply(
  { bargeInAfterMs }: Turn,
  spoken: Spoken,
  { mind, parts }: { readonly mind: CallerMind; readonly parts: ConversationParts },
): Promise<Reply> {
  const { replyAtMs } = spoken;
  if (replyAtMs === null) {
    return { heard: { text: '', endMs: monotonicMs() }, next: mind.next(''), isCut: false };
  }
  if (bargeInAfterMs !== undefined && (await isStillTalking(parts, replyAtMs, bargeInAfterMs))) {
    const soFar = await transcript(parts, replyAtMs, monotonicMs());
    const next = mind.interrupt(soFar);
    if (next !== null) return { heard: { text: soFar, endMs: monotonicMs() }, next, isCut: true };
  }
  const fromMs = heardFromMs(spoken, replyAtMs, parts);
  const heard = await hearOut(mind, parts, { fromMs, sinceMs: replyAtMs });
  return { heard, next: mind.next(heard.text), isCut: false };
}

/** An agent that took a pause for the end answers while the caller still speaks: that belongs to the reply. */
function heardFromMs(
  { bargeIn, startedAtMs }: Spoken,
  replyAtMs: number,
  { telephone }: ConversationParts,
): number {
  const firstAtMs = bargeIn ? null : telephone.heard.firstVoicedAtMs(startedAtMs);
  return Math.min(replyAtMs, firstAtMs ?? replyAtMs);
}

/** Waits until `afterMs` into the reply. @returns false when it was over before */
async function isStillTalking(
  parts: ConversationParts,
  replyAtMs: number,
  afterMs: number,
): Promise<boolean> {
  await until(parts, replyAtMs + afterMs);
  return !parts.isHungUp() && parts.telephone.heard.silenceStartMs(replyAtMs, AGENT_DONE_MS) === null;
}

/**
 * Listens until the agent is done, and longer where what it said so far wants no answer.
 * @param fromMs what it said before `sinceMs`, from here on, belongs to it
 */
async function hearOut(
  mind: CallerMind,
  parts: ConversationParts,
  { fromMs, sinceMs }: { readonly fromMs: number; readonly sinceMs: number },
): Promise<Heard> {
  const giveUpAtMs = sinceMs + REPLY_LENGTH_LIMIT_MS;
  let endMs = await agentIsDone(parts, sinceMs);
  let text = await transcript(parts, fromMs, endMs);
  while (!mind.wantsAnswer(text) && !parts.isHungUp() && monotonicMs() < giveUpAtMs) {
    const resumedAtMs = await agentStarts(parts, endMs, AGENT_GOES_ON_MS);
    if (resumedAtMs === null) break;
    endMs = await agentIsDone(parts, resumedAtMs);
    text = await transcript(parts, fromMs, endMs);
  }
  return { text, endMs };
}

/** What was heard of the replies that the caller talked over, up to where the agent stopped. */
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
