/**
 * `kill -9` of one of four processes in the middle of a call, then its restart: the next call is held within 5 s, the
 * call that was up goes on where its SIP side is alive, and calls that do not use the process notice nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicMs } from '../../../src/observability/clock.ts';
import { hasTestPack } from '../../models/test-pack.ts';
import { type Bystander, llamaUser, ttsUser, whisperUser } from './bystanders.ts';
import { ROLES, type Role } from './our-process.ts';
import { ANSWER, Listener, SplitSystem } from './split-system.ts';

const NEXT_CALL_LIMIT_MS = 5000;

describe.skipIf(!hasTestPack('manifest.json'))('kill -9 of one process', { timeout: 120_000 }, () => {
  let listener: Listener;
  let system: SplitSystem;

  beforeAll(async () => {
    [listener, system] = await Promise.all([Listener.start(), SplitSystem.start()]);
  });

  afterAll(async () => {
    await listener?.close();
    await system?.close();
  });

  async function bystandersOf(killed: Role): Promise<Bystander[]> {
    const all = [
      await whisperUser(2, system.ports),
      await llamaUser(6, system.ports),
      await ttsUser(10, system.ports),
    ];
    const involved = all.filter(({ needs }) => needs.includes(killed));
    for (const one of involved) await one.close();
    return all.filter(({ needs }) => !needs.includes(killed));
  }

  /** Lets the bystanders talk until `done`. @returns exchanges of each */
  async function talk(bystanders: readonly Bystander[], done: Promise<unknown>): Promise<number[]> {
    let isDone = false;
    const finish = (): void => {
      isDone = true;
    };
    done.then(finish, finish);
    return Promise.all(
      bystanders.map(async (one) => {
        let beats = 0;
        for (; !isDone; beats++) await one.beat();
        return beats;
      }),
    );
  }

  it.each(ROLES)('%s: the next call is held within 5 s, others go on', async (role) => {
    const bystanders = await bystandersOf(role);
    for (const one of bystanders) await one.beat();
    const connections = bystanders.map((one) => one.connections());
    const call = await listener.call(system.sipPort);
    expect(await listener.askBriefly(call)).toMatch(ANSWER);

    await listener.say(call); // in the middle of this turn the process dies
    await system.processes.get(role)?.kill();
    const restarted = system.startRole(role);
    const beats = await talk(bystanders, restarted);
    await restarted;
    const readyAtMs = monotonicMs();

    const next = await listener.call(system.sipPort);
    expect(monotonicMs() - readyAtMs).toBeLessThan(NEXT_CALL_LIMIT_MS);
    expect(await listener.askBriefly(next)).toMatch(ANSWER);
    await next.hangUp();
    if (role === 'sip') {
      await call.telephone.close();
    } else {
      expect(await listener.askBriefly(call), 'the call that was up').toMatch(ANSWER);
      await call.hangUp();
    }
    expect(Math.min(...beats, 1)).toBe(1);
    expect(bystanders.map((one) => one.connections())).toEqual(connections);
    for (const one of bystanders) await one.close();
  });
});
