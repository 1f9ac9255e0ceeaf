/** The figures of a comparison. */

import * as Plot from '@observablehq/plot';
import { INK, QUIET } from '../figures/colors.ts';
import { extent, plot, showTick, valueAxis } from '../figures/plot.ts';
import { isShare } from '../numbers.ts';
import { type BandPoint, type CompetitorSummary, regretOf } from './analysis.ts';
import type { Comparison } from './data.ts';

/** Colors that color-blind readers can distinguish (Okabe & Ito 2008), then a few more; `style.ts` has them for both themes. */
const COLORS = Array.from({ length: 9 }, (_, i) => `var(--c${i})`);

/** A color for each competitor; random search is gray. */
export function colorsOf({ competitors, reference }: Comparison): Readonly<Record<string, string>> {
  let next = 0;
  return Object.fromEntries(
    competitors.map(({ name }) => [name, name === reference ? QUIET : (COLORS[next++ % COLORS.length] as string)]),
  );
}

const FIGURE = { width: 520, height: 310 };

function overTime(comparison: Comparison, points: readonly BandPoint[], y: Plot.ScaleOptions, label: string): string {
  const colors = colorsOf(comparison);
  const z = { x: 'at', z: 'name' } as const;
  return plot(
    {
      ...FIGURE,
      x: {
        label: `${comparison.axis === 'seconds' ? 'search time (seconds)' : comparison.axis} →`,
        tickFormat: showTick,
        ticks: 6,
      },
      y,
      marks: [
        Plot.areaY(points, {
          ...z,
          y1: 'low',
          y2: 'high',
          fill: ({ name }: BandPoint) => colors[name],
          fillOpacity: 0.15,
        }),
        Plot.lineY(points, { ...z, y: 'mean', stroke: ({ name }: BandPoint) => colors[name], strokeWidth: 2 }),
      ],
    },
    label,
  );
}

/** The mean best so far with its band. */
export function bestFigure(comparison: Comparison, points: readonly BandPoint[]): string {
  const { objective } = comparison;
  // The values of the first draws say little and would take most of the figure.
  const moments = [...new Set(points.map(({ at }) => at))];
  const later = points.filter(({ at }) => at >= (moments[Math.floor(moments.length / 20)] ?? 0));
  const y = {
    ...valueAxis(
      objective,
      'validation',
      later.flatMap(({ low, high }) => [low, high]),
    ),
    clamp: true,
  };
  return overTime(comparison, points, y, `Mean best ${objective.metric} so far of each search, with its 95 % interval`);
}

/** The mean regret with its band, on a logarithmic axis. Undefined where the optimum is unknown. */
export function regretFigure(comparison: Comparison, points: readonly BandPoint[]): string | undefined {
  const { objective, optimum } = comparison;
  if (optimum === undefined || points.length === 0) return undefined;
  const regrets = regretOf(points, optimum.valid, objective);
  const above = regrets.flatMap(({ mean, low }) => [mean, low]).filter((value) => value > 1e-9);
  if (above.length === 0) return undefined;
  const floor = extent(above)[0] / 2;
  const scale = isShare(objective.metric) ? 100 : 1;
  const shown = regrets.map(({ name, at, mean, low, high }) => ({
    name,
    at,
    mean: scale * Math.max(floor, mean),
    low: scale * Math.max(floor, low),
    high: scale * Math.max(floor, high),
  }));
  const unit = scale === 100 ? ', points' : '';
  const label = `↓ regret of ${objective.metric} (validation${unit})`;
  const y = { type: 'log', label, grid: true, ticks: 5, tickFormat: showTick } as const;
  return overTime(comparison, shown, y, 'Mean regret of each search, with its 95 % interval');
}

/** What each seed ended with, and the mean with its interval. Undefined where there are no values. */
export function finalFigure(comparison: Comparison, summaries: readonly CompetitorSummary[], part: 'valid' | 'test') {
  const { objective, competitors } = comparison;
  const colors = colorsOf(comparison);
  const dots = competitors.flatMap(({ name, runs }) =>
    runs.flatMap((run) => (run[part] === undefined ? [] : [{ name, value: run[part] }])),
  );
  if (dots.length === 0) return undefined;
  const means = summaries.flatMap(({ name, [part]: spread }) =>
    spread === undefined ? [] : [{ name, mean: spread.mean, low: spread.interval[0], high: spread.interval[1] }],
  );
  const names = competitors.map(({ name }) => name);
  const spans = [...dots.map(({ value }) => value), ...means.flatMap(({ low, high }) => [low, high])];
  return plot(
    {
      ...FIGURE,
      height: 60 + 34 * names.length,
      marginLeft: 24 + 7 * Math.min(LONGEST, Math.max(...names.map(({ length }) => length))),
      x: { ...valueAxis(objective, part === 'valid' ? 'validation' : 'test', spans), labelArrow: null, ticks: 5 },
      y: { type: 'band', domain: names, label: null, padding: 0.3, tickFormat: cut },
      marks: [
        Plot.tickX(dots, {
          x: 'value',
          y: 'name',
          stroke: ({ name }: { name: string }) => colors[name],
          strokeOpacity: 0.45,
        }),
        Plot.ruleY(means, { x1: 'low', x2: 'high', y: 'name', stroke: INK, strokeWidth: 2 }),
        Plot.dot(means, { x: 'mean', y: 'name', r: 4, fill: INK }),
      ],
    },
    `Final ${part === 'valid' ? 'validation' : 'test'} ${objective.metric} of each seed and their mean, by search`,
  );
}

/** Longest name beside an axis. */
const LONGEST = 24;

function cut(name: string): string {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}
