/** Port pool: even ports, random order, rest after use. */
import { expect, test } from 'vitest';
import { PortPool } from '../../src/rtp/port-pool.ts';

function poolOf(portFirst: number, portLast: number): { pool: PortPool; pass: (ms: number) => void } {
  let nowMs = 0;
  const pool = new PortPool({
    portFirst,
    portLast,
    quarantineMs: 1000,
    nowMs: () => nowMs,
    randomBelow: () => 0,
  });
  return { pool, pass: (ms) => (nowMs += ms) };
}

test('only even ports whose odd neighbour is in the range too', () => {
  const { pool } = poolOf(10_001, 10_006);
  expect([pool.take(), pool.take()].sort()).toEqual([10_002, 10_004]);
  expect(() => pool.take()).toThrowError(
    expect.objectContaining({ code: 'PORT_POOL_EMPTY', retryable: true }),
  );
});

test('a port rests after use', () => {
  const { pool, pass } = poolOf(10_000, 10_001);
  pool.giveBack(pool.take());
  pass(999);
  expect(() => pool.take()).toThrowError(expect.objectContaining({ code: 'PORT_POOL_EMPTY' }));
  pass(1);
  expect(pool.take()).toBe(10_000);
});

test('a port given back twice, or never taken, is not handed out twice', () => {
  const { pool, pass } = poolOf(10_000, 10_003);
  const port = pool.take();
  pool.giveBack(port);
  pool.giveBack(port);
  pool.giveBack(4);
  pass(2000);
  expect([pool.take(), pool.take()].sort()).toEqual([10_000, 10_002]);
  expect(pool.usedPorts).toBe(2);
});

test('a range without a pair is refused', () => {
  expect(() => poolOf(10_001, 10_002)).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
