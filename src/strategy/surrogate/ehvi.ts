import { type Box, nondominatedBoxes } from '../../common/hypervolume.ts';
import { rank } from '../../common/pareto.ts';
import {
  fitHyperparameters,
  type GaussianProcess,
  gaussianProcess,
  type Posterior,
} from '../../model/gaussian-process.ts';
import { expectedImprovement } from '../../model/normal.ts';
import type { Architecture } from '../../space/space.ts';
import { proposalRng } from '../limits.ts';
import { guidedBy, type Observation, type ObservationsState } from '../observations.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { treeOf } from '../tree.ts';
import { bestWithin, type Draft, pool } from './candidates.ts';
import { type Features, featuresOf, type Point } from './features.ts';

export interface EhviOptions {
  /** Random architectures before the models are asked. */
  readonly initial: number;
  /** Random architectures among the candidates. */
  readonly candidates: number;
  /** Mutations of members of the front among the candidates. */
  readonly mutations: number;
}

/** The most observations that the processes are made of; those that came since are added. */
const GIVEN = 200;
/** Observations that hyperparameters are fitted to. */
const FITTED = 80;
/** Candidates whose variances are computed. */
const LOOKED_AT = 40;
/** Members of the front that boxes are made of, by the number of objectives: the boxes would be too many. */
const MOST_FRONT = [0, 1, 200, 60, 20];
const LEAST_FRONT = 10;
/** The worst value is the reference point, unless its distance to the median exceeds this many times the distance of the best value. */
const NEAR = 4;
/** Else the reference point is so many times as far below. */
const DEPTH = 1.5;

/** Values of one objective with mean 0 and deviation 1, cut at the reference point, which is `floor`. */
interface Scaled {
  readonly targets: Float64Array;
  readonly floor: number;
}

/** One process for each objective, made from some observations of a state and given the later ones. */
interface Processes {
  readonly each: readonly GaussianProcess<Point>[];
  /** What their points are. */
  readonly rows: readonly Observation[];
  readonly fittedAt: number;
}

/**
 * Expected hypervolume improvement. Emmerich, Giannakoglou & Naujoks 2006, "Single- and multiobjective evolutionary
 * optimization assisted by Gaussian random field metamodels", with the exact computation of Yang, Emmerich, Deutz & Bäck
 * 2019: after `initial` random architectures, a Gaussian process learns each objective, and each trial is the candidate
 * by which the hypervolume of the front is expected to grow most. Candidates are mutations of the members of the front,
 * each as often, and random architectures.
 *
 * The reference point is that of the problem. Where it states none, it is the worst value seen of each objective; where that
 * is more than 4 times as far below the median as the best is above it, a value 1.5 times as far: networks that learn
 * nothing would make the cheap end of the front worth more than the rest of it.
 *
 * The kernel is that of `gaussianProcessSearch`, with the decisions of cells as one more group (`joint` of `featuresOf`):
 * cells that compute the same need not cost the same, so only an architecture that was proposed before is not proposed
 * again. Failed trials are at the reference point. What is still running counts as if it had ended as the models expect
 * (kriging believer). With one objective it is expected improvement.
 *
 * Differs: the objectives' processes are independent; variances are computed for the 40 candidates that would be best if
 * all variances were equal; from 200 observations on, the processes are made of the 100 best by non-dominated rank, the
 * latest 100 and those that came since the hyperparameters were last fitted (whenever there are 30 % more).
 *
 * ask: for n up to some 260 observations O(n) for each candidate and O(n²) for 40 of them; O(n³) at each fit. tell: O(n)
 * to copy the list.
 */
export function ehvi(options: EhviOptions): Strategy<ObservationsState> {
  /** By the first observation, which all states of a study share. */
  const kept = new WeakMap<Observation, Processes>();

  return guidedBy('ehvi', options.initial, propose);

  function propose(problem: Problem, state: ObservationsState, trial: number): Architecture {
    const space = treeOf(problem);
    const known = featuresOf(space, 'joint');
    const { observations, pending } = state;
    const { each, rows } = processesFor(problem, observations, known);
    const scaled = problem.objectives.map((_, k) => scaledBy(problem, observations, rows, k));
    const values = scaled.map(({ targets }) => Array.from(targets));
    const points = pending.map(({ architecture }) => known.pointOf(architecture));
    for (const point of points) {
      for (const [k, process] of each.entries()) {
        values[k]?.push(process.given(values[k] ?? []).mean(point));
        process.add(point);
      }
    }
    const posteriors = each.map((process, k) => process.given(values[k] ?? []));
    const vectors = (values[0] ?? []).map((_, i) => values.map((one) => one[i] ?? Number.NaN));
    const front = frontOf(vectors);
    const most = MOST_FRONT[scaled.length] ?? LEAST_FRONT;
    const boxes = nondominatedBoxes(
      spread(front, most).map((i) => vectors[i] ?? []),
      scaled.map(({ floor }) => floor),
    );
    const parents = front.flatMap((i) => rows[i] ?? []).map(({ architecture }) => architecture);
    const stream = proposalRng(problem, trial, 'candidates');
    const drafts = pool(space, stream, known.keyOf, [...observations, ...pending], {
      random: options.candidates,
      parents,
      mutations: Math.ceil(options.mutations / Math.max(1, parents.length)),
    });
    const scores = acquire(posteriors, drafts, known, boxes);
    for (const process of each) process.truncate(rows.length);
    return bestWithin(problem, trial, drafts, scores);
  }

  function processesFor(problem: Problem, observations: readonly Observation[], known: Features): Processes {
    const first = observations[0] as Observation;
    const fittedAt = lastFit(observations.length);
    const found = kept.get(first);
    const isSame = found?.fittedAt === fittedAt;
    const basis = isSame
      ? found.rows.slice(0, Math.min(fittedAt, GIVEN))
      : basisOf(problem, observations.slice(0, fittedAt));
    const rows = [...basis, ...observations.slice(fittedAt)];
    const isContinued = isSame && found.rows.every((row, i) => row === rows[i]);
    const each = isContinued
      ? found.each
      : problem.objectives.map((_, k) =>
          gaussianProcess(known.metric, fitted(problem, observations.slice(0, fittedAt), basis, known, k)),
        );
    for (const { architecture } of rows.slice(each[0]?.points.length ?? 0)) {
      const point = known.pointOf(architecture);
      for (const process of each) process.add(point);
    }
    const now = { each, rows, fittedAt };
    kept.set(first, now);
    return now;
  }
}

function fitted(
  problem: Problem,
  observations: readonly Observation[],
  basis: readonly Observation[],
  known: Features,
  objective: number,
) {
  const chosen = spread(basis, FITTED);
  const { targets } = scaledBy(problem, observations, chosen, objective);
  return fitHyperparameters(
    known.metric,
    chosen.map(({ architecture }) => known.pointOf(architecture)),
    targets,
  );
}

/** The values of `rows`, scaled by those of all observations. */
function scaledBy(
  problem: Problem,
  observations: readonly Observation[],
  rows: readonly Observation[],
  k: number,
): Scaled {
  const finite = observations.flatMap(({ values }) => values?.[k] ?? []).sort((a, b) => a - b);
  const [worst = 0, median = 0, best = 0] = [finite[0], finite[Math.floor(finite.length / 2)], finite.at(-1)];
  const { metric, direction } = problem.objectives[k] ?? problem.objectives[0];
  const stated = problem.reference?.[metric];
  const sign = direction === 'maximize' ? 1 : -1;
  const isNear = median - worst <= NEAR * (best - median);
  const floor = stated === undefined ? (isNear ? worst : median - DEPTH * (best - median)) : sign * stated;
  const cut = rows.map(({ values }) => Math.max(floor, values?.[k] ?? floor));
  const mean = cut.reduce((sum, value) => sum + value, 0) / Math.max(1, cut.length);
  const deviation = Math.sqrt(cut.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, cut.length)) || 1;
  return { targets: Float64Array.from(cut, (value) => (value - mean) / deviation), floor: (floor - mean) / deviation };
}

/** The expected hypervolume improvement of each draft; that of those without a chance is below all others. */
function acquire(
  posteriors: readonly Posterior<Point>[],
  drafts: readonly Draft[],
  known: Features,
  boxes: readonly Box[],
): Float64Array {
  const points = drafts.map(known.pointOf);
  const usual = posteriors.map(({ prior }) => Math.sqrt(prior) / 2);
  const rough = points.map((point) =>
    improvement(
      boxes,
      posteriors.map((one) => one.mean(point)),
      usual,
    ),
  );
  const order = rough.map((_, i) => i).sort((a, b) => (rough[b] ?? 0) - (rough[a] ?? 0) || a - b);
  const scores = new Float64Array(drafts.length);
  for (const [place, i] of order.entries()) scores[i] = -1 - place;
  for (const i of order.slice(0, LOOKED_AT)) {
    const beliefs = posteriors.map((one) => one.predict(points[i] as Point));
    scores[i] = improvement(
      boxes,
      beliefs.map(({ mean }) => mean),
      beliefs.map(({ variance }) => Math.sqrt(variance)),
    );
  }
  return scores;
}

/**
 * E of the volume of these boxes that an independent normal vector dominates: in each objective the part of a box below a
 * value y is max(0, y - low) - max(0, y - high).
 */
export function improvement(boxes: readonly Box[], means: readonly number[], deviations: readonly number[]): number {
  let sum = 0;
  for (const { low, high } of boxes) {
    let product = 1;
    for (let k = 0; k < means.length && product > 0; k++) {
      const [mean, deviation] = [means[k] ?? Number.NaN, deviations[k] ?? Number.NaN];
      const [from, to] = [low[k] ?? Number.NaN, high[k] ?? Number.NaN];
      const above = to === Number.POSITIVE_INFINITY ? 0 : expectedImprovement(mean - to, deviation);
      product *= expectedImprovement(mean - from, deviation) - above;
    }
    sum += product;
  }
  return sum;
}

/** The numbers of those that no other dominates, of equals the first; by the last objective. O(n · front). */
function frontOf(vectors: readonly (readonly number[])[]): number[] {
  const covers = (a: readonly number[], b: readonly number[]) => a.every((value, k) => value >= (b[k] ?? Number.NaN));
  let front: number[] = [];
  for (const [i, vector] of vectors.entries()) {
    if (front.some((other) => covers(vectors[other] ?? [], vector))) continue;
    front = [...front.filter((other) => !covers(vector, vectors[other] ?? [])), i];
  }
  const last = (i: number) => vectors[i]?.at(-1) ?? Number.NaN;
  return front.sort((a, b) => last(a) - last(b) || a - b);
}

/** At most `most` of them, evenly. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))] as T);
}

/** What the processes are made of, in their order: half of them the best, half the latest. */
function basisOf(problem: Problem, observations: readonly Observation[]): readonly Observation[] {
  if (observations.length <= GIVEN) return observations;
  const complete = observations.flatMap((one) => {
    const metrics = Object.fromEntries((one.values ?? []).map((value, k) => [`${k}`, value]));
    return one.values === null ? [] : [{ one, metrics }];
  });
  const objectives = problem.objectives.map((objective, k) => {
    return { ...objective, metric: `${k}`, direction: 'maximize' as const };
  });
  const best = new Set(
    rank(complete, objectives)
      .slice(0, GIVEN / 2)
      .map(({ one }) => one),
  );
  const others = observations.filter((one) => !best.has(one)).slice(-GIVEN / 2);
  const taken = new Set([...best, ...others]);
  return observations.filter((one) => taken.has(one));
}

/** The number of observations at the last fit, for this many now. */
function lastFit(count: number): number {
  let fittedAt = 2;
  for (;;) {
    const next = fittedAt + Math.min(100, Math.max(1, Math.floor(fittedAt * 0.3)));
    if (next > count) return fittedAt;
    fittedAt = next;
  }
}
