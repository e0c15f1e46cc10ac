/** Rows as a person reads them: name, ratio, figure, unit, target, whether it holds, and the baseline. Pure. */
import type { BenchRow } from './bench-row.ts';

/** One line per row, columns aligned. */
export function tableOf(rows: readonly BenchRow[]): string {
  const cells = rows.map(cellsOf);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** How many targets hold, of how many. */
export function summaryOf(rows: readonly BenchRow[]): string {
  const judged = rows.filter(({ holds }) => holds !== undefined);
  if (judged.length === 0) return '';
  return `${judged.filter(({ holds }) => holds).length} of ${judged.length} targets hold`;
}

function cellsOf(row: BenchRow): string[] {
  const { name, unit, ratio, holds } = row;
  const times = ratio === undefined ? '' : `${ratio}x`;
  return [name, times, `${amountOf(row)} ${unit}`, aimOf(row), verdictOf(holds), remarkOf(row)];
}

function amountOf({ p50, p99 }: BenchRow): string {
  const number = Number.isNaN(p50) ? 'not measured' : String(p50);
  return p99 === p50 || Number.isNaN(p50) ? number : `${number} (p99 ${p99})`;
}

function aimOf({ target, targetOf }: BenchRow): string {
  if (target === undefined) return '';
  const limit = 'atMost' in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
  return targetOf === undefined ? limit : `${targetOf} ${limit}`;
}

function verdictOf(holds: boolean | undefined): string {
  if (holds === undefined) return '';
  return holds ? 'holds' : 'MISSED';
}

function remarkOf({ baseline, baselineP50, remark }: BenchRow): string {
  const peer = baseline === undefined ? '' : `${baseline}: ${baselineP50}`;
  return [peer, typeof remark === 'string' ? remark : ''].filter((text) => text !== '').join('; ');
}
