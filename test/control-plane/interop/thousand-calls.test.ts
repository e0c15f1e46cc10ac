/**
 * 1,000 calls, one after another, over the wire to a Whisper, a LLaMA and a TTS in a process each: after each hundred
 * they hold what they held after the first hundred. Most calls are short; every tenth is asked and answered.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figuresOf, slope } from '../../interop/process-figures.ts';
import { hasTestPack } from '../../models/test-pack.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { OldOutbound } from '../peers/old-outbound.ts';
import { ReadingInbound } from '../peers/reading-inbound.ts';
import { tone } from '../peers/script.ts';
import { AUDIO_IN_RATE_HZ } from '../peers/wire.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess, type Role } from './our-process.ts';
import { recordedSpeech } from './speech.ts';

const HUNDREDS = 10;
const SPOKEN_EVERY = 10;
/** Ids are used again, as a fresh start of an inbound processor would. */
const IDS = 50;
const SHORT_SAMPLES = AUDIO_IN_RATE_HZ / 2;
/** What the heap may swing by between two readings that are both after everything was given back. */
const MAX_SLOPE_MIB = 1;
const ROLES: readonly Role[] = ['whisper', 'llama', 'tts'];

describe.skipIf(!hasTestPack('manifest.json'))('1,000 calls', { timeout: 600_000 }, () => {
  let ports: OldPorts;
  let processes: OurProcess[];

  beforeAll(async () => {
    ports = await freeOldPorts(2 * IDS + 2);
    const settings = ['control.greet=false'];
    processes = await Promise.all(ROLES.map((role) => OurProcess.start({ roles: [role], ports, settings })));
  });

  afterAll(async () => {
    for (const ours of processes ?? []) expect(await ours.stop()).toBe(0);
  });

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
    const readings = ROLES.map((): { fds: number; sockets: number; threads: number; rssMiB: number }[] => []);
    for (let hundred = 0; hundred < HUNDREDS; hundred++) {
      for (let call = 0; call < 100; call++) await holdCall(100 * hundred + call);
      for (const [index, ours] of processes.entries()) {
        await becomesIdle(ours);
        readings[index]?.push(figuresOf(ours.pid));
      }
    }
    for (const [index, role] of ROLES.entries()) {
      const ofRole = readings[index] ?? [];
      console.log(role, JSON.stringify(ofRole));
      expect(new Set(ofRole.map(({ fds }) => fds)).size, `${role}: descriptors`).toBe(1);
      expect(new Set(ofRole.map(({ sockets }) => sockets)).size, `${role}: sockets`).toBe(1);
      expect(new Set(ofRole.map(({ threads }) => threads)).size, `${role}: threads`).toBe(1);
      expect(slope(ofRole.slice(2).map(({ rssMiB }) => rssMiB)), `${role}: MiB a hundred`).toBeLessThan(
        MAX_SLOPE_MIB,
      );
    }
  });
});
