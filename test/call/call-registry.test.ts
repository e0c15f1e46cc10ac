/** Admission and the wait for the last call. */
import { describe, expect, it } from 'vitest';
import { CallRegistry, type RegisteredCall } from '../../src/call/call-registry.ts';
import { emptyCounts } from '../../src/call/ledger.ts';

function admitted(registry: CallRegistry): number {
  const admission = registry.admit();
  if (!admission.admitted) throw new Error(admission.reason);
  return admission.callId;
}

function callOf(registry: CallRegistry, id: number, ends: string[] = []): RegisteredCall {
  return {
    id,
    ledgerCounts: () => ({ ...emptyCounts(), ring: 1 }),
    async end(endedBy, reason) {
      ends.push(`${id} ${endedBy} ${reason}`);
      registry.leave(id);
    },
  };
}

describe('call registry', () => {
  it('numbers calls from 1 and never twice', () => {
    const registry = new CallRegistry(2);
    expect([admitted(registry), admitted(registry)]).toEqual([1, 2]);
    registry.leave(1);
    expect(admitted(registry)).toBe(3);
  });

  it('refuses the call above the limit and takes one again when a call left', () => {
    const registry = new CallRegistry(1);
    const first = admitted(registry);
    expect(registry.admit()).toEqual({ admitted: false, reason: 'callLimit' });
    registry.leave(first);
    expect(registry.admit().admitted).toBe(true);
  });

  it('leaving twice gives one slot back', () => {
    const registry = new CallRegistry(2);
    const first = admitted(registry);
    admitted(registry);
    registry.leave(first);
    registry.leave(first);
    expect(registry.activeCalls).toBe(1);
  });

  it('refuses everything while draining, whatever room there is', () => {
    const registry = new CallRegistry(5);
    registry.startDraining();
    expect(registry.isDraining).toBe(true);
    expect(registry.admit()).toEqual({ admitted: false, reason: 'draining' });
  });

  it('is idle at once without calls, and for all who wait when the last one leaves', async () => {
    const registry = new CallRegistry(2);
    await registry.idle();
    const [first, second] = [admitted(registry), admitted(registry)];
    const waits = [registry.idle(), registry.idle()];
    let isIdle = false;
    void waits[0]?.then(() => {
      isIdle = true;
    });
    registry.leave(first);
    await Promise.resolve();
    expect(isIdle).toBe(false);
    registry.leave(second);
    await Promise.all(waits);
  });

  it('ends every call, one that cannot be ended included', async () => {
    const registry = new CallRegistry(3);
    const ends: string[] = [];
    const ids = [admitted(registry), admitted(registry), admitted(registry)];
    for (const id of ids.slice(0, 2)) registry.add(callOf(registry, id, ends));
    const stubborn = ids[2] ?? 0;
    registry.add({
      ...callOf(registry, stubborn),
      end: () => {
        registry.leave(stubborn);
        return Promise.reject(new Error('no'));
      },
    });
    await registry.endAll('shutdown');
    expect(ends).toEqual(['1 agent shutdown', '2 agent shutdown']);
    expect(registry.activeCalls).toBe(0);
  });

  it('adds up what all calls hold', () => {
    const registry = new CallRegistry(2);
    for (const id of [admitted(registry), admitted(registry)]) registry.add(callOf(registry, id));
    expect(registry.ledgerTotals()).toEqual({ ...emptyCounts(), ring: 2 });
    registry.leave(1);
    expect(registry.ledgerTotals().ring).toBe(1);
    expect(registry.get(1)).toBeUndefined();
    expect(registry.get(2)?.id).toBe(2);
  });
});
