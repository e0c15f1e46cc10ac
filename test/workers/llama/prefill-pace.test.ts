/** How much of a prompt goes into one decode. */
import { describe, expect, it } from 'vitest';
import { PrefillPace } from '../../../src/workers/llama/prefill-pace.ts';

function paceOf(tokenMs: number): PrefillPace {
  const pace = new PrefillPace(20, 512);
  for (let piece = 0; piece < 30; piece += 1) pace.observe(64, 64 * tokenMs);
  return pace;
}

describe('PrefillPace', () => {
  it('begins with a moderate piece', () => {
    expect(new PrefillPace(20, 512).pieceTokens(true)).toBe(64);
    expect(new PrefillPace(20, 32).pieceTokens(false)).toBe(32);
  });

  it('fills the time it has', () => {
    expect(paceOf(0.25).pieceTokens(false)).toBe(80);
    expect(paceOf(0.25).pieceTokens(true)).toBe(400);
  });

  it('never passes the batch, whatever the GPU', () => {
    expect(paceOf(0.001).pieceTokens(false)).toBe(512);
  });

  it('never goes below what a decode costs anyway', () => {
    expect(paceOf(40).pieceTokens(false)).toBe(16);
  });

  it('does not let one hiccup decide', () => {
    const pace = paceOf(0.25);
    pace.observe(64, 64 * 2.5);
    expect(pace.pieceTokens(false)).toBeGreaterThan(16);
    for (let piece = 0; piece < 10; piece += 1) pace.observe(64, 16);
    expect(pace.pieceTokens(false)).toBeGreaterThan(70);
  });

  it('learns nothing from a few tokens', () => {
    const pace = paceOf(0.25);
    pace.observe(3, 50);
    expect(pace.pieceTokens(false)).toBe(80);
  });
});
