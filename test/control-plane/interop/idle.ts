/** What a process of ours holds for calls, by its own metrics: all of it has to be gone after the last call. */
import { expect } from 'vitest';
import type { OurProcess } from './our-process.ts';

const SETTLE_LIMIT_MS = 5000;
const HELD = [
  'wildfire_control_sessions',
  'wildfire_control_connections',
  'wildfire_control_pending_connects',
];

export interface Held {
  readonly [metric: string]: number;
}

export async function heldBy(ours: OurProcess): Promise<Held> {
  const metrics = await ours.metrics();
  for (const name of HELD) expect(metrics.has(name), `${name} in /metrics`).toBe(true);
  return Object.fromEntries(HELD.map((name) => [name, metrics.sum(name)]));
}

/** Resolves when the process holds nothing of any call. */
export async function becomesIdle(ours: OurProcess): Promise<void> {
  const nothing = Object.fromEntries(HELD.map((name) => [name, 0]));
  await expect.poll(() => heldBy(ours), { timeout: SETTLE_LIMIT_MS, interval: 100 }).toEqual(nothing);
}
