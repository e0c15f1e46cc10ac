/** The engine's policy on a scripted model: reuse, sharing, waiting, cancelling, ending. */
import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LlamaEngine } from '../../../src/workers/llama/llama-engine.ts';
import type { CancelWord, ChatMessage, LlamaEvent, LlamaFinished } from '../../../src/workers/protocol.ts';
import { FOREIGN_CONTROL, ScriptedModel, type ScriptedModelOptions } from './scripted-model.ts';

const SAMPLING = {
  temperature: 0,
  topK: 40,
  topP: 0.95,
  minP: 0,
  repeatPenalty: 1,
  repeatPenaltyTokens: 64,
  seed: 1,
};
const SYSTEM: ChatMessage = { role: 'system', text: 'You answer the phone of a restaurant.' };
const LONG_TEXT = 'x'.repeat(500);

function user(text: string): ChatMessage {
  return { role: 'user', text };
}

function assistant(text: string): ChatMessage {
  return { role: 'assistant', text };
}

function cancelWord(): CancelWord {
  return new Int32Array(new SharedArrayBuffer(4));
}

class Bench {
  readonly model: ScriptedModel;
  readonly engine: LlamaEngine;
  readonly events: LlamaEvent[] = [];
  onEvent: (event: LlamaEvent) => void = () => {};
  #listeners: (() => void)[] = [];

  constructor(options: ScriptedModelOptions, engine: { maxTokens?: number } = {}) {
    this.model = new ScriptedModel(options);
    const limits = { maxTokens: 100, prefillPieceMs: 20, batchTokens: 64, sampling: SAMPLING };
    this.engine = new LlamaEngine(this.model, { ...limits, ...engine }, (event) => {
      this.events.push(event);
      this.onEvent(event);
      for (const listener of this.#listeners.splice(0)) listener();
    });
  }

  generate(callId: number, turnId: number, messages: readonly ChatMessage[], cancel = cancelWord()): void {
    this.engine.handle({
      kind: 'generate',
      callId,
      turnId,
      messages,
      replyPrefix: '',
      cancel,
      queuedAtMs: 0,
    });
  }

  text(callId: number, turnId: number): string {
    return this.events
      .map((event) =>
        event.kind === 'text' && event.callId === callId && event.turnId === turnId ? event.text : '',
      )
      .join('');
  }

  async event<Kind extends LlamaEvent['kind']>(
    kind: Kind,
    callId: number,
    turnId?: number,
  ): Promise<Extract<LlamaEvent, { kind: Kind }>> {
    for (;;) {
      const found = this.events.find(
        (event) =>
          event.kind === kind &&
          'callId' in event &&
          event.callId === callId &&
          (turnId === undefined || ('turnId' in event && event.turnId === turnId)),
      );
      if (found !== undefined) return found as Extract<LlamaEvent, { kind: Kind }>;
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  finished(callId: number, turnId: number): Promise<LlamaFinished> {
    return this.event('finished', callId, turnId);
  }
}

describe('a call that stays on its sequence', () => {
  it('evaluates only what is new in the second turn', async () => {
    const bench = new Bench({ reply: () => 'Good evening.' });
    const first = [SYSTEM, user('hello')];
    bench.generate(1, 1, first);
    expect(await bench.finished(1, 1)).toMatchObject({
      reason: 'stop',
      reusedTokens: 0,
      generatedTokens: 13,
    });
    bench.model.evaluations.length = 0;
    const second = [...first, assistant('Good evening.'), user('a table please')];
    bench.generate(1, 2, second);
    const { reusedTokens, promptTokens } = await bench.finished(1, 2);
    expect(reusedTokens).toBe(bench.model.renderPrompt(first, 'Good evening.').length);
    expect(sum(bench.model.evaluations.map(({ tokens }) => tokens))).toBe(promptTokens - reusedTokens + 13);
  });

  it('erases what the caller never heard when the history is rewritten after a barge-in', async () => {
    const bench = new Bench({ reply: (prompt) => (prompt.includes('wait') ? 'Yes?' : 'We open at six.') });
    const first = [SYSTEM, user('when do you open')];
    bench.generate(1, 1, first);
    await bench.finished(1, 1);
    bench.generate(1, 2, [...first, assistant('We open'), user('wait')]);
    const { reusedTokens } = await bench.finished(1, 2);
    expect(reusedTokens).toBe(bench.model.renderPrompt(first, 'We open').length);
    expect(bench.text(1, 2)).toBe('Yes?');
    expect(String.fromCharCode(...bench.model.sequences[0]!.tokens)).not.toContain('at six');
  });

  it('takes the turns of one call in order', async () => {
    const bench = new Bench({ reply: (prompt) => prompt.slice(-4) });
    for (let turnId = 1; turnId <= 5; turnId += 1) bench.generate(1, turnId, [user(`turn ${turnId}`)]);
    await bench.finished(1, 5);
    const order = bench.events
      .filter(({ kind }) => kind === 'finished')
      .map((event) => 'turnId' in event && event.turnId);
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on behind text that was already delivered', async () => {
    const bench = new Bench({ reply: (prompt) => (prompt.endsWith('Good ') ? 'evening.' : 'wrong') });
    bench.engine.handle({
      kind: 'generate',
      callId: 1,
      turnId: 1,
      messages: [user('hello')],
      replyPrefix: 'Good ',
      cancel: cancelWord(),
      queuedAtMs: 0,
    });
    await bench.finished(1, 1);
    expect(bench.text(1, 1)).toBe('evening.');
  });

  it('forgets the oldest turns of a very long call and never overflows', async () => {
    const bench = new Bench({ contextTokens: 400, reply: () => 'Fine, and what else would you like?' });
    const messages: ChatMessage[] = [SYSTEM];
    for (let turnId = 1; turnId <= 30; turnId += 1) {
      messages.push(user(`turn number ${turnId}`));
      bench.generate(1, turnId, [...messages]);
      const { promptTokens } = await bench.finished(1, turnId);
      expect(promptTokens).toBeLessThanOrEqual(298);
      messages.push(assistant(bench.text(1, turnId)));
    }
    expect(String.fromCharCode(...bench.model.sequences[0]!.tokens)).toContain(SYSTEM.text);
  });
});

describe('the end of a reply', () => {
  it.each([
    ['a stop text', 'Bye.<end>User: more', 'Bye.'],
    ['a control token', `Bye.${String.fromCharCode(FOREIGN_CONTROL)}more`, 'Bye.'],
    ['the model itself', 'Bye.', 'Bye.'],
  ])('is %s', async (_name, scripted, spoken) => {
    const bench = new Bench({ reply: () => scripted });
    bench.generate(1, 1, [user('bye')]);
    expect((await bench.finished(1, 1)).reason).toBe('stop');
    expect(bench.text(1, 1)).toBe(spoken);
  });

  it('is the token limit', async () => {
    const bench = new Bench({ reply: () => 'on and on and on' }, { maxTokens: 5 });
    bench.generate(1, 1, [user('go on')]);
    expect(await bench.finished(1, 1)).toMatchObject({ reason: 'maxTokens', generatedTokens: 5 });
    expect(bench.text(1, 1)).toBe('on an');
  });
});

describe('cancelling', () => {
  it('ends the reply at the next token and leaves the sequence usable', async () => {
    const bench = new Bench({ reply: (prompt) => (prompt.includes('two') ? 'second' : LONG_TEXT) });
    const cancel = cancelWord();
    bench.onEvent = () => {
      if (bench.text(1, 1).length === 3) Atomics.store(cancel, 0, 1);
    };
    bench.generate(1, 1, [user('one')], cancel);
    expect(await bench.finished(1, 1)).toMatchObject({ reason: 'cancelled', generatedTokens: 4 });
    expect(bench.text(1, 1)).toBe('xxx');
    bench.generate(1, 2, [user('one'), assistant('xx'), user('two')], cancel);
    expect((await bench.finished(1, 2)).reason).toBe('stop');
    expect(bench.text(1, 2)).toBe('second');
  });

  it('is heeded between the pieces of a long prompt', async () => {
    const bench = new Bench({ contextTokens: 4096, reply: () => 'never' });
    const cancel = cancelWord();
    bench.generate(2, 1, [user(LONG_TEXT.repeat(3))]);
    bench.generate(1, 1, [user(LONG_TEXT.repeat(3))], cancel);
    await nextTick();
    await nextTick();
    Atomics.store(cancel, 0, 1);
    expect(await bench.finished(1, 1)).toMatchObject({ reason: 'cancelled', generatedTokens: 0 });
    expect(bench.model.sequences[1]!.length).toBeLessThan(200);
  });

  it('of a turn that has not begun costs nothing', async () => {
    const bench = new Bench({ reply: () => 'never' });
    const cancel = cancelWord();
    Atomics.store(cancel, 0, 7);
    bench.generate(1, 7, [user('hello')], cancel);
    expect(await bench.finished(1, 7)).toMatchObject({ reason: 'cancelled', promptTokens: 0 });
    expect(bench.model.evaluations).toEqual([]);
  });
});

describe('several calls', () => {
  it('answers each with its own words', async () => {
    const bench = new Bench({ sequenceCount: 8, reply: (prompt) => `you said ${/word\d/.exec(prompt)}` });
    for (let callId = 1; callId <= 8; callId += 1) bench.generate(callId, 1, [SYSTEM, user(`word${callId}`)]);
    for (let callId = 1; callId <= 8; callId += 1) {
      await bench.finished(callId, 1);
      expect(bench.text(callId, 1)).toBe(`you said word${callId}`);
    }
  });

  it('get their tokens between the pieces of a long prompt', async () => {
    const bench = new Bench({ contextTokens: 4096, reply: () => LONG_TEXT.slice(0, 90) });
    bench.generate(1, 1, [user('talk')]);
    await bench.event('text', 1, 1);
    bench.generate(2, 1, [user(LONG_TEXT)]);
    await bench.finished(2, 1);
    const order = bench.model.evaluations.map(({ sequence }) => sequence);
    const pieces = bench.model.evaluations.filter(({ sequence, tokens }) => sequence === 1 && tokens > 1);
    expect(pieces.length).toBeGreaterThanOrEqual(8);
    for (const { tokens } of pieces) expect(tokens).toBeLessThanOrEqual(64);
    const whileTalking = order.slice(0, order.lastIndexOf(0)).join('');
    expect(whileTalking).not.toContain('111');
  });

  it('take their tokens in step, however late one gets its own', async () => {
    const bench = new Bench({ sequenceCount: 3, reply: () => 'abcdefghijkl', lateness: (index) => index });
    for (const callId of [1, 2, 3]) bench.generate(callId, 1, [SYSTEM, user('hi')]);
    await Promise.all([1, 2, 3].map((callId) => bench.finished(callId, 1)));
    const drawn = bench.model.evaluations
      .filter(({ tokens }) => tokens === 1)
      .map(({ sequence }) => sequence);
    const joined = drawn.indexOf(2) + 1; // the last one has its first token
    for (let round = 0; round < 5; round++) {
      const begin = joined + 3 * round;
      expect(drawn.slice(begin, begin + 3).sort()).toEqual([0, 1, 2]);
    }
  });

  it('takes the first of sequences that are equally good, so that those in use are neighbours', async () => {
    const bench = new Bench({ sequenceCount: 3, reply: () => 'ok' });
    for (const callId of [1, 2, 3]) bench.generate(callId, 1, [SYSTEM, user('hello')]);
    await Promise.all([1, 2, 3].map((callId) => bench.finished(callId, 1)));
    for (const callId of [3, 1, 2]) {
      bench.engine.handle({ kind: 'closeConversation', callId });
      await bench.event('conversationClosed', callId);
    }
    const before = bench.model.evaluations.length;
    bench.generate(4, 1, [SYSTEM, user('hello')]);
    await bench.finished(4, 1);
    expect(new Set(bench.model.evaluations.slice(before).map(({ sequence }) => sequence))).toEqual(
      new Set([0]),
    );
  });

  it('finds the system prompt of the call before in its sequence, and none of its words', async () => {
    const bench = new Bench({ sequenceCount: 1, reply: () => 'ok' });
    bench.generate(1, 1, [SYSTEM, user('my secret')]);
    await bench.finished(1, 1);
    bench.engine.handle({ kind: 'closeConversation', callId: 1 });
    await bench.event('conversationClosed', 1);
    expect(String.fromCharCode(...bench.model.sequences[0]!.tokens)).not.toContain('secret');
    bench.generate(2, 1, [SYSTEM, user('hello')]);
    const { reusedTokens } = await bench.finished(2, 1);
    expect(reusedTokens).toBeGreaterThanOrEqual(SYSTEM.text.length + 2);
  });
});

describe('more calls than sequences', () => {
  it('waits in order until a call ends', async () => {
    const bench = new Bench({ sequenceCount: 1, reply: () => 'ok' });
    for (const callId of [1, 2, 3]) bench.generate(callId, 1, [user('hello')]);
    await bench.finished(1, 1);
    bench.engine.handle({ kind: 'closeConversation', callId: 1 });
    await bench.finished(2, 1);
    expect(bench.events.some((event) => event.kind === 'finished' && event.callId === 3)).toBe(false);
    bench.engine.handle({ kind: 'closeConversation', callId: 2 });
    await bench.finished(3, 1);
  });

  it('lets a waiting call be cancelled, closed or shut down', async () => {
    const bench = new Bench({ sequenceCount: 1, reply: () => 'ok' });
    const cancel = cancelWord();
    bench.generate(1, 1, [user('hello')]);
    await bench.finished(1, 1);
    bench.generate(2, 1, [user('hello')], cancel);
    bench.generate(3, 1, [user('hello')]);
    bench.generate(4, 1, [user('hello')]);
    Atomics.store(cancel, 0, 1);
    expect((await bench.finished(2, 1)).reason).toBe('cancelled');
    bench.engine.handle({ kind: 'closeConversation', callId: 3 });
    await bench.event('conversationClosed', 3);
    await bench.engine.stop();
    expect((await bench.finished(4, 1)).reason).toBe('cancelled');
  });
});

describe('preparing', () => {
  it('leaves only the new turn to evaluate', async () => {
    const bench = new Bench({ reply: () => 'ok' });
    const opening = [SYSTEM, assistant('Hello, the Harbour Kitchen.')];
    bench.engine.handle({ kind: 'prepare', callId: 1, messages: opening });
    const { promptTokens } = await bench.event('prepared', 1);
    bench.model.evaluations.length = 0;
    bench.generate(1, 1, [...opening, user('hi')]);
    const finished = await bench.finished(1, 1);
    expect(finished.reusedTokens).toBe(promptTokens);
    expect(bench.model.evaluations[0]!.tokens).toBeLessThan(5);
  });

  it('gives way to the turn it prepares', async () => {
    const bench = new Bench({ contextTokens: 8192, reply: () => 'ok' });
    const opening = [{ role: 'system', text: LONG_TEXT.repeat(12) }] as const;
    bench.engine.handle({ kind: 'prepare', callId: 1, messages: opening });
    bench.generate(1, 1, [user('hi')]);
    expect((await bench.finished(1, 1)).reason).toBe('stop');
    expect(sum(bench.model.evaluations.map(({ tokens }) => tokens))).toBeLessThan(100);
  });
});

describe('faults', () => {
  it('fails the turn and starts the next one from nothing', async () => {
    const bench = new Bench({ reply: () => 'ok' });
    bench.model.failsNext = true;
    bench.generate(1, 1, [user('hello')]);
    expect((await bench.event('failed', 1)).error).toMatchObject({ code: 'INFERENCE_FAILED' });
    bench.generate(1, 2, [user('hello')]);
    expect(await bench.finished(1, 2)).toMatchObject({ reason: 'stop', reusedTokens: 0 });
  });

  it('refuses replies that leave no room for a conversation', () => {
    expect(() => new Bench({ contextTokens: 128, reply: () => '' }, { maxTokens: 100 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('ends all replies when stopped', async () => {
    const bench = new Bench({ reply: () => LONG_TEXT });
    bench.generate(1, 1, [user('a')]);
    bench.generate(2, 1, [user('b')]);
    await bench.event('text', 2, 1);
    await bench.engine.stop();
    expect((await bench.finished(1, 1)).reason).toBe('cancelled');
    expect((await bench.finished(2, 1)).reason).toBe('cancelled');
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
