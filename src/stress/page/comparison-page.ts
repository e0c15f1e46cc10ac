/** The page of two runs of `stress` side by side. Pure. */
import type { ComparedFigure } from '../comparison.ts';
import type { StressReport } from '../stress-report.ts';
import { escapeHtml, legend, page, STAGE_COLOURS, table } from './html.ts';
import { stackedBars } from './svg-chart.ts';

export interface Comparison {
  readonly a: StressReport;
  readonly b: StressReport;
  /** Where they were read from. */
  readonly files: readonly [string, string];
  readonly figures: readonly ComparedFigure[];
}

const CLASS_BY_VERDICT: Record<ComparedFigure['verdict'], string> = {
  better: 'good',
  same: '',
  worse: 'bad',
};
const CHANGE_COLUMN = 4;

/** One self-contained HTML page. */
export function renderComparisonPage({ a, b, files, figures }: Comparison): string {
  const rows = figures.map(({ name, unit, a: before, b: after, change }) => [
    name,
    `${before}`,
    `${after}`,
    unit,
    change,
  ]);
  const classOf = (row: number, column: number): string =>
    row === 0 || column !== CHANGE_COLUMN ? '' : CLASS_BY_VERDICT[figures[row - 1]?.verdict ?? 'same'];
  const bars = (['p50', 'p95'] as const).flatMap((quantile) => [
    { name: `A ${quantile}`, parts: stagesAt(a, quantile) },
    { name: `B ${quantile}`, parts: stagesAt(b, quantile) },
  ]);
  const hasStages = a.stagesMs !== undefined && b.stagesMs !== undefined;
  const waterfall = hasStages
    ? `<h2>Where the time of a turn goes</h2>${legend(STAGE_COLOURS)}${stackedBars(bars, STAGE_COLOURS)}`
    : '';
  return page(
    'Wildfire under load: two runs',
    `<h1>Two runs</h1><p>A: ${escapeHtml(files[0])}<br>B: ${escapeHtml(files[1])}</p>
${table([['', 'A', 'B', '', 'B against A'], ...rows], classOf)}${waterfall}`,
  );
}

function stagesAt({ stagesMs = {} }: StressReport, quantile: 'p50' | 'p95'): Record<string, number> {
  return Object.fromEntries(Object.entries(stagesMs).map(([stage, ms]) => [stage, ms?.[quantile] ?? 0]));
}
