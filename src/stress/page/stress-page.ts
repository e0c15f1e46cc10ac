/** The page of a run of `stress`: what it carried, where the time went, and how the box did second by second. Pure. */
import type { BreaksFirst, SearchResult } from '../capacity-search.ts';
import { type LoadSample, ofRuntime, type RuntimeSample } from '../load-sample.ts';
import type { Percentiles } from '../percentiles.ts';
import type { StressReport } from '../stress-report.ts';
import type { TimelineFigures } from '../turn-accounts.ts';
import { escapeHtml, legend, page, STAGE_COLOURS, table } from './html.ts';
import { histogram, lineChart, stackedBars } from './svg-chart.ts';

const COLOURS = { p50: '#5b93d6', p95: '#e8a33d', good: '#1f7a4d', bad: '#ba2525', memory: '#8e6bbf' };
const LATENESS_COLOURS = { 'main loop': '#c7505f', packets: '#2f5d9b', callers: '#9aa5b1' };
const LOAD_COLOURS = {
  'calls up': '#9aa5b1',
  'runtime, cores x 10': '#e8a33d',
  'callers, cores x 10': '#5b93d6',
};
const CORES_SCALE = 10;
const MOST_MISSED = 50;

/** One self-contained HTML page. */
export function renderStressPage(report: StressReport): string {
  const sections = [
    cards(report),
    report.capacity === undefined ? '' : capacitySection(report.capacity),
    report.timeline === undefined ? '' : waterfallSection(report, report.timeline),
    histogramSection(report),
    report.samples === undefined || report.samples.length < 2 ? '' : overTimeSections(report.samples),
    missedSection(report),
  ];
  const verdict = report.ok ? '<span class="good">good</span>' : '<span class="bad">not good</span>';
  const title = `Wildfire under load: ${report.mode}, ${report.peakConcurrent} calls at once`;
  return page(title, `<h1>${escapeHtml(title)}</h1><p>The run was ${verdict}.</p>${sections.join('\n')}`);
}

function cards(report: StressReport): string {
  const { callsOffered, callsFailed, goalsMet, voiceToVoiceMs, roundTripMs, rtp, phasesS } = report;
  const { corePercentPerCall, memorySlope, leaks, hold } = report;
  const wait = voiceToVoiceMs ?? roundTripMs ?? null;
  const held = Object.values(leaks ?? {}).reduce((sum, count) => sum + count, 0);
  const all: [string, string][] = [
    ['calls', `${callsOffered}`],
    ['calls failed', `${callsFailed}`],
    [report.mode === 'echo' ? 'echoes whole' : 'goals met', `${goalsMet}`],
    [
      voiceToVoiceMs === null ? 'round trip p50' : 'voice to voice p50',
      wait === null ? '-' : `${wait.p50} ms`,
    ],
    [
      voiceToVoiceMs === null ? 'round trip p95' : 'voice to voice p95',
      wait === null ? '-' : `${wait.p95} ms`,
    ],
    ...(hold.voiceToVoiceMs === null
      ? []
      : ([['p95 while held', `${hold.voiceToVoiceMs.p95} ms`]] satisfies [string, string][])),
    ['packets lost', `${rtp.lost}`],
    ['of a core per call', corePercentPerCall == null ? '-' : `${corePercentPerCall} %`],
    ['cores while held: runtime, callers', `${hold.cpuCores ?? '-'}, ${hold.callerCores ?? '-'}`],
    ['MiB per 100 calls', `${memorySlope?.mibPer100Calls ?? '-'}`],
    ['leaks', leaks === undefined ? '-' : `${held}`],
    ['ramp, hold, drain', `${phasesS.ramp} / ${phasesS.hold} / ${phasesS.drain} s`],
  ];
  return `<div class="cards">${all.map(([name, value]) => `<div class="card"><b>${escapeHtml(value)}</b><span>${escapeHtml(name)}</span></div>`).join('')}</div>`;
}

function gaveWayText({ stage, kind, fromMs, toMs }: BreaksFirst): string {
  return kind === 'callers'
    ? `<b>The callers</b> gave way first: late by ${fromMs}, then ${toMs} ms at worst. The target may hold more; call it from another box.`
    : `<b>${escapeHtml(stage)}</b> (${kind}) gave way first: its p95 went from ${fromMs} to ${toMs} ms.`;
}

function capacitySection({ slo, calls, isExact, breaksFirst, steps }: SearchResult): string {
  const ordered = [...steps].sort((a, b) => a.calls - b.calls);
  const limitMs = Number(/p95=([\d.]+)/.exec(slo)?.[1]);
  const dots = (index: number): string => (ordered[index]?.ok === true ? COLOURS.good : COLOURS.bad);
  const chart = lineChart({
    xLabel: 'calls at once',
    yLabel: 'ms',
    lines: [
      { name: 'p50', colour: COLOURS.p50, points: ordered.map((step) => [step.calls, step.p50 ?? 0]), dots },
      { name: 'p95', colour: COLOURS.p95, points: ordered.map((step) => [step.calls, step.p95 ?? 0]), dots },
    ],
    ...(Number.isNaN(limitMs) ? {} : { limit: { y: limitMs, label: slo } }),
  });
  const gaveWay = breaksFirst === null ? '' : ` ${gaveWayText(breaksFirst)}`;
  const rows = ordered.map((step) => [
    `${step.calls}`,
    step.ok ? 'holds' : step.why,
    `${step.p50 ?? '-'}`,
    `${step.p95 ?? '-'}`,
    `${Math.round(step.goals * 100)} %`,
    `${step.cpuCores ?? '-'}`,
    `${step.callerCores ?? '-'}`,
    `${step.callerLoopMs ?? '-'}`,
  ]);
  const head = [
    'calls',
    'objective',
    'p50 ms',
    'p95 ms',
    'goals',
    'runtime cores, held',
    'caller cores, held',
    'callers late ms',
  ];
  const isText = (_row: number, column: number): string => (column === 1 ? 'text' : '');
  return `<h2>Capacity</h2><p><b>${calls} calls at once</b>${isExact ? '' : ' or more'} within ${escapeHtml(slo)}.${gaveWay}</p>
${legend({ 'p50 of turns': COLOURS.p50, 'p95 of turns': COLOURS.p95, holds: COLOURS.good, 'does not': COLOURS.bad })}${chart}${table([head, ...rows], isText)}`;
}

function waterfallSection({ stagesMs = {} }: StressReport, timeline: TimelineFigures): string {
  const at = (name: 'p50' | 'p95'): Record<string, number> =>
    Object.fromEntries(Object.entries(stagesMs).map(([stage, ms]) => [stage, ms?.[name] ?? 0]));
  const bars = [
    { name: 'p50', parts: at('p50') },
    { name: 'p95', parts: at('p95') },
  ];
  const rows = Object.entries(stagesMs).map(([stage, ms]) => [stage, ...cells(ms)]);
  const books: [string, Percentiles | null][] = [
    ['endpoint wait', timeline.endpointMs],
    ['of it: VAD and packets differ by (absolute)', timeline.speechEndMs],
    ['models', timeline.computeMs],
    ['overhead of the runtime', timeline.overheadMs],
    ['of it queues', timeline.queueMs],
    ['quiet start of the voice', timeline.leadInMs],
    ['not explained (absolute)', timeline.residualMs],
    ['of it: since the decision (absolute)', timeline.sinceDecisionMs],
  ];
  const head = ['ms', 'p50', 'p95', 'p99', 'max'];
  const percent = (share: number): number => Math.round(share * 1000) / 10;
  return `<h2>Where the time of a turn goes</h2>
<p class="note">Each stage at its own p50 and p95. Those of p95 fall into different turns and add up to more than any turn took.</p>
${legend(STAGE_COLOURS)}${stackedBars(bars, STAGE_COLOURS)}${table([head, ...rows])}
<h2>The books</h2><p>The stages explain what the caller measured within ${timeline.explainedWithinMs} ms in <b>${percent(timeline.explained)} %</b> of ${timeline.turns} turns; counted from the decision that the caller had finished, in ${percent(timeline.explainedSinceDecision)} %. The endpoint wait counts from the caller's last loud packet; how far the runtime's VAD put the end of speech from it is told beside it.</p>
${table([head, ...books.map(([name, ms]) => [name, ...cells(ms)])])}`;
}

function histogramSection(report: StressReport): string {
  const waits = report.calls
    .flatMap(({ turns = [] }) => turns.filter(({ input }) => input === 'speech'))
    .map(({ voiceToVoiceMs }) => voiceToVoiceMs)
    .filter((ms) => ms > 0);
  if (waits.length > 0) {
    const chart = histogram(waits, { xLabel: 'voice to voice, ms', colour: COLOURS.p50 });
    return `<h2>Voice to voice</h2><p class="note">${waits.length} spoken turns, measured by their callers on the wire.</p>${chart}`;
  }
  const trips = report.roundTripCounts ?? [];
  if (trips.length === 0) return '';
  const chart = histogram(
    trips.map(([ms]) => ms),
    { xLabel: 'round trip, ms', colour: COLOURS.p50, weights: trips.map(([, count]) => count) },
  );
  return `<h2>Round trip</h2><p class="note">From a packet's sending to the return of its content.</p>${chart}`;
}

/** Of somebody else's runtime there are only the lines of the callers. */
function overTimeSections(samples: readonly LoadSample[]): string {
  const whole = ofRuntime(samples);
  const ofCallers = (name: 'callerCores' | 'callerLoopMs', scale = 1): [number, number][] =>
    samples.map((sample) => [sample.atS, sample[name] * scale]);
  const of = (name: keyof RuntimeSample, scale = 1): [number, number][] =>
    whole.map((sample) => [sample.atS, sample[name] * scale]);
  const lateness = lineChart({
    xLabel: 's',
    yLabel: 'ms',
    lines: [
      { name: 'callers', colour: LATENESS_COLOURS.callers, points: ofCallers('callerLoopMs') },
      { name: 'main loop', colour: LATENESS_COLOURS['main loop'], points: of('mainLoopMs') },
      { name: 'packets', colour: LATENESS_COLOURS.packets, points: of('sendLatenessMs') },
    ],
  });
  const load = lineChart({
    xLabel: 's',
    yLabel: '',
    lines: [
      { name: 'calls up', colour: LOAD_COLOURS['calls up'], points: of('calls') },
      { name: 'runtime', colour: LOAD_COLOURS['runtime, cores x 10'], points: of('cpuCores', CORES_SCALE) },
      {
        name: 'callers',
        colour: LOAD_COLOURS['callers, cores x 10'],
        points: ofCallers('callerCores', CORES_SCALE),
      },
    ],
  });
  const memory =
    whole.length === 0
      ? ''
      : `<h2>Memory of the runtime</h2>${lineChart({
          xLabel: 's',
          yLabel: 'MiB',
          heightPx: 160,
          lines: [{ name: 'resident', colour: COLOURS.memory, points: of('rssMiB') }],
        })}`;
  return `<h2>How late, second by second</h2><p class="note">The worst of each second: the runtime's main loop, its packets, and the calling process itself.</p>
${legend(LATENESS_COLOURS)}${lateness}<h2>Load</h2>${legend(LOAD_COLOURS)}${load}${memory}`;
}

function missedSection({ calls }: StressReport): string {
  const missed = calls.filter(({ goalMet = true, isCompleted = true }) => !goalMet || !isCompleted);
  if (missed.length === 0) return '';
  const rows = missed
    .slice(0, MOST_MISSED)
    .map(({ seed, number, why = '' }) => [`${seed ?? number ?? ''}`, why]);
  const more = missed.length > MOST_MISSED ? `<p>and ${missed.length - MOST_MISSED} more</p>` : '';
  const isText = (_row: number, column: number): string => (column === 1 ? 'text' : '');
  return `<h2>Calls that missed</h2>${table([['call', 'why'], ...rows], isText)}${more}`;
}

function cells(ms: Percentiles | null): string[] {
  return [ms?.p50, ms?.p95, ms?.p99, ms?.max].map((value) => `${value ?? '-'}`);
}
