/** Replies in step: nobody waits for a reply that does not come, and all go together. */
import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TokenStep } from '../../../src/workers/llama/token-step.ts';

/** Notes the name of a reply once it may go on. */
function follow(step: TokenStep, name: string, went: string[]): void {
  void step.next().then(() => went.push(name));
}

describe('a step', () => {
  it('holds up nobody who is alone', async () => {
    const step = new TokenStep();
    step.join();
    await step.next();
    await step.next();
  });

  it('begins when all have taken their token', async () => {
    const step = new TokenStep();
    const went: string[] = [];
    for (let reply = 0; reply < 3; reply++) step.join();
    follow(step, 'a', went);
    follow(step, 'b', went);
    await nextTick();
    expect(went).toEqual([]);
    follow(step, 'c', went);
    await nextTick();
    expect(went).toEqual(['a', 'b', 'c']);
  });

  it('does not wait for who has left', async () => {
    const step = new TokenStep();
    const went: string[] = [];
    step.join();
    step.join();
    follow(step, 'a', went);
    step.leave();
    await nextTick();
    expect(went).toEqual(['a']);
  });

  it('waits for who has joined meanwhile', async () => {
    const step = new TokenStep();
    const went: string[] = [];
    step.join();
    step.join();
    follow(step, 'a', went);
    step.join();
    follow(step, 'b', went);
    await nextTick();
    expect(went).toEqual([]);
    follow(step, 'c', went);
    await nextTick();
    expect(went).toEqual(['a', 'b', 'c']);
  });

  it('ends for replies of any lengths that begin at any time', async () => {
    const seed = Number(process.env.WILDFIRE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`token step: WILDFIRE_TEST_SEED=${seed}`);
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % limit;
    };
    const step = new TokenStep();
    const reply = async (beginsAfter: number, tokens: number): Promise<number> => {
      for (let tick = 0; tick < beginsAfter; tick++) await nextTick();
      step.join();
      for (let token = 1; token < tokens; token++) {
        for (let tick = below(3); tick > 0; tick--) await nextTick();
        await step.next();
      }
      step.leave();
      return tokens;
    };
    const lengths = Array.from({ length: 200 }, () => 1 + below(40));
    expect(await Promise.all(lengths.map((tokens) => reply(below(100), tokens)))).toEqual(lengths);
  });
});
