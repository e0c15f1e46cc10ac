/**
 * The low-pass of the resampler, cut into one short filter per phase. Both implementations take their taps from here.
 * Thread: any; setup only, up to a few ms per new pair of rates, then kept for the life of the thread.
 */
import { WildfireError } from '../errors.ts';
import { KERNEL_HALF_LENGTH_SAMPLES, lowPassKernel } from './low-pass-kernel.ts';

export interface FilterBank {
  /** Phases: output samples per `decimation` input samples, in lowest terms. */
  readonly interpolation: number;
  readonly decimation: number;
  /** Taps of one phase, a multiple of 4. */
  readonly tapsPerPhase: number;
  /** [interpolation][tapsPerPhase], oldest sample's tap first; each phase sums to 1. Every value is a float32. */
  readonly taps: Float64Array;
  /** Group delay in output samples, a whole number. */
  readonly delaySamples: number;
}

/** 22,050 to 48,000 Hz needs 320 phases and 44,100 Hz 441; more than this is a mistaken rate. */
const MAX_PHASES = 1024;

const banks = new Map<string, FilterBank>();

/**
 * The filter bank for a pair of rates, made at its first use.
 * @throws WildfireError AUDIO_INVALID for rates that are no whole Hz or whose ratio needs too many phases.
 */
export function filterBankFor(fromHz: number, toHz: number): FilterBank {
  const key = `${fromHz}>${toHz}`;
  const known = banks.get(key);
  if (known !== undefined) return known;
  const made = makeFilterBank(fromHz, toHz);
  banks.set(key, made);
  return made;
}

/** The most that so many input samples of one channel can complete. */
export function maxOutputSamples({ interpolation, decimation }: FilterBank, inputSamples: number): number {
  return Math.ceil((inputSamples * interpolation) / decimation);
}

function makeFilterBank(fromHz: number, toHz: number): FilterBank {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const interpolation = toHz / divisor;
  const decimation = fromHz / divisor;
  if (!(interpolation <= MAX_PHASES && decimation <= MAX_PHASES)) {
    throw new WildfireError('AUDIO_INVALID', `cannot resample ${fromHz} Hz to ${toHz} Hz`);
  }
  // One sample of the lower rate is so many of the common one (interpolation times the input rate).
  const slowness = Math.max(interpolation, decimation);
  const halfLength = KERNEL_HALF_LENGTH_SAMPLES * slowness;
  // A whole number of output samples, so that the delay can be skipped exactly.
  const delaySamples = Math.ceil(halfLength / decimation);
  const centre = delaySamples * decimation;
  const tapsPerPhase = 4 * Math.ceil((centre + halfLength) / interpolation / 4);
  const taps = new Float64Array(interpolation * tapsPerPhase);
  for (let phase = 0; phase < interpolation; phase++) {
    const row = taps.subarray(phase * tapsPerPhase, (phase + 1) * tapsPerPhase);
    for (let age = 0; age < tapsPerPhase; age++) {
      row[tapsPerPhase - 1 - age] = lowPassKernel((phase + age * interpolation - centre) / slowness);
    }
    scaleToUnitSum(row);
  }
  return { interpolation, decimation, tapsPerPhase, taps, delaySamples };
}

function scaleToUnitSum(row: Float64Array): void {
  const sum = row.reduce((total, tap) => total + tap, 0);
  for (let i = 0; i < row.length; i++) row[i] = Math.fround(row[i]! / sum);
}

function greatestCommonDivisor(a: number, b: number): number {
  if (!(Number.isInteger(a) && Number.isInteger(b) && a > 0 && b > 0)) {
    throw new WildfireError('AUDIO_INVALID', `cannot resample ${a} Hz to ${b} Hz`);
  }
  return a % b === 0 ? b : greatestCommonDivisor(b, a % b);
}
