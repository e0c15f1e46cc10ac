/**
 * Packet-loss concealment: fills a lost frame by repeating the last pitch periods, fading to silence in 60 ms.
 * Thread: media. Hot: `good` runs for every frame, `conceal` for every lost one (12 us at the start of a loss, for
 * the pitch search); neither allocates. Walk: packet step 5. Source: ITU-T G.711 Appendix I (09/1999).
 *
 * Unlike the Appendix it adds no delay: it cannot reach back and blend the last good samples, which have been
 * handed on, so that blend lies in the first quarter period of the repetition instead.
 */

const REMEMBERED_MS = 48.75; // three of the longest periods, and a quarter to bend the end of the cycle
const SHORTEST_PERIOD_MS = 5; // 200 Hz; of higher voices several periods count as one
const LONGEST_PERIOD_MS = 15; // 66 Hz
const COMPARED_MS = 20; // how much of the past must look alike one period apart
const STEP_MS = 10; // after each step one more period joins the cycle, so that it does not buzz
const MAX_PERIODS = 3;
const SILENT_AFTER_MS = 60; // the fade starts after one step
const LONGEST_BLEND_MS = 10;
const BLEND_GROWTH_MS = 4; // the blend back into speech is longer by this for each further step lost

/** Conceals the losses of one stream. */
export class PacketLossConcealer {
  readonly #rateHz: number;
  readonly #stepSamples: number;
  readonly #silentAfterSamples: number;
  /** What was heard last, concealment included; newest at the end. */
  readonly #history: Float32Array;
  /** The history as it was when the loss began: the cycle is its last few periods. */
  readonly #past: Float32Array;
  /** What the signal would go on as without the change that is being blended in. */
  readonly #fading: Float32Array;
  /** Length of the blend under way, and how much of it is done. */
  #blendSamples = 0;
  #blendedSamples = 0;
  /** Samples concealed since the last good frame. */
  #lostSamples = 0;
  #periodSamples = 0;
  #cycleSamples = 0;
  /** Next sample of the cycle, 0..cycleSamples-1. */
  #cycleOffset = 0;

  constructor({ rateHz = 8000 }: { readonly rateHz?: number } = {}) {
    this.#rateHz = rateHz;
    this.#stepSamples = this.#toSamples(STEP_MS);
    this.#silentAfterSamples = this.#toSamples(SILENT_AFTER_MS);
    this.#history = new Float32Array(this.#toSamples(REMEMBERED_MS));
    this.#past = new Float32Array(this.#history.length);
    this.#fading = new Float32Array(this.#toSamples(LONGEST_BLEND_MS));
  }

  /** Forgets the stream, for another one. */
  clear(): void {
    this.#history.fill(0);
    this.#blendSamples = 0;
    this.#blendedSamples = 0;
    this.#lostSamples = 0;
  }

  /** Takes a frame that arrived; after a loss its start is blended, in place, with the concealment. */
  good(frame: Int16Array): void {
    if (this.#lostSamples > 0) {
      this.#beginRecovery(frame.length);
      for (let i = 0; this.#blendedSamples < this.#blendSamples; i++) frame[i] = clip(this.#blend(frame[i]!));
      this.#lostSamples = 0;
    }
    this.#remember(frame);
  }

  /** Fills `target` with what the lost frame may have held. */
  conceal(target: Int16Array): void {
    if (this.#lostSamples === 0) this.#beginLoss();
    for (let i = 0; i < target.length; i++) {
      if (this.#lostSamples > 0 && this.#lostSamples % this.#stepSamples === 0) this.#lengthenCycle();
      target[i] = clip(this.#nextConcealed());
      this.#lostSamples++;
    }
    this.#remember(target);
  }

  #beginLoss(): void {
    const { length } = this.#history;
    this.#past.set(this.#history);
    this.#periodSamples = this.#findPeriod();
    this.#cycleSamples = this.#periodSamples;
    this.#cycleOffset = 0;
    // The cycle begins where the signal was one period ago; the difference is led away, not jumped over.
    const jump = this.#past[length - 1]! - this.#past[length - 1 - this.#periodSamples]!;
    this.#blendSamples = this.#quarterPeriod();
    this.#blendedSamples = 0;
    for (let i = 0; i < this.#blendSamples; i++) this.#fading[i] = this.#cycleSample(i) + jump;
  }

  /** Blends into a cycle of one period more, in phase with the shorter one. */
  #lengthenCycle(): void {
    if (this.#cycleSamples >= MAX_PERIODS * this.#periodSamples) return;
    const offset = this.#cycleOffset;
    const blendSamples = this.#quarterPeriod();
    for (let i = 0; i < blendSamples; i++) this.#fading[i] = this.#blend(this.#nextOfCycle());
    this.#blendSamples = blendSamples;
    this.#blendedSamples = 0;
    this.#cycleOffset = offset % this.#periodSamples;
    this.#cycleSamples += this.#periodSamples;
  }

  #beginRecovery(frameSamples: number): void {
    const furtherSteps = Math.ceil(this.#lostSamples / this.#stepSamples) - 1;
    const wantedSamples = this.#quarterPeriod() + furtherSteps * this.#toSamples(BLEND_GROWTH_MS);
    const blendSamples = Math.min(wantedSamples, this.#fading.length, frameSamples);
    for (let i = 0; i < blendSamples; i++) {
      this.#fading[i] = this.#nextConcealed();
      this.#lostSamples++;
    }
    this.#blendSamples = blendSamples;
    this.#blendedSamples = 0;
  }

  #nextConcealed(): number {
    const fadedSamples = this.#lostSamples - this.#stepSamples;
    const gain = 1 - fadedSamples / (this.#silentAfterSamples - this.#stepSamples);
    if (gain <= 0) return 0;
    return this.#blend(this.#nextOfCycle()) * Math.min(1, gain);
  }

  #nextOfCycle(): number {
    const sample = this.#cycleSample(this.#cycleOffset);
    this.#cycleOffset = (this.#cycleOffset + 1) % this.#cycleSamples;
    return sample;
  }

  /** The cycle at `offset`; its last quarter period is bent towards what came before it, so that it loops. */
  #cycleSample(offset: number): number {
    const at = this.#past.length - this.#cycleSamples + offset;
    const bentSamples = this.#quarterPeriod();
    const intoBend = offset - (this.#cycleSamples - bentSamples) + 1;
    if (intoBend <= 0) return this.#past[at]!;
    const weight = intoBend / (bentSamples + 1);
    return this.#past[at]! * (1 - weight) + this.#past[at - this.#cycleSamples]! * weight;
  }

  /** Moves from what is fading out to `sample`, one step per call. */
  #blend(sample: number): number {
    if (this.#blendedSamples >= this.#blendSamples) return sample;
    const fading = this.#fading[this.#blendedSamples]!;
    this.#blendedSamples++;
    const weight = this.#blendedSamples / (this.#blendSamples + 1);
    return fading * (1 - weight) + sample * weight;
  }

  /** The lag at which the last 20 ms look most like what came before them (normalised correlation). */
  #findPeriod(): number {
    const past = this.#past;
    const comparedSamples = this.#toSamples(COMPARED_MS);
    const from = past.length - comparedSamples;
    const longest = this.#toSamples(LONGEST_PERIOD_MS);
    let best = longest;
    let bestScore = 0;
    for (let lag = this.#toSamples(SHORTEST_PERIOD_MS); lag <= longest; lag++) {
      let product = 0;
      let energy = 1; // one bit squared: keeps silence from dividing by zero
      for (let i = from; i < past.length; i++) {
        const earlier = past[i - lag]!;
        product += past[i]! * earlier;
        energy += earlier * earlier;
      }
      const score = product / Math.sqrt(energy);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }

  #remember(frame: Int16Array): void {
    const history = this.#history;
    const keptSamples = Math.max(0, history.length - frame.length);
    history.copyWithin(0, history.length - keptSamples);
    const skippedSamples = frame.length + keptSamples - history.length;
    for (let i = skippedSamples; i < frame.length; i++) history[keptSamples + i - skippedSamples] = frame[i]!;
  }

  #quarterPeriod(): number {
    return this.#periodSamples >> 2;
  }

  #toSamples(ms: number): number {
    return Math.round((ms * this.#rateHz) / 1000);
  }
}

/** To the nearest 16-bit sample; a typed array alone would wrap a blend that overshoots. */
function clip(sample: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(sample)));
}
