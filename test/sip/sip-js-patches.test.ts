/** The patches: they refuse a sip.js they were not written for, and change only what they say. */
import { Grammar, Timers, URI } from 'sip.js/lib/core/index.js';
import { describe, expect, it, vi } from 'vitest';

const prototype = URI.prototype as unknown as { escapeUser: (user: string) => string };

describe('the patches of sip.js', () => {
  it('refuse another sip.js, naming what differs, and then change nothing', async () => {
    const original = prototype.escapeUser;
    prototype.escapeUser = (user) => user;
    const { applySipJsPatches } = await import('../../src/sip/sip-js-patches.ts');
    expect(applySipJsPatches).toThrowError(expect.objectContaining({ code: 'INVALID_STATE' }));
    expect(applySipJsPatches).toThrow(/URI\.escapeUser/);
    expect(Timers.TIMER_D).toBe(0);
    prototype.escapeUser = original;
  });

  it('keep the grammar: what the fast readers leave reads as before', async () => {
    const values: readonly (readonly [string, string])[] = [
      ['From', '"A \\" b" <sip:a%41@[::1]:5?x=y>;tag=1;z="q"'],
      ['Contact', '<sip:a@b>;q=0.7, "c" <sips:d@e>'],
      ['Via', 'SIP/2.0/SCTP h;branch=z9;ttl=3;maddr=1.2.3.4'],
      ['Request_Response', 'soap.beep://x SIP/2.0'],
      ['To', 'nonsense <'],
    ];
    const plain = (): string => JSON.stringify(values.map(([rule, value]) => Grammar.parse(value, rule)));
    const before = plain();
    vi.resetModules();
    const { applySipJsPatches } = await import('../../src/sip/sip-js-patches.ts');
    applySipJsPatches();
    expect(plain()).toBe(before);
    expect([Timers.TIMER_D, Timers.TIMER_I, Timers.TIMER_J, Timers.TIMER_K]).toEqual([
      32_000, 5000, 32_000, 5000,
    ]);
  });

  it.each([
    ['+441234;phone-context=x', '+441234;phone-context=x'],
    ['a%20b', 'a%20b'],
    ['50%', '50%25'],
    ['a@b <c>', 'a%40b%20%3cc%3e'],
    ['%ff%zz', '%ff%25zz'],
  ])('print the user part %s as %s', (user, printed) => {
    expect(new URI('sip', user, 'h').toString()).toBe(`sip:${printed}@h`);
  });
});
