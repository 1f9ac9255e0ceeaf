import { largest } from '../../common/extremes.ts';
import type { Objective } from '../../common/metrics.ts';
import { rng } from '../../common/random.ts';
import { holm, rankSumTest, signedRankTest } from '../../common/ranks.ts';
import { deviation, mean } from '../numbers.ts';
import type { ComparedRun, Comparison, Competitor } from './data.ts';

/** Values of several seeds. */
export interface Spread {
  /** How many there are. */
  readonly count: number;
  readonly mean: number;
  /** The sample's standard deviation (n - 1); 0 for one value. */
  readonly sd: number;
  /** 95 % bootstrap percentile interval of the mean. */
  readonly interval: readonly [number, number];
}

/** How much what the runs of a competitor found is alike. */
export interface Likeness {
  /** Mean over all pairs of runs of the number of decisions that differ. */
  readonly distance: number;
  /** Share of the pairs that found the same architecture. */
  readonly equal: number;
}

/** The results of the runs of one competitor. */
export interface CompetitorSummary {
  readonly name: string;
  readonly seeds: readonly number[];
  /** Undefined unless every run has a value. */
  readonly valid?: Spread;
  /** How far the chosen ones are from the best of the space; at least 0. Undefined where that is unknown. */
  readonly regret?: Spread;
  /** Undefined unless every run has been tested. */
  readonly test?: Spread;
  readonly testRegret?: Spread;
  /** Validation value less test value of the same run, as in `evaluate`. */
  readonly gap?: Spread;
  /** Against random search; undefined for random search itself. */
  readonly against?: {
    readonly valid?: Significance;
    readonly test?: Significance;
  };
  readonly evaluations: Spread;
  /** Computing time of all runs together, in seconds. */
  readonly totalSeconds: number;
  /** Undefined with one run. */
  readonly likeness?: Likeness;
}

export interface Significance {
  /** Mean of the competitor less that of random search; of pairs, the mean difference. */
  readonly difference: number;
  /** Two-sided. */
  readonly p: number;
  /** Corrected for as many comparisons as there are competitors beside random search (Holm 1979). */
  readonly holm: number;
}

export type TestName = 'Wilcoxon signed-rank test, paired by seed' | 'Mann-Whitney test';

export interface Analysis {
  readonly test: TestName;
  readonly competitors: readonly CompetitorSummary[];
  /** The competitor with the best mean against each other one. */
  readonly leader: Leader;
}

export interface Leader {
  readonly name: string;
  /** What it leads by: test values where every run has one, else validation values. */
  readonly part: 'test' | 'valid';
  /**
   * Every other competitor, best first. `difference`: the leader's mean less theirs. `holm`: corrected for all pairs of competitors,
   * not only the leader's, since the leader was picked by the same values.
   */
  readonly against: readonly ({ readonly name: string } & Significance)[];
  /** The smallest corrected p that so few seeds can reach. */
  readonly leastP: number;
}

/** Resamples of a bootstrap. */
const RESAMPLES = 2000;

/**
 * The result of a comparison. Every competitor is tested against random search: runs are paired where both have the same seeds
 * (the same division of the data, the same first draws), else they are two samples.
 */
export function analyze(comparison: Comparison): Analysis {
  const { competitors, reference, optimum, objective } = comparison;
  const random = competitors.find(({ name }) => name === reference);
  if (random === undefined) throw new Error(`a comparison without "${reference}"`);
  const others = competitors.filter((competitor) => competitor !== random);
  const paired = others.every((other) => sameSeeds(other, random));
  const tested = competitors.every(({ runs }) => runs.every(({ test }) => test !== undefined));
  const significance = (measure: (run: ComparedRun) => number): ReadonlyMap<string, Significance> => {
    const ps = others.map((other) => {
      const [ours, theirs] = [other, random].map(({ runs }) => bySeed(runs).map(measure)) as [number[], number[]];
      return paired
        ? signedRankTest(ours.map((value, i) => value - (theirs[i] ?? Number.NaN)))
        : rankSumTest(ours, theirs);
    });
    const corrected = holm(ps);
    return new Map(
      others.map(({ name, runs }, i) => {
        const difference = mean(runs.map(measure)) - mean(random.runs.map(measure));
        return [name, { difference, p: ps[i] ?? Number.NaN, holm: corrected[i] ?? Number.NaN }];
      }),
    );
  };
  const validated = competitors.every(({ runs }) => runs.every(({ valid }) => valid !== undefined));
  const onValid = validated ? significance(({ valid }) => valid ?? Number.NaN) : undefined;
  const onTest = tested ? significance(({ test }) => test ?? Number.NaN) : undefined;
  const sign = objective.direction === 'maximize' ? 1 : -1;

  const summaries = competitors.map((competitor): CompetitorSummary => {
    const { name, runs } = competitor;
    const spread = (what: string, measure: (run: ComparedRun) => number) => spreadOf(runs.map(measure), name, what);
    const hasTest = runs.every(({ test }) => test !== undefined);
    const [valid, test] = [onValid?.get(name), onTest?.get(name)];
    const validOf = (run: ComparedRun) => run.valid ?? Number.NaN;
    const likeness = likenessOf(runs, comparison.decisions);
    return {
      name,
      seeds: runs.map(({ seed }) => seed),
      ...(validated && { valid: spread('valid', validOf) }),
      ...(validated &&
        optimum !== undefined && { regret: spread('regret', (run) => sign * (optimum.valid - validOf(run))) }),
      ...(hasTest && {
        test: spread('test', (run) => run.test ?? Number.NaN),
        ...(validated && { gap: spread('gap', (run) => validOf(run) - (run.test ?? Number.NaN)) }),
      }),
      ...(hasTest &&
        optimum?.test !== undefined && {
          testRegret: spread('test regret', (run) => sign * ((optimum.test ?? 0) - (run.test ?? 0))),
        }),
      ...((valid ?? test) !== undefined && {
        against: { ...(valid !== undefined && { valid }), ...(test !== undefined && { test }) },
      }),
      evaluations: spread('evaluations', (run) => run.evaluations),
      totalSeconds: runs.reduce((sum, { seconds }) => sum + seconds, 0),
      ...(likeness !== undefined && { likeness }),
    };
  });
  return {
    test: paired ? 'Wilcoxon signed-rank test, paired by seed' : 'Mann-Whitney test',
    competitors: summaries,
    leader: leaderOf(comparison, paired, tested),
  };
}

function leaderOf({ competitors, objective }: Comparison, paired: boolean, tested: boolean): Leader {
  const part = tested ? 'test' : 'valid';
  const sign = objective.direction === 'maximize' ? -1 : 1;
  const all = competitors
    .map(({ name, runs }) => ({ name, values: bySeed(runs).map((run) => run[part] ?? Number.NaN) }))
    .toSorted((a, b) => sign * (mean(a.values) - mean(b.values)));
  const pairs = all.flatMap((one, i) => all.slice(i + 1).map((other) => [one, other] as const));
  const ps = pairs.map(([a, b]) =>
    paired
      ? signedRankTest(a.values.map((value, i) => value - (b.values[i] ?? Number.NaN)))
      : rankSumTest(a.values, b.values),
  );
  const corrected = holm(ps);
  const [first] = all;
  if (first === undefined) throw new Error('a comparison of nothing');
  const against = pairs.flatMap(([a, b], i) =>
    a !== first
      ? []
      : [
          {
            name: b.name,
            difference: mean(a.values) - mean(b.values),
            p: ps[i] ?? Number.NaN,
            holm: corrected[i] ?? Number.NaN,
          },
        ],
  );
  const least = Math.max(0, ...pairs.map(([a, b]) => leastP(a.values.length, b.values.length, paired)));
  return { name: first.name, part, against, leastP: Math.min(1, least * pairs.length) };
}

/** The smallest two-sided p of N values: all differences of one sign, or all of one sample above the other. */
function leastP(a: number, b: number, paired: boolean): number {
  if (paired) return 2 ** (1 - a);
  let ways = 1;
  for (let i = 1; i <= Math.min(a, b); i++) ways = (ways * (a + b + 1 - i)) / i;
  return 2 / ways;
}

function bySeed(runs: readonly ComparedRun[]): readonly ComparedRun[] {
  return runs.toSorted((a, b) => a.seed - b.seed);
}

function sameSeeds(a: Competitor, b: Competitor): boolean {
  const [ours, theirs] = [a, b].map(({ runs }) => bySeed(runs).map(({ seed }) => seed));
  return JSON.stringify(ours) === JSON.stringify(theirs);
}

function spreadOf(values: readonly number[], ...labels: readonly string[]): Spread {
  const resampled = resamples(values.length, ...labels).map(
    (picked) => picked.reduce((sum, i) => sum + (values[i] ?? Number.NaN), 0) / values.length,
  );
  return { count: values.length, mean: mean(values), sd: deviation(values), interval: middle(resampled) };
}

/** This many draws of `count` out of `count`, with replacement. */
function resamples(count: number, ...labels: readonly string[]): readonly number[][] {
  const stream = rng('bootstrap', ...labels);
  return Array.from({ length: RESAMPLES }, () => Array.from({ length: count }, () => stream.int(count)));
}

/** The middle 95 % of the values: from their 2.5th to their 97.5th percentile. */
function middle(values: readonly number[]): readonly [number, number] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}

/**
 * Pairs of runs by the decisions in which their architectures differ; a decision that is active in one of them alone differs.
 * Undefined with fewer than two runs.
 */
function likenessOf(runs: readonly ComparedRun[], decisions: readonly string[]): Likeness | undefined {
  if (runs.length < 2) return undefined;
  const keys = runs.map(({ architecture }) => decisions.map((name) => JSON.stringify(architecture[name] ?? null)));
  const distances = keys.flatMap((a, i) =>
    keys.slice(i + 1).map((b) => a.reduce((sum, value, at) => sum + (value === b[at] ? 0 : 1), 0)),
  );
  return {
    distance: mean(distances),
    equal: distances.filter((distance) => distance === 0).length / distances.length,
  };
}

export interface BandPoint {
  readonly name: string;
  readonly at: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Moments at which the bands are drawn. */
const GRID = 100;

/**
 * The mean over the runs of the best so far, with its 95 % bootstrap percentile interval, at moments from the first at which every
 * run of every competitor had a value to the last at which one ended. The interval holds for each moment separately. None where a run
 * has no values.
 */
export function bands({ competitors }: Pick<Comparison, 'competitors'>): BandPoint[] {
  const runs = competitors.flatMap((competitor) => competitor.runs);
  if (runs.some(({ trajectory }) => trajectory.length === 0)) return [];
  const from = largest(runs.map(({ trajectory }) => trajectory[0]?.at ?? 0));
  const to = largest(runs.map(({ end }) => end));
  const moments = Array.from({ length: GRID + 1 }, (_, i) => from + ((to - from) * i) / GRID);
  return competitors.flatMap(({ name, runs }) => {
    const resampled = resamples(runs.length, name, 'band');
    const paths = runs.map((run) => bestAt(run, moments));
    return moments.map((at, i): BandPoint => {
      const values = paths.map((path) => path[i] ?? Number.NaN);
      const means = resampled.map(
        (picked) => picked.reduce((sum, at) => sum + (values[at] ?? Number.NaN), 0) / runs.length,
      );
      const [low, high] = middle(means);
      return { name, at, mean: mean(values), low, high };
    });
  });
}

/** The best so far at each of these rising moments, the first not before the first step. */
function bestAt({ trajectory }: ComparedRun, moments: readonly number[]): number[] {
  let step = 0;
  return moments.map((moment) => {
    while (step + 1 < trajectory.length && (trajectory[step + 1]?.at ?? 0) <= moment + 1e-9) step++;
    return trajectory[step]?.value ?? Number.NaN;
  });
}

/** Regret of a band: the interval's ends change places. */
export function regretOf(points: readonly BandPoint[], optimum: number, { direction }: Objective): BandPoint[] {
  const sign = direction === 'maximize' ? 1 : -1;
  return points.map(({ name, at, ...band }) => {
    const [a, b] = [sign * (optimum - band.high), sign * (optimum - band.low)];
    return { name, at, mean: sign * (optimum - band.mean), low: Math.min(a, b), high: Math.max(a, b) };
  });
}
