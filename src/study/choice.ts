import { compareBy, type Metrics, type Objective } from '../common/metrics.ts';
import type { Measured } from '../common/pareto.ts';

/** How one network is chosen of a Pareto front: the best by an objective, or the knee. */
export type ChoiceRule = { readonly kind: 'objective'; readonly metric: string } | { readonly kind: 'knee' };

/** How a network was chosen: by an objective, as the `knee`, by `trial`, or because it has been evaluated. */
export interface Choice {
  readonly trial: number;
  readonly by: string;
  /** The trials on the Pareto front, the best by the first objective first; with one objective the best alone. */
  readonly front: readonly number[];
}

/**
 * The member of a front that the rule chooses; of equals the one that comes first, so that a front in the order of
 * `bestOf` decides by the first objective. Undefined for an empty front.
 */
export function chooseOf<T extends Measured>(
  front: readonly T[],
  objectives: readonly Objective[],
  rule: ChoiceRule,
): T | undefined {
  if (rule.kind === 'knee') return kneeOf(front, objectives);
  const objective = objectives.find(({ metric }) => metric === rule.metric);
  if (objective === undefined) return undefined;
  return front.toSorted((a, b) => compareBy(objective, a.metrics, b.metrics))[0];
}

/** Sums of normalized values that differ by less are equal: the ends of a front all have 1 with two objectives. */
const TOLERANCE = 1e-9;

/**
 * The knee of a front: each objective is scaled to [0, 1] over the front (0 is best), and the member farthest from the
 * plane through the ends, towards the ideal point, is the knee: a step from it in any direction loses more than it gains
 * (Das 1999, "On characterizing the knee of the Pareto curve based on normal-boundary intersection"; Branke et al. 2004,
 * "Finding knees in multi-objective optimization"). With two objectives that is the largest distance from the line
 * between the two ends. Differs: with more, the plane is the one on which the scaled values have a constant sum, as the
 * best of each objective need not span a plane. A front without a bulge has no knee: its first member is returned.
 */
function kneeOf<T extends Measured>(front: readonly T[], objectives: readonly Objective[]): T | undefined {
  const scales = objectives.map((objective) => scaleOf(front, objective));
  const sums = front.map(({ metrics }) => scales.reduce((sum, scale) => sum + scale(metrics), 0));
  const least = sums.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return front[sums.findIndex((sum) => sum <= least + TOLERANCE)];
}

/** From 0 (the best value of the front) to 1 (the worst, or none); 0 where all are equal. */
function scaleOf(front: readonly Measured[], { metric, direction }: Objective): (metrics: Metrics) => number {
  const lossOf = (metrics: Metrics) => (direction === 'maximize' ? -1 : 1) * (metrics[metric] ?? Number.NaN);
  const values = front.map(({ metrics }) => lossOf(metrics)).filter(Number.isFinite);
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return (metrics) => {
    const value = lossOf(metrics);
    if (!Number.isFinite(value)) return 1;
    return high > low ? (value - low) / (high - low) : 0;
  };
}
