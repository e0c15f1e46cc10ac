/**
 * native.block and native.batch100: what the resampler costs per 20 ms of 16-bit sound, beside its peers, which take
 * turns with it, and how much of that a batch of 100 calls saves. And what a native call costs that does nothing, beside
 * the per-sample work that stays in TypeScript: it could not be faster than that.
 * Run: ./wildfire bench native/speed
 */
import { g711Codec } from '../../src/audio/g711.ts';
import { rmsDbfs } from '../../src/audio/level.ts';
import { nativeAddon } from '../../src/native/addon.ts';
import { createResampler, createResamplerBatch, JOB_NUMBERS } from '../../src/native/resampler.ts';
import { type BenchResult, type BenchRow, quantiles } from '../bench-row.ts';
import {
  LIVEKIT,
  NATIVE,
  type Peer,
  type PeerStream,
  type Rates,
  releasePeers,
  SPEEX_Q7,
  TYPESCRIPT,
} from './peers.ts';
import { timedAgainst } from './targets.ts';

const PAIRS = [
  { name: '8to16', rates: { fromHz: 8000, toHz: 16_000 } },
  { name: '24to8', rates: { fromHz: 24_000, toHz: 8000 } },
  { name: '22to8', rates: { fromHz: 22_050, toHz: 8000 } },
  { name: '48to16', rates: { fromHz: 48_000, toHz: 16_000 } },
];
const BLOCKS_PER_SECOND = 50;
const ROUNDS = 3000;
const WARM_UP_ROUNDS = 500;
/** Few, so that hardly a sample is cut in two by what else the machine does. */
const BLOCKS_PER_SAMPLE = 4;
const CALLS = 100;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  for (const pair of PAIRS) rows.push(...(await blockRows(pair)));
  rows.push(batchRow(), ...emptyCallRows());
  await releasePeers();
  return { rows, machine: { nativeAddon: nativeAddon().remark } };
}

async function blockRows({ name, rates }: { name: string; rates: Rates }): Promise<BenchRow[]> {
  const peers: readonly Peer[] = [NATIVE, SPEEX_Q7, LIVEKIT, TYPESCRIPT];
  const streams = await Promise.all(peers.map((peer) => peer.open(rates)));
  const block = blockOf(rates.fromHz);
  const samplesUs = streams.map((): number[] => []);
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    for (const [index, stream] of streams.entries()) {
      const us = timedUs(() => runBlocks(stream, block)) / BLOCKS_PER_SAMPLE;
      if (round >= WARM_UP_ROUNDS) samplesUs[index]!.push(us);
    }
    // LiveKit frees what it allocated between turns of the event loop only.
    if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const stream of streams) stream.close();
  const own = quantiles(`native.block.${name}`, 'us', samplesUs[0]!);
  return peers.slice(1).map((peer, index) => {
    const { p50 } = quantiles(peer.name, 'us', samplesUs[index + 1]!);
    return timedAgainst(own, { name: peer.name, p50 });
  });
}

function runBlocks(stream: PeerStream, block: Int16Array): void {
  for (let i = 0; i < BLOCKS_PER_SAMPLE; i++) stream.process(block);
}

/** 100 calls, a block of each: in one native call, and in 100. */
function batchRow(): BenchRow {
  const rates = { fromHz: 8000, toHz: 16_000 };
  const block = blockOf(rates.fromHz);
  const batch = createResamplerBatch({ ...rates, streams: CALLS });
  const outputSamples = batch.maxOutputSamples(block.length);
  const input = new Int16Array(new SharedArrayBuffer(2 * block.length * CALLS));
  const output = new Int16Array(new SharedArrayBuffer(2 * outputSamples * CALLS));
  const jobs = new Int32Array(JOB_NUMBERS * CALLS);
  for (let call = 0; call < CALLS; call++) {
    input.set(block, call * block.length);
    jobs.set([call, call * block.length, block.length, call * outputSamples, 0], call * JOB_NUMBERS);
  }
  const singles = Array.from({ length: CALLS }, (_, call) => ({
    resampler: createResampler(rates),
    input: input.subarray(call * block.length, (call + 1) * block.length),
    output: output.subarray(call * outputSamples, (call + 1) * outputSamples),
  }));
  const [batchUs, singlesUs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const together = timedUs(() => batch.process(input, output, jobs));
    const apart = timedUs(() => {
      for (const single of singles) single.resampler.process(single.input, single.output);
    });
    if (round < WARM_UP_ROUNDS) continue;
    batchUs.push(together);
    singlesUs.push(apart);
  }
  const { p50 } = quantiles('singles', 'us', singlesUs);
  return timedAgainst(quantiles('native.batch100.8to16', 'us', batchUs), { name: '100 single blocks', p50 });
}

function emptyCallRows(): BenchRow[] {
  const resampler = createResampler({ fromHz: 8000, toHz: 16_000 });
  const [nothing, output, frame] = [new Int16Array(0), new Int16Array(320), blockOf(8000)];
  const bytes = new Uint8Array(frame.length);
  const codec = g711Codec('ulaw');
  const row = quantiles(
    'native.emptyCall',
    'us',
    manyUs(() => resampler.process(nothing, output)),
  );
  const inTypeScript = {
    'a G.711 frame encoded in TypeScript': () => codec.encode(frame, bytes, frame.length),
    'a G.711 frame decoded in TypeScript': () => codec.decode(bytes, frame, frame.length),
    'the level of a frame in TypeScript': () => rmsDbfs(frame),
  };
  return Object.entries(inTypeScript).map(([name, run]) => {
    return timedAgainst(row, { name, p50: quantiles(name, 'us', manyUs(run)).p50 });
  });
}

function manyUs(run: () => unknown): number[] {
  const runs = 100;
  const each = (): number =>
    timedUs(() => {
      for (let i = 0; i < runs; i++) run();
    }) / runs;
  return Array.from({ length: ROUNDS }, each).slice(WARM_UP_ROUNDS);
}

function blockOf(rateHz: number): Int16Array {
  const length = rateHz / BLOCKS_PER_SECOND;
  return Int16Array.from({ length }, (_, i) => 12_000 * Math.sin(i / 7) + 3000 * Math.sin(i * i));
}

function timedUs(run: () => void): number {
  const startMs = performance.now();
  run();
  return (performance.now() - startMs) * 1000;
}
