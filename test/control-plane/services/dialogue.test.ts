/** The language model's side of outside calls: history, sentences, a newer text, places in the engine's memory. */
import { describe, expect, it } from 'vitest';
import type { GenerateRequest, LanguageModel } from '../../../src/call/ports.ts';
import type { ControlContext } from '../../../src/control-plane/control-context.ts';
import type { TextSink } from '../../../src/control-plane/services/text-sink.ts';
import { ThinkingService } from '../../../src/control-plane/services/thinking-service.ts';

const OK = { reason: 'stop', queueMs: 0, firstTokenMs: 0 } as const;

/** Answers when it is told to, piece by piece. */
class ScriptedModel implements LanguageModel {
  readonly requests: GenerateRequest[] = [];
  readonly closed: number[] = [];
  readonly #waiting: { onText: (text: string) => void; end: () => void }[] = [];

  generate(request: GenerateRequest, onText: (text: string) => void): Promise<typeof OK> {
    this.requests.push(request);
    return new Promise((resolve) => this.#waiting.push({ onText, end: () => resolve(OK) }));
  }

  async closeConversation(callId: number): Promise<void> {
    this.closed.push(callId);
  }

  async answer(number: number, ...pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) this.#waiting[number]?.onText(piece);
    this.#waiting[number]?.end();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Bed {
  readonly model = new ScriptedModel();
  readonly said: string[] = [];
  readonly counted: string[] = [];
  readonly service: ThinkingService;

  constructor(change: { greeting?: string; replyFrames?: 'sentence' | 'whole'; maxAwake?: number } = {}) {
    const next: TextSink = {
      begin: (callId) => this.said.push(`begin ${callId}`),
      text: (callId, text) => this.said.push(`${callId}: ${text}`),
      end: (callId) => this.said.push(`end ${callId}`),
    };
    const context = {
      settings: { replyFrames: change.replyFrames ?? 'sentence' },
      metrics: { sessions: { set() {} } },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      count: (reason: string) => this.counted.push(reason),
    } as unknown as ControlContext;
    this.service = new ThinkingService({
      context,
      llama: this.model,
      next,
      systemPrompt: 'You answer the phone.',
      greeting: change.greeting ?? '',
      maxHistoryChars: 6000,
      maxAwake: change.maxAwake ?? 8,
    });
  }
}

describe('outside calls at the language model', () => {
  it('are greeted once, answered sentence by sentence, and remembered', async () => {
    const bed = new Bed({ greeting: 'Hello.' });
    bed.service.begin(112);
    bed.service.begin(112);
    bed.service.text(112, 'a table please');
    await bed.model.answer(0, 'For how', ' many? And', ' when?');
    bed.service.text(112, 'for two');
    expect(bed.said).toEqual(['begin 112', '112: Hello.', '112: For how many?', '112: And when?']);
    expect(bed.model.requests[1]?.messages).toEqual([
      { role: 'system', text: 'You answer the phone.' },
      { role: 'assistant', text: 'Hello.' },
      { role: 'user', text: 'a table please' },
      { role: 'assistant', text: 'For how many? And when?' },
      { role: 'user', text: 'for two' },
    ]);
  });

  it('get the whole reply in one text when it is wanted so', async () => {
    const bed = new Bed({ replyFrames: 'whole' });
    bed.service.text(112, 'hi');
    await bed.model.answer(0, 'One. ', 'Two.');
    expect(bed.said).toEqual(['begin 112', '112: One. Two.']);
  });

  it('hear nothing more of a reply once they have said something new', async () => {
    const bed = new Bed();
    bed.service.text(112, 'first');
    bed.service.text(112, 'second');
    await bed.model.answer(0, 'Late. Too late.');
    await bed.model.answer(1, 'In time.');
    expect(bed.said).toEqual(['begin 112', '112: In time.']);
    expect(Atomics.load(bed.model.requests[0]!.cancel, 0)).toBe(1);
  });

  it('end once, give their memory back, and may be unknown', async () => {
    const bed = new Bed();
    bed.service.text(112, 'hi');
    bed.service.end(112);
    bed.service.end(112);
    bed.service.end(113);
    await bed.model.answer(0, 'Nobody hears this.');
    expect(bed.said).toEqual(['begin 112', 'end 112']);
    expect(bed.model.closed).toEqual([1_000_000_112]);
    expect(bed.service.size).toBe(0);
  });

  it('give the engine their place when others speak, the longest idle first, and never in the middle of a reply', async () => {
    const bed = new Bed({ maxAwake: 2 });
    bed.service.text(1, 'a');
    await bed.model.answer(0, 'A.');
    bed.service.text(2, 'b');
    bed.service.text(3, 'c');
    expect(bed.model.closed).toEqual([1_000_000_001]);
    bed.service.text(4, 'd');
    expect(bed.model.closed).toEqual([1_000_000_001]);
    await bed.model.answer(1, 'B.');
    bed.service.text(1, 'again');
    expect(bed.model.closed).toEqual([1_000_000_001, 1_000_000_002]);
    expect(bed.model.requests.at(-1)?.messages.map(({ text }) => text)).toContain('A.');
  });

  it('take no blank text for a question', () => {
    const bed = new Bed();
    bed.service.text(112, '  ');
    expect(bed.model.requests).toEqual([]);
  });
});
