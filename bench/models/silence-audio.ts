/**
 * Sound without speech, as telephone lines carry it: silence, noise, hum, tones, hold music, clicks, breath. Made
 * from a seed, so that nothing has to be shipped. Each kind gives samples of -1..1. Pure.
 */
import { seededRandom } from '../../src/caller/seeded-random.ts';
import { LINE_RATE_HZ, throughUlaw } from './telephone-line.ts';

export interface SilentClip {
  readonly kind: SilenceKind;
  readonly peakDbfs: number;
  /** 8 kHz, through G.711. */
  readonly samples: Int16Array;
}

export type Random = () => number;
export type Sound = (seconds: number) => number;

const SHORTEST_S = 1;
const LONGEST_S = 10;
const PEAKS_DBFS = [-3, -9, -15, -21, -30, -40, -50];
const LINE_NOISE_DBFS = -58;

/** Kind -> a sound; called once per sample with the time in s, in order. */
const MAKERS = {
  silence: () => () => 0,
  idle: (random: Random) => () => (random() < 0.5 ? 0 : 2 / 32_768) * (random() < 0.5 ? -1 : 1),
  white: (random: Random) => () => 2 * random() - 1,
  pink,
  brown,
  hum,
  dialTone: () => tones([350, 440], () => true),
  busyTone: () => tones([480, 620], (s) => s % 1 < 0.5),
  ringingTone: () => tones([440, 480], (s) => s % 6 < 2),
  europeanTone: (random: Random) => {
    const periodS = random() < 0.5 ? 1 : 5;
    return tones([425], (s) => s % periodS < Math.min(1, periodS / 2));
  },
  faxTone: (random: Random) => tones([random() < 0.5 ? 1100 : 2100], (s) => s % 3.5 < 2.6),
  specialInformation: specialInformationTone,
  dtmf,
  holdMusic,
  pianoMusic: plucked,
  clicks: (random: Random) => () => (random() < 0.0008 ? 2 * random() - 1 : 0),
  breath,
} satisfies Record<string, (random: Random) => Sound>;

export type SilenceKind = keyof typeof MAKERS;
export const SILENCE_KINDS = Object.keys(MAKERS) as SilenceKind[];

/**
 * Clips of 1..10 s that together last `totalS`, every kind in turn.
 * @param seed the same gives the same samples
 */
export function silentClips(totalS: number, seed: number): SilentClip[] {
  const random = seededRandom(seed);
  const clips: SilentClip[] = [];
  let leftSamples = Math.round(totalS * LINE_RATE_HZ);
  while (leftSamples > 0) {
    const wanted = Math.round((SHORTEST_S + random() * (LONGEST_S - SHORTEST_S)) * LINE_RATE_HZ);
    // No stump shorter than a second at the end.
    const lengthSamples = leftSamples - wanted < SHORTEST_S * LINE_RATE_HZ ? leftSamples : wanted;
    clips.push(clipOf(SILENCE_KINDS[clips.length % SILENCE_KINDS.length]!, lengthSamples, random));
    leftSamples -= lengthSamples;
  }
  return clips;
}

/** One clip at a drawn level, now and then with the noise of a line under it. */
export function clipOf(kind: SilenceKind, lengthSamples: number, random: Random): SilentClip {
  const sound = MAKERS[kind](random);
  const wave = Float64Array.from({ length: lengthSamples }, (_, i) => sound(i / LINE_RATE_HZ));
  const peak = wave.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const peakDbfs = PEAKS_DBFS[Math.floor(random() * PEAKS_DBFS.length)]!;
  const isFaint = kind === 'silence' || kind === 'idle';
  const gain = isFaint || peak === 0 ? 1 : 10 ** (peakDbfs / 20) / peak;
  const noise = !isFaint && random() < 0.4 ? 10 ** (LINE_NOISE_DBFS / 20) : 0;
  const samples = Int16Array.from(wave, (sample) => {
    const mixed = sample * gain + noise * (2 * random() - 1);
    return Math.max(-32_768, Math.min(32_767, Math.round(mixed * 32_767)));
  });
  return { kind, peakDbfs: isFaint ? -90 : peakDbfs, samples: throughUlaw(samples) };
}

/** Paul Kellet's filter: white noise to -3 dB per octave. */
export function pink(random: Random): Sound {
  const poles = [0.99765, 0.963, 0.57];
  const gains = [0.099046, 0.2965164, 1.0526913];
  const states = [0, 0, 0];
  return () => {
    const white = 2 * random() - 1;
    poles.forEach((pole, i) => {
      states[i] = pole * states[i]! + gains[i]! * white;
    });
    return states.reduce((sum, state) => sum + state, 0.1848 * white);
  };
}

function brown(random: Random): Sound {
  let state = 0;
  return () => {
    state = 0.97 * state + (2 * random() - 1);
    return state;
  };
}

function hum(random: Random): Sound {
  const baseHz = random() < 0.5 ? 50 : 60;
  const parts = [1, 2, 3, 4, 5, 6].map((factor) => ({ hz: baseHz * factor, gain: random() / factor }));
  return (s) => parts.reduce((sum, { hz, gain }) => sum + gain * sine(hz, s), 0);
}

function tones(frequenciesHz: readonly number[], isOn: (s: number) => boolean): Sound {
  return (s) => (isOn(s) ? frequenciesHz.reduce((sum, hz) => sum + sine(hz, s), 0) : 0);
}

/** The three rising tones before "the number you have dialled ..." (ITU-T E.180). */
function specialInformationTone(): Sound {
  const stepsHz = [913.8, 1370.6, 1776.7];
  return (s) => {
    const within = s % 3;
    const step = stepsHz[Math.floor(within / 0.33)];
    return step === undefined ? 0 : sine(step, s);
  };
}

function dtmf(random: Random): Sound {
  const low = [697, 770, 852, 941];
  const high = [1209, 1336, 1477, 1633];
  const keys = Array.from({ length: 12 }, () => [pick(random, low), pick(random, high)] as const);
  const periodS = 0.15 + 0.5 * random();
  return (s) => {
    const [lowHz, highHz] = keys[Math.floor(s / periodS) % keys.length]!;
    return s % periodS < periodS / 2 ? sine(lowHz, s) + sine(highHz, s) : 0;
  };
}

const CHORDS_HZ = [
  [261.6, 329.6, 392.0],
  [220.0, 261.6, 329.6],
  [174.6, 220.0, 261.6],
  [196.0, 246.9, 293.7],
];
const SCALE_HZ = [523.3, 587.3, 659.3, 784, 880, 1046.5];

/** Chords that swell, a melody with vibrato, a bass, a drum on each beat and a cymbal between. */
function holdMusic(random: Random): Sound {
  const beatS = 60 / (80 + 60 * random());
  const melody = Array.from({ length: 32 }, () => pick(random, SCALE_HZ));
  return (s) => {
    const beat = Math.floor(s / beatS);
    const within = s - beat * beatS;
    const chord = CHORDS_HZ[Math.floor(beat / 4) % CHORDS_HZ.length]!;
    const swell = 0.6 + 0.4 * Math.sin((Math.PI * (s % (4 * beatS))) / (4 * beatS));
    const pad = chord.reduce((sum, hz) => sum + sine(hz, s) + 0.4 * sine(2 * hz, s), 0) * swell;
    const noteHz = melody[beat % melody.length]! * (1 + 0.004 * Math.sin(2 * Math.PI * 5.5 * s));
    const voice = Math.exp(-1.5 * within) * (sine(noteHz, s) + 0.3 * sine(3 * noteHz, s));
    const kick = Math.exp(-18 * within) * Math.sin(2 * Math.PI * 70 * within);
    const offBeat = Math.abs(within - beatS / 2);
    const cymbal = Math.exp(-60 * offBeat) * (2 * random() - 1);
    return 0.25 * pad + 0.8 * voice + 1.2 * kick + 0.4 * cymbal + 0.5 * sine(chord[0]! / 2, s);
  };
}

/** Struck strings one after another, each dying away. */
function plucked(random: Random): Sound {
  const stepS = 0.15 + 0.3 * random();
  const notes = Array.from({ length: 64 }, () => pick(random, SCALE_HZ) / pick(random, [1, 2, 4]));
  return (s) => {
    const latest = Math.floor(s / stepS);
    let sum = 0;
    for (let back = 0; back < 4 && latest - back >= 0; back++) {
      const afterS = s - (latest - back) * stepS;
      const hz = notes[(latest - back) % notes.length]!;
      sum +=
        Math.exp(-4 * afterS) * (sine(hz, afterS) + 0.5 * sine(2 * hz, afterS) + 0.2 * sine(3 * hz, afterS));
    }
    return sum;
  };
}

/** Low noise that swells and ebbs every few seconds. */
function breath(random: Random): Sound {
  const periodS = 1.6 + 2 * random();
  let state = 0;
  return (s) => {
    state = 0.7 * state + (2 * random() - 1);
    const phase = (s % periodS) / periodS;
    return phase < 0.4 ? state * Math.sin((Math.PI * phase) / 0.4) ** 2 : 0;
  };
}

function sine(hz: number, s: number): number {
  return Math.sin(2 * Math.PI * hz * s);
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)]!;
}
