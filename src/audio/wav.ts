/**
 * WAV files: reads what telephony tools write, writes 16-bit PCM. Thread: any, pure; setup, not per frame.
 * Source: Microsoft/IBM RIFF specification 1.0 (1991); WAVEFORMATEXTENSIBLE.
 *
 *   "RIFF" size "WAVE" { id[4] size[4, little-endian] body[size] pad to even }*
 *   "fmt ": formatTag[2] channels[2] rateHz[4] bytesPerSecond[4] blockAlign[2] bitsPerSample[2] ...
 *           extensible: cbSize[2] validBits[2] channelMask[4] subFormat[16], whose first 2 bytes are the tag
 */
import { WildfireError } from '../errors.ts';
import { decodeAlaw, decodeUlaw } from './g711.ts';
import { floatToInt16 } from './pcm.ts';

/** Sound in memory: one array per channel, all of one length. */
export interface WavAudio {
  readonly rateHz: number;
  /** 1 (mono) or 2 (left, right) arrays of 16-bit samples. */
  readonly channels: readonly Int16Array[];
}

interface WavFormat {
  readonly tag: number;
  readonly channelCount: number;
  readonly rateHz: number;
  readonly bitsPerSample: number;
}

type SampleDecoder = (body: Uint8Array, target: Int16Array) => void;

const TAG_EXTENSIBLE = 0xfffe;
const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FORMAT_BYTES = 16;
const EXTENSIBLE_FORMAT_BYTES = 40;
/** Programs that write to a pipe cannot know the length: the chunk reaches to the end of the file. */
const UNKNOWN_LENGTH = 0xffffffff;
const MAX_RATE_HZ = 384_000;

/** By "tag/bits". */
const decoders: Readonly<Record<string, SampleDecoder>> = {
  '1/16': decodePcm16,
  '3/32': decodeFloat32,
  '6/8': (body, target) => decodeAlaw(body, target, target.length),
  '7/8': (body, target) => decodeUlaw(body, target, target.length),
};

/**
 * Reads 16-bit PCM, 32-bit float, mu-law or A-law, mono or stereo, at any rate.
 * @throws WildfireError AUDIO_INVALID saying what is wrong with the file.
 */
export function parseWav(bytes: Uint8Array): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < RIFF_HEADER_BYTES || tagAt(view, 0) !== 'RIFF' || tagAt(view, 8) !== 'WAVE') {
    throw invalid('it does not start with a RIFF WAVE header');
  }
  let format: WavFormat | undefined;
  let offset = RIFF_HEADER_BYTES;
  while (offset + CHUNK_HEADER_BYTES <= bytes.length) {
    const id = tagAt(view, offset);
    const bodyStart = offset + CHUNK_HEADER_BYTES;
    const statedBytes = view.getUint32(offset + 4, true);
    const bodyBytes = statedBytes === UNKNOWN_LENGTH ? bytes.length - bodyStart : statedBytes;
    if (bodyStart + bodyBytes > bytes.length) {
      throw invalid(`chunk "${id}" states ${bodyBytes} bytes, ${bytes.length - bodyStart} are left`);
    }
    if (id === 'fmt ')
      format = parseFormat(new DataView(bytes.buffer, bytes.byteOffset + bodyStart, bodyBytes));
    if (id === 'data') return decodeChannels(format, bytes.subarray(bodyStart, bodyStart + bodyBytes));
    offset = bodyStart + bodyBytes + (bodyBytes % 2);
  }
  throw invalid('it has no "data" chunk');
}

/** Writes 16-bit PCM. The channels must be of one length. */
export function writeWav({ rateHz, channels }: WavAudio): Uint8Array {
  const frames = channels[0]?.length ?? 0;
  if (channels.length === 0 || channels.some((channel) => channel.length !== frames)) {
    throw new WildfireError('AUDIO_INVALID', 'a WAV needs one or more channels of equal length');
  }
  const blockBytes = 2 * channels.length;
  const dataBytes = frames * blockBytes;
  const bytes = new Uint8Array(RIFF_HEADER_BYTES + 2 * CHUNK_HEADER_BYTES + FORMAT_BYTES + dataBytes);
  const view = new DataView(bytes.buffer);
  putTag(bytes, 0, 'RIFF');
  view.setUint32(4, bytes.length - CHUNK_HEADER_BYTES, true);
  putTag(bytes, 8, 'WAVE');
  putTag(bytes, 12, 'fmt ');
  view.setUint32(16, FORMAT_BYTES, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * blockBytes, true);
  view.setUint16(32, blockBytes, true);
  view.setUint16(34, 16, true);
  putTag(bytes, 36, 'data');
  view.setUint32(40, dataBytes, true);
  channels.forEach((channel, index) => {
    for (let i = 0; i < frames; i++) view.setInt16(44 + i * blockBytes + 2 * index, channel[i]!, true);
  });
  return bytes;
}

/** The mean of left and right. Mono is returned as it is, not copied. */
export function mixToMono({ channels }: WavAudio): Int16Array {
  const [left, right] = channels;
  if (left === undefined) return new Int16Array(0);
  if (right === undefined) return left;
  return left.map((sample, i) => Math.round((sample + right[i]!) / 2));
}

function parseFormat(view: DataView): WavFormat {
  if (view.byteLength < FORMAT_BYTES)
    throw invalid(`its "fmt " chunk of ${view.byteLength} bytes is too short`);
  const plainTag = view.getUint16(0, true);
  const isExtensible = plainTag === TAG_EXTENSIBLE && view.byteLength >= EXTENSIBLE_FORMAT_BYTES;
  const format = {
    tag: isExtensible ? view.getUint16(24, true) : plainTag,
    channelCount: view.getUint16(2, true),
    rateHz: view.getUint32(4, true),
    bitsPerSample: view.getUint16(14, true),
  };
  if (format.channelCount < 1 || format.channelCount > 2) {
    throw invalid(`it has ${format.channelCount} channels; 1 or 2 can be read`);
  }
  if (format.rateHz < 1 || format.rateHz > MAX_RATE_HZ)
    throw invalid(`its rate of ${format.rateHz} Hz is unlikely`);
  return format;
}

function decodeChannels(format: WavFormat | undefined, body: Uint8Array): WavAudio {
  if (format === undefined) throw invalid('its "data" chunk comes before any "fmt " chunk');
  const { tag, bitsPerSample, channelCount, rateHz } = format;
  const decode = decoders[`${tag}/${bitsPerSample}`];
  if (decode === undefined) {
    throw invalid(
      `format ${tag} with ${bitsPerSample} bits; 16-bit PCM, 32-bit float, mu-law or A-law can be read`,
    );
  }
  // A last incomplete frame is what a recording that was cut off ends with.
  const frames = Math.floor(body.length / ((bitsPerSample / 8) * channelCount));
  const interleaved = new Int16Array(frames * channelCount);
  decode(body, interleaved);
  if (channelCount === 1) return { rateHz, channels: [interleaved] };
  const left = new Int16Array(frames);
  const right = new Int16Array(frames);
  for (let i = 0; i < frames; i++) {
    left[i] = interleaved[2 * i]!;
    right[i] = interleaved[2 * i + 1]!;
  }
  return { rateHz, channels: [left, right] };
}

function decodePcm16(body: Uint8Array, target: Int16Array): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let i = 0; i < target.length; i++) target[i] = view.getInt16(2 * i, true);
}

function decodeFloat32(body: Uint8Array, target: Int16Array): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const floats = new Float32Array(target.length);
  for (let i = 0; i < floats.length; i++) floats[i] = view.getFloat32(4 * i, true);
  floatToInt16(floats, target, target.length);
}

function tagAt(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(offset + i)));
}

function putTag(bytes: Uint8Array, offset: number, tag: string): void {
  for (let i = 0; i < 4; i++) bytes[offset + i] = tag.charCodeAt(i);
}

function invalid(reason: string): WildfireError {
  return new WildfireError('AUDIO_INVALID', `cannot read the WAV file: ${reason}`);
}
