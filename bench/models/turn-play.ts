/**
 * Plays one caller's turn to the real voice detection and the real turn policy, on a virtual clock: when did they
 * decide that the turn was over, and was the agent heard before it was? Pure but for the shared memory of the tape.
 *
 * The agent stands still: its transcript comes transcriptAfterMs and its first sample replyAfterMs after a decision,
 * which is what a quick machine does. A decision that the caller outlives within that time costs nothing: the policy
 * takes the turn back. Later it is an interruption.
 */
import { createTape } from '../../src/ring-buffers/layout.ts';
import { TapeWriter } from '../../src/ring-buffers/tape.ts';
import type { TurnConfig } from '../../src/turn/turn-config.ts';
import type { TurnAction, TurnInput } from '../../src/turn/turn-messages.ts';
import { TurnPolicy } from '../../src/turn/turn-policy.ts';
import { EnergyVadModel } from '../../src/workers/vad/energy-vad-model.ts';
import { DEFAULT_VAD_OPTIONS } from '../../src/workers/vad/vad-client.ts';
import type { VadEvent } from '../../src/workers/vad/vad-messages.ts';
import { VadStreams } from '../../src/workers/vad/vad-streams.ts';

export interface AgentTimes {
  /** Decision to the transcript, ms. */
  readonly transcriptAfterMs: number;
  /** Decision to the first sample of the reply on the line, ms. */
  readonly replyAfterMs: number;
}

export interface PlayedTurn {
  /** When the turn was declared over, ms from the start of the clip; more than one when the caller went on. */
  readonly decidedAtMs: readonly number[];
  /** When a reply began to be heard. */
  readonly repliedAtMs: readonly number[];
}

const RATE_HZ = 8000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1000;
/** 8 s: longer than a clip. */
const TAPE_SAMPLES = 65_536;
const CALL_ID = 1;

/** @param samples of the caller's line at 8 kHz; must end with more silence than endpointing may wait for. */
export async function playTurn(
  samples: Int16Array,
  config: TurnConfig,
  agent: AgentTimes,
): Promise<PlayedTurn> {
  const line = new PlayedLine(config, agent);
  for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
    await line.hear(samples.subarray(at, at + FRAME_SAMPLES));
  }
  return line;
}

/** Something that the agent does later. */
interface Due {
  readonly atMs: number;
  readonly input: TurnInput;
}

class PlayedLine implements PlayedTurn {
  readonly decidedAtMs: number[] = [];
  readonly repliedAtMs: number[] = [];
  readonly #agent: AgentTimes;
  readonly #policy: TurnPolicy;
  readonly #tape = createTape({ rateHz: RATE_HZ, capacitySamples: TAPE_SAMPLES });
  readonly #writer = new TapeWriter(this.#tape);
  readonly #streams: VadStreams;
  #nowMs = 0;
  #due: Due[] = [];

  constructor(config: TurnConfig, agent: AgentTimes) {
    this.#agent = agent;
    this.#policy = new TurnPolicy({ config, rateHz: RATE_HZ, tapeStartSample: 0 });
    this.#streams = new VadStreams(new EnergyVadModel({ rateHz: RATE_HZ, maxStreams: 1 }), {
      rateHz: RATE_HZ,
      maxStreams: 1,
      detector: DEFAULT_VAD_OPTIONS.detector,
      nowMs: () => this.#nowMs,
    });
    this.#streams.watch(CALL_ID, this.#tape);
    this.#handle({ kind: 'answered', hasGreeting: false });
  }

  /** The next 20 ms; what the policy and the agent do in that time happens at its own moment. */
  async hear(frame: Int16Array): Promise<void> {
    this.#runUntil(this.#nowMs + FRAME_MS);
    this.#writer.write(frame);
    const events: VadEvent[] = [];
    await this.#streams.tick(events);
    for (const event of events) this.#handle(event);
  }

  #runUntil(endMs: number): void {
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.atMs - b.atMs)[0];
      const atMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, this.#policy.nextDeadlineMs);
      if (atMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, atMs);
      if (next !== undefined && next.atMs === atMs) {
        this.#due = this.#due.filter((due) => due !== next);
        this.#handle(next.input);
      } else {
        this.#carryOut(this.#policy.tick(this.#nowMs));
      }
    }
    this.#nowMs = endMs;
  }

  #handle(input: TurnInput): void {
    const isReplyDue = input.kind === 'firstSamplePlayed' && this.#policy.state === 'thinking';
    this.#carryOut(this.#policy.handle(input, this.#nowMs));
    if (isReplyDue && this.#isSpeaking()) this.repliedAtMs.push(this.#nowMs);
  }

  #isSpeaking(): boolean {
    return this.#policy.state === 'speaking';
  }

  #carryOut(actions: readonly TurnAction[]): void {
    for (const { kind, turnId } of actions.filter((action) => 'turnId' in action)) {
      if (kind !== 'startTranscription') continue;
      this.decidedAtMs.push(this.#nowMs);
      const { transcriptAfterMs, replyAfterMs } = this.#agent;
      const replyAtMs = this.#nowMs + replyAfterMs;
      this.#due.push(
        {
          atMs: this.#nowMs + transcriptAfterMs,
          input: {
            kind: 'transcript',
            turnId,
            text: 'what was said',
            isPartial: false,
            isReplyResumable: false,
          },
        },
        { atMs: replyAtMs, input: { kind: 'firstSamplePlayed', turnId, atMs: replyAtMs } },
      );
    }
  }
}
