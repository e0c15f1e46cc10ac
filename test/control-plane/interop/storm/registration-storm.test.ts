/**
 * 10,000 registrations in ten seconds while every pool is saturated and every tenth address is a black hole: none is
 * lost, everybody reachable is connected. The same with a connect that blocks must fail, or this test sees nothing.
 * How fast it goes is measured in bench/control-plane.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasTestPack } from '../../../models/test-pack.ts';
import { freeOldPorts } from '../../peers/free-ports.ts';
import { BlackHoles, isSwallowed } from './black-holes.ts';
import { runSaturatedStorm } from './saturated-storm.ts';

const BLOCKING_CONNECT = fileURLToPath(new URL('../../blocking-connect/main.ts', import.meta.url));
const REACHABLE_IDS = 900;
/** A pool that did no more than this was not busy during ten seconds. */
const LEAST_PIECES = 10;

describe('a black hole', () => {
  it('answers no connect until it is closed', async () => {
    const { audioInBasePort } = await freeOldPorts(10);
    const ports = [audioInBasePort + 2, audioInBasePort + 4];
    const holes = await BlackHoles.open(ports);
    expect(await Promise.all(ports.map((port) => isSwallowed(port, 300)))).toEqual([true, true]);
    await holes.close();
    expect(await isSwallowed(ports[0] ?? 0, 300)).toBe(false);
  });
});

describe.skipIf(!hasTestPack('manifest.json'))('a storm of registrations', { timeout: 120_000 }, () => {
  it('loses none and connects everybody who can be reached', async () => {
    const { storm, saturation, ...ours } = await runSaturatedStorm();
    expect(Math.min(saturation.whisper, saturation.llama, saturation.tts)).toBeGreaterThan(LEAST_PIECES);
    expect(saturation.failed).toBe(0);
    expect(ours.kernelDrops).toBe(0);
    expect(ours.registersRead).toBeGreaterThanOrEqual(storm.sent);
    expect(storm).toMatchObject({
      reachableIds: REACHABLE_IDS,
      connectedIds: REACHABLE_IDS,
      extraConnections: 0,
    });
  });

  it('cannot be borne by a listener that waits for each connect', async () => {
    const { storm } = await runSaturatedStorm(BLOCKING_CONNECT);
    expect(storm.reachableIds).toBe(REACHABLE_IDS);
    expect(storm.connectedIds).toBeLessThan(REACHABLE_IDS / 2);
  });
});
