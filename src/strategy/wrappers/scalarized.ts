import { invalid } from '../../common/errors.ts';
import { largest, smallest } from '../../common/extremes.ts';
import type { Json } from '../../common/json.ts';
import type { Metrics, Objective } from '../../common/metrics.ts';
import type { Rng } from '../../common/random.ts';
import { drawWithin, proposalRng } from '../limits.ts';
import { areRare, membersOf } from '../members.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { viewOf } from './view.ts';

export interface ScalarizedOptions {
  readonly method: 'weights' | 'chebyshev';
  /** By the objective's metric; 1 where none is given. Positive. */
  readonly weights: Readonly<Record<string, number>>;
}

type Range = { readonly least: number; readonly most: number };

export type ScalarizedState = {
  /** For objectives that are costs: the values that are scaled to 0 and 1. */
  readonly ranges: { readonly [metric: string]: Range };
  readonly inner: Json;
};

/** What the inner strategy minimizes. States of stored studies hold this spelling. */
const SCALAR: Objective = { metric: 'scalarised', direction: 'minimize', unit: 'weighted shares' };

const SAMPLES = 64;

/** Share of the weighted sum in the Chebyshev form, so that of two equal maxima the better sum wins. */
const AUGMENTATION = 0.05;

/**
 * Several objectives as one, for single-objective strategies. Each objective becomes a badness b from 0 to 1, and the
 * inner strategy minimizes
 * - weights: Σ w b, which reaches the convex part of the Pareto front only;
 * - chebyshev: max w b + 0.05 Σ w b, which reaches all of it (augmented Chebyshev; Knowles 2006, ParEGO, section II, with
 *   weights that stay what they are).
 *
 * b of a share is its distance from 1 or 0; of a cost (params, flops) its place on a logarithmic scale between the least
 * and the largest of 64 random architectures, so that each doubling weighs the same; of any other y, its distance d from
 * 0 (or, where large is good, from 1) as d / (1 + d). The scales are fixed when the study begins: what was told stays
 * true. The study's own Pareto front is over all that was measured, whatever a search was steered by.
 *
 * init: 64 costs. Throws UserError for a weight that is not positive or names no objective.
 */
export function scalarized(inner: Strategy, { method, weights }: ScalarizedOptions): Strategy<ScalarizedState> {
  const view = viewOf((problem): Problem => ({ ...problem, objectives: [SCALAR] }));
  const { continuable } = inner;
  return {
    name: 'scalarized',
    init(problem) {
      const names = problem.objectives.map(({ metric }) => metric);
      for (const [name, weight] of Object.entries(weights)) {
        if (!names.includes(name))
          throw invalid('strategy "scalarized"', `option weight.${name}`, `the objectives are ${names.join(', ')}`);
        if (!(weight > 0 && Number.isFinite(weight)))
          throw invalid('strategy "scalarized"', `option weight.${name} is ${weight}`, 'must be above 0');
      }
      return { ranges: rangesOf(problem), inner: inner.init(view(problem)) };
    },
    async ask(problem, state, firstTrial, count) {
      const [asked, proposals] = await inner.ask(view(problem), state.inner, firstTrial, count);
      return [{ ...state, inner: asked }, proposals];
    },
    async tell(problem, state, outcomes) {
      const told = outcomes.map((outcome) => {
        const parts = problem.objectives.map((objective) => {
          return (weights[objective.metric] ?? 1) * badness(objective, outcome.metrics, state.ranges);
        });
        const sum = parts.reduce((a, b) => a + b, 0);
        const scalar = method === 'weights' ? sum : largest(parts) + AUGMENTATION * sum;
        return Number.isFinite(scalar)
          ? { ...outcome, metrics: { ...outcome.metrics, [SCALAR.metric]: scalar } }
          : outcome;
      });
      return { ...state, inner: await inner.tell(view(problem), state.inner, told) };
    },
    ...(continuable && { continuable: ({ inner: state }: ScalarizedState) => continuable(state) }),
  };
}

/** From 0 (as good as can be) to 1; NaN where there is no value. */
function badness({ metric, direction, unit }: Objective, metrics: Metrics, ranges: ScalarizedState['ranges']): number {
  const value = metrics[metric] ?? Number.NaN;
  const range = ranges[metric];
  if (range !== undefined) {
    const place = (Math.log1p(value) - Math.log1p(range.least)) / (Math.log1p(range.most) - Math.log1p(range.least));
    const clamped = Math.min(1, Math.max(0, place));
    return direction === 'minimize' ? clamped : 1 - clamped;
  }
  const distance = direction === 'minimize' ? value : 1 - value;
  if (unit === 'share' && distance <= 1) return Math.max(0, distance);
  return Math.max(0, distance) / (1 + Math.max(0, distance));
}

const draw = (problem: Problem, stream: Rng) => drawWithin(problem, () => problem.space.sample(stream));

function rangesOf(problem: Problem): ScalarizedState['ranges'] {
  const stream = proposalRng(problem, 0, 'scales');
  const rare = areRare(problem) ? membersOf(problem)?.members : undefined;
  const drawn = rare?.slice(0, SAMPLES) ?? Array.from({ length: SAMPLES }, () => draw(problem, stream));
  const costs = drawn.map((architecture) => {
    try {
      return architecture === undefined ? {} : problem.costs(architecture);
    } catch {
      return {}; // It cannot be built: a failed trial, should it be proposed.
    }
  });
  return Object.fromEntries(
    problem.objectives.flatMap(({ metric }): [string, Range][] => {
      const values = costs.flatMap((one: Readonly<Record<string, number>>) => one[metric] ?? []);
      if (values.length === 0) return [];
      const [least, most] = [smallest(values), largest(values)];
      return [[metric, { least, most: most > least ? most : least + 1 }]];
    }),
  );
}
