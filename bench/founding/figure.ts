/** Accuracy on the test split against the time of the search. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

export interface Point {
  readonly method: string;
  /** Seconds of the search, above 0. */
  readonly seconds: number;
  /** A fraction, and its standard deviation over seeds. */
  readonly accuracy: number;
  readonly sd: number;
}

const STYLE = { fontFamily: 'system-ui, sans-serif', fontSize: '12px', color: '#1c2128', background: '#ffffff' };

const HEIGHT = 460;
/** The height of a label, with some room. */
const LABEL = 18;

/** Where labels stand, from the highest down: beside their point, or lower, so that they are this far apart. */
function apart<T extends { readonly accuracy: number }>(points: readonly T[], gap: number) {
  let above = Number.POSITIVE_INFINITY;
  return points
    .toSorted((a, b) => b.accuracy - a.accuracy)
    .map((point) => {
      const place = Math.min(point.accuracy, above - gap);
      above = place;
      return { ...point, place };
    });
}

/** An SVG with a logarithmic axis of time; hand-designed networks, which have no search, are lines across. */
export function figure(points: readonly Point[], handDesigned: readonly Omit<Point, 'seconds'>[]): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const percent = (value: number) => 100 * value;
  const all = points.map(({ method, seconds, accuracy, sd }) => ({
    ...{ method, minutes: seconds / 60, accuracy: percent(accuracy) },
    ...{ low: percent(accuracy - sd), high: percent(accuracy + sd) },
  }));
  const lines = handDesigned.map(({ method, accuracy }) => ({ method, accuracy: percent(accuracy) }));
  const minutes = all.map((point) => point.minutes);
  // One place for all would leave the axis without a length.
  const domain = minutes.length === 0 ? [1, 10] : [Math.min(...minutes) / 1.5, Math.max(...minutes) * 3];
  const ends = [...all.flatMap(({ low, high }) => [low, high]), ...lines.map(({ accuracy }) => accuracy)];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const gap = ((most - least) * LABEL) / HEIGHT;
  // Searches of the same minutes stand one above the other, so the labels have a column of their own.
  const labels = apart(all, gap).map((one) => ({ ...one, column: Math.max(...minutes) * 1.25 }));
  const svg = Plot.plot({
    ...{ width: 720, height: HEIGHT, marginLeft: 56, marginBottom: 44, marginRight: 24, style: STYLE },
    ariaLabel: 'Accuracy on the test split against the minutes of the search',
    x: { type: 'log', label: 'minutes of the search →', domain, tickFormat: '~g' },
    y: { label: '↑ accuracy on the test split (%)', grid: true, nice: true },
    marks: [
      Plot.ruleY(lines, { y: 'accuracy', stroke: '#9aa4b1', strokeDasharray: '4 3' }),
      Plot.text(lines, { y: 'accuracy', text: 'method', frameAnchor: 'right', dy: -6, fill: '#57606a' }),
      Plot.ruleX(all, { x: 'minutes', y1: 'low', y2: 'high', stroke: '#1f5fa8' }),
      Plot.dot(all, { x: 'minutes', y: 'accuracy', r: 3.5, fill: '#1f5fa8' }),
      Plot.link(labels, { x1: 'minutes', y1: 'accuracy', x2: 'column', y2: 'place', stroke: '#c4ccd6' }),
      Plot.text(labels, { x: 'column', y: 'place', text: 'method', textAnchor: 'start', dx: 4 }),
    ],
    document: document as unknown as Document,
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  return `${svg.toString()}\n`;
}
