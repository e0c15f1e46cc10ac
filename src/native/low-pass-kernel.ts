/**
 * The low-pass that every resampler is made of: one continuous, symmetric curve of finite length, told by its cosine
 * series. Time is in samples of the lower rate, so one table serves all pairs of rates. Pure; setup only.
 * Source: minimax design by iteratively reweighted least squares over the series' coefficients (Lawson 1961), with
 * the ends tied to zero; what it reaches is tested (test/native/low-pass-kernel.test.ts), why it is no window: docs/adr.
 *
 * Flat within 0.05 dB to 0.85 of the lower Nyquist frequency (3.4 kHz at 8 kHz, the upper edge of telephone speech);
 * down by 100 dB from Nyquist on, 111 dB from twice and 130 dB from four times Nyquist on.
 */

/** The curve reaches this far to both sides: 3.5 ms when the lower rate is 8 kHz. */
export const KERNEL_HALF_LENGTH_SAMPLES = 28;
/** No frequency above this share of the lower Nyquist frequency is promised to be flat. */
export const PASSBAND_EDGE = 0.85;

// The first 24 pass a band each, the next four are the transition, the others shape what is left of the stopband.
// biome-ignore format: one table, six to a row
const COEFFICIENTS = [
  1.7857142857e-2, 3.5648648362e-2, 3.5914885635e-2, 3.5528596131e-2, 3.585422154e-2, 3.5611509219e-2,
  3.5771482415e-2, 3.5721363288e-2, 3.5666096139e-2, 3.5813683494e-2, 3.5572859656e-2, 3.587714277e-2,
  3.5517376586e-2, 3.5904325352e-2, 3.5531095667e-2, 3.5885391307e-2, 3.559118628e-2, 3.5801938771e-2,
  3.5675617741e-2, 3.5695909264e-2, 3.5767274182e-2, 3.5605991182e-2, 3.5825895652e-2, 3.5630423712e-2,
  3.4766377301e-2, 2.2775105878e-2, 6.746393909e-3, 5.5741544513e-4, 3.1295143454e-7, -3.0003019136e-7,
  8.313053041e-8, 1.4440163476e-7, -2.4011940481e-7, 2.6294697723e-7, -2.5855374039e-7, 2.514761033e-7,
];

/** The curve at a time in samples of the lower rate; 0 outside its length. Its integral is 1. */
export function lowPassKernel(timeSamples: number): number {
  if (Math.abs(timeSamples) >= KERNEL_HALF_LENGTH_SAMPLES) return 0;
  const angle = (Math.PI * timeSamples) / KERNEL_HALF_LENGTH_SAMPLES;
  // Clenshaw: the cosines of all multiples from one.
  const twice = 2 * Math.cos(angle);
  let next = 0;
  let afterNext = 0;
  for (let k = COEFFICIENTS.length - 1; k > 0; k--) {
    [next, afterNext] = [COEFFICIENTS[k]! + twice * next - afterNext, next];
  }
  return COEFFICIENTS[0]! + (twice / 2) * next - afterNext;
}
