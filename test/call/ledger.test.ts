/** The ledger of a call: everything acquired is given back once, whatever goes wrong with one item. */
import { describe, expect, it } from 'vitest';
import { emptyCounts, LEDGER_KINDS, ResourceLedger } from '../../src/call/ledger.ts';
import { Gate } from './gate.ts';

describe('resource ledger', () => {
  it('counts what is held, by kind', () => {
    const ledger = new ResourceLedger();
    ledger.acquire('timer', () => {});
    ledger.acquire('timer', () => {});
    ledger.acquire('dialog', () => {});
    expect(ledger.counts()).toEqual({ ...emptyCounts(), timer: 2, dialog: 1 });
    expect(ledger.isEmpty).toBe(false);
  });

  it('knows every kind, all zero at first', () => {
    const ledger = new ResourceLedger();
    expect(Object.keys(ledger.counts())).toEqual([...LEDGER_KINDS]);
    expect(ledger.isEmpty).toBe(true);
  });

  it('gives one item back early, once, and not again with the rest', async () => {
    const ledger = new ResourceLedger();
    let releases = 0;
    const releaseNow = ledger.acquire('rtpPort', () => {
      releases += 1;
    });
    await releaseNow();
    await releaseNow();
    expect(await ledger.releaseAll()).toEqual([]);
    expect(releases).toBe(1);
    expect(ledger.isEmpty).toBe(true);
  });

  it('starts all releases, last acquired first', async () => {
    const ledger = new ResourceLedger();
    const order: string[] = [];
    for (const kind of ['ring', 'rtpPort', 'dialog'] as const)
      ledger.acquire(kind, () => void order.push(kind));
    await ledger.releaseAll();
    expect(order).toEqual(['dialog', 'rtpPort', 'ring']);
  });

  it('a release that fails, now or later, keeps no other and is reported', async () => {
    const ledger = new ResourceLedger();
    const released: string[] = [];
    ledger.acquire('ring', () => void released.push('ring'));
    ledger.acquire('rtpPort', () => Promise.reject(new Error('later')));
    ledger.acquire('dialog', () => {
      throw new Error('now');
    });
    const errors = await ledger.releaseAll();
    expect(errors.map((error) => (error as Error).message).sort()).toEqual(['later', 'now']);
    expect(released).toEqual(['ring']);
    expect(ledger.counts()).toEqual(emptyCounts());
  });

  it('a slow release holds up no other, only the end', async () => {
    const ledger = new ResourceLedger();
    const bye = new Gate();
    let isPortFree = false;
    ledger.acquire('rtpPort', async () => {
      isPortFree = true;
    });
    ledger.acquire('dialog', () => bye.promise);
    let isDone = false;
    const done = ledger.releaseAll().then(() => {
      isDone = true;
    });
    await Promise.resolve();
    expect(isPortFree).toBe(true);
    expect(isDone).toBe(false);
    expect(ledger.counts().dialog).toBe(1);
    bye.open();
    await done;
    expect(ledger.isEmpty).toBe(true);
  });
});
