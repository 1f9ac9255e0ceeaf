/** The figures of a study's report. */

import * as Plot from '@observablehq/plot';
import type { Objective } from '../../common/metrics.ts';
import type { Coverage } from '../../study/ranking.ts';
import type { ReportTrial, ShownCost } from '../data.ts';
import { plural, showCount } from '../numbers.ts';
import { spaced } from '../samples.ts';
import { ACCENT, QUIET, STRONG } from './colors.ts';
import { extent, type Figure, plot, showTick, valueAxis, wholeTicks } from './plot.ts';
import { bestSoFar, busyTime, measured, objectiveValue, paretoFront } from './series.ts';

/** Dots and curves of one figure; more would make the file large and the figure unreadable. */
const MOST_DOTS = 1000;
const MOST_CURVES = 150;

interface Point {
  readonly x: number;
  readonly value: number;
  readonly best: number | undefined;
}

/** At most N of the points, always with those that must stay; what was left out, in words. */
function thin<T>(points: readonly T[], most: number, noun: string, stays: (point: T, i: number) => boolean) {
  if (points.length <= most) return { shown: points, note: {} };
  const must = new Set(points.filter(stays));
  const shown = new Set([
    ...must,
    ...spaced(
      points.filter((point) => !must.has(point)),
      Math.max(0, most - must.size),
    ),
  ]);
  const left = `${showCount(shown.size)} of ${plural(points.length, noun)} drawn`;
  return { shown: points.filter((point) => shown.has(point)), note: { left } };
}

function bestFigure(
  points: readonly Point[],
  x: Plot.ScaleOptions,
  objective: Objective,
  part: string,
  label: string,
): Figure {
  const { shown, note } = thin(points, MOST_DOTS, 'trial', (point, i) => point.best !== points[i - 1]?.best);
  const steps = shown.filter((point) => point.best !== undefined);
  const last = points.at(-1);
  const line = last?.best === undefined || steps.at(-1) === last ? steps : [...steps, last];
  const y = valueAxis(
    objective,
    part,
    points.map(({ value }) => value),
  );
  const svg = plot(
    {
      x,
      y,
      marks: [
        Plot.dot(shown, { x: 'x', y: 'value', r: 3, fill: QUIET, fillOpacity: 0.75 }),
        Plot.line(line, { x: 'x', y: 'best', curve: 'step-after', stroke: STRONG, strokeWidth: 2 }),
        // A line of one point cannot be seen.
        ...(line.length === 1 ? [Plot.dot(line, { x: 'x', y: 'best', r: 4, fill: STRONG })] : []),
      ],
    },
    `${label}${summary(points, objective)}`,
  );
  return { svg, ...note };
}

/** `: 24 trials, best 0.98` */
function summary(points: readonly Point[], { metric }: Objective): string {
  const best = points.at(-1)?.best;
  return `: ${plural(points.length, 'trial')}${best === undefined ? '' : `, best ${metric} ${Number(best.toPrecision(4))}`}`;
}

/** Each search trial's value (`part`: of what), and the best so far, by the order in which trials ended. Undefined without any. */
export function bestOverTrials(trials: readonly ReportTrial[], objective: Objective, part: string): Figure | undefined {
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
    // From before the first to after the last, so that neither stands on the edge.
    {
      label: 'trials completed →',
      domain: [0, Math.max(2, ended.length)],
      ticks: wholeTicks(0, Math.max(2, ended.length)),
      tickFormat: 'd',
    },
    objective,
    part,
    `Best ${objective.metric} so far over trials`,
  );
}

/** The hypervolume by the number of architectures that were complete. Undefined where nothing is covered. */
export function hypervolumeOverTrials({ history, complete, hypervolume }: Coverage): Figure | undefined {
  const [first] = history;
  if (first === undefined) return undefined;
  const points = [...history, { complete, hypervolume }];
  const svg = plot(
    {
      x: {
        label: 'networks completed →',
        domain: [0, Math.max(2, complete)],
        ticks: wholeTicks(0, Math.max(2, complete)),
        tickFormat: 'd',
      },
      y: { label: '↑ hypervolume', domain: [0, 1], grid: true, tickFormat: showTick },
      marks: [
        Plot.line(points, { x: 'complete', y: 'hypervolume', curve: 'step-after', stroke: STRONG, strokeWidth: 2 }),
        Plot.dot(history, { x: 'complete', y: 'hypervolume', r: 3, fill: STRONG }),
      ],
    },
    `Hypervolume over ${plural(complete, 'network')}, ${Number(hypervolume.toPrecision(3))} in the end`,
  );
  return { svg };
}

/** The same over time, in seconds, minutes or hours in which the study was running. Undefined without times. */
export function bestOverTime(trials: readonly ReportTrial[], objective: Objective, part: string): Figure | undefined {
  const ended = measured(trials, objective).filter((trial) => trial.endedAt !== undefined);
  if (ended.length === 0) return undefined;
  const busy = busyTime(trials);
  const best = bestSoFar(ended, objective);
  const seconds = ended.map((trial) => busy(trial.endedAt as number));
  const total = seconds.at(-1) ?? 0;
  const [unit, name] = total > 10_800 ? [3600, 'hours'] : total > 300 ? [60, 'minutes'] : [1, 'seconds'];
  const points = ended.map((trial, i) => ({
    x: (seconds[i] ?? Number.NaN) / unit,
    value: objectiveValue(trial, objective) as number,
    best: best[i],
  }));
  return bestFigure(
    points,
    {
      label: `search time (${name}) →`,
      domain: [0, extent(points.map(({ x }) => x))[1] * 1.02 || 1],
      ticks: 6,
      tickFormat: showTick,
    },
    objective,
    part,
    `Best ${objective.metric} so far over search time`,
  );
}

/** Learning curves of search trials, that of `highlight` on top. Undefined when no trial has reported. */
export function learningCurves(
  trials: readonly ReportTrial[],
  objective: Objective,
  highlight: number | undefined,
  stepsPerEpoch?: number,
): Figure | undefined {
  const { metric } = objective;
  const curves = trials
    .filter(({ purpose }) => purpose === 'search')
    .map(({ trial, curve }) =>
      curve
        .map((report) => ({ trial, step: report.step * (stepsPerEpoch ?? 1), value: report.metrics[metric] }))
        .filter((point): point is typeof point & { value: number } => Number.isFinite(point.value)),
    )
    .filter((points) => points.length > 0);
  const { shown, note } = thin(curves, MOST_CURVES, 'curve', ([first]) => first?.trial === highlight);
  const points = shown.flat();
  if (points.length === 0) return undefined;
  const winner = points.filter((point) => point.trial === highlight);
  const last = winner.at(-1);
  const longest = extent(points.map(({ step }) => step))[1];
  const svg = plot(
    {
      x: {
        ...(stepsPerEpoch === undefined
          ? {
              label: 'epoch →',
              ticks: longest <= 1 ? [1] : wholeTicks(1, longest),
              tickFormat: 'd',
              domain: longest <= 1 ? [0, 2] : [1, longest],
            }
          : { label: 'environment steps →', ticks: 6, tickFormat: showTick, domain: [0, longest] }),
      },
      y: valueAxis(
        objective,
        'validation',
        points.map(({ value }) => value),
      ),
      marginRight: 64,
      marks: [
        Plot.line(points, { x: 'step', y: 'value', z: 'trial', stroke: QUIET, strokeOpacity: 0.6, strokeWidth: 1 }),
        // A curve of one epoch is a dot.
        ...(longest <= 1 || points.length <= 300
          ? [Plot.dot(points, { x: 'step', y: 'value', r: longest <= 1 ? 3 : 1.5, fill: QUIET, fillOpacity: 0.7 })]
          : []),
        Plot.line(winner, { x: 'step', y: 'value', stroke: ACCENT, strokeWidth: 2.5 }),
        ...(last === undefined
          ? []
          : [
              Plot.dot([last], { x: 'step', y: 'value', r: 3.5, fill: ACCENT }),
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
    `Learning curves of ${plural(shown.length, 'trial')}: ${metric} on the validation set by epoch`,
  );
  return { svg, ...note };
}

/** The objective against a cost or a metric, of which less is better, with the Pareto front. Undefined with fewer than two trials. */
export function costScatter(
  trials: readonly ReportTrial[],
  objective: Objective,
  { name: cost, label }: Pick<ShownCost, 'name' | 'label'>,
  highlight: number | undefined,
  part: string,
): Figure | undefined {
  const all = measured(trials, objective)
    .map((trial) => ({ ...trial, cost: trial.costs[cost] ?? trial.metrics[cost] ?? Number.NaN }))
    .filter((trial) => trial.state === 'complete' && Number.isFinite(trial.cost))
    .map((trial) => ({
      trial: trial.trial,
      cost: trial.cost,
      value: objectiveValue(trial, objective) as number,
    }));
  if (all.length < 2 || objective.metric === cost) return undefined;
  const front = paretoFront(all, objective.direction);
  const winner = all.filter((point) => point.trial === highlight);
  const stays = new Set([...front, ...winner]);
  const { shown, note } = thin(all, MOST_DOTS, 'trial', (point) => stays.has(point));
  const [least, most] = extent(all.map((point) => point.cost));
  const log = least > 0 && most / least > 20;
  const room = (most - least) / 20 || Math.abs(most) / 20 || 1;
  const svg = plot(
    {
      x: {
        label: `${cost === 'params' ? 'parameters' : cost === 'flops' ? 'FLOPs (multiply-accumulates)' : label} →`,
        type: log ? 'log' : 'linear',
        domain: log ? [least / 1.2, most * 1.2] : [least < 0 ? least - room : Math.max(0, least - room), most + room],
        tickFormat: showTick,
        ticks: log ? 4 : 5,
        grid: true,
      },
      y: valueAxis(
        objective,
        part,
        all.map(({ value }) => value),
      ),
      marks: [
        Plot.line(front, { x: 'cost', y: 'value', curve: 'step-after', stroke: STRONG, strokeOpacity: 0.7 }),
        Plot.dot(shown, { x: 'cost', y: 'value', r: 3, fill: QUIET, fillOpacity: 0.8 }),
        Plot.dot(front, { x: 'cost', y: 'value', r: 3.5, fill: STRONG }),
        Plot.dot(winner, { x: 'cost', y: 'value', r: 6.5, stroke: ACCENT, strokeWidth: 2, fill: 'none' }),
        Plot.text(winner, {
          x: 'cost',
          y: 'value',
          text: () => 'winner',
          dy: 14,
          fill: ACCENT,
          textAnchor: (winner[0]?.cost ?? 0) > (least + most) / 2 ? 'end' : 'start',
        }),
      ],
    },
    `${objective.metric} against ${cost} of ${plural(all.length, 'trial')}, ${front.length} on the Pareto front`,
  );
  return { svg, ...note };
}
