/** Four processes, one role each: whatever came up first, a call is held without anybody's help. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasTestPack } from '../../models/test-pack.ts';
import { ROLES, type Role } from './our-process.ts';
import { ANSWER, Listener, SplitSystem } from './split-system.ts';

/** Systems that are up or starting at the same time. */
const AT_ONCE = 3;

function permutations(roles: readonly Role[]): Role[][] {
  if (roles.length <= 1) return [[...roles]];
  return roles.flatMap((first) =>
    permutations(roles.filter((role) => role !== first)).map((rest) => [first, ...rest]),
  );
}

describe.skipIf(!hasTestPack('manifest.json'))('four processes, one role each', { timeout: 600_000 }, () => {
  let listener: Listener;

  beforeAll(async () => {
    listener = await Listener.start();
  });

  afterAll(() => listener.close());

  async function holdCallAfter(order: readonly Role[]): Promise<string> {
    const system = await SplitSystem.start(order);
    try {
      const call = await listener.call(system.sipPort);
      const answer = await listener.askBriefly(call);
      await call.hangUp();
      return answer;
    } finally {
      expect(await system.close()).toEqual({ sip: 0, whisper: 0, llama: 0, tts: 0 });
    }
  }

  it('answer a call in all 24 orders of starting', async () => {
    const orders = permutations(ROLES);
    expect(new Set(orders.map(String)).size).toBe(24);
    const waiting = [...orders];
    const answers = new Map<string, string>();
    const lane = async (): Promise<void> => {
      for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
        answers.set(String(order), await holdCallAfter(order));
        console.log(`${answers.size} of ${orders.length}: ${order}`);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
    expect(lanes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect([...answers].filter(([, answer]) => !ANSWER.test(answer))).toEqual([]);
    expect(answers.size).toBe(24);
  });
});
