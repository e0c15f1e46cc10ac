/** The addon as a thing of this box: where it comes from, what it refuses, many threads at once, nothing left behind. */
import { execFileSync, spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { loadAddon, nativeAddon } from '../../src/native/addon.ts';
import { PREBUILT_FILE, sourceHash } from '../../src/native/addon-files.ts';
import { createResampler, createResamplerBatch, JOB_NUMBERS } from '../../src/native/resampler.ts';
import { IMPLEMENTATIONS, IS_PREBUILT_PLATFORM, NATIVE } from './implementations.ts';
import { tone } from './tone.ts';

const INVALID_STATE = expect.objectContaining({ code: 'INVALID_STATE' });
const AUDIO_INVALID = expect.objectContaining({ code: 'AUDIO_INVALID' });

describe.runIf(IS_PREBUILT_PLATFORM)('the prebuilt addon', () => {
  it('comes from the present sources (else: npm run build:native -- --prebuilt)', () => {
    expect(loadAddon(PREBUILT_FILE).describe().sourceHash).toBe(sourceHash());
  });

  it('is what this box uses, and says on which instructions', () => {
    const { addon, remark } = nativeAddon();
    expect(addon).not.toBeNull();
    expect(remark).toMatch(/^prebuilt for linux-x64-gnu, (portable|avx2|avx512), rustc /);
    expect(createResampler({ fromHz: 8000, toHz: 16_000 }).implementation).toBe('native');
  });
});

describe.each(NATIVE)('the $name addon', ({ create, addon }) => {
  it('refuses what are no samples', () => {
    const resampler = create({ fromHz: 8000, toHz: 16_000 });
    const output = new Float32Array(320);
    for (const wrong of [
      new Uint8Array(160),
      new Float64Array(160),
      [0],
      'samples',
      null,
      undefined,
      {},
      7,
    ]) {
      expect(() => resampler.process(wrong as never, output)).toThrow();
      expect(() => resampler.process(output.subarray(0, 8), wrong as never)).toThrow();
    }
    expect(resampler.process(output.subarray(0, 1), output.subarray(4))).toBe(2);
  });

  it('refuses filters that fit no ratio', () => {
    const taps = new Float32Array(12).fill(0.1);
    for (const [interpolation, decimation] of [
      [5, 1],
      [0, 1],
      [1, 0],
      [12, 1],
    ] as const) {
      expect(() => new addon!.FilterBank(taps, interpolation, decimation, 3)).toThrow(/filter bank/);
    }
    expect(() => new addon!.LogMel([300], [0, 1], [1])).toThrow(/mel filters/);
  });

  it('takes nothing of a detached buffer', () => {
    const input = new Float32Array(160);
    structuredClone(input.buffer, { transfer: [input.buffer] });
    expect(create({ fromHz: 8000, toHz: 16_000 }).process(input, new Float32Array(320))).toBe(0);
  });

  it('frees what is no longer used', async () => {
    const makeMany = async (): Promise<void> => {
      for (let i = 0; i < 1000; i++) create({ fromHz: 24_000, toHz: 8000 });
      // Node.js frees what the collector found between two turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let round = 0; round < 10; round++) await makeMany();
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 40; round++) await makeMany();
    // 40,000 resamplers of 20 KB each would be 800 MB.
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(200);
  });
});

describe.each(IMPLEMENTATIONS)('$name', ({ create, createBatch }) => {
  it('reads and writes shared memory at any element', () => {
    const memory = new SharedArrayBuffer(4096);
    const samples = tone(440, 8000, 160);
    const expected = new Float32Array(320);
    create({ fromHz: 8000, toHz: 16_000 }).process(samples, expected);
    for (const offset of [0, 4, 12, 20, 36]) {
      new Uint8Array(memory).fill(0xff);
      const input = new Float32Array(memory, offset, 160);
      const output = new Float32Array(memory, 1000 + offset, 320);
      input.set(samples);
      expect(create({ fromHz: 8000, toHz: 16_000 }).process(input, output)).toBe(320);
      expect(new Float32Array(output)).toEqual(expected);
      // Nothing beside the view was touched: all ones are no number.
      expect(new Float32Array(memory, 1000 + offset - 4, 1)[0]).toBeNaN();
      expect(new Float32Array(memory, 1000 + offset + 1280, 1)[0]).toBeNaN();
    }
  });

  it('reads and writes 16-bit samples at addresses that no float could have', () => {
    const memory = new SharedArrayBuffer(2048);
    const input = new Int16Array(memory, 2, 160);
    const output = new Int16Array(memory, 1002, 320);
    for (let i = 0; i < 160; i++) input[i] = 10_000 * Math.sin(i / 5);
    expect(create({ fromHz: 8000, toHz: 16_000 }).process(input, output)).toBe(320);
    expect(Math.max(...output)).toBeGreaterThan(9000);
    expect(new Int16Array(memory, 1000, 1)[0]).toBe(0);
    expect(new Int16Array(memory, 1642, 1)[0]).toBe(0);
  });

  it.each([0, 9, 1.5, Number.NaN])('refuses %d channels', (channels) => {
    expect(() => create({ fromHz: 8000, toHz: 16_000, channels })).toThrow(AUDIO_INVALID);
  });

  it('refuses a part of a sample of all channels', () => {
    const resampler = create({ fromHz: 8000, toHz: 16_000, channels: 2 });
    expect(() => resampler.process(new Float32Array(3), new Float32Array(8))).toThrow(INVALID_STATE);
    expect(resampler.maxOutputSamples(320)).toBe(640);
  });

  it('refuses a wrong job and tells which, with those before it done', () => {
    const batch = createBatch({ fromHz: 8000, toHz: 16_000, streams: 2 });
    const input = new Float32Array(160).fill(0.5);
    const good = [0, 0, 80, 0, -1];
    for (const wrong of [
      [2, 0, 80, 160, -1],
      [-1, 0, 80, 160, -1],
      [1, 81, 80, 160, -1],
      [1, -1, 80, 160, -1],
      [1, 0, -1, 160, -1],
      [1, 0, 80, 161, -1],
      [1, 0, 80, -1, -1],
      [1, 0, 80, 400, -1],
    ]) {
      const jobs = Int32Array.from([...good, ...wrong]);
      expect(() => batch.process(input, new Float32Array(320), jobs), `${wrong}`).toThrow(/job 1 /);
      expect(jobs[JOB_NUMBERS - 1]).toBe(160);
      expect(jobs.at(-1)).toBe(-1);
    }
    expect(() => batch.flush(2, new Float32Array(320))).toThrow(INVALID_STATE);
    expect(() => batch.reset(-1)).toThrow(INVALID_STATE);
    expect(() => batch.flush(0, new Float32Array(1))).toThrow(INVALID_STATE);
  });

  it.each([
    { fromHz: 8000, toHz: 8000, streams: 1 },
    { fromHz: 8000, toHz: 16_000, streams: 0 },
    { fromHz: 8000, toHz: 44_101, streams: 1 },
  ])('refuses an impossible batch: $fromHz to $toHz Hz, $streams streams', (options) => {
    expect(() => createBatch(options)).toThrow(AUDIO_INVALID);
  });
});

describe('many threads at once', () => {
  it('each get what one alone gets, and end cleanly', async () => {
    const expected = resampledTone();
    const source = `
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(new URL('../../src/native/resampler.ts', import.meta.url).href)}).then(({ createResampler }) => {
        const input = Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 700 * i) / 8000));
        const output = new Float32Array(16000);
        for (let round = 0; round < 50; round++) createResampler({ fromHz: 8000, toHz: 16000 }).process(input, output);
        parentPort.postMessage(output);
      });`;
    const outputs = await Promise.all(Array.from({ length: 8 }, () => runWorker(source)));
    for (const output of outputs) expect(output).toEqual(expected);
  });
});

describe('where no addon fits', () => {
  it('the twin does the work, and the search says why', () => {
    const program = `
      Object.defineProperty(process, 'platform', { value: 'sunos' });
      const { createResampler, createResamplerBatch } = await import('./src/native/resampler.ts');
      const { nativeAddon } = await import('./src/native/addon.ts');
      console.log(createResampler({ fromHz: 8000, toHz: 16000 }).implementation);
      console.log(createResamplerBatch({ fromHz: 8000, toHz: 16000, streams: 2 }).implementation);
      console.log(nativeAddon().remark);`;
    const root = new URL('../../', import.meta.url);
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root });
    expect(output.toString().trim().split('\n')).toEqual([
      'typescript',
      'typescript',
      `no addon was built for sunos ${process.arch}`,
    ]);
  });

  it('an install without cargo says so and goes on', () => {
    const onAnotherPlatform = `data:text/javascript,Object.defineProperty(process,'platform',{value:'sunos'})`;
    const run = spawnSync(
      process.execPath,
      ['--import', onAnotherPlatform, 'src/native/build-addon.ts', '--if-needed'],
      { cwd: new URL('../../', import.meta.url), env: { PATH: '' }, encoding: 'utf8' },
    );
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(
      /^wildfire: no native addon \(.* sunos .*\) and no cargo to build one: TypeScript/,
    );
  });

  it('a batch and a single stream are of the same kind', () => {
    const options = { fromHz: 8000, toHz: 16_000 };
    const { implementation } = createResampler(options);
    expect(createResamplerBatch({ ...options, streams: 1 }).implementation).toBe(implementation);
  });
});

function resampledTone(): Float32Array {
  const output = new Float32Array(16_000);
  createResampler({ fromHz: 8000, toHz: 16_000 }).process(tone(700, 8000, 8000), output);
  return output;
}

function runWorker(source: string): Promise<Float32Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true });
    let output: Float32Array | undefined;
    worker.once('message', (message: Float32Array) => {
      output = message;
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (code === 0 && output !== undefined) resolve(output);
      else reject(new Error(`the thread ended with ${code}`));
    });
  });
}
