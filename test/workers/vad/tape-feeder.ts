/** Test support: writes audio into a tape as the media thread would, faster than real time when asked. */
import { createTape, type TapeHandle } from '../../../src/ring-buffers/layout.ts';
import { TapeWriter } from '../../../src/ring-buffers/tape.ts';

export class TapeFeeder {
  readonly handle: TapeHandle;
  readonly #writer: TapeWriter;

  constructor(startPosition = 0, rateHz = 8000, capacitySamples = 65_536) {
    this.handle = createTape({ rateHz, capacitySamples, startPosition });
    this.#writer = new TapeWriter(this.handle);
  }

  get positionSamples(): number {
    return this.#writer.positionSamples;
  }

  write(samples: Int16Array): void {
    this.#writer.write(samples);
  }
}
