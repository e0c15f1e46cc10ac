/** Two results of `stress` figure by figure: what changed, and whether for the better. Pure. */
import type { StressReport } from './stress-report.ts';

export interface ComparedFigure {
  readonly name: string;
  readonly unit: string;
  readonly a: number;
  readonly b: number;
  /** Of B against A in words: "12 % better", "same", "3 % worse". */
  readonly change: string;
  readonly verdict: 'better' | 'same' | 'worse';
}

interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly isMoreBetter: boolean;
  readonly of: (report: StressReport) => number | null | undefined;
}

/** Differences below this are the weather. */
const SAME_WITHIN = 0.03;

const FIGURES: readonly Figure[] = [
  { name: 'calls at once', unit: '', isMoreBetter: true, of: ({ peakConcurrent }) => peakConcurrent },
  { name: 'capacity', unit: 'calls', isMoreBetter: true, of: ({ capacity }) => capacity?.calls },
  {
    name: 'goals met',
    unit: '%',
    isMoreBetter: true,
    of: (report) => share(report.goalsMet, report.callsOffered),
  },
  { name: 'calls failed', unit: '', isMoreBetter: false, of: ({ callsFailed }) => callsFailed },
  less('voice to voice p50', 'ms', ({ voiceToVoiceMs }) => voiceToVoiceMs?.p50),
  less('voice to voice p95', 'ms', ({ voiceToVoiceMs }) => voiceToVoiceMs?.p95),
  less('voice to voice p99', 'ms', ({ voiceToVoiceMs }) => voiceToVoiceMs?.p99),
  less('round trip p50', 'ms', ({ roundTripMs }) => roundTripMs?.p50),
  less('round trip p99', 'ms', ({ roundTripMs }) => roundTripMs?.p99),
  less('models p95', 'ms', ({ timeline }) => timeline?.computeMs?.p95),
  less('queues p95', 'ms', ({ timeline }) => timeline?.queueMs?.p95),
  less('overhead p95', 'ms', ({ timeline }) => timeline?.overheadMs?.p95),
  ...['stt', 'llmFirstToken', 'firstSentence', 'ttsFirstAudio'].map((stage) =>
    less(`${stage} p95`, 'ms', ({ stagesMs }) => stagesMs?.[stage]?.p95),
  ),
  less('packets lost', '', ({ rtp }) => rtp.lost),
  less('underrun frames', '', ({ rtp }) => rtp.underrunFrames),
  less('main loop p99', 'ms', ({ mainLoopMs }) => mainLoopMs?.p99),
  less('runtime', 'cores', ({ cpuCores }) => cpuCores),
  less('per call', '% of a core', ({ corePercentPerCall }) => corePercentPerCall),
  less('memory peak', 'MiB', ({ rssMiB }) => rssMiB?.peak),
  less('memory slope', 'MiB/100 calls', ({ memorySlope }) => memorySlope?.mibPer100Calls),
];

/** The figures that both reports have. */
export function compareReports(a: StressReport, b: StressReport): ComparedFigure[] {
  return FIGURES.flatMap((figure) => {
    const [before, after] = [figure.of(a), figure.of(b)];
    if (before == null || after == null) return [];
    const { name, unit, isMoreBetter } = figure;
    return [{ name, unit, a: before, b: after, ...judge(before, after, isMoreBetter) }];
  });
}

function judge(a: number, b: number, isMoreBetter: boolean): Pick<ComparedFigure, 'change' | 'verdict'> {
  const by = a === 0 ? (b === 0 ? 0 : 1) : Math.abs(b - a) / Math.abs(a);
  if (by < SAME_WITHIN) return { change: 'same', verdict: 'same' };
  const verdict = b > a === isMoreBetter ? 'better' : 'worse';
  return { change: a === 0 ? verdict : `${Math.round(by * 100)} % ${verdict}`, verdict };
}

function less(name: string, unit: string, of: Figure['of']): Figure {
  return { name, unit, isMoreBetter: false, of };
}

function share(part: number, whole: number): number {
  return Math.round((part / Math.max(1, whole)) * 1000) / 10;
}
