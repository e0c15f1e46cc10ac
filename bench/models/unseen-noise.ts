/**
 * Noise under speech that no training has drawn: `unseenBabble`, five held-out voices at once out of the recorded
 * callers, and `unseenStreet`, traffic that swells and ebbs, with knocks in it. (telephone-line.ts has training's own
 * recipes with other seeds. Training's crowds were of one to six voices that it knew, from 6 dB on; swells and knocks it
 * heard without speech only.) Seeded; pure.
 */
import { withNoise } from '../../src/caller/impairment.ts';
import { Draw } from '../../src/caller/seeded-random.ts';
import type { RecordedUtterance } from './evaluation-data.ts';
import { voiceGroup } from './hearing.ts';
import { pink, type Random, type Sound } from './silence-audio.ts';
import { LINE_RATE_HZ, throughUlaw, withRests } from './telephone-line.ts';

export const UNSEEN_NOISES = ['unseenBabble', 'unseenStreet'] as const;
export type UnseenNoise = (typeof UNSEEN_NOISES)[number];

const LEAST_SNR_DB = 5;
const MOST_SNR_DB = 12;
const TALKERS = 5;
/** How far apart in level the talkers may be. */
const MOST_BELOW_DB = 6;

/** Who may talk in the background: voice -> what it says. Voices are those of `voiceGroup`. */
export type Crowd = ReadonlyMap<string, readonly Int16Array[]>;

export function crowdOf(utterances: readonly RecordedUtterance[]): Crowd {
  const byVoice = Map.groupBy(utterances, ({ voice }) => voiceGroup(voice));
  return new Map([...byVoice].map(([voice, own]) => [voice, own.map(({ samples }) => samples)]));
}

/**
 * One utterance with its rests, 5 to 12 dB above the noise, through G.711: the same for the same seed.
 * @param crowd needs five voices beside the speaker's; only `unseenBabble` asks it
 */
export function heardUnder(
  noise: UnseenNoise,
  { samples, voice }: Pick<RecordedUtterance, 'samples' | 'voice'>,
  { crowd, seed }: { readonly crowd: Crowd; readonly seed: number },
): Int16Array {
  const placed = withRests(samples);
  const draw = new Draw(seed);
  const snrDb = draw.between(LEAST_SNR_DB, MOST_SNR_DB);
  const made =
    noise === 'unseenBabble'
      ? babble(crowd, { voice, draw, lengthSamples: placed.length })
      : soundOf(
          street(() => draw.between(0, 1)),
          placed.length,
        );
  return throughUlaw(withNoise(placed, made, snrDb));
}

/** Every talker says one sentence after another from a random place on, and is as loud as up to 6 dB above the softest. */
function babble(
  crowd: Crowd,
  { voice, draw, lengthSamples }: { voice: string; draw: Draw; lengthSamples: number },
): Float64Array {
  const others = [...crowd.keys()].filter((name) => name !== voiceGroup(voice));
  const mixed = new Float64Array(lengthSamples);
  for (let talker = 0; talker < TALKERS; talker++) {
    const [name] = others.splice(draw.integer(0, others.length - 1), 1);
    const gain = 10 ** (-draw.between(0, MOST_BELOW_DB) / 20);
    addTalk(mixed, { sentences: crowd.get(name!)!, gain, draw });
  }
  return mixed;
}

/** Each sentence has power 1 before its gain. */
function addTalk(
  mixed: Float64Array,
  { sentences, gain, draw }: { sentences: readonly Int16Array[]; gain: number; draw: Draw },
): void {
  let sentence = draw.pick(sentences);
  let from = draw.integer(0, sentence.length - 1);
  for (
    let at = 0;
    at < mixed.length;
    at += sentence.length - from, from = 0, sentence = draw.pick(sentences)
  ) {
    const power = sentence.reduce((sum, sample) => sum + sample * sample, 0) / sentence.length;
    const scale = gain / Math.sqrt(Math.max(1, power));
    const end = Math.min(mixed.length, at + sentence.length - from);
    for (let i = at; i < end; i++) mixed[i]! += scale * sentence[from + i - at]!;
  }
}

/** Levels of the street over its murmur, and how often something passes or knocks. */
const PASS_EVERY_S = 1.5;
const LONGEST_PASS_S = 2.5;
const LOUDEST_PASS = 4;
const KNOCKS_PER_S = 2;
const LOUDEST_KNOCK = 8;
const KNOCK_DECAY_S = 0.012;

/** 1/f noise; cars that swell over it by up to 14 dB and ebb; short knocks that ring at a pitch of their own. */
function street(random: Random): Sound {
  const murmur = pink(random);
  let passing = { startS: 0, lengthS: 0, height: 0 };
  let knock = { startS: 0, height: 0, hz: 0 };
  return (s) => {
    if (s >= passing.startS + passing.lengthS) {
      const startS = s + PASS_EVERY_S * random();
      passing = { startS, lengthS: 0.5 + (LONGEST_PASS_S - 0.5) * random(), height: LOUDEST_PASS * random() };
    }
    if (random() < KNOCKS_PER_S / LINE_RATE_HZ) {
      knock = { startS: s, height: LOUDEST_KNOCK * random() ** 2, hz: 300 + 2200 * random() };
    }
    const phase = (s - passing.startS) / passing.lengthS;
    const swell = phase > 0 && phase < 1 ? passing.height * Math.sin(Math.PI * phase) ** 2 : 0;
    const sinceS = s - knock.startS;
    const ring = knock.height * Math.exp(-sinceS / KNOCK_DECAY_S) * Math.sin(2 * Math.PI * knock.hz * sinceS);
    return murmur(s) * (1 + swell) + ring;
  };
}

function soundOf(sound: Sound, lengthSamples: number): Float64Array {
  return Float64Array.from({ length: lengthSamples }, (_, i) => sound(i / LINE_RATE_HZ));
}
