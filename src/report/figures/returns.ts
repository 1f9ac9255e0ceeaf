/** How the return of policies grows with their training. */
import * as Plot from '@observablehq/plot';
import type { Objective } from '../../common/metrics.ts';
import { bands } from '../compare/analysis.ts';
import { STRONG } from './colors.ts';
import { plot, showTick, valueAxis } from './plot.ts';

/** One training: a value after each number of environment steps. */
export type ReturnCurve = readonly { readonly envSteps: number; readonly value: number }[];

/** The mean over trainings with its 95 % bootstrap interval. Undefined where a training has no values. */
export function returnsFigure(curves: readonly ReturnCurve[], objective: Objective): string | undefined {
  const runs = curves.map((curve, seed) => ({
    ...{ seed, architecture: {}, text: '', evaluations: 1, seconds: 0 },
    trajectory: curve.map(({ envSteps, value }) => ({ at: envSteps, value })),
    end: curve.at(-1)?.envSteps ?? 0,
  }));
  const points = runs.length === 0 ? [] : bands({ competitors: [{ name: objective.metric, runs }] });
  if (points.length === 0) return undefined;
  const spans = points.flatMap(({ low, high }) => [low, high]);
  return plot(
    {
      x: { label: 'environment steps →', tickFormat: showTick, ticks: 6 },
      y: valueAxis(objective, 'validation', spans),
      marks: [
        Plot.areaY(points, { x: 'at', y1: 'low', y2: 'high', fill: STRONG, fillOpacity: 0.15 }),
        Plot.lineY(points, { x: 'at', y: 'mean', stroke: STRONG, strokeWidth: 2 }),
      ],
    },
    `Mean ${objective.metric} on validation episodes over environment steps, with its 95 % interval`,
  );
}
