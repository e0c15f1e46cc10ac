/** The resampler between equal rates: a copy, without delay. Thread: any. Hot: `process` does not allocate. */
import { WildfireError } from '../errors.ts';
import {
  checkedChannels,
  type Resampler,
  type ResamplerOptions,
  requireRoom,
  requireWhole,
  type SampleBlock,
} from './stream.ts';

const FULL_SCALE = 32768;

/** @throws WildfireError AUDIO_INVALID for a rate that is no whole Hz, or a wrong number of channels. */
export function createPassThrough(options: ResamplerOptions): Resampler {
  if (!(Number.isInteger(options.fromHz) && options.fromHz > 0)) {
    throw new WildfireError('AUDIO_INVALID', `cannot resample ${options.fromHz} Hz`);
  }
  return new PassThrough(checkedChannels(options));
}

class PassThrough implements Resampler {
  readonly implementation = 'typescript';
  readonly delaySamples = 0;
  readonly channels: number;

  constructor(channels: number) {
    this.channels = channels;
  }

  process(input: SampleBlock, output: SampleBlock): number {
    requireWhole(input, this.channels);
    requireRoom(output, input.length);
    const isInt = input instanceof Int16Array;
    if (isInt === output instanceof Int16Array) output.set(input);
    else if (isInt) for (let i = 0; i < input.length; i++) output[i] = input[i]! / FULL_SCALE;
    else for (let i = 0; i < input.length; i++) output[i] = toInt16(input[i]!);
    return input.length;
  }

  maxOutputSamples(inputSamples: number): number {
    return inputSamples;
  }

  flush(): number {
    return 0;
  }

  reset(): void {}
}

function toInt16(sample: number): number {
  return Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sample * FULL_SCALE)));
}
