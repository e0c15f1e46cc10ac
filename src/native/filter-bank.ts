/**
 * The low-pass of the resampler: a Kaiser-windowed sinc, cut into one short filter per phase.
 * Thread: any; setup only, 0.1 to 20 ms per new pair of rates, then kept for the life of the thread.
 * Source: Kaiser's design formulas as in Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5.3.
 *
 * Flat to 0.85 of the lower Nyquist frequency (3.4 kHz at 8 kHz, the upper edge of telephone speech) and
 * down by STOPBAND_DB from Nyquist on, so that nothing at all folds back.
 */
import { WildfireError } from '../errors.ts';

export interface FilterBank {
  /** Phases: output samples per `decimation` input samples, in lowest terms. */
  readonly interpolation: number;
  readonly decimation: number;
  /** Taps of one phase, a multiple of 4. */
  readonly tapsPerPhase: number;
  /** [interpolation][tapsPerPhase], oldest sample's tap first; each phase sums to 1. */
  readonly taps: Float64Array;
  /** Group delay in output samples, a whole number. */
  readonly delaySamples: number;
}

const PASSBAND_EDGE = 0.85;
const STOPBAND_DB = 100;
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

function makeFilterBank(fromHz: number, toHz: number): FilterBank {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const interpolation = toHz / divisor;
  const decimation = fromHz / divisor;
  if (!(interpolation <= MAX_PHASES && decimation <= MAX_PHASES)) {
    throw new WildfireError('AUDIO_INVALID', `cannot resample ${fromHz} Hz to ${toHz} Hz`);
  }
  const prototype = makePrototype(interpolation, decimation);
  const tapsPerPhase = 4 * Math.ceil(prototype.length / interpolation / 4);
  const taps = new Float64Array(interpolation * tapsPerPhase);
  for (let phase = 0; phase < interpolation; phase++) {
    const row = taps.subarray(phase * tapsPerPhase, (phase + 1) * tapsPerPhase);
    for (let age = 0; age < tapsPerPhase; age++) {
      row[tapsPerPhase - 1 - age] = prototype[phase + age * interpolation] ?? 0;
    }
    scaleToUnitSum(row);
  }
  const delaySamples = (prototype.length - 1) / 2 / decimation;
  return { interpolation, decimation, tapsPerPhase, taps, delaySamples };
}

/** The whole filter at the common rate (interpolation times the input rate), of odd length. */
function makePrototype(interpolation: number, decimation: number): Float64Array {
  // The lower rate is 1/slowness of the common rate; frequencies here are in cycles per common sample.
  const slowness = Math.max(interpolation, decimation);
  const stopEdge = 0.5 / slowness;
  const passEdge = PASSBAND_EDGE * stopEdge;
  const order = (STOPBAND_DB - 7.95) / (2.285 * 2 * Math.PI * (stopEdge - passEdge));
  // A whole number of output samples, so that the delay can be skipped exactly.
  const halfLength = decimation * Math.ceil(order / 2 / decimation);
  const beta = 0.1102 * (STOPBAND_DB - 8.7);
  const cutoff = passEdge + stopEdge; // twice the middle of the transition
  const prototype = new Float64Array(2 * halfLength + 1);
  for (let i = 0; i < prototype.length; i++) {
    const offset = i - halfLength;
    const window = besselI0(beta * Math.sqrt(1 - (offset / halfLength) ** 2)) / besselI0(beta);
    prototype[i] = sinc(cutoff * offset) * window;
  }
  return prototype;
}

function scaleToUnitSum(row: Float64Array): void {
  const sum = row.reduce((total, tap) => total + tap, 0);
  for (let i = 0; i < row.length; i++) row[i] = row[i]! / sum;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  if (!(Number.isInteger(a) && Number.isInteger(b) && a > 0 && b > 0)) {
    throw new WildfireError('AUDIO_INVALID', `cannot resample ${a} Hz to ${b} Hz`);
  }
  return a % b === 0 ? b : greatestCommonDivisor(b, a % b);
}
