/**
 * Keeps every inference pool of a process with the roles whisper, llama and tts busy from outside: more lanes for
 * each than it has threads, each with its next piece of work as soon as the last is done, none of it in a cache.
 * Runs as a process of its own until SIGTERM; prints `busy` when every lane has got something done, and at the end
 * how much was done as JSON. Run: node saturation.ts OPTIONS-AS-JSON
 */
import type { OldPorts } from '../../peers/free-ports.ts';
import { type Bystander, llamaUser, ttsUser, whisperUser } from '../bystanders.ts';

export interface SaturationOptions {
  readonly ports: OldPorts;
  /** Ids from here on are used, 4 x 3 x `lanesPerPool`. */
  readonly firstCallId: number;
  readonly lanesPerPool: number;
}

/** Pieces of work that were done, by pool. */
export interface SaturationResult {
  readonly whisper: number;
  readonly llama: number;
  readonly tts: number;
  /** Pieces that came to nothing. */
  readonly failed: number;
}

type Pool = 'whisper' | 'llama' | 'tts';

const POOLS: readonly Pool[] = ['whisper', 'llama', 'tts'];
/** A lane's ids take turns, so that none is used again while its last call is being torn down. */
const IDS_PER_LANE = 2;
const WORDS = [
  'noon',
  'friday',
  'seven',
  'table',
  'window',
  'garden',
  'evening',
  'kitchen',
  'harbour',
  'number',
];

let isOver = false;
process.once('SIGTERM', () => {
  isOver = true;
});

const { ports, firstCallId, lanesPerPool } = JSON.parse(process.argv[2] ?? '{}') as SaturationOptions;
const done: Record<keyof SaturationResult, number> = { whisper: 0, llama: 0, tts: 0, failed: 0 };
const lanes = POOLS.flatMap((pool, poolIndex) =>
  Array.from({ length: lanesPerPool }, (_, index) => ({ pool, index: poolIndex * lanesPerPool + index })),
);
let lanesWithWork = 0;
await Promise.all(lanes.map(({ pool, index }) => lane(pool, firstCallId + index * 2 * IDS_PER_LANE)));
console.log(JSON.stringify(done));

async function lane(pool: Pool, laneCallId: number): Promise<void> {
  const resident = pool === 'whisper' ? await whisperUser(laneCallId, ports) : null;
  for (let piece = 0; !isOver; piece++) {
    const callId = laneCallId + 2 * (piece % IDS_PER_LANE);
    const user = resident ?? (await visitor(pool, callId, `${callId}/${piece}`));
    await beat(pool, user);
    if (resident === null) await user.close();
    if (piece === 0) lanesWithWork += 1;
    if (piece === 0 && lanesWithWork === lanes.length) console.log('busy');
  }
  await resident?.close();
}

/** A process that serves nobody is a result, too. */
async function beat(pool: Pool, user: Bystander): Promise<void> {
  try {
    await user.beat();
    done[pool] += 1;
  } catch {
    done.failed += 1;
  }
}

/** A call for one piece of work, so that nothing waits for audio to be played. */
function visitor(pool: Pool, callId: number, key: string): Promise<Bystander> {
  if (pool === 'llama') return llamaUser(callId, ports);
  const words = [...key].filter((character) => character !== '/').map((digit) => WORDS[Number(digit)]);
  return ttsUser(callId, ports, `${words.join(' ')}.`);
}
