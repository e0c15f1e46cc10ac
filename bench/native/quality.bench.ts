/**
 * native.thdn, .ripple, .alias and .delay: what the resampler does to a signal, for all pairs of rates, and beside speex,
 * LiveKit's, libsamplerate and libsoxr for the two pairs that every telephone call takes.
 * Run: ./wildfire bench native/quality
 */
import { aimedAt, type BenchResult, type BenchRow, figure, rounded } from '../bench-row.ts';
import { convertNative, convertSoxr, convertWith, type Quality, qualityOf } from './measures.ts';
import { PEERS, type Rates, releasePeers } from './peers.ts';
import { QUALITY_TARGETS } from './targets.ts';

const RATES_HZ = [8000, 16_000, 22_050, 24_000, 48_000];
const TELEPHONE_PAIRS = [
  { name: '8to16', rates: { fromHz: 8000, toHz: 16_000 } },
  { name: '24to8', rates: { fromHz: 24_000, toHz: 8000 } },
];
const MEASURES = [
  { name: 'thdn', key: 'thdnDb', unit: 'dB' },
  { name: 'ripple', key: 'rippleDb', unit: 'dB' },
  { name: 'alias', key: 'aliasDb', unit: 'dB' },
  { name: 'delay', key: 'delayMs', unit: 'ms' },
] as const;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  for (const pair of TELEPHONE_PAIRS) rows.push(...(await rowsBesidePeers(pair)));
  rows.push(...(await worstOfAllPairs()));
  await releasePeers();
  return { rows };
}

async function rowsBesidePeers({ name, rates }: { name: string; rates: Rates }): Promise<BenchRow[]> {
  const own = (await qualityOf(convertNative, rates))!;
  const peers: { name: string; samples: string; quality: Quality }[] = [];
  const soxr = await qualityOf(convertSoxr, rates);
  if (soxr === null) console.error('libsoxr in floats is left out: no python3 here has the module soxr');
  else peers.push({ name: 'soxr-hq', samples: 'float', quality: soxr });
  for (const peer of PEERS) {
    const quality = await qualityOf(convertWith(peer), rates);
    if (quality !== null) peers.push({ name: peer.name, samples: peer.samples, quality });
  }
  printTable(name, [{ name: 'wildfire', samples: 'float', quality: own }, ...peers]);
  return MEASURES.flatMap((measure) => {
    const row = aimedAt(
      figure(`native.${measure.name}.${name}`, measure.unit, own[measure.key]),
      QUALITY_TARGETS[measure.key],
    );
    return peers.map((peer) => ({
      ...row,
      baseline: peer.name,
      baselineP50: rounded(peer.quality[measure.key]),
    }));
  });
}

/** One row per measure: the worst pair of all, and which it is. */
async function worstOfAllPairs(): Promise<BenchRow[]> {
  const all: { pair: string; quality: Quality }[] = [];
  for (const fromHz of RATES_HZ) {
    for (const toHz of RATES_HZ.filter((hz) => hz !== fromHz)) {
      const quality = await qualityOf(convertNative, { fromHz, toHz });
      all.push({ pair: `${fromHz} to ${toHz} Hz`, quality: quality! });
    }
  }
  return MEASURES.map(({ name, key, unit }) => {
    const worst = all.reduce((most, each) => (each.quality[key] > most.quality[key] ? each : most));
    const row = figure(`native.${name}.worst`, unit, worst.quality[key], {
      remark: `${worst.pair}, of ${all.length}`,
    });
    return aimedAt(row, QUALITY_TARGETS[key]);
  });
}

function printTable(
  pair: string,
  rows: readonly { name: string; samples: string; quality: Quality }[],
): void {
  const header =
    '| resampler | samples | THD+N of 1 kHz | level to 3.4 kHz | aliases, images | of them in the band | delay |';
  console.error(`\n${pair}\n${header}\n|---|---|---|---|---|---|---|`);
  for (const { name, samples, quality } of rows) {
    const cells = [
      `${quality.thdnDb.toFixed(1)} dB`,
      `±${quality.rippleDb.toFixed(2)} dB`,
      `${quality.aliasDb.toFixed(1)} dB`,
      `${quality.bandAliasDb.toFixed(1)} dB`,
      `${quality.delayMs.toFixed(1)} ms`,
    ];
    console.error(`| ${name} | ${samples} | ${cells.join(' | ')} |`);
  }
}
