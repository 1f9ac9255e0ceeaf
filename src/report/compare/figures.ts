/** The figures of a comparison. */

import * as Plot from '@observablehq/plot';
import { largest, smallest } from '../../common/extremes.ts';
import type { Objective } from '../../common/metrics.ts';
import { axisOf, plot, QUIET } from '../figures/plot.ts';
import { isShare } from '../numbers.ts';
import { type BandPoint, type CompetitorSummary, regretOf } from './analysis.ts';
import type { Comparison } from './data.ts';

/** Told apart by people who see few colours (Okabe & Ito 2008), then a few more. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7b3294', '#8c510a', '#4d9221'];

/** A colour for each competitor; random search is grey. */
export function coloursOf({ competitors, reference }: Comparison): Readonly<Record<string, string>> {
  let next = 0;
  return Object.fromEntries(
    competitors.map(({ name }) => [name, name === reference ? QUIET : (COLOURS[next++ % COLOURS.length] as string)]),
  );
}

const FIGURE = { width: 560, height: 320 };

function overTime(comparison: Comparison, points: readonly BandPoint[], y: Plot.ScaleOptions, label: string): string {
  const colours = coloursOf(comparison);
  const z = { x: 'at', z: 'name' } as const;
  return plot(
    {
      ...FIGURE,
      x: { label: `${comparison.axis === 'seconds' ? 'seconds of searching' : 'evaluations'} →`, tickFormat: '~s' },
      y,
      marks: [
        Plot.areaY(points, {
          ...z,
          y1: 'low',
          y2: 'high',
          fill: ({ name }: BandPoint) => colours[name],
          fillOpacity: 0.15,
        }),
        Plot.lineY(points, { ...z, y: 'mean', stroke: ({ name }: BandPoint) => colours[name], strokeWidth: 2 }),
      ],
    },
    label,
  );
}

/** The mean best so far with its band. */
export function bestFigure(comparison: Comparison, points: readonly BandPoint[]): string {
  const { objective } = comparison;
  // What the first draws come to says little and would take most of the picture.
  const moments = [...new Set(points.map(({ at }) => at))];
  const later = points.filter(({ at }) => at >= (moments[Math.floor(moments.length / 20)] ?? 0));
  const scale = isShare(objective.metric) ? 100 : 1;
  const [low, high] = [smallest(later.map((one) => one.low)), largest(later.map((one) => one.high))];
  const margin = (high - low) / 20 || Math.abs(high) / 20 || 1;
  const y = { ...axisOf(objective), domain: [scale * (low - margin), scale * (high + margin)], clamp: true };
  return overTime(comparison, points, y, `Best ${objective.metric} so far`);
}

/** The mean regret with its band, on a logarithmic axis. Undefined where the optimum is unknown. */
export function regretFigure(comparison: Comparison, points: readonly BandPoint[]): string | undefined {
  const { objective, optimum } = comparison;
  if (optimum === undefined || points.length === 0) return undefined;
  const regrets = regretOf(points, optimum.valid, objective);
  const above = regrets.flatMap(({ mean, low }) => [mean, low]).filter((value) => value > 1e-9);
  if (above.length === 0) return undefined;
  const floor = smallest(above) / 2;
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
  const y = { type: 'log', label, grid: true, ticks: 5, tickFormat: '~g' } as const;
  return overTime(comparison, shown, y, 'Regret');
}

/** What each seed ended with, and the mean with its interval. Undefined where there are no values. */
export function finalFigure(comparison: Comparison, summaries: readonly CompetitorSummary[], part: 'valid' | 'test') {
  const { objective, competitors } = comparison;
  const colours = coloursOf(comparison);
  const dots = competitors.flatMap(({ name, runs }) =>
    runs.flatMap((run) => (run[part] === undefined ? [] : [{ name, value: run[part] }])),
  );
  if (dots.length === 0) return undefined;
  const means = summaries.flatMap(({ name, [part]: spread }) =>
    spread === undefined ? [] : [{ name, mean: spread.mean, low: spread.interval[0], high: spread.interval[1] }],
  );
  const names = competitors.map(({ name }) => name);
  const axis: Objective = objective;
  return plot(
    {
      ...FIGURE,
      height: 60 + 34 * names.length,
      marginLeft: 24 + 7 * Math.min(24, largest(names.map(({ length }) => length))),
      x: { ...axisOf(axis, part === 'valid' ? 'validation' : 'test'), labelArrow: null },
      y: { type: 'band', domain: names, label: null, padding: 0.3 },
      marks: [
        Plot.tickX(dots, {
          x: 'value',
          y: 'name',
          stroke: ({ name }: { name: string }) => colours[name],
          strokeOpacity: 0.45,
        }),
        Plot.ruleY(means, { x1: 'low', x2: 'high', y: 'name', stroke: '#1c2128', strokeWidth: 2 }),
        Plot.dot(means, { x: 'mean', y: 'name', r: 4, fill: '#1c2128' }),
      ],
    },
    `Final ${objective.metric} of each seed`,
  );
}
