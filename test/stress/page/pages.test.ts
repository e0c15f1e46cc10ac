/** The pages: whole, self-contained, nothing that was said can break out, and charts drawn to scale. */
import { describe, expect, it } from 'vitest';
import { NO_STAGES } from '../../../src/call/reports.ts';
import { compareReports } from '../../../src/stress/comparison.ts';
import type { LoadSample } from '../../../src/stress/load-sample.ts';
import { renderComparisonPage } from '../../../src/stress/page/comparison-page.ts';
import { renderStressPage } from '../../../src/stress/page/stress-page.ts';
import { histogram, lineChart, stackedBars } from '../../../src/stress/page/svg-chart.ts';
import type { ReportedCall, StressReport } from '../../../src/stress/stress-report.ts';
import { timelineOf } from '../../../src/stress/turn-accounts.ts';
import { reportWith } from '../reports.ts';

const NASTY = `</table><script>alert("x")</script> & 'more'`;
const spread = (ms: number) => ({ p50: ms, p95: 2 * ms, p99: 2 * ms, max: 3 * ms });

function call(voiceToVoiceMs: number, changes: Partial<ReportedCall> = {}): ReportedCall {
  return {
    seed: 7,
    isEstablished: true,
    isCompleted: true,
    goalMet: true,
    why: 'booked',
    sipCallId: 'x',
    durationMs: 1,
    turns: [
      {
        input: 'speech',
        said: NASTY,
        reply: NASTY,
        goalMet: true,
        repliedEarly: false,
        voiceToVoiceMs,
        stagesMs: NO_STAGES,
      },
    ],
    ...changes,
  };
}

const samples = Array.from(
  { length: 5 },
  (_, atS): LoadSample => ({
    atS,
    calls: atS,
    callsEnded: 0,
    cpuCores: 0.5,
    callerCores: 0.2,
    rssMiB: 700,
    mainLoopMs: 3,
    sendLatenessMs: 1,
    callerLoopMs: 2,
  }),
);

const full: StressReport = reportWith({
  voiceToVoiceMs: spread(500),
  stagesMs: { endpoint: spread(400), stt: spread(40) },
  timeline: timelineOf([]),
  samples,
  leaks: { fds: 0 },
  calls: [call(480), call(700), call(0, { goalMet: false, why: NASTY })],
  capacity: {
    slo: 'p95=1500',
    calls: 8,
    isExact: true,
    breaksFirst: { stage: 'sttQueue', kind: 'queue', fromMs: 10, toMs: 900 },
    steps: [
      { calls: 16, ok: false, why: 'p95 was 3000 ms', p50: 900, p95: 3000, goals: 1, stagesP95Ms: {} },
      { calls: 8, ok: true, why: '', p50: 500, p95: 900, goals: 1, stagesP95Ms: {} },
    ].map((step) => ({ ...step, cpuCores: 1, callerCores: 1, callerLoopMs: 1, leaks: {} })),
  },
});

describe('the page of a run', () => {
  it('has every section of a full report, and loads nothing from elsewhere', () => {
    const html = renderStressPage(full);
    for (const heading of [
      'Capacity',
      'Where the time of a turn goes',
      'The books',
      'Voice to voice',
      'How late',
      'Memory',
    ]) {
      expect(html).toContain(`<h2>${heading}`);
    }
    expect(html).toContain('<b>sttQueue</b> (queue) gave way first');
    expect(html.match(/<svg /g)?.length).toBe(6);
    expect(html).not.toMatch(/https?:|src=|url\(|NaN|undefined|Infinity/);
  });

  it('escapes what was said and why calls failed', () => {
    const html = renderStressPage(full);
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;');
  });

  it('stands with the seconds of two days, each peak drawn', () => {
    const seconds = Array.from({ length: 172_800 }, (_, atS): LoadSample => ({ ...samples[0]!, atS }));
    const peakAt = 100_003;
    seconds[peakAt] = { ...seconds[peakAt]!, mainLoopMs: 77_777 };
    const html = renderStressPage(reportWith({ samples: seconds }));
    expect(html.length).toBeLessThan(500_000);
    const lowest = (points: string): number =>
      Math.min(...points.split(' ').map((pair) => Number(pair.split(',')[1])));
    const [, mainLoop] = [...html.matchAll(/points="([^"]+)"/g)].map(([, points]) => points ?? '');
    expect(lowest(mainLoop ?? '')).toBeLessThan(60); // near the upper edge
  });

  it('stands with hardly anything measured', () => {
    const html = renderStressPage(reportWith({}));
    expect(html).toContain('<!doctype html>');
    expect(html).not.toMatch(/<svg|NaN|undefined/);
  });

  it("shows how late the callers were where the runtime is somebody else's", () => {
    const callers = [1, 2, 3].map((atS) => ({ atS, callsEnded: 0, callerCores: 0.5, callerLoopMs: 40 }));
    const html = renderStressPage(reportWith({ samples: callers }));
    expect(html).toContain('<h2>How late');
    expect(html).not.toMatch(/<h2>Memory|NaN|undefined|Infinity/);
  });

  it('shows the round trips of an echo', () => {
    const echo = reportWith({
      mode: 'echo',
      roundTripMs: { ...spread(20), count: 3 },
      roundTripCounts: [
        [20, 2],
        [40, 1],
      ],
      calls: [],
    });
    expect(renderStressPage(echo)).toContain('<h2>Round trip');
  });
});

describe('the page of two runs', () => {
  it('has both, with the waterfalls under each other', () => {
    const b = reportWith({ ...full, voiceToVoiceMs: spread(250) });
    const html = renderComparisonPage({ a: full, b, files: [NASTY, 'b'], figures: compareReports(full, b) });
    expect(html).toContain('50 % better');
    expect(html.match(/<svg /g)?.length).toBe(1);
    expect(html).not.toContain('<script');
  });
});

describe('charts', () => {
  it('draw lines to scale: the highest point highest, x from left to right', () => {
    const svg = lineChart({
      xLabel: 's',
      yLabel: 'ms',
      lines: [
        {
          name: 'a',
          colour: 'red',
          points: [
            [0, 0],
            [5, 10],
            [10, 5],
          ],
        },
      ],
    });
    const points = (/points="([^"]+)"/.exec(svg)?.[1] ?? '')
      .split(' ')
      .map((pair) => pair.split(',').map(Number));
    const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = points;
    expect(x1 - x0).toBeCloseTo(x2 - x1, 1);
    expect(x1).toBeGreaterThan(x0);
    expect(y0 - y1).toBeCloseTo(2 * (y0 - y2), 0);
  });

  it('count every value of a histogram once', () => {
    const values = [1, 2, 2, 3, 99, 100];
    const titles = [...histogram(values, { xLabel: 'ms', colour: 'red' }).matchAll(/<title>[^<]*: (\d+)</g)];
    expect(titles.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(values.length);
  });

  it('stack bars end to end', () => {
    const svg = stackedBars([{ name: 'a', parts: { stt: 100, endpoint: 300 } }], {
      stt: 'red',
      endpoint: 'grey',
    });
    const [first, second] = [...svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)].map((one) =>
      one.slice(1, 3).map(Number),
    );
    expect(second?.[0]).toBeCloseTo((first?.[0] ?? 0) + (first?.[1] ?? 0), 0);
    expect(second?.[1]).toBeCloseTo(3 * (first?.[1] ?? 0), 0);
  });
});
