import { invalid } from '../common/errors.ts';
import type { Metrics, Objective } from '../common/metrics.ts';
import { shownValue } from '../common/text.ts';
import { type Choice, type ChoiceRule, chooseOf } from '../study/choice.ts';
import type { Contender } from '../study/ranking.ts';
import type { Trial } from '../study/store/store.ts';
import { bestTrials, measuredMetrics, nothingComplete } from './best.ts';
import type { ReadStudy } from './study.ts';

/** Which network of a study a command takes. */
export interface ChoiceOptions {
  /** This trial instead of the best. */
  readonly trial?: number;
  /** With several objectives: `first`, `knee`, or the name of an objective. */
  readonly choose?: string;
}

/** A search trial, and the metrics from its estimator (for confirmed ones, also from the confirmations). */
export interface Chosen {
  readonly trial: Trial;
  readonly metrics: Metrics;
  /** How many confirmations it has among these results. */
  readonly confirmations: number;
  readonly choice: Choice;
}

/** The rule that `--choose` names; without one, the first objective. Throws UserError for one that does not apply. */
export function ruleOf(choose: string | undefined, objectives: readonly Pick<Objective, 'metric'>[]): ChoiceRule {
  const names = objectives.map(({ metric }) => metric);
  if (choose === undefined || choose === 'first') return { kind: 'objective', metric: names[0] ?? '' };
  if (choose === 'knee' && names.length > 1) return { kind: 'knee' };
  if (names.includes(choose)) return { kind: 'objective', metric: choose };
  const rule =
    names.length > 1 ? `must be first, knee, ${names.join(' or ')}` : 'must be first: the search has one objective';
  throw invalid('--choose', `"${choose}"`, rule);
}

/** Throws UserError for a `--trial` that is no number of a trial, and for `--trial` and `--choose` together. */
export function checkChoice({ trial, choose }: ChoiceOptions): void {
  if (trial === undefined) return;
  if (!Number.isSafeInteger(trial) || trial < 0)
    throw invalid('--trial', shownValue(trial), 'must be the number of a trial');
  if (choose !== undefined) throw invalid('--choose', `"${choose}"`, `cannot be used with --trial ${trial}`);
}

/**
 * The requested trial, or the one of the best that `--choose` names. `evaluated`: the trial that was evaluated;
 * if it is on the front and nothing is requested, it is the user's choice. Throws UserError where there
 * is none.
 */
export function chosen(study: ReadStudy, dir: string, options: ChoiceOptions = {}, evaluated?: number): Chosen {
  checkChoice(options);
  const best = bestTrials(study);
  const front = best.map(({ trial }) => trial);
  if (options.trial !== undefined) return chosenTrial(study, options.trial, best);
  const { objectives } = study.problem;
  const rule = ruleOf(options.choose, objectives);
  const before = options.choose === undefined ? best.find(({ trial }) => trial === evaluated) : undefined;
  const taken = before ?? chooseOf(best, objectives, rule);
  if (taken === undefined) throw nothingComplete(dir);
  const name = rule.kind === 'knee' ? 'knee' : rule.metric;
  const by = before !== undefined && objectives.length > 1 ? 'evaluation' : name;
  const trial = searchTrial(study, taken.trial);
  const { confirmations } = taken;
  return { trial, metrics: measuredMetrics(taken), confirmations, choice: { trial: taken.trial, by, front } };
}

/** The network of a front that `--choose` names. Throws UserError as `ruleOf`. */
export function choiceOf(study: ReadStudy, front: readonly Contender[], choose: string): Choice | undefined {
  const rule = ruleOf(choose, study.problem.objectives);
  const taken = chooseOf(front, study.problem.objectives, rule);
  const by = rule.kind === 'knee' ? 'knee' : rule.metric;
  return taken && { trial: taken.trial, by, front: front.map(({ trial }) => trial) };
}

function chosenTrial(study: ReadStudy, number: number, best: readonly Contender[]): Chosen {
  const trial = searchTrial(study, number);
  const contender = best.find((one) => one.trial === number);
  return {
    trial,
    metrics: contender === undefined ? trial.metrics : measuredMetrics(contender),
    confirmations: contender?.confirmations ?? 0,
    choice: { trial: number, by: 'trial', front: best.map((one) => one.trial) },
  };
}

function searchTrial({ trials }: ReadStudy, number: number): Trial {
  const searched = trials.filter(({ purpose }) => purpose === 'search');
  const found = searched.find(({ trial }) => trial === number);
  if (found !== undefined) return found;
  // Confirmations have numbers of their own and are not meant.
  const has = searched.length === 0 ? 'has no trials yet' : `has trials 0 to ${searched.length - 1}`;
  throw invalid('--trial', String(number), `the study ${has}`);
}
