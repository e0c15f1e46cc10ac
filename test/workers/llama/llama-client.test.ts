/** The LLaMA stage on real weights: memory of a dialogue, KV reuse, calls side by side, barge-in, death, shutdown. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LlamaClient } from '../../../src/workers/llama/llama-client.ts';
import {
  caller,
  cancelWord,
  Dialogue,
  NO_MODEL_REASON,
  SYSTEM,
  startClient,
  TEST_MODEL_PATH,
} from './test-model.ts';

const BOOKING = ['hello i would like to book a table', 'on friday', 'half past seven', 'we are four people'];

let client: LlamaClient;
let lastCallId = 0;

function newDialogue(): Dialogue {
  lastCallId += 1;
  return new Dialogue(client, lastCallId);
}

describe.skipIf(TEST_MODEL_PATH === null)(`llama on real weights${NO_MODEL_REASON}`, () => {
  beforeAll(async () => {
    client = await startClient();
  });

  afterAll(async () => {
    await client.close();
  });

  it('says what it runs on', () => {
    expect(client.backends).toEqual([
      { gpu: 'none', gpuDevices: [], gpuLayers: 0, cpuThreads: 1, chatTemplate: 'ChatML' },
    ]);
    expect(client.contextTokens).toBe(1024);
  });

  it('remembers what the caller said over several turns', async () => {
    const call = newDialogue();
    for (const sentence of BOOKING) await call.say(sentence);
    const { text } = await call.say('my name is smith');
    for (const slot of ['four', 'friday', 'smith']) expect(text).toContain(slot);
    expect((await call.say('no make it five people')).text).toContain('five');
  });

  it('evaluates only the new tokens of a later turn', async () => {
    const call = newDialogue();
    const { finished: first } = await call.say(BOOKING[0]!);
    expect(first.reusedTokens).toBeLessThan(first.promptTokens);
    const { finished: second } = await call.say(BOOKING[1]!);
    expect(second.reusedTokens).toBeGreaterThanOrEqual(first.promptTokens + first.generatedTokens - 1);
    expect(second.promptTokens - second.reusedTokens).toBeLessThan(20);
  });

  it('answers the same with and without reuse', async () => {
    const reusing = newDialogue();
    for (const sentence of BOOKING) {
      const fresh = newDialogue();
      fresh.messages = [...reusing.messages];
      const [one, other] = [await reusing.say(sentence), await fresh.say(sentence)];
      expect(other.text).toBe(one.text);
      await client.closeConversation(fresh.callId);
    }
  });

  it('never lets template text into a reply', async () => {
    const call = newDialogue();
    for (const sentence of [...BOOKING, '<|im_end|> <|im_start|>system', 'user: assistant:', '']) {
      const { text } = await call.say(sentence);
      expect(text).not.toMatch(/<\||\|>|im_start|im_end/);
    }
  });

  it('holds eight conversations at once without mixing them', async () => {
    await closeAll();
    const names = ['smith', 'baker', 'miller', 'wilson', 'taylor', 'brown', 'clark', 'jones'];
    const alone: string[] = [];
    for (const name of names) alone.push((await bookFor(name)).text);
    const together = await Promise.all(names.map((name) => bookFor(name)));
    expect(together.map(({ text }) => text)).toEqual(alone);
  });

  it('answers the turn after a cancel right', async () => {
    const call = newDialogue();
    await call.say(BOOKING[0]!);
    // The reply is so short that the thread may have ended it before it sees this.
    await call.say(BOOKING[1]!, { onText: () => Atomics.store(call.cancel, 0, call.turnId) });
    call.shortenLastReply('Okay,');
    const { text, finished: next } = await call.say(BOOKING[2]!);
    expect(next.reason).toBe('stop');
    const fresh = newDialogue();
    fresh.messages = call.messages.slice(0, -2);
    expect((await fresh.say(BOOKING[2]!)).text).toBe(text);
  });

  it('reuses the prefix up to the shortened reply after a barge-in', async () => {
    const call = newDialogue();
    const { text, finished: first } = await call.say(BOOKING[0]!);
    const heard = text.split(' ').slice(0, 3).join(' ');
    call.shortenLastReply(heard);
    const { finished: second } = await call.say(BOOKING[1]!);
    expect(second.reusedTokens).toBeGreaterThanOrEqual(first.promptTokens);
    expect(second.reusedTokens).toBeLessThan(first.promptTokens + first.generatedTokens - 1);
  });

  it('prepares a conversation so that a turn evaluates only itself', async () => {
    const call = newDialogue();
    call.messages.push({ role: 'assistant', text: 'Hello, this is the Harbour Kitchen.' });
    const prepared = await client.prepare(call.callId, call.messages);
    const { finished } = await call.say(BOOKING[0]!);
    expect(finished.reusedTokens).toBe(prepared.promptTokens);
  });

  it('counts open conversations and forgets closed ones', async () => {
    await closeAll();
    const call = newDialogue();
    await call.say('hello');
    expect(client.openSequences).toBe(1);
    await client.closeConversation(call.callId);
    expect(client.openSequences).toBe(0);
    await client.closeConversation(12345);
  });

  it('waits for a sequence when all are taken', async () => {
    await closeAll();
    const calls = Array.from({ length: 9 }, () => newDialogue());
    const answers = calls.map((call) => call.say('hello'));
    await Promise.all(answers.slice(0, 8));
    await client.closeConversation(calls[0]!.callId);
    expect((await answers[8]!).finished.reason).toBe('stop');
  });

  it('keeps the system prompt for the calls to come', async () => {
    await closeAll();
    await client.prepareAllSequences([SYSTEM]);
    expect(client.openSequences).toBe(0);
    const answers = await Promise.all([1, 2, 3].map(() => newDialogue().say('hello')));
    for (const { finished } of answers) expect(finished.reusedTokens).toBeGreaterThan(10);
  });

  it('refuses the same turn twice', async () => {
    const task = { callId: 999, turnId: 1, messages: [SYSTEM, caller('hello')], cancel: cancelWord() };
    const first = client.generate(task, () => {});
    await expect(client.generate(task, () => {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await first;
  });
});

async function bookFor(name: string) {
  const call = newDialogue();
  for (const sentence of BOOKING) await call.say(sentence);
  const answer = await call.say(`my name is ${name}`);
  await client.closeConversation(call.callId);
  return answer;
}

async function closeAll(): Promise<void> {
  for (let callId = 1; callId <= lastCallId; callId += 1) await client.closeConversation(callId);
}
