/** The figures of a study's report. */

import * as Plot from '@observablehq/plot';
import { largest, smallest } from '../../common/extremes.ts';
import type { Objective } from '../../common/metrics.ts';
import type { ReportTrial } from '../data.ts';
import { ACCENT, axisOf, plot, QUIET, STRONG } from './plot.ts';
import { bestSoFar, busyTime, measured, objectiveValue, paretoFront } from './series.ts';

interface Point {
  readonly x: number;
  readonly value: number;
  readonly best: number | undefined;
}

function bestFigure(
  points: readonly Point[],
  x: Plot.ScaleOptions,
  objective: Objective,
  part: string,
  label: string,
): string {
  const steps = points.filter((point) => point.best !== undefined);
  return plot(
    {
      x,
      y: axisOf(objective, part),
      marks: [
        Plot.dot(points, { x: 'x', y: 'value', r: 2.5, fill: QUIET }),
        Plot.line(steps, { x: 'x', y: 'best', curve: 'step-after', stroke: STRONG, strokeWidth: 2 }),
      ],
    },
    label,
  );
}

/** Each search trial's value (`part`: of what), and the best so far, by the order in which trials ended. Undefined without any. */
export function bestOverTrials(trials: readonly ReportTrial[], objective: Objective, part: string): string | undefined {
  const ended = measured(trials, objective);
  if (ended.length === 0) return undefined;
  const best = bestSoFar(ended, objective);
  const points = ended.map((trial, i) => ({
    x: i + 1,
    value: objectiveValue(trial, objective) as number,
    best: best[i],
  }));
  return bestFigure(
    points,
    { label: 'trials completed →', domain: [0, ended.length], ticks: Math.min(10, ended.length), tickFormat: 'd' },
    objective,
    part,
    `Best ${objective.metric} so far over trials`,
  );
}

/** The same over time, in minutes in which the study was running. Undefined without times. */
export function bestOverTime(trials: readonly ReportTrial[], objective: Objective, part: string): string | undefined {
  const ended = measured(trials, objective).filter((trial) => trial.endedAt !== undefined);
  if (ended.length === 0) return undefined;
  const busy = busyTime(trials);
  const best = bestSoFar(ended, objective);
  const seconds = ended.map((trial) => busy(trial.endedAt as number));
  const long = (seconds.at(-1) ?? 0) > 300;
  const points = ended.map((trial, i) => ({
    x: (seconds[i] as number) / (long ? 60 : 1),
    value: objectiveValue(trial, objective) as number,
    best: best[i],
  }));
  return bestFigure(
    points,
    { label: `time searching (${long ? 'minutes' : 'seconds'}) →`, zero: true },
    objective,
    part,
    `Best ${objective.metric} so far over time`,
  );
}

/** Learning curves of all search trials, that of `highlight` on top. Undefined when no trial has reported. */
export function learningCurves(
  trials: readonly ReportTrial[],
  objective: Objective,
  highlight: number | undefined,
): string | undefined {
  const { metric } = objective;
  const points = trials
    .filter((trial) => trial.purpose === 'search')
    .flatMap(({ trial, curve }) => curve.map((report) => ({ trial, step: report.step, value: report.metrics[metric] })))
    .filter((point) => point.value !== undefined && Number.isFinite(point.value));
  if (points.length === 0) return undefined;
  const winner = points.filter((point) => point.trial === highlight);
  const last = winner.at(-1);
  const longest = largest(points.map((point) => point.step));
  return plot(
    {
      x: {
        label: 'epoch →',
        ticks: Math.min(10, longest),
        tickFormat: 'd',
        domain: [Math.min(1, longest - 1), longest],
      },
      y: axisOf(objective),
      marginRight: 64,
      marks: [
        Plot.line(points, { x: 'step', y: 'value', z: 'trial', stroke: QUIET, strokeOpacity: 0.6, strokeWidth: 1 }),
        Plot.dot(points, { x: 'step', y: 'value', r: 1.5, fill: QUIET, fillOpacity: 0.6 }),
        Plot.line(winner, { x: 'step', y: 'value', stroke: ACCENT, strokeWidth: 2.5 }),
        ...(last === undefined
          ? []
          : [
              Plot.dot([last], { x: 'step', y: 'value', r: 3, fill: ACCENT }),
              Plot.text([last], {
                x: 'step',
                y: 'value',
                text: () => `trial ${last.trial}`,
                dx: 7,
                textAnchor: 'start',
                fill: ACCENT,
              }),
            ]),
      ],
    },
    'Learning curves of all trials',
  );
}

/** The objective against a cost (params, flops) with the Pareto front. Undefined with fewer than two trials. */
export function costScatter(
  trials: readonly ReportTrial[],
  objective: Objective,
  cost: 'params' | 'flops',
  highlight: number | undefined,
  part: string,
): string | undefined {
  const points = measured(trials, objective)
    .filter((trial) => trial.state === 'complete' && (trial.costs[cost] ?? 0) > 0)
    .map((trial) => ({
      trial: trial.trial,
      cost: trial.costs[cost] as number,
      value: objectiveValue(trial, objective) as number,
    }));
  if (points.length < 2 || objective.metric === cost) return undefined;
  const front = paretoFront(points, objective.direction);
  const winner = points.filter((point) => point.trial === highlight);
  const costs = points.map((point) => point.cost);
  const wide = largest(costs) / smallest(costs) > 20;
  return plot(
    {
      x: {
        label: `${cost === 'params' ? 'parameters' : 'FLOPs (multiply-accumulates)'} →`,
        type: wide ? 'log' : 'linear',
        tickFormat: '~s',
        ticks: 6,
        grid: true,
        nice: true,
      },
      y: axisOf(objective, part),
      marks: [
        Plot.line(front, { x: 'cost', y: 'value', curve: 'step-after', stroke: STRONG, strokeOpacity: 0.7 }),
        Plot.dot(points, { x: 'cost', y: 'value', r: 3, fill: QUIET }),
        Plot.dot(front, { x: 'cost', y: 'value', r: 3.5, fill: STRONG }),
        Plot.dot(winner, { x: 'cost', y: 'value', r: 6, stroke: ACCENT, strokeWidth: 2 }),
      ],
    },
    `${objective.metric} against ${cost}`,
  );
}

/** Samples by true class (rows) and predicted class (columns); shade: share of the row. */
export function confusionFigure(matrix: readonly (readonly number[])[], labels: readonly string[]): string {
  const cells = matrix.flatMap((row, truth) => {
    const total = row.reduce((sum, n) => sum + n, 0);
    return row.map((count, predicted) => ({ truth, predicted, count, share: total === 0 ? 0 : count / total }));
  });
  const name = (index: number) => labels[index] ?? String(index);
  const longest = largest(matrix.map((_, i) => name(i).length));
  const named = matrix.length <= 30;
  const margin = named ? 30 + Math.min(longest, 20) * 6.5 : 40;
  const side = Math.min(560, Math.max(200, matrix.length * 40));
  const axis = { tickFormat: (i: number) => cut(name(i)), ...(named ? {} : { ticks: [] }) };
  return plot(
    {
      width: side + margin + 12,
      height: side + margin + 12,
      marginLeft: margin,
      marginBottom: margin,
      insetTop: 0,
      x: { label: 'predicted', domain: matrix.map((_, i) => i), tickRotate: longest > 4 ? -40 : 0, ...axis },
      y: { label: 'true', domain: matrix.map((_, i) => i), ...axis },
      color: { type: 'linear', domain: [0, 1], range: ['#ffffff', '#5b93cf'], interpolate: 'rgb' },
      marks: [
        Plot.cell(cells, { x: 'predicted', y: 'truth', fill: 'share', inset: 0.5, stroke: '#e3e6ea' }),
        ...(matrix.length <= 15
          ? [
              Plot.text(
                cells.filter((cell) => cell.count > 0),
                { x: 'predicted', y: 'truth', text: (cell: { count: number }) => String(cell.count), fill: '#1c2128' },
              ),
            ]
          : []),
      ],
    },
    'Confusion matrix on the test samples',
  );
}

function cut(label: string): string {
  return label.length > 20 ? `${label.slice(0, 19)}…` : label;
}
