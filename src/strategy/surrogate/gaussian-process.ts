import { largest } from '../../common/extremes.ts';
import {
  fitHyperparameters,
  type GaussianProcess,
  gaussianProcess,
  type Posterior,
} from '../../model/gaussian-process.ts';
import { logExpectedImprovement } from '../../model/normal.ts';
import type { Architecture } from '../../space/space.ts';
import { proposalRng } from '../limits.ts';
import { guidedBy, type Observation, type ObservationsState, standardized, utilities } from '../observations.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { treeOf } from '../tree.ts';
import { bestWithin, type Draft, pool } from './candidates.ts';
import { type Features, featuresOf, type Point } from './features.ts';

export interface GaussianProcessOptions {
  /** Random architectures before the model is asked. */
  readonly initial: number;
  readonly kernel: 'path' | 'hamming';
  readonly acquisition: 'ei' | 'ucb';
  /** For `ucb`: how many standard deviations are added to the mean. */
  readonly beta: number;
  /** Random architectures among the candidates. */
  readonly candidates: number;
  /** How many of the best are mutated for further candidates. */
  readonly parents: number;
}

/** Mutations of each parent. */
const MUTATIONS = 30;
/** Observations that hyperparameters are fitted to. */
const FITTED = 128;
/** The most observations in a full fit; some hundred more are added before the next one. */
const GIVEN = 800;
/** Multiply-accumulates that exact variances may take for one proposal. */
const WORK = 4e7;

/** Taken from the bounds of candidates that were not looked at. */
const UNSEEN = 1e9;

/** A process that was made from the first observations of a state and has been given the later ones. */
interface FittedProcess {
  readonly process: GaussianProcess<Point>;
  /** What each of its points is. */
  readonly rows: readonly Observation[];
  /** How many observations there were when it was made. */
  readonly fittedAt: number;
}

/**
 * Bayesian optimization with a Gaussian process (Snoek et al. 2012; on architectures Kandasamy et al. 2018, Ru et al.
 * 2021). After `initial` random architectures, each trial is the candidate of the largest expected improvement (or
 * upper confidence bound) among random architectures and mutations of the best, none of which computes the same as one
 * that was proposed before.
 *
 * The kernel is a product of exp(-distance / lengthscale): of the paths through each cell and of each decision outside,
 * or of each decision (`featuresOf`). Hyperparameters have the greatest likelihood on a grid, and are fitted again
 * whenever there are 15 % more observations. Targets are standardized, their bad end cut (`standardized`). Failed
 * trials are as bad as the cut. What is still running counts as if it had ended as the model expects (kriging believer,
 * Ginsbourger et al. 2010). Several objectives: random weights for each trial (ParEGO, Knowles 2006).
 *
 * Differs: from some 800 observations on, the process is made of the best 400 and the latest 400 and those that came
 * since; variances are computed for the most promising candidates alone, which a bound finds.
 *
 * ask: O(n²) for each candidate looked at, n up to some 900; every 15 % (at most every 100) observations O(n³) once.
 * tell: O(n) to copy the list.
 */
export function gaussianProcessSearch(options: GaussianProcessOptions): Strategy<ObservationsState> {
  /** By the first observation, which all states of a study share. */
  const kept = new WeakMap<Observation, FittedProcess>();

  return guidedBy('gaussian-process', options.initial, propose);

  function propose(problem: Problem, state: ObservationsState, trial: number): Architecture {
    const space = treeOf(problem);
    const { observations, pending } = state;
    const known = featuresOf(space, options.kernel);
    const { process, rows } = processFor(problem, observations, known);
    const targets = standardized(utilities(problem, rows, trial));

    const byTarget = rows.map((row, i) => ({ row, target: targets[i] ?? Number.NaN }));
    const parents = byTarget.sort((a, b) => b.target - a.target).slice(0, options.parents);
    const drafts = pool(space, proposalRng(problem, trial, 'candidates'), known.keyOf, [...rows, ...pending], {
      random: options.candidates,
      parents: parents.map(({ row }) => row.architecture),
      mutations: MUTATIONS,
    });

    const values = Array.from(targets);
    for (const { architecture } of pending) {
      const point = known.pointOf(architecture);
      values.push(process.given(values).mean(point));
      process.add(point);
    }
    const best = largest(values);
    const scores = acquire(process.given(values), drafts, known, { best, size: values.length });
    process.truncate(rows.length);
    return bestWithin(problem, trial, drafts, scores);
  }

  /**
   * The acquisition of each draft. Those with the highest bound (the mean, with the variance of a point far from all
   * others) are looked at exactly, until no bound is higher than what was found or the work is done; the others have no
   * chance.
   */
  function acquire(
    posterior: Posterior<Point>,
    drafts: readonly Draft[],
    known: Features,
    { best, size }: { readonly best: number; readonly size: number },
  ): Float64Array {
    const acquisition = (mean: number, deviation: number) =>
      options.acquisition === 'ucb' ? mean + options.beta * deviation : logExpectedImprovement(mean - best, deviation);
    const points = drafts.map(known.pointOf);
    const far = Math.sqrt(posterior.prior);
    const bounds = points.map((point) => acquisition(posterior.mean(point), far));
    const order = bounds
      .map((_, i) => i)
      .sort((a, b) => (bounds[b] ?? Number.NaN) - (bounds[a] ?? Number.NaN) || a - b);
    // Unscored candidates come last, for when the others break the limits.
    const scores = Float64Array.from(bounds, (bound) => bound - UNSEEN);
    let found = Number.NEGATIVE_INFINITY;
    for (const i of order.slice(0, Math.max(32, Math.floor(WORK / size ** 2)))) {
      if ((bounds[i] ?? Number.NaN) <= found) break;
      const { mean, variance } = posterior.predict(points[i] as Point);
      const score = acquisition(mean, Math.sqrt(variance));
      scores[i] = score;
      found = Math.max(found, score);
    }
    return scores;
  }

  /** The process given these observations: the existing one, updated, or a new one. */
  function processFor(problem: Problem, observations: readonly Observation[], known: Features): FittedProcess {
    const first = observations[0] as Observation;
    const fittedAt = lastFit(observations.length);
    const basis = basisOf(problem, observations.slice(0, fittedAt));
    const rows = [...basis, ...observations.slice(fittedAt)];
    const found = kept.get(first);
    const same = found?.fittedAt === fittedAt ? rows.findIndex((row, i) => row !== found.rows[i]) : 0;
    const common = same < 0 ? rows.length : same;
    const process =
      found !== undefined && common >= basis.length
        ? found.process
        : gaussianProcess(known.metric, fitted(problem, basis, known));
    process.truncate(common >= basis.length ? common : 0);
    for (const { architecture } of rows.slice(process.points.length)) process.add(known.pointOf(architecture));
    const now = { process, rows, fittedAt };
    kept.set(first, now);
    return now;
  }

  function fitted(problem: Problem, basis: readonly Observation[], known: Features) {
    const chosen = halfBest(problem, basis, FITTED, (others, count) =>
      others.filter(
        (_, i) => Math.floor((i * count) / others.length) !== Math.floor(((i - 1) * count) / others.length),
      ),
    );
    const targets = standardized(utilities(problem, chosen, 0, 'fit'));
    const points = chosen.map(({ architecture }) => known.pointOf(architecture));
    return fitHyperparameters(known.metric, points, targets);
  }
}

/** The number of observations at the last fit, for this many now. */
function lastFit(count: number): number {
  let fittedAt = 2;
  for (;;) {
    const next = fittedAt + Math.min(100, Math.max(1, Math.floor(fittedAt * 0.15)));
    if (next > count) return fittedAt;
    fittedAt = next;
  }
}

/** What a process is made of. */
function basisOf(problem: Problem, observations: readonly Observation[]): readonly Observation[] {
  return halfBest(problem, observations, GIVEN, (others, count) => others.slice(-count));
}

/** At most `most` of the observations, in their order: half of them the best, the others by `choose`. */
function halfBest(
  problem: Problem,
  observations: readonly Observation[],
  most: number,
  choose: (others: readonly Observation[], count: number) => readonly Observation[],
): readonly Observation[] {
  if (observations.length <= most) return observations;
  const utility = utilities(problem, observations, 0, 'basis');
  const order = observations
    .map((_, i) => i)
    .sort((a, b) => (utility[b] ?? Number.NaN) - (utility[a] ?? Number.NaN) || a - b);
  const best = new Set(order.slice(0, most / 2).map((i) => observations[i]));
  const others = choose(
    observations.filter((one) => !best.has(one)),
    most / 2,
  );
  const kept = new Set([...best, ...others]);
  return observations.filter((one) => kept.has(one));
}
