/** Replies in step: nobody waits for a reply that does not come, and all go together. */
import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TokenStep } from '../../../src/workers/llama/token-step.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

/** Notes a reply's sequence once it may go on. */
function follow(step: TokenStep, sequence: number, went: number[]): void {
  void step.next(sequence).then(() => went.push(sequence));
}

/** Two of a step's three replies have taken their token: neither goes on before the third has. */
async function expectsThird(step: TokenStep, went: number[]): Promise<void> {
  await nextTick();
  expect(went).toEqual([]);
  follow(step, 1, went);
  await nextTick();
  expect(went).toEqual([0, 1, 2]);
}

describe('a step', () => {
  it('holds up nobody who is alone', async () => {
    const step = new TokenStep();
    step.join();
    await step.next(3);
    await step.next(3);
  });

  it('begins when all have taken their token, in the order of their sequences', async () => {
    const step = new TokenStep();
    const went: number[] = [];
    for (let reply = 0; reply < 3; reply++) step.join();
    follow(step, 2, went);
    follow(step, 0, went);
    await expectsThird(step, went);
  });

  it('does not wait for who has left', async () => {
    const step = new TokenStep();
    const went: number[] = [];
    step.join();
    step.join();
    follow(step, 2, went);
    step.leave();
    await nextTick();
    expect(went).toEqual([2]);
  });

  it('waits for who has joined meanwhile', async () => {
    const step = new TokenStep();
    const went: number[] = [];
    step.join();
    step.join();
    follow(step, 2, went);
    step.join();
    follow(step, 0, went);
    await expectsThird(step, went);
  });

  it('ends for replies of any lengths that begin at any time', async () => {
    const random = new SeededRandom(printedSeed('token step'));
    const step = new TokenStep();
    const reply = async (sequence: number, beginsAfter: number, tokens: number): Promise<number> => {
      for (let tick = 0; tick < beginsAfter; tick++) await nextTick();
      step.join();
      for (let token = 1; token < tokens; token++) {
        for (let tick = random.integer(0, 2); tick > 0; tick--) await nextTick();
        await step.next(sequence);
      }
      step.leave();
      return tokens;
    };
    const lengths = Array.from({ length: 200 }, () => random.integer(1, 40));
    expect(
      await Promise.all(lengths.map((tokens, sequence) => reply(sequence, random.integer(0, 99), tokens))),
    ).toEqual(lengths);
  });
});
