/** WAV files: every kind that is read, what is refused and why, and rubbish in any form. */
import { describe, expect, it } from 'vitest';
import { g711Codec } from '../../src/audio/g711.ts';
import { mixToMono, parseWav, writeWav } from '../../src/audio/wav.ts';
import { WildfireError } from '../../src/errors.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const ramp = Int16Array.from({ length: 100 }, (_, i) => i * 300 - 15_000);

interface Chunk {
  readonly id: string;
  readonly body: Uint8Array;
  readonly statedBytes?: number;
}

function wavOf(...chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.map(({ id, body, statedBytes = body.length }) => {
    const bytes = Buffer.alloc(8 + body.length + (body.length % 2));
    bytes.write(id, 0, 'latin1');
    bytes.writeUInt32LE(statedBytes, 4);
    bytes.set(body, 8);
    return bytes;
  });
  const riff = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1');
  const whole = Buffer.concat([riff, ...parts]);
  whole.writeUInt32LE(whole.length - 8, 4);
  return new Uint8Array(whole);
}

function format(tag: number, bitsPerSample: number, channels = 1, rateHz = 8000): Chunk {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(tag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(rateHz, 4);
  body.writeUInt16LE((channels * bitsPerSample) / 8, 12);
  body.writeUInt16LE(bitsPerSample, 14);
  return { id: 'fmt ', body };
}

function data(samples: Int16Array | Float32Array | Uint8Array, statedBytes?: number): Chunk {
  const body = new Uint8Array(
    samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength),
  );
  return statedBytes === undefined ? { id: 'data', body } : { id: 'data', body, statedBytes };
}

describe('reading a WAV', () => {
  it('reads what it wrote, mono and stereo', () => {
    const mono = { rateHz: 22050, channels: [ramp] };
    expect(parseWav(writeWav(mono))).toEqual(mono);
    const stereo = { rateHz: 48000, channels: [ramp, ramp.map((sample) => -sample)] };
    expect(parseWav(writeWav(stereo))).toEqual(stereo);
    expect(parseWav(writeWav({ rateHz: 8000, channels: [new Int16Array(0)] })).channels[0]).toHaveLength(0);
  });

  it.each([
    ['ulaw', 7],
    ['alaw', 6],
  ] as const)('reads %s', (law, tag) => {
    const bytes = new Uint8Array(ramp.length);
    const expected = new Int16Array(ramp.length);
    g711Codec(law).encode(ramp, bytes, ramp.length);
    g711Codec(law).decode(bytes, expected, ramp.length);
    expect(parseWav(wavOf(format(tag, 8), data(bytes))).channels[0]).toEqual(expected);
  });

  it('reads 32-bit float, clipped', () => {
    const floats = Float32Array.of(0, 0.5, -0.5, 1.5, -1.5, Number.NaN);
    const { channels } = parseWav(wavOf(format(3, 32), data(floats)));
    expect([...channels[0]!]).toEqual([0, 16384, -16384, 32767, -32768, 0]);
  });

  it('reads the extensible form of a format', () => {
    const body = Buffer.alloc(40);
    body.set(format(0xfffe, 16).body);
    body.writeUInt16LE(22, 16);
    body.writeUInt16LE(1, 24);
    expect(parseWav(wavOf({ id: 'fmt ', body }, data(ramp))).channels[0]).toEqual(ramp);
  });

  it('skips chunks that it does not know, and their padding', () => {
    const odd = { id: 'LIST', body: new Uint8Array(7).fill(1) };
    expect(parseWav(wavOf(odd, format(1, 16), odd, data(ramp), odd)).channels[0]).toEqual(ramp);
  });

  it('reads to the end when the writer did not know the length', () => {
    expect(parseWav(wavOf(format(1, 16), data(ramp, 0xffffffff))).channels[0]).toEqual(ramp);
  });

  it('drops an incomplete last frame', () => {
    const bytes = new Uint8Array(ramp.buffer, 0, 7);
    expect(parseWav(wavOf(format(1, 16, 2), data(bytes))).channels.map((one) => one.length)).toEqual([1, 1]);
  });

  it('reads a view that starts anywhere in its buffer', () => {
    const shifted = new Uint8Array([1, 2, 3, ...writeWav({ rateHz: 8000, channels: [ramp] })]).subarray(3);
    expect(parseWav(shifted).channels[0]).toEqual(ramp);
  });
});

describe('refusing a WAV', () => {
  it.each([
    ['an empty file', new Uint8Array(0), /RIFF WAVE/],
    ['another kind of file', new Uint8Array(64).fill(65), /RIFF WAVE/],
    ['no data', wavOf(format(1, 16)), /no "data"/],
    ['data before its format', wavOf(data(ramp), format(1, 16)), /before any "fmt "/],
    ['a short format', wavOf({ id: 'fmt ', body: new Uint8Array(14) }, data(ramp)), /14 bytes/],
    ['24-bit PCM', wavOf(format(1, 24), data(ramp)), /format 1 with 24 bits/],
    ['a codec', wavOf(format(0x31, 8), data(ramp)), /format 49/],
    ['no channel', wavOf(format(1, 16, 0), data(ramp)), /0 channels/],
    ['six channels', wavOf(format(1, 16, 6), data(ramp)), /6 channels/],
    ['no rate', wavOf(format(1, 16, 1, 0), data(ramp)), /0 Hz/],
    ['a chunk longer than the file', wavOf(format(1, 16), data(ramp, 1000)), /states 1000 bytes/],
  ])('%s', (_, bytes, message) => {
    expect(() => parseWav(bytes)).toThrow(expect.objectContaining({ code: 'AUDIO_INVALID' }));
    expect(() => parseWav(bytes)).toThrow(message);
  });

  it('does not write channels of different length, or none', () => {
    expect(() => writeWav({ rateHz: 8000, channels: [] })).toThrow(WildfireError);
    expect(() => writeWav({ rateHz: 8000, channels: [ramp, ramp.subarray(1)] })).toThrow(WildfireError);
  });
});

describe('mixing to mono', () => {
  it('takes the mean of two and the only one of one', () => {
    const channels = [Int16Array.of(100, -32768, 32767), Int16Array.of(200, -32768, 32767)];
    expect([...mixToMono({ rateHz: 8000, channels })]).toEqual([150, -32768, 32767]);
    expect(mixToMono({ rateHz: 8000, channels: [ramp] })).toBe(ramp);
  });
});

describe('fuzz: WAV', () => {
  it('reads or refuses with AUDIO_INVALID, nothing else, and never makes sound out of nothing', () => {
    const random = new SeededRandom(printedSeed('fuzz: WAV'));
    const corpus = [
      writeWav({ rateHz: 8000, channels: [ramp] }),
      writeWav({ rateHz: 44100, channels: [ramp, ramp] }),
      wavOf({ id: 'LIST', body: new Uint8Array(5) }, format(7, 8), data(new Uint8Array(50))),
      wavOf(format(3, 32), data(new Float32Array(20))),
    ];
    let read = 0;
    for (let i = 0; i < 20_000; i++) {
      const bytes = mutate(random.pick(corpus), random);
      try {
        const { channels } = parseWav(bytes);
        const samples = channels.reduce((sum, channel) => sum + channel.length, 0);
        expect(samples).toBeLessThanOrEqual(bytes.length);
        read++;
      } catch (error) {
        expect(error).toMatchObject({ name: 'WildfireError', code: 'AUDIO_INVALID' });
      }
    }
    expect(read).toBeGreaterThan(500);
  });
});

function mutate(original: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = original.slice(0, random.isTrue(0.3) ? random.integer(0, original.length) : original.length);
  const changes = random.integer(0, 4);
  for (let i = 0; i < changes && bytes.length > 0; i++) {
    // Mostly the header, where the lengths and formats are.
    const at = random.integer(0, Math.min(bytes.length, random.isTrue(0.8) ? 60 : bytes.length) - 1);
    bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.integer(0, 255)]);
  }
  return bytes;
}
