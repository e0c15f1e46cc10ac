/** Replies in step: nobody waits for a reply that does not come, and all go together. */
import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TokenStep } from '../../../src/workers/llama/token-step.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

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
    const random = new SeededRandom(printedSeed('token step'));
    const step = new TokenStep();
    const reply = async (beginsAfter: number, tokens: number): Promise<number> => {
      for (let tick = 0; tick < beginsAfter; tick++) await nextTick();
      step.join();
      for (let token = 1; token < tokens; token++) {
        for (let tick = random.integer(0, 2); tick > 0; tick--) await nextTick();
        await step.next();
      }
      step.leave();
      return tokens;
    };
    const lengths = Array.from({ length: 200 }, () => random.integer(1, 40));
    expect(await Promise.all(lengths.map((tokens) => reply(random.integer(0, 99), tokens)))).toEqual(lengths);
  });
});
