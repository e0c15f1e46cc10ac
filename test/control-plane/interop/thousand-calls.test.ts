/**
 * 1,000 calls, one after another, over the wire to a Whisper, a LLaMA and a TTS in a process each: after each hundred
 * they hold what they held after the first hundred. Most calls are short; every tenth is asked and answered.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figuresOf, type ProcessFigures, slope } from '../../interop/process-figures.ts';
import { hasTestPack } from '../../models/test-pack.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { OldOutbound } from '../peers/old-outbound.ts';
import { ReadingInbound } from '../peers/reading-inbound.ts';
import { tone } from '../peers/script.ts';
import { sleep } from '../peers/sockets.ts';
import { AUDIO_IN_RATE_HZ } from '../peers/wire.ts';
import { collectedHeapMiB, inspectable } from './collected-heap.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess, type Role } from './our-process.ts';
import { recordedSpeech } from './speech.ts';

const HUNDREDS = 10;
const SPOKEN_EVERY = 10;
/** Ids are used again, as a fresh start of an inbound processor would. */
const IDS = 50;
const SHORT_SAMPLES = AUDIO_IN_RATE_HZ / 2;
/** Compiled code and caches still grow in the first hundreds; a kept call would be 100 times some KiB. */
const WARM_UP_HUNDREDS = 3;
const MAX_SLOPE_MIB = 0.1;
const SETTLE_LIMIT_MS = 5000;
const POLL_MS = 50;
const ROLES: readonly Role[] = ['whisper', 'llama', 'tts'];

interface Reading extends ProcessFigures {
  /** After a garbage collection. */
  readonly heapMiB: number;
}

describe.skipIf(!hasTestPack('manifest.json'))('1,000 calls', { timeout: 600_000 }, () => {
  let ports: OldPorts;
  let processes: OurProcess[];

  beforeAll(async () => {
    ports = await freeOldPorts(2 * IDS + 2 + ROLES.length);
    const settings = ['control.greet=false'];
    processes = await Promise.all(
      ROLES.map((role, index) =>
        OurProcess.start({
          roles: [role],
          ports,
          settings,
          nodeArguments: inspectable(inspectorPort(index)),
        }),
      ),
    );
  });

  afterAll(async () => {
    for (const ours of processes ?? []) expect(await ours.stop()).toBe(0);
  });

  /** Above the ports of all calls. */
  function inspectorPort(index: number): number {
    return ports.audioOutBasePort + 2 * IDS + 2 + index;
  }

  /** Reads it when it holds as many descriptors as at first, or does not come back to that in time. */
  async function read(ours: OurProcess, index: number, baseline: Reading | undefined): Promise<Reading> {
    await becomesIdle(ours);
    const heapMiB = await collectedHeapMiB(inspectorPort(index));
    const giveUpAtMs = performance.now() + SETTLE_LIMIT_MS;
    for (;;) {
      const figures = figuresOf(ours.pid);
      const isBack = baseline === undefined || figures.fds === baseline.fds;
      if (isBack || performance.now() > giveUpAtMs) return { ...figures, heapMiB };
      await sleep(POLL_MS);
    }
  }

  async function holdCall(number: number): Promise<void> {
    const callId = 2 * (number % IDS) + 2;
    const inbound = await ReadingInbound.activate({
      callId,
      audioBasePort: ports.audioInBasePort,
      registrationPort: ports.audioInRegistrationPort,
    });
    const outbound = await OldOutbound.activate({
      callId,
      audioBasePort: ports.audioOutBasePort,
      registrationPort: ports.audioOutRegistrationPort,
    });
    if (number % SPOKEN_EVERY === 0) {
      expect(await inbound.say(recordedSpeech('opening-hours'))).toMatch(/what are/);
      await expect.poll(() => outbound.chunks.length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(0);
    } else {
      expect(await inbound.say(tone(440, SHORT_SAMPLES, AUDIO_IN_RATE_HZ))).not.toBeNull();
    }
    await inbound.deactivate();
    await outbound.deactivate();
  }

  it('leave nothing behind, hundred after hundred', async () => {
    const readings: Reading[][] = ROLES.map(() => []);
    for (let hundred = 0; hundred < HUNDREDS; hundred++) {
      for (let call = 0; call < 100; call++) await holdCall(100 * hundred + call);
      for (const [index, ours] of processes.entries()) {
        readings[index]?.push(await read(ours, index, readings[index][0]));
      }
    }
    for (const [index, role] of ROLES.entries()) console.log(role, JSON.stringify(readings[index]));
    for (const [index, role] of ROLES.entries()) {
      const ofRole = readings[index] ?? [];
      expect(new Set(ofRole.map(({ fds }) => fds)).size, `${role}: descriptors`).toBe(1);
      expect(new Set(ofRole.map(({ sockets }) => sockets)).size, `${role}: sockets`).toBe(1);
      expect(new Set(ofRole.map(({ threads }) => threads)).size, `${role}: threads`).toBe(1);
      const heapsMiB = ofRole.slice(WARM_UP_HUNDREDS).map(({ heapMiB }) => heapMiB);
      expect(slope(heapsMiB), `${role}: MiB a hundred`).toBeLessThan(MAX_SLOPE_MIB);
    }
  });
});
