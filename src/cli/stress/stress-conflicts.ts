/** Which options of `stress` exclude each other, or mean something with another only: one table. Pure. */
import { WildfireError } from '../../errors.ts';
import type { StressMode } from '../../stress/stress-report.ts';

/** Undefined where it was not given. */
export interface LoadOptions {
  readonly mode: StressMode;
  readonly findCapacity?: boolean;
  readonly calls?: number;
  readonly rate?: number;
  readonly ramp?: number;
  readonly duration?: number;
  readonly callLength?: number;
  readonly slo?: string;
  readonly most?: number;
  readonly limit?: number;
  readonly target?: string;
  readonly store?: string;
}

interface Conflict {
  readonly options: readonly (keyof LoadOptions)[];
  readonly isThere: (options: LoadOptions) => boolean;
  readonly why: string;
}

const CONFLICTS: readonly Conflict[] = [
  {
    options: ['calls', 'rate', 'ramp', 'duration', 'callLength'],
    isThere: ({ findCapacity }) => findCapacity === true,
    why: '--find-capacity makes its own loads; leave one of the two out',
  },
  {
    options: ['slo', 'most', 'limit'],
    isThere: ({ findCapacity }) => findCapacity !== true,
    why: 'is of a search; add --find-capacity',
  },
  {
    options: ['rate'],
    isThere: ({ ramp }) => ramp !== undefined,
    why: '--ramp says how fast calls begin; leave one of the two out',
  },
  {
    options: ['callLength'],
    isThere: ({ mode }) => mode !== 'echo',
    why: 'conversations last as long as their callers talk; add --mode echo',
  },
  {
    options: ['store'],
    isThere: ({ target }) => target !== undefined,
    why: 'is of a runtime that is started here, which --target excludes',
  },
];

/** @throws WildfireError USAGE_INVALID with a line for each option that would do nothing */
export function refuseConflicts(given: LoadOptions): void {
  const mistakes = CONFLICTS.filter(({ isThere }) => isThere(given)).flatMap(({ options, why }) =>
    options.filter((name) => given[name] !== undefined).map((name) => `${flagOf(name)}: ${why}`),
  );
  if (mistakes.length > 0) throw new WildfireError('USAGE_INVALID', mistakes.join('\n'));
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
