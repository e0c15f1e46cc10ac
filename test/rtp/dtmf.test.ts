/** Telephone events, RFC 4733. */
import { describe, expect, test } from 'vitest';
import { DtmfReceiver, dtmfPress, isDtmfDigit, writeDtmfPayload } from '../../src/rtp/dtmf.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

class Bench {
  readonly receiver = new DtmfReceiver(8000);
  readonly digits: string[] = [];
  nowMs = 0;

  send(digit: string, timestamp: number, durationUnits: number, isEnd = false): void {
    const payload = new Uint8Array(4);
    writeDtmfPayload({ digit, isEnd, durationUnits }, payload, 0);
    this.receiver.receive(payload, 0, 4, timestamp, this.nowMs);
    this.#collect();
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.receiver.expire(this.nowMs);
    this.#collect();
  }

  #collect(): void {
    const digit = this.receiver.takeDigit();
    if (digit !== '') this.digits.push(`${digit}:${Math.round(this.receiver.durationMs)}`);
  }
}

describe('telephone events', () => {
  test('RFC 4733 2.5.1: a press of many packets and three ends is one digit', () => {
    const bench = new Bench();
    for (const { digit, isEnd, durationUnits } of dtmfPress('5', 100, 8000)) {
      bench.send(digit, 1000, durationUnits, isEnd);
    }
    expect(bench.digits).toEqual(['5:100']);
  });

  test('the same digit twice is two digits', () => {
    const bench = new Bench();
    for (const timestamp of [1000, 3000]) bench.send('7', timestamp, 800, true);
    expect(bench.digits).toEqual(['7:100', '7:100']);
  });

  test('a lone start counts, after a while', () => {
    const bench = new Bench();
    bench.send('1', 1000, 160);
    bench.pass(100);
    expect(bench.digits).toEqual([]);
    bench.pass(20);
    expect(bench.digits).toEqual(['1:20']);
  });

  test('lost ends: the next digit closes the one before', () => {
    const bench = new Bench();
    bench.send('1', 1000, 160);
    bench.send('1', 1000, 320);
    bench.send('2', 2000, 160);
    bench.send('2', 2000, 320, true);
    expect(bench.digits).toEqual(['1:40', '2:40']);
  });

  test('ends that arrive after the digit was given change nothing', () => {
    const bench = new Bench();
    bench.send('1', 1000, 160);
    bench.pass(200);
    bench.send('1', 1000, 320, true);
    bench.pass(200);
    expect(bench.digits).toEqual(['1:20']);
  });

  test('an overtaken packet of an older digit changes nothing', () => {
    const bench = new Bench();
    bench.send('1', 1000, 320, true);
    bench.send('2', 2000, 160);
    bench.send('1', 1000, 320, true);
    bench.send('2', 2000, 320, true);
    expect(bench.digits).toEqual(['1:40', '2:40']);
  });

  test('a sender that starts anew may count from anywhere; the press under way has ended', () => {
    const bench = new Bench();
    bench.send('1', 80_000, 400, true);
    bench.send('2', 90_000, 400);
    bench.receiver.restart();
    bench.pass(0);
    bench.send('3', 500, 400, true);
    expect(bench.digits).toEqual(['1:50', '2:50', '3:50']);
  });

  test('timestamps may wrap', () => {
    const bench = new Bench();
    bench.send('1', 0xffffff00, 320, true);
    bench.send('2', 0x00000100, 320, true);
    expect(bench.digits).toEqual(['1:40', '2:40']);
  });

  test('RFC 4733 2.5.1.3: a press longer than 0xffff units comes in segments and is one digit', () => {
    const bench = new Bench();
    bench.send('9', 1000, 0xffff);
    bench.send('9', 1000 + 0xffff, 800);
    bench.send('9', 1000 + 0xffff, 1600, true);
    expect(bench.digits).toEqual([`9:${Math.round((0xffff + 1600) / 8)}`]);
  });

  test('all sixteen digits', () => {
    const bench = new Bench();
    for (const [index, digit] of [...'0123456789*#ABCD'].entries())
      bench.send(digit, index * 1000, 160, true);
    expect(bench.digits.map((digit) => digit[0]).join('')).toBe('0123456789*#ABCD');
  });

  test.each([
    ['short', [1, 0, 0], 'tooShort'],
    ['hook flash', [16, 0x80, 0, 160], 'unknownEvent'],
  ] as const)('%s payloads are refused', (_, bytes, verdict) => {
    const payload = Uint8Array.from(bytes);
    expect(new DtmfReceiver(8000).receive(payload, 0, payload.length, 0, 0)).toBe(verdict);
  });

  test('the encoder takes only digits', () => {
    expect(['5', '#', 'D', 'E', '', '12'].map(isDtmfDigit)).toEqual([true, true, true, false, false, false]);
    expect(() =>
      writeDtmfPayload({ digit: 'x', isEnd: false, durationUnits: 1 }, new Uint8Array(4), 0),
    ).toThrow(RangeError);
  });

  test('fuzz: any bytes and timestamps are survived, and only digits come out', () => {
    const random = new SeededRandom(printedSeed('telephone event fuzz'));
    const receiver = new DtmfReceiver(8000);
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Uint8Array.from({ length: random.integer(0, 8) }, () => random.integer(0, 255));
      receiver.receive(bytes, 0, bytes.length, random.integer(0, 0xffffffff), round);
      receiver.expire(round);
      expect(receiver.takeDigit()).toMatch(/^[0-9*#A-D]?$/);
    }
  });
});
