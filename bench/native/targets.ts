/** What the native code has to reach, by result name; times stand against a peer in the same run. Pure. */
import { against, aimedAt, type Baseline, type BenchRow, rounded, type Target } from '../bench-row.ts';

export const QUALITY_TARGETS = {
  thdnDb: { atMost: -100 },
  rippleDb: { atMost: 0.1 },
  aliasDb: { atMost: -90 },
  delayMs: { atMost: 5 },
} as const satisfies Record<string, Target>;

/** At most this share of the peer's time. */
export const TIME_SHARES = {
  'speex-q7': 1 / 4,
  livekit: 1 / 3,
  '100 single blocks': 0.6,
  'transformers.js': 1 / 3,
} as const;

/** The row beside a peer, and its target where the peer sets one. */
export function timedAgainst(row: BenchRow, peer: Baseline): BenchRow {
  const share = (TIME_SHARES as Record<string, number>)[peer.name];
  const compared = against(row, peer);
  return share === undefined ? compared : aimedAt(compared, { atMost: rounded(peer.p50 * share) });
}
