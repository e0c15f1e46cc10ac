/**
 * Echo path: what the caller said goes back to him, from the tape to the ring, as if an agent had said it. It stands
 * in for everything between the two when media is to be measured alone (agent.mode = "echo").
 * Thread: media. Hot: 50 times a second per call; no allocation, await, throw or log.
 */
import type { RingHandle, TapeHandle } from '../ring-buffers/layout.ts';
import { advance } from '../ring-buffers/position.ts';
import { RingController, RingWriter } from '../ring-buffers/ring.ts';
import { TapeReader } from '../ring-buffers/tape.ts';
import { FRAME_SAMPLES } from './frame.ts';

export class EchoPath {
  readonly #tape: TapeReader;
  readonly #ring: RingWriter;
  readonly #frame = new Int16Array(FRAME_SAMPLES);

  /** @throws WildfireError INVALID_STATE when a handle is no tape or ring. */
  constructor({ uplink, downlink }: { readonly uplink: TapeHandle; readonly downlink: RingHandle }) {
    this.#tape = new TapeReader(uplink);
    this.#ring = new RingWriter(downlink, new RingController(downlink).epoch);
  }

  /** Copies the newest frames of the tape to the ring: as many as are about to be sent, so that no delay builds up. */
  pass(frames: number): void {
    const position = this.#tape.positionSamples;
    for (let back = frames; back > 0; back -= 1) {
      const read = this.#tape.read(advance(position, -back * FRAME_SAMPLES), this.#frame);
      if (read === 'ok') this.#ring.write(this.#frame);
    }
  }
}
