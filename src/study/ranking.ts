import { largest } from '../common/extremes.ts';
import { hypervolume } from '../common/hypervolume.ts';
import { compareBy, dominates, type Metrics, type Objective } from '../common/metrics.ts';
import { type Measured, paretoFront, rank } from '../common/pareto.ts';
import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Problem } from '../strategy/strategy.ts';
import type { Trial } from './store/store.ts';

/** An architecture with its results at the highest fidelity reached by the study. */
export interface Contender {
  /** The best of its search trials. */
  readonly trial: number;
  readonly architecture: Architecture;
  /** Means over its results, costs included; of a metric that all of them have. Trained to be confirmed: over those trainings. */
  readonly metrics: Metrics;
  readonly costs: Trial['costs'];
  /** The trials behind the means: search trials and confirmations. */
  readonly results: readonly Trial[];
  /** How many of them are confirmations. */
  readonly confirmations: number;
}

/** The metrics and costs of a trial: everything an objective can name. */
export function measured(trial: Trial): Metrics {
  return { ...trial.costs, ...trial.metrics };
}

/**
 * The architectures of the completed search trials, each once, best first by the mean of their search results: this is
 * the order in which they are confirmed. Only trials of the highest fidelity that was completed count: results of
 * different fidelities cannot be compared.
 */
export function contenders(trials: readonly Trial[], objectives: readonly Objective[]): Contender[] {
  return ranked(collect(trials, { objectives }, false), objectives);
}

/**
 * As `rank`, but of several objectives the best by the first leads: it is used unless the user chooses
 * another (choice.ts). The ends of a front are equals for `rank`.
 */
export function ranked<T extends Measured>(items: readonly T[], objectives: readonly Objective[]): T[] {
  const all = rank(items, objectives);
  const [leader] = objectives.length > 1 ? lexicographic(all, objectives) : [];
  return leader === undefined ? all : [leader, ...all.filter((item) => item !== leader)];
}

/** By the first objective; equals by the second, and so on. */
function lexicographic<T extends Measured>(items: readonly T[], objectives: readonly Objective[]): T[] {
  const compare = (a: T, b: T) =>
    objectives.reduce((found, objective) => found || compareBy(objective, a.metrics, b.metrics), 0);
  return items.toSorted(compare);
}

/** What decides which architecture is best: the objectives, and whether confirmations count alone (`Problem.confirmation`). */
export type Judged = Pick<Problem, 'confirmation'> & { readonly objectives: readonly Objective[] };

/**
 * Finds the best, by the same rule for all commands and reports (docs/best.md): one architecture (of equals the one with
 * the fewest parameters), or with several objectives the Pareto front, starting with the best by the first objective.
 * Means are over search and confirmation results. While the confirmation is up to date, only confirmed architectures can
 * win, because the best of many noisy results is biased by selection. If all confirmations failed, all can win. Where only a confirmation
 * trains (`Problem.confirmation`), means are over confirmations alone, and estimates never compete with them.
 */
export function bestOf(trials: readonly Trial[], problem: Judged): Contender[] {
  const { objectives } = problem;
  const all = collect(trials, problem, true);
  const counts = problem.confirmation !== undefined || isUpToDate(trials, objectives);
  const confirmed = counts ? all.filter(({ confirmations }) => confirmations > 0) : [];
  const eligible = confirmed.length > 0 ? confirmed : all;
  return objectives.length > 1
    ? lexicographic(paretoFront(eligible, objectives), objectives)
    : smallestOfEquals(rank(eligible, objectives), objectives[0]);
}

/** Values that differ by less, relatively, are equal: means of the same results differ in their last digits. */
const TOLERANCE = 1e-9;

/** The best of a ranking; of those with the same value the one with the fewest parameters, as a list. */
function smallestOfEquals(ranked: readonly Contender[], objective: Objective | undefined): Contender[] {
  const valueIn = ({ metrics }: Contender) => metrics[objective?.metric ?? ''] ?? Number.NaN;
  const [first] = ranked;
  if (first === undefined) return [];
  const best = valueIn(first);
  const equals = ranked.filter((one) => Math.abs(valueIn(one) - best) <= TOLERANCE * Math.max(1, Math.abs(best)));
  const size = ({ costs: { params = Number.POSITIVE_INFINITY } }: Contender) => params;
  return [equals.reduce((a, b) => (size(b) < size(a) ? b : a), first)];
}

/** How far a study has come with several objectives. */
export interface Coverage {
  /** Share of the box between `worst` and `best` that its contenders dominate (`hypervolume`). */
  readonly hypervolume: number;
  /** The reference point: what the study states, else the worst value of each objective that a contender has. */
  readonly worst: Metrics;
  /** The best value of each objective that a contender has. */
  readonly best: Metrics;
  /** Architectures that are complete. */
  readonly complete: number;
  /** Whether the study states the reference point. */
  readonly stated: boolean;
  /** The same share of the same box after each trial by which it grew, in the order in which trials ended. */
  readonly history: readonly CoveredAt[];
}

export interface CoveredAt {
  readonly trial: number;
  /** How many architectures were complete then. */
  readonly complete: number;
  readonly hypervolume: number;
}

/** Undefined for one objective, and where no trial is complete. The box grows with a study: compare within one moment. */
export function coverageOf(
  trials: readonly Trial[],
  objectives: readonly Objective[],
  reference?: Metrics,
): Coverage | undefined {
  const all = contenders(trials, objectives);
  if (objectives.length === 1 || all.length === 0) return undefined;
  const end = (place: 0 | -1) =>
    Object.fromEntries(
      objectives.map((objective) => {
        const sorted = all.map(({ metrics }) => metrics).sort((a, b) => compareBy(objective, a, b));
        return [objective.metric, sorted.at(place)?.[objective.metric] ?? Number.NaN];
      }),
    );
  const [best, worst] = [end(0), reference ?? end(-1)];
  const history: CoveredAt[] = [];
  let front: readonly Contender[] = [];
  const endOf = ({ results: [first] }: Contender) => first?.endedAt ?? 0;
  const byEnd = all.toSorted((a, b) => endOf(a) - endOf(b) || a.trial - b.trial);
  for (const [i, one] of byEnd.entries()) {
    if (front.some((other) => dominates(objectives, other.metrics, one.metrics))) continue;
    front = [...front.filter((other) => !dominates(objectives, one.metrics, other.metrics)), one];
    const covered = hypervolume(front, objectives, worst, best);
    if (covered > (history.at(-1)?.hypervolume ?? 0))
      history.push({ trial: one.trial, complete: i + 1, hypervolume: covered });
  }
  return {
    hypervolume: hypervolume(front, objectives, worst, best),
    worst,
    best,
    complete: all.length,
    stated: reference !== undefined,
    history,
  };
}

/**
 * Whether the confirmation covers the current best of the search: it has ended for the leader and, with several
 * objectives, for every architecture of the front that it was begun for, and no architecture has joined the front since.
 * A confirmation that failed has ended too: an architecture does not win by failing.
 */
function isUpToDate(trials: readonly Trial[], objectives: readonly Objective[]): boolean {
  const searched = contenders(trials, objectives);
  const [leader] = searched;
  if (!leader) return false;
  const fidelity = leader.results[0]?.fidelity;
  const confirms = trials.filter((trial) => trial.purpose === 'confirm' && trial.fidelity === fidelity);
  const planned = new Set(confirms.map(({ architecture }) => architectureKey(architecture)));
  const ended = new Set(
    confirms
      .filter(({ state }) => state === 'complete' || state === 'failed')
      .map(({ architecture }) => architectureKey(architecture)),
  );
  const lastBegun = largest(confirms.map(({ startedAt }) => startedAt ?? 0));
  const isSettled = ({ architecture, results }: Contender) => {
    const key = architectureKey(architecture);
    // Only the first few of a large front are confirmed; the others are settled unless they are newer.
    return planned.has(key) ? ended.has(key) : results.every(({ endedAt }) => (endedAt ?? 0) <= lastBegun);
  };
  if (!ended.has(architectureKey(leader.architecture))) return false;
  return objectives.length === 1 || paretoFront(searched, objectives).every(isSettled);
}

function collect(trials: readonly Trial[], { objectives, confirmation }: Judged, confirmed: boolean): Contender[] {
  const complete = trials.filter(({ state }) => state === 'complete');
  const searched = complete.filter(({ purpose }) => purpose === 'search');
  const fidelity = largest(searched.map((trial) => trial.fidelity));
  const counted = complete.filter((t) => t.fidelity === fidelity && (confirmed || t.purpose === 'search'));
  const groups = Map.groupBy(counted, ({ architecture }) => architectureKey(architecture));
  return [...groups.values()].flatMap((results) => contender(results, objectives, confirmation !== undefined) ?? []);
}

/**
 * What these results say of their architecture; undefined: none of them is a search trial's. `confirmedAlone`: where there are
 * confirmations, the others do not count.
 */
export function contender(
  results: readonly Trial[],
  objectives: readonly Objective[],
  confirmedAlone = false,
): Contender | undefined {
  const searched = results
    .filter(({ purpose }) => purpose === 'search')
    .map((trial) => ({ trial, metrics: measured(trial) }));
  const best = rank(searched, objectives)[0]?.trial;
  if (!best) return undefined;
  const confirms = results.filter(({ purpose }) => purpose === 'confirm');
  return {
    trial: best.trial,
    architecture: best.architecture,
    metrics: means((confirmedAlone && confirms.length > 0 ? confirms : results).map(measured)),
    costs: best.costs,
    results,
    confirmations: confirms.length,
  };
}

function means(all: readonly Metrics[]): Metrics {
  const names = Object.keys(all[0] ?? {}).filter((name) => all.every((metrics) => metrics[name] !== undefined));
  return Object.fromEntries(
    names.map((name) => [name, all.reduce((sum, metrics) => sum + (metrics[name] ?? 0), 0) / all.length]),
  );
}
