/** Charts as inline SVG: lines over x, a histogram, stacked bars. Pure. */
import { escapeHtml } from './html.ts';

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Dots at the points; a point may have a colour of its own. */
  readonly dots?: (index: number) => string;
}

export interface LineChart {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  /** A limit, drawn across. */
  readonly limit?: { readonly y: number; readonly label: string };
  readonly heightPx?: number;
}

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly axes: string;
  readonly heightPx: number;
}

const WIDTH_PX = 960;
const HEIGHT_PX = 240;
const MARGIN = { left: 56, right: 16, top: 24, bottom: 36 };
const TICKS = 5;
const BAR_PX = 34;
/** Of a line: two for each pixel of the width. */
const MOST_POINTS = 2 * WIDTH_PX;

/** Lines over a common x. */
export function lineChart({ xLabel, yLabel, lines, limit, heightPx = HEIGHT_PX }: LineChart): string {
  const frame = axes({ ...boundsOf(lines, limit?.y ?? 0), xLabel, yLabel, heightPx });
  const drawn = lines.map((line) => drawLine({ ...line, points: thinned(line) }, frame)).join('');
  const across = limit === undefined ? '' : drawLimit(limit, frame);
  return svg(heightPx, `${frame.axes}${across}${drawn}`);
}

/** A soak has more seconds than a call takes arguments: nothing is spread. @param leastMaxY what stands on the chart anyway */
function boundsOf(
  lines: readonly Line[],
  leastMaxY: number,
): { readonly minX: number; readonly maxX: number; readonly maxY: number } {
  let [minX, maxX, maxY] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, leastMaxY];
  for (const { points } of lines) {
    for (const [x, y] of points) {
      minX = Math.min(minX, x);
      maxX = Math.max(maxX, x);
      maxY = Math.max(maxY, y);
    }
  }
  return { minX, maxX, maxY };
}

/** Of more points than can be told apart, the lowest and the highest of each equal part, in their order. Dots all stay. */
function thinned({ points, dots }: Line): Line['points'] {
  if (dots !== undefined || points.length <= MOST_POINTS) return points;
  const partLength = Math.ceil(points.length / (MOST_POINTS / 2));
  const kept: Line['points'][number][] = [];
  for (let from = 0; from < points.length; from += partLength) {
    const part = points.slice(from, from + partLength);
    const ofY = [...part].sort(([, a], [, b]) => a - b);
    const ends = new Set([ofY[0], ofY.at(-1)]);
    kept.push(...part.filter((point) => ends.has(point)));
  }
  return kept;
}

export interface Histogram {
  readonly xLabel: string;
  readonly colour: string;
  /** How often each value counts. Default 1. */
  readonly weights?: readonly number[];
}

/** How often values fell into equal steps. The few largest share the last one. */
export function histogram(values: readonly number[], { xLabel, colour, weights = [] }: Histogram): string {
  const sorted = [...values].sort((a, b) => a - b);
  const longest = Math.max(1, 1.2 * (sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0));
  const step = niceStep(longest / 60);
  const counts = Array<number>(Math.ceil(longest / step)).fill(0);
  for (const [i, value] of values.entries()) {
    const bucket = Math.min(counts.length - 1, Math.max(0, Math.floor(value / step)));
    counts[bucket] = (counts[bucket] ?? 0) + (weights[i] ?? 1);
  }
  const maxX = counts.length * step;
  const frame = axes({
    minX: 0,
    maxX,
    maxY: Math.max(...counts),
    xLabel,
    yLabel: 'count',
    heightPx: HEIGHT_PX,
  });
  const bars = counts.map((count, bucket) => {
    const [left, right] = [frame.x(bucket * step), frame.x((bucket + 1) * step)];
    const top = frame.y(count);
    const upTo = bucket === counts.length - 1 ? 'and more' : `to ${label((bucket + 1) * step)}`;
    const box = { left, top, width: Math.max(0.5, right - left - 1), height: frame.y(0) - top };
    return rect(box, colour, `${label(bucket * step)} ${upTo}: ${count}`);
  });
  return svg(HEIGHT_PX, frame.axes + bars.join(''));
}

/** Bars side by side on one scale, each made of parts one after another. */
export function stackedBars(
  bars: readonly { readonly name: string; readonly parts: Readonly<Record<string, number>> }[],
  colours: Readonly<Record<string, string>>,
): string {
  const longest = Math.max(1, ...bars.map(({ parts }) => sum(Object.values(parts))));
  const scale = (WIDTH_PX - MARGIN.left - 90) / longest;
  const rows = bars.map(({ name, parts }, row) => {
    const top = 8 + row * (BAR_PX + 12);
    let left = MARGIN.left;
    const drawn = Object.entries(parts).map(([part, ms]) => {
      const box = { left, top, width: ms * scale, height: BAR_PX };
      left += ms * scale;
      return rect(box, colours[part] ?? '#000', `${part} ${ms} ms`);
    });
    const total = Math.round(sum(Object.values(parts)));
    const middle = top + BAR_PX / 2 + 4;
    return `<text x="8" y="${middle}">${escapeHtml(name)}</text>${drawn.join('')}<text x="${px(left + 8)}" y="${middle}">${total} ms</text>`;
  });
  return svg(bars.length * (BAR_PX + 12) + 8, rows.join(''));
}

interface AxesOptions {
  readonly minX: number;
  readonly maxX: number;
  readonly maxY: number;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly heightPx: number;
}

function axes({ minX, maxX, maxY, xLabel, yLabel, heightPx }: AxesOptions): Frame {
  const yStep = niceStep(Math.max(maxY, 0.01) / TICKS);
  const topY = Math.max(yStep, Math.ceil(maxY / yStep) * yStep);
  const spanX = Math.max(1e-9, maxX - minX);
  const bottom = heightPx - MARGIN.bottom;
  const x = (value: number): number =>
    MARGIN.left + ((value - minX) / spanX) * (WIDTH_PX - MARGIN.left - MARGIN.right);
  const y = (value: number): number => bottom - (value / topY) * (bottom - MARGIN.top);
  const parts: string[] = [];
  for (let value = 0; value <= topY + yStep / 2; value += yStep) {
    parts.push(
      `<line x1="${MARGIN.left}" x2="${WIDTH_PX - MARGIN.right}" y1="${px(y(value))}" y2="${px(y(value))}" stroke="#e4e7eb"/>`,
      `<text x="${MARGIN.left - 6}" y="${px(y(value) + 4)}" text-anchor="end">${label(value)}</text>`,
    );
  }
  const xStep = niceStep(spanX / (2 * TICKS));
  for (let value = Math.ceil(minX / xStep) * xStep; value <= maxX + xStep / 1e6; value += xStep) {
    parts.push(`<text x="${px(x(value))}" y="${bottom + 16}" text-anchor="middle">${label(value)}</text>`);
  }
  parts.push(
    `<text x="${WIDTH_PX - MARGIN.right}" y="${heightPx - 4}" text-anchor="end">${escapeHtml(xLabel)}</text>`,
    `<text x="${MARGIN.left}" y="${MARGIN.top - 10}">${escapeHtml(yLabel)}</text>`,
  );
  return { x, y, axes: parts.join(''), heightPx };
}

function drawLine({ name, colour, points, dots }: Line, { x, y }: Frame): string {
  const path = points.map(([px0, py0]) => `${px(x(px0))},${px(y(py0))}`).join(' ');
  const marks = points.map(([px0, py0], index) =>
    dots === undefined
      ? ''
      : `<circle cx="${px(x(px0))}" cy="${px(y(py0))}" r="5" fill="${dots(index)}"><title>${escapeHtml(name)}: ${label(py0)} at ${label(px0)}</title></circle>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"><title>${escapeHtml(name)}</title></polyline>${marks.join('')}`;
}

function drawLimit(limit: { y: number; label: string }, { y }: Frame): string {
  const at = px(y(limit.y));
  return `<line x1="${MARGIN.left}" x2="${WIDTH_PX - MARGIN.right}" y1="${at}" y2="${at}" stroke="#ba2525" stroke-dasharray="6 4"/><text x="${WIDTH_PX - MARGIN.right}" y="${px(y(limit.y) - 5)}" text-anchor="end">${escapeHtml(limit.label)}</text>`;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function rect({ left, top, width, height }: Box, colour: string, title: string): string {
  return `<rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" fill="${colour}"><title>${escapeHtml(title)}</title></rect>`;
}

function svg(heightPx: number, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH_PX} ${heightPx}" role="img">${content}</svg>`;
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return (step <= power ? 1 : step <= 2 * power ? 2 : step <= 5 * power ? 5 : 10) * power;
}

function label(value: number): string {
  return `${Math.round(value * 100) / 100}`;
}

function px(value: number): string {
  return (Math.round(value * 10) / 10).toString();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
