/** What the fast readers accept they must read exactly as sip.js's grammar does; the rest goes to the grammar. */
import { parse as parseByGrammar } from 'sip.js/lib/grammar/pegjs/dist/grammar.js';
import { describe, expect, it } from 'vitest';
import { parseFast } from '../../src/sip/fast-headers.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

function grammar(input: string, startRule: string): unknown {
  const options: { startRule: string; data?: unknown } = { startRule };
  try {
    parseByGrammar(input, options);
  } catch {
    return -1;
  }
  return options.data;
}

/**
 * Plain data, without prototypes (the grammar's parameters inherit) and without two things that nobody reads and
 * that the grammar leaves lying about from a wrong first try: `password` and `host_type`.
 */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner) => (key === 'password' || key === 'host_type' ? undefined : inner)),
  );
}

const COMMON: readonly (readonly [rule: string, value: string])[] = [
  ['Request_Response', 'INVITE sip:bob@192.0.2.1 SIP/2.0'],
  ['Request_Response', 'INVITE sip:+441234567@sbc.example.com:5070;transport=UDP;user=phone SIP/2.0'],
  ['Request_Response', 'OPTIONS sip:192.0.2.1 SIP/2.0'],
  ['Request_Response', 'SIP/2.0 200 OK'],
  ['Request_Response', 'SIP/2.0 481 Call Leg/Transaction Does Not Exist'],
  ['Via', 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1-2;rport'],
  ['Via', 'SIP/2.0/UDP pc.example.com;rport;branch=z9hG4bK776asdhds'],
  ['Via', 'SIP/2.0/TCP 192.0.2.1'],
  ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.7;rport=5061'],
  ['SIP_URI', 'sip:bob@192.0.2.1:5070'],
  ['SIP_URI', 'sip:192.0.2.1;transport=tcp'],
  ['From', '"Alice Q" <sip:alice@example.com>;tag=1928301774'],
  ['From', 'Alice <sip:alice@example.com:5060>;tag=a;x=y'],
  ['From', '<sip:alice@example.com>;tag=a73kszlfl'],
  ['From', 'sip:alice@example.com;tag=a'],
  ['To', '<sip:bob@[2001:db8::1]:5070>'],
  ['To', 'bob <sip:bob@biloxi.example.com;lr=on>'],
  ['Contact', '<sip:alice@192.0.2.1:5062;ob>'],
  ['Contact', '<sip:alice@192.0.2.1;transport=UDP>;expires=3600;+sip.instance="<urn:uuid:1>"'],
  ['Contact', '<sip:a@b.example.com>;q=0.7, <sip:b@b.example.com>'],
  ['Record_Route', '<sip:192.0.2.1;lr>'],
  ['Record_Route', '<sip:p1.example.com;lr>,<sip:p2.example.com;lr>'],
  ['CSeq', '314159 INVITE'],
  ['CSeq', '1  BYE'],
  ['Call_ID', 'a84b4c76e66710@pc33.example.com'],
  ['Call_ID', '1-2345@192.0.2.1'],
  ['Max_Forwards', '70'],
  ['Content_Length', '142'],
  ['Content_Type', 'application/sdp'],
  ['Content_Type', 'text/plain;charset=utf-8'],
];

/** Must be read without the grammar: these are in every call. */
const HOT = [0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 17, 20, 22, 24, 25, 26, 27, 28];

const PIECES = [
  '"',
  '<',
  '>',
  ';',
  ':',
  '@',
  ',',
  '=',
  ' ',
  '\t',
  '%41',
  '%',
  '\\',
  '..',
  '.-',
  'sip:',
  'SIP',
  '[::1]',
  '?a=b',
  ';tag=x',
  ';lr',
  '*',
  '\u00e9',
  '999999',
  '256.1.1.1',
  '0',
  '/',
  "'",
  '(',
  ')',
  '{',
  'é',
  ';transport=ws',
  ';Tag',
];

function mutate(value: string, random: SeededRandom): string {
  let text = value;
  for (let times = random.integer(1, 3); times > 0; times--) {
    const at = random.integer(0, text.length);
    const gone = random.isTrue(0.5) ? random.integer(0, 3) : 0;
    const added = random.isTrue(0.7) ? random.pick(PIECES) : '';
    text = text.slice(0, at) + added + text.slice(at + gone);
  }
  return text;
}

describe('the fast readers', () => {
  it.each(HOT.map((index) => COMMON[index] ?? ['', '']))('read %s %s without the grammar', (rule, value) => {
    expect(parseFast(value, rule)).toBeDefined();
  });

  it('agree with the grammar on common values', () => {
    for (const [rule, value] of COMMON) {
      const fast = parseFast(value, rule);
      if (fast !== undefined)
        expect([rule, value, plain(fast)]).toEqual([rule, value, plain(grammar(value, rule))]);
    }
  });

  it('agree with the grammar on 6,000 mutated values', () => {
    const random = new SeededRandom(printedSeed('fast-headers'));
    let compared = 0;
    for (let round = 0; round < 6000; round++) {
      const [rule, seedValue] = random.pick(COMMON);
      const value = mutate(seedValue, random).trim();
      const fast = parseFast(value, rule);
      if (fast === undefined) continue;
      compared++;
      expect([rule, value, plain(fast)]).toEqual([rule, value, plain(grammar(value, rule))]);
    }
    expect(compared).toBeGreaterThan(500);
  });
});
