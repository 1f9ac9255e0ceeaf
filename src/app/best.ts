import { unknownName } from '../common/closest.ts';
import { invalid, type UserError } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Choice } from '../study/choice.ts';
import { nameOfMetric } from '../study/objectives.ts';
import { bestOf, type Contender, contenders, coverageOf } from '../study/ranking.ts';
import type { ReadStudy } from './study.ts';

type Studied = Pick<ReadStudy, 'trials' | 'problem'>;

/** What a network must be like to be among the best. */
export type Condition = (metrics: Metrics) => boolean;

/** What the study says is best (`bestOf`): one architecture, or the Pareto front of several objectives; of those that `where` holds of. */
export function bestTrials({ trials, problem }: Studied, where?: Condition): readonly Contender[] {
  if (where === undefined) return bestOf(trials, problem);
  const kept = contenders(trials, problem.objectives).filter(({ metrics }) => where(metrics));
  const keys = new Set(kept.map(({ architecture }) => architectureKey(architecture)));
  return bestOf(
    trials.filter(({ architecture }) => keys.has(architectureKey(architecture))),
    problem,
  );
}

/**
 * The conditions of `--where latency<5,accuracy>=0.9`, all of which must hold. Throws UserError for another form, and for a metric
 * that no complete trial has.
 */
export function conditionOf(text: string, { trials, problem }: Studied): Condition {
  const all = contenders(trials, problem.objectives);
  const names = [...new Set(all.flatMap(({ metrics }) => Object.keys(metrics)))];
  const conditions = text.split(',').map((part): Condition => {
    const [, metric = '', sign = '', number = ''] = /^\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*$/.exec(part) ?? [];
    const bound = Number(number === '' ? Number.NaN : number);
    if (!Number.isFinite(bound)) throw invalid('--where', `"${part}"`, 'must be METRIC<NUMBER, with <, <=, > or >=');
    if (all.length > 0 && !names.includes(metric)) throw unknownName('--where:', metric, names);
    return (metrics) => {
      const value = metrics[metric] ?? Number.NaN;
      if (value === bound) return sign.length === 2;
      return sign.startsWith('<') ? value < bound : value > bound;
    };
  });
  return (metrics) => conditions.every((holds) => holds(metrics));
}

/** The metrics that were measured, without the costs beside them. */
export function measuredMetrics({ metrics, costs }: Contender): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !(name in costs)));
}

/** The best; of several objectives by the first. Throws UserError where no trial is complete. */
export function requireBest(study: ReadStudy, dir: string): Contender {
  const [first] = bestTrials(study);
  if (first === undefined) throw nothingComplete(dir);
  return first;
}

export function nothingComplete(dir: string): UserError {
  return invalid(`study "${dir}"`, 'no trial is complete', 'a study needs a complete trial to have a best one');
}

/**
 * `study` is its folder as it was given: `{ study, trials, best: { trial, architecture, text, metrics, costs, runs,
 * confirmations } }`; `best` is null before a trial is complete. With several objectives it is the front, the best by the
 * first objective first, with `choice`, the one that is taken of it, and `coverage: { hypervolume, worst, best, stated, history }` (`Coverage`).
 */
export function bestToJson(dir: string, study: ReadStudy, choice?: Choice, front = bestTrials(study)) {
  const all = front.map((best) => ({
    trial: best.trial,
    architecture: best.architecture,
    text: study.space.format(best.architecture),
    metrics: measuredMetrics(best),
    costs: best.costs,
    runs: best.results.length,
    confirmations: best.confirmations,
  }));
  const trials = study.trials.filter(({ purpose }) => purpose === 'search').length;
  if (study.problem.objectives.length === 1) return { study: dir, trials, best: all[0] ?? null, coverage: undefined };
  const coverage = coverageOf(study.trials, study.problem.objectives, study.problem.reference);
  const trialsOfFront = front.map(({ trial }) => trial);
  const byFirst = front[0] && { trial: front[0].trial, by: study.problem.objectives[0].metric, front: trialsOfFront };
  const taken = choice ?? byFirst;
  return {
    study: dir,
    trials,
    best: all,
    choice: taken === undefined ? null : { ...taken },
    coverage: coverage && { ...coverage, history: coverage.history.map((one) => ({ ...one })) },
  };
}

/** By what the best is the best (`bestOf`): `mean accuracy over search trial and confirmations`. */
export function ruleName(
  { problem: { objectives, confirmation }, settings }: ReadStudy,
  { confirmations, results }: Contender,
): string {
  const name = nameOfMetric(settings, objectives[0].metric, confirmations > 0);
  if (confirmations > 0 && confirmation !== undefined) return `${name} of a training from scratch`;
  if (confirmations > 0) return `mean ${name} over search trial and confirmations`;
  return results.length > 1 ? `mean ${name} over its ${results.length} search trials` : name;
}

/** How a report begins its sentence on the network that was taken. */
export function takenBy(study: ReadStudy, front: readonly Contender[], taken: Contender): string {
  const rule = `best by ${ruleName(study, taken)}`;
  if (study.problem.objectives.length === 1) return `The ${rule}`;
  const which = taken === front[0] ? rule : 'one that was evaluated';
  return `The ${which} of ${front.length} on the Pareto front`;
}
