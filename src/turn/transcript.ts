/**
 * What was said in a call, as LLaMA gets it. Of the agent's words only those that were played are kept: each
 * sentence knows its place [startIndex, endIndex) in the downlink ring, and the read index says how far the
 * caller heard. Thread: main. Pure. Walk "One turn": step 5; "One barge-in": step 5.
 */
import { signedDistance } from '../ring-buffers/position.ts';
import type { ChatMessage } from '../workers/protocol.ts';

export interface SpokenRange {
  /** Downlink ring indices that hold the sentence; equal when nothing was written. */
  readonly startIndex: number;
  readonly endIndex: number;
  /** False when the TTS was stopped before the end of the sentence. */
  readonly isWhole: boolean;
}

interface Sentence {
  readonly text: string;
  /** null until the TTS has answered. */
  range: SpokenRange | null;
}

interface UserEntry {
  readonly role: 'user';
  readonly turnId: number;
  readonly text: string;
}

interface ReplyEntry {
  readonly role: 'assistant';
  readonly turnId: number;
  readonly sentences: Sentence[];
  isGenerated: boolean;
  /** Read index at which the reply was over; null while it is under way. */
  settledIndex: number | null;
}

type Entry = UserEntry | ReplyEntry;

export interface TranscriptOptions {
  /** Rate of the downlink ring. */
  readonly rateHz: number;
  readonly systemPrompt: string;
  /** When the history is longer, its older half is dropped at once, so that LLaMA's KV prefix changes rarely. */
  readonly maxHistoryChars: number;
}

/** Speaking rate used to guess how long a sentence would have been that was not finished. */
const CHARS_PER_SECOND = 15;

/** Of one call. */
export class Transcript {
  readonly #options: TranscriptOptions;
  #entries: Entry[] = [];

  constructor(options: TranscriptOptions) {
    this.#options = options;
  }

  /** The caller's words of a turn. */
  addUser(turnId: number, text: string): void {
    this.#entries.push({ role: 'user', turnId, text: text.trim() });
  }

  /** Adds a sentence to the reply of a turn. @returns its number within the reply, from 0 */
  addSentence(turnId: number, text: string): number {
    return this.#openReply(turnId).sentences.push({ text: text.trim(), range: null }) - 1;
  }

  /** The TTS has written a sentence, or a part before it was stopped; may come after settleReply(). */
  markSpoken(turnId: number, sentence: number, range: SpokenRange): void {
    const found = this.#reply(turnId)?.sentences[sentence];
    if (found !== undefined) found.range = range;
  }

  /** No more sentences will come for this reply. */
  markGenerated(turnId: number): void {
    const reply = this.#reply(turnId);
    if (reply !== undefined) reply.isGenerated = true;
  }

  /**
   * Whether the reply is complete and its last sample was played.
   * @param playedIndex the downlink ring's read index
   */
  isPlayed(turnId: number, playedIndex: number): boolean {
    const reply = this.#reply(turnId);
    return (
      reply?.isGenerated === true && reply.sentences.every((sentence) => isWhollyHeard(sentence, playedIndex))
    );
  }

  /** Ring index of the reply's first sample; null until a sentence was written. */
  firstIndex(turnId: number): number | null {
    const spoken = this.#reply(turnId)?.sentences.find(
      ({ range }) => range && range.startIndex !== range.endIndex,
    );
    return spoken?.range?.startIndex ?? null;
  }

  /** The reply is over, played out or cut short at `playedIndex`: it now counts as said, as far as it was heard. */
  settleReply(turnId: number, playedIndex: number): void {
    const reply = this.#reply(turnId);
    if (reply !== undefined) reply.settledIndex ??= playedIndex;
  }

  /** The words of a settled reply that were played; empty while it is under way. */
  heardText(turnId: number): string {
    const reply = this.#reply(turnId);
    return reply === undefined ? '' : this.#heardOf(reply);
  }

  /** Sentences of a settled reply not heard to their end, the interrupted one first and whole. */
  unheardSentences(turnId: number): string[] {
    const { settledIndex, sentences } = this.#reply(turnId) ?? { settledIndex: null, sentences: [] };
    if (settledIndex === null) return [];
    return sentences.filter((sentence) => !isWhollyHeard(sentence, settledIndex)).map(({ text }) => text);
  }

  /** Whether the reply was written to its end, or there is none. */
  isGenerated(turnId: number): boolean {
    return this.#reply(turnId)?.isGenerated ?? true;
  }

  /**
   * What LLaMA needs to go on with a reply that was cut short before it was written to its end: the conversation up to
   * what it answers, and all of it so far, heard or not. Of replies that it took up itself, what was heard.
   */
  continuationOf(turnId: number): { messages: ChatMessage[]; replyPrefix: string } {
    const asked = this.#entries.findLastIndex(({ role }) => role === 'user') + 1;
    const replies = this.#entries.slice(asked) as ReplyEntry[];
    const written = replies.flatMap((reply) => {
      const { sentences, settledIndex } = reply;
      if (reply.turnId === turnId) return sentences;
      return sentences.filter((sentence) => settledIndex !== null && isWhollyHeard(sentence, settledIndex));
    });
    const replyPrefix = written.map(({ text }) => text).join(' ');
    return { messages: this.#messagesOf(this.#entries.slice(0, asked)), replyPrefix };
  }

  /** Forgets a turn: the caller had not finished, his words come again with the rest. */
  retract(turnId: number): void {
    this.#entries = this.#entries.filter((entry) => entry.turnId !== turnId);
  }

  /** The conversation for LLaMA, oldest first: the system prompt, then user and assistant in turn. */
  messages(): ChatMessage[] {
    this.#dropOldest();
    return this.#messagesOf(this.#entries);
  }

  #messagesOf(entries: readonly Entry[]): ChatMessage[] {
    const messages: ChatMessage[] = [{ role: 'system', text: this.#options.systemPrompt }];
    for (const entry of entries) {
      const text = this.#textOf(entry);
      const last = messages.at(-1);
      if (text === '') continue;
      if (last?.role === entry.role)
        messages[messages.length - 1] = { role: entry.role, text: `${last.text} ${text}` };
      else messages.push({ role: entry.role, text });
    }
    return messages;
  }

  #dropOldest(): void {
    const { maxHistoryChars } = this.#options;
    let chars = this.#entries.reduce((sum, entry) => sum + this.#textOf(entry).length, 0);
    if (chars <= maxHistoryChars) return;
    while (this.#entries.length > 1 && (chars > maxHistoryChars / 2 || this.#entries[0]?.role !== 'user')) {
      const dropped = this.#entries.shift();
      chars -= dropped === undefined ? 0 : this.#textOf(dropped).length;
    }
  }

  #openReply(turnId: number): ReplyEntry {
    const found = this.#reply(turnId);
    if (found !== undefined) return found;
    const reply: ReplyEntry = {
      role: 'assistant',
      turnId,
      sentences: [],
      isGenerated: false,
      settledIndex: null,
    };
    this.#entries.push(reply);
    return reply;
  }

  #reply(turnId: number): ReplyEntry | undefined {
    return this.#entries.findLast((entry) => entry.role === 'assistant' && entry.turnId === turnId) as
      | ReplyEntry
      | undefined;
  }

  #textOf(entry: Entry): string {
    return entry.role === 'user' ? entry.text : this.#heardOf(entry);
  }

  #heardOf({ sentences, settledIndex }: ReplyEntry): string {
    if (settledIndex === null) return '';
    const texts = sentences.map((sentence) => heardWords(sentence, settledIndex, this.#options.rateHz));
    return texts.filter((text) => text !== '').join(' ');
  }
}

function isWhollyHeard({ range }: Sentence, playedIndex: number): boolean {
  return range?.isWhole === true && signedDistance(range.endIndex, playedIndex) >= 0;
}

/** Whole words only, in proportion to the samples played: the TTS gives no word times. */
function heardWords({ range, text }: Sentence, playedIndex: number, rateHz: number): string {
  if (range === null) return '';
  const writtenSamples = signedDistance(range.startIndex, range.endIndex);
  const guessedSamples = range.isWhole ? 0 : (text.length / CHARS_PER_SECOND) * rateHz;
  const playedSamples = Math.min(signedDistance(range.startIndex, playedIndex), writtenSamples);
  if (playedSamples <= 0) return '';
  const fraction = playedSamples / Math.max(writtenSamples, guessedSamples);
  return fraction >= 1 ? text : firstWords(text, Math.floor(text.length * fraction));
}

/** The words that end within the first `chars` characters. */
function firstWords(text: string, chars: number): string {
  if (/\s/u.test(text[chars] ?? ' ')) return text.slice(0, chars).trimEnd();
  const gap = text.slice(0, chars).search(/\s\S*$/u);
  return text.slice(0, Math.max(0, gap)).trimEnd();
}
