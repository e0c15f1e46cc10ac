/** What `stress` prints for people: the tables of a report, of a step of the search, and of two reports compared. */
import { hasLeaked, type SearchResult, type SearchStep } from '../../stress/capacity-search.ts';
import type { ComparedFigure } from '../../stress/comparison.ts';
import type { Percentiles } from '../../stress/percentiles.ts';
import type { StressReport } from '../../stress/stress-report.ts';
import type { TimelineFigures } from '../../stress/turn-accounts.ts';

type Row = readonly [name: string, value: string];

/** The report as a table of one figure a row. */
export function printReport(report: StressReport): void {
  const rows = [
    ...outcomeRows(report),
    ...(report.timeline === undefined ? [] : timelineRows(report.timeline)),
    ...packetRows(report),
    ...heldRows(report),
    ...loadRows(report),
    ...(report.capacity === undefined ? [] : capacityRows(report.capacity)),
  ];
  console.log('');
  printRows(rows);
  if (report.stagesMs !== undefined) printStages(report.stagesMs);
}

/** One line for a step of the search. */
export function printStep(step: SearchStep): void {
  const verdict = step.ok ? 'holds' : `does not hold: ${step.why}`;
  const measured = step.p95 === null ? 'nothing measured' : `p50 ${step.p50} ms, p95 ${step.p95} ms`;
  const leaked = leakText(step.leaks ?? {});
  console.error(
    `wildfire: ${step.calls} calls at once: ${measured}, goals ${percent(step.goals)}; ${verdict}${leaked === '' ? '' : `; leaks: ${leaked}`}`,
  );
}

/** Two reports, figure by figure. */
export function printComparison(figures: readonly ComparedFigure[]): void {
  const rows = figures.map(({ name, unit, a, b, change }) => [name, `${a}`, `${b}`, unit, change] as const);
  const table = [['', 'A', 'B', '', 'B against A'] as const, ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

function outcomeRows(report: StressReport): Row[] {
  const { mode, callsOffered, callsCompleted, callsFailed, goalsMet, turns, peakConcurrent, phasesS } =
    report;
  const { ramp, hold, drain } = phasesS;
  return [
    ['verdict', report.ok ? 'good' : 'NOT GOOD'],
    [
      'calls',
      `${callsOffered} offered, ${callsCompleted} completed, ${callsFailed} failed; ${peakConcurrent} at once`,
    ],
    ['phases', `${ramp} s up, ${hold} s held, ${drain} s down`],
    [mode === 'echo' ? 'echoes whole' : 'goals met', `${goalsMet} of ${callsOffered}`],
    ...(turns === 0 ? [] : ([['turns', `${turns}${keyedText(report)}`]] as const)),
    ...(report.voiceToVoiceMs === null ? [] : ([['voice to voice', spread(report.voiceToVoiceMs)]] as const)),
    ...(report.hold.voiceToVoiceMs === null
      ? []
      : ([['  while held', `${spread(report.hold.voiceToVoiceMs)}; ${report.hold.turns} turns`]] as const)),
    ...(report.roundTripMs === undefined ? [] : ([['round trip', spread(report.roundTripMs)]] as const)),
  ];
}

/** What of the turns is not in the figures of spoken ones. */
function keyedText({ keyed, earlyReplies = 0 }: StressReport): string {
  const wait = keyed?.voiceToVoiceMs ?? null;
  const early = earlyReplies === 0 ? '' : `; over the end of ${earlyReplies} the agent was talking`;
  return `${wait === null ? '' : `; ${keyed?.turns} of them keyed: ${spread(wait)}`}${early}`;
}

/** The books: voice to voice = endpoint + models + overhead + quiet start + residual. */
function timelineRows(timeline: TimelineFigures): Row[] {
  const { endpointMs, computeMs, queueMs, overheadMs, leadInMs, residualMs } = timeline;
  const { turns, explained, explainedSinceDecision, explainedWithinMs } = timeline;
  const share = `${percent(explained)} of ${turns} turns within ${explainedWithinMs} ms`;
  return [
    ['  endpoint wait', spread(endpointMs)],
    ['  of it speech end', spread(timeline.speechEndMs)],
    ['  models', spread(computeMs)],
    ['  overhead', spread(overheadMs)],
    ['  of it queues', spread(queueMs)],
    ['  quiet start', spread(leadInMs)],
    ['  not explained', spread(residualMs)],
    ['stages explain', `${share}; since the decision ${percent(explainedSinceDecision)}`],
  ];
}

function packetRows({ rtp, marks, callerLatenessMs }: StressReport): Row[] {
  const packets = Object.entries(rtp).filter(([, value]) => typeof value === 'number');
  const rows: Row[] = [['packets', packets.map(([name, value]) => `${name} ${value}`).join(', ')]];
  const lateness = rtp.sendLatenessMs;
  if (marks !== undefined) {
    rows.push([
      'marks',
      Object.entries(marks)
        .map(([name, value]) => `${value} ${name}`)
        .join(', '),
    ]);
  }
  if (lateness !== undefined) rows.push(['sent late by', lateSpread(lateness)]);
  if (callerLatenessMs !== undefined) rows.push(['callers late by', lateSpread(callerLatenessMs)]);
  return rows;
}

/** Both means over the same seconds. */
function heldRows({ hold: { cpuCores, callerCores } }: StressReport): Row[] {
  if (callerCores === null) return [];
  const runtime = cpuCores == null ? '' : `${cpuCores} cores in the runtime, `;
  return [['while held', `${runtime}${callerCores} in the callers`]];
}

function loadRows({
  cpuCores,
  corePercentPerCall,
  mainLoopMs,
  rssMiB,
  memorySlope,
  leaks,
}: StressReport): Row[] {
  if (cpuCores === undefined || rssMiB === undefined || mainLoopMs === undefined) return [];
  const perCall = corePercentPerCall == null ? '' : `, ${corePercentPerCall} % of a core per call`;
  const slope = memorySlope?.mibPer100Calls;
  const growth = slope == null ? '' : `, ${slope} MiB per 100 calls over ${memorySlope?.overCalls}`;
  return [
    ['runtime', `${cpuCores} cores on average${perCall}`],
    ['main loop late by', lateSpread(mainLoopMs)],
    ['memory', `${rssMiB.start} MiB before, ${rssMiB.peak} peak, ${rssMiB.end} after${growth}`],
    ['leaks', leakText(leaks ?? {}) || 'none'],
  ];
}

function leakText(leaks: Readonly<Record<string, number>>): string {
  const held = Object.entries(leaks).filter(([, count]) => count > 0);
  return held.map(([name, count]) => `${count} ${name}`).join(', ');
}

function capacityRows({ calls, slo, isExact, breaksFirst, steps }: SearchResult): Row[] {
  const bound = isExact ? '' : ' or more (the search ended first)';
  const rows: Row[] = [['capacity', `${calls} calls at once${bound} within ${slo}`]];
  const leaky = steps.filter(hasLeaked).map((step) => `${leakText(step.leaks ?? {})} at ${step.calls} calls`);
  if (leaky.length > 0) rows.push(['steps that leaked', leaky.join('; ')]);
  if (breaksFirst !== null) {
    const { stage, kind, fromMs, toMs } = breaksFirst;
    const grown = `from ${fromMs} to ${toMs} ms`;
    rows.push([
      'gives way first',
      kind === 'callers'
        ? `the callers: late by ${grown} at worst; the target may hold more, call it from another box`
        : `${stage} (${kind}): p95 ${grown}`,
    ]);
  }
  return rows;
}

function printStages(stages: Readonly<Record<string, Percentiles | null>>): void {
  console.log('\nstages, ms          p50      p95      p99      max');
  for (const [name, ms] of Object.entries(stages)) {
    const cells = [ms?.p50, ms?.p95, ms?.p99, ms?.max].map((value) => `${value ?? '-'}`.padStart(9));
    console.log(`  ${name.padEnd(12)}${cells.join('')}`);
  }
}

function printRows(rows: readonly Row[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value}`);
}

function spread(ms: Percentiles | null): string {
  return ms === null ? '-' : `${ms.p50} ms p50, ${ms.p95} ms p95, ${ms.p99} ms p99, ${ms.max} ms max`;
}

function lateSpread({ p50, p99, max }: { p50: number; p99: number; max: number }): string {
  return `${p50} ms p50, ${p99} ms p99, ${max} ms max`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
