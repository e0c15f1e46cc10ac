/** Registration datagrams, who they name, and what is not believed. */
import { describe, expect, it } from 'vitest';
import { datagramBytes, parseDatagram } from '../../../src/control-plane/wire/datagram.ts';
import { Identity } from '../../../src/control-plane/wire/identity.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const SEED = printedSeed('datagrams');
const MAX_ID = 56_533;
const SECRET = 'a secret of some length';

function parse(text: string): ReturnType<typeof parseDatagram> {
  return parseDatagram(Buffer.from(text, 'latin1'));
}

describe('registration datagrams', () => {
  it('are plain ASCII without an end', () => {
    expect(Buffer.from(datagramBytes({ kind: 'register', payload: '112' })).toString()).toBe('REGISTER:112');
    expect(Buffer.from(datagramBytes({ kind: 'bye', payload: '999' }))).toHaveLength(7);
  });

  it('are read with white space around the id', () => {
    expect(parse('REGISTER:112')).toEqual({ kind: 'register', payload: '112' });
    expect(parse('BYE: 999 \r\n')).toEqual({ kind: 'bye', payload: '999' });
  });

  it.each(['', 'REGISTER', 'register:1', 'HELLO:1', ' REGISTER:1', `BYE:${'1'.repeat(300)}`])(
    '%j is none',
    (text) => {
      expect(parse(text)).toBeNull();
    },
  );

  it('never throw, whatever the bytes', () => {
    const seeded = new SeededRandom(SEED);
    const random = (): number => seeded.next();
    const identity = new Identity('', MAX_ID);
    for (let round = 0; round < 20_000; round++) {
      const tail = Buffer.from(Array.from({ length: Math.floor(random() * 20) }, () => random() * 256));
      const head = random() < 0.5 ? 'REGISTER:' : random() < 0.5 ? 'BYE:' : '';
      const datagram = parseDatagram(Buffer.concat([Buffer.from(head), tail]));
      if (datagram === null) continue;
      const who = identity.read(datagram.kind, datagram.payload);
      if (typeof who === 'number') expect(who).toBeLessThanOrEqual(MAX_ID);
      else expect(who).toBe('idInvalid');
    }
  });
});

describe('identities without a secret', () => {
  const identity = new Identity('', MAX_ID);

  it('are the decimal id', () => {
    expect(identity.stamp('register', 112)).toBe('112');
    expect(identity.read('register', '112')).toBe(112);
    expect(identity.read('hello', '007')).toBe(7);
    expect(identity.read('bye', String(MAX_ID))).toBe(MAX_ID);
  });

  it.each(['', '-1', '1.5', '12abc', '0x10', '1e3', '56534', '99999999999', '1;2;3', '１'])(
    '%j is none',
    (payload) => {
      expect(identity.read('register', payload)).toBe('idInvalid');
    },
  );
});

describe('identities with a secret', () => {
  let nowS = 1_764_331_200;
  const identity = new Identity(SECRET, MAX_ID, () => nowS);

  it('are believed within half a minute', () => {
    const payload = identity.stamp('hello', 112);
    expect(payload.length).toBeLessThan(64);
    expect(identity.read('hello', payload)).toBe(112);
    nowS += 30;
    expect(identity.read('hello', payload)).toBe(112);
    nowS += 1;
    expect(identity.read('hello', payload)).toBe('signatureOld');
  });

  it('are not believed for another purpose, id, time or secret, or without a signature', () => {
    const payload = identity.stamp('register', 112);
    expect(identity.read('bye', payload)).toBe('signatureWrong');
    expect(identity.read('register', payload.replace('112;', '114;'))).toBe('signatureWrong');
    expect(
      identity.read(
        'register',
        payload.replace(/;(\d+);/, (_, at) => `;${Number(at) + 1};`),
      ),
    ).toBe('signatureWrong');
    expect(new Identity('another secret, as long', MAX_ID, () => nowS).read('register', payload)).toBe(
      'signatureWrong',
    );
    expect(identity.read('register', '112')).toBe('signatureMissing');
    expect(identity.read('register', `${payload}0`)).toBe('signatureWrong');
    expect(identity.read('register', 'x;1;2')).toBe('idInvalid');
  });
});
