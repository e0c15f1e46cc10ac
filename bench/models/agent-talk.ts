/**
 * The agent's side of a conversation without a telephone: caller's words in, reply out, with the history built by the
 * runtime's own Transcript and sentence splitter, so that the language model sees the same text. Thread: main.
 */
import type { AgentPersona } from '../../src/call/call-dependencies.ts';
import { MAX_HISTORY_CHARS } from '../../src/call/conversation.ts';
import type { CallerAction, CallerMind } from '../../src/caller/caller-mind.ts';
import { spellDigits } from '../../src/turn/dtmf-collector.ts';
import { splitSentences } from '../../src/turn/sentence-splitter.ts';
import { Transcript } from '../../src/turn/transcript.ts';
import { DEFAULT_TURN_CONFIG } from '../../src/turn/turn-config.ts';
import type { LlamaClient } from '../../src/workers/llama/llama-client.ts';

export interface TalkTurn {
  readonly occasion: string;
  /** What the caller said, or the keys. */
  readonly said: string;
  /** What the agent took it for; '' when nothing was understood. */
  readonly heard: string;
  readonly reply: string;
}

export interface Talk {
  readonly turns: readonly TalkTurn[];
  readonly goalMet: boolean;
  readonly why: string;
}

type SayAction = Extract<CallerAction, { kind: 'say' }>;

const RATE_HZ = 8000;
/** A mind that never hangs up must not keep the bench. */
const MOST_TURNS = 40;

/** One call's agent. */
export class TalkingAgent {
  readonly #llama: LlamaClient;
  readonly #persona: AgentPersona;
  readonly #callId: number;
  readonly #transcript: Transcript;
  readonly #cancel = new Int32Array(new SharedArrayBuffer(4));
  #turnId = 0;
  #playedSamples = 0;
  #askAgainsInRow = 0;

  /** Says the greeting. @param callId no other call's */
  constructor(llama: LlamaClient, persona: AgentPersona, callId: number) {
    this.#llama = llama;
    this.#persona = persona;
    this.#callId = callId;
    this.#transcript = new Transcript({
      rateHz: RATE_HZ,
      systemPrompt: persona.systemPrompt,
      maxHistoryChars: MAX_HISTORY_CHARS,
    });
    this.#say(persona.greeting);
  }

  /** The reply to what was heard, said and in the history. '' is asked for again, as the runtime does. */
  async reply(heard: string): Promise<string> {
    this.#turnId += 1;
    if (heard === '') {
      this.#askAgainsInRow += 1;
      const isTooOften = this.#askAgainsInRow > DEFAULT_TURN_CONFIG.guards.maxAskAgain;
      return this.#say(isTooOften ? this.#persona.noInputPrompt : this.#persona.apology);
    }
    this.#askAgainsInRow = 0;
    return this.#say(await this.#think(heard));
  }

  /** What it would reply; then goes on as if `expected` had been said. For measuring turns under a true history. */
  async replyBeside(heard: string, expected: string): Promise<string> {
    this.#turnId += 1;
    const reply = await this.#think(heard);
    this.#say(expected);
    return reply;
  }

  close(): Promise<void> {
    return this.#llama.closeConversation(this.#callId);
  }

  async #think(heard: string): Promise<string> {
    this.#transcript.addUser(this.#turnId, heard);
    let reply = '';
    const messages = this.#transcript.messages();
    const request = { callId: this.#callId, turnId: this.#turnId, messages, cancel: this.#cancel };
    await this.#llama.generate(request, (text) => {
      reply += text;
    });
    return reply.trim();
  }

  /** Every sentence counts as played; how long it took does not matter here. */
  #say(text: string): string {
    const turnId = this.#turnId;
    for (const sentence of splitSentences(text)) {
      const number = this.#transcript.addSentence(turnId, sentence);
      const startIndex = this.#playedSamples;
      this.#playedSamples += sentence.length;
      this.#transcript.markSpoken(turnId, number, {
        startIndex,
        endIndex: this.#playedSamples,
        isWhole: true,
      });
    }
    this.#transcript.markGenerated(turnId);
    this.#transcript.settleReply(turnId, this.#playedSamples);
    return text;
  }
}

/**
 * A whole conversation between a caller's mind and the agent. Interruptions are not acted out: the caller hears every
 * reply to its end.
 * @param hear what the recogniser makes of what the caller says; keys always come through
 */
export async function converse(
  mind: CallerMind,
  agent: TalkingAgent,
  { greeting, hear }: { greeting: string; hear: (action: SayAction) => Promise<string> },
): Promise<Talk> {
  const turns: TalkTurn[] = [];
  let action = mind.begin(greeting);
  while (action.kind !== 'hangUp' && turns.length < MOST_TURNS) {
    const isSaid = action.kind === 'say';
    const said = isSaid
      ? (action as SayAction).utterance.text
      : spellDigits((action as { digits: string }).digits);
    const heard = isSaid ? await hear(action as SayAction) : said;
    const reply = await agent.reply(heard);
    turns.push({ occasion: action.occasion, said, heard, reply });
    action = mind.next(reply);
  }
  return { turns, ...mind.outcome };
}
