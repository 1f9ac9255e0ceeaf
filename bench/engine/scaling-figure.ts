/** The figure of scaling.ts: seconds of a step along each axis, measured points and the line through them. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Line } from './line.ts';

export type Axis = 'batch' | 'cells' | 'channels';

/** What was measured along one axis. */
export interface AxisResult {
  readonly axis: Axis;
  /** What the other axes were. */
  readonly fixed: Readonly<Record<string, number>>;
  readonly points: readonly { readonly x: number; readonly seconds: number; readonly peakMiB: number }[];
  /** Undefined for fewer than two points. */
  readonly line: Line | undefined;
  readonly leftOut: readonly { readonly x: number; readonly reason: string }[];
}

const [WIDTH, HEIGHT, TITLE] = [300, 240, 18];
const STYLE = { fontFamily: 'system-ui, sans-serif', fontSize: '12px', color: '#1c2128', background: '#ffffff' };

/** The axes side by side, one SVG. */
export function scalingFigure(results: readonly AxisResult[]): string {
  const panels = results.map((result, i) => {
    const fixed = Object.entries(result.fixed).map(([name, value]) => `${value} ${name === 'batch' ? 'images' : name}`);
    const title = `<text x="48" y="${TITLE - 5}" font-family="system-ui, sans-serif" font-size="12">${fixed.join(', ')}</text>`;
    return `<g transform="translate(${i * WIDTH},0)">${title}<g transform="translate(0,${TITLE})">${panel(result)}</g></g>`;
  });
  const [width, height] = [WIDTH * results.length, HEIGHT + TITLE];
  const attributes = `xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const background = '<rect width="100%" height="100%" fill="#ffffff"/>';
  return `<svg ${attributes} role="img" aria-label="Seconds of a step">${background}${panels.join('')}</svg>\n`;
}

function panel({ axis, points, line }: AxisResult): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const values = points.map(({ x }) => x);
  const [first, last] = [Math.min(...values), Math.max(...values)];
  const drawn = line === undefined ? [] : [first, last].map((x) => ({ x, seconds: line.intercept + line.slope * x }));
  // A label needs room: none where the value before is too near.
  const ticks = values.filter((x, i) => i === 0 || x - (values[i - 1] ?? 0) > last / 12);
  const svg = Plot.plot({
    ...{ width: WIDTH, height: HEIGHT, marginLeft: 48, marginBottom: 40, style: STYLE },
    x: { label: `${axis} →`, domain: [0, last], ticks, tickFormat: 'd' },
    y: { label: '↑ seconds of a step', grid: true, zero: true, nice: true },
    marks: [
      Plot.line(drawn, { x: 'x', y: 'seconds', stroke: '#9aa4b1', strokeDasharray: '4 3' }),
      Plot.dot(points, { x: 'x', y: 'seconds', r: 3.5, fill: '#1f5fa8' }),
    ],
    document: document as unknown as Document,
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return svg.toString();
}
