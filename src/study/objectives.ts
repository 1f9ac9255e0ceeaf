import { invalid } from '../common/errors.ts';
import { COST_METRICS, METRICS, type Objective, PROXY_METRICS, TRAINED_METRICS } from '../common/metrics.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Problem } from '../strategy/strategy.ts';
import { FUNCTION, type StudySettings } from './spec.ts';

type Kind = Pick<DatasetInfo, 'kind'>;
type MetricName = keyof typeof METRICS;

/** Metrics that only one kind of task has. */
const ONLY: Readonly<Partial<Record<MetricName, DatasetInfo['kind']>>> = {
  accuracy: 'classification',
  precision: 'classification',
  recall: 'classification',
  f1: 'classification',
  mse: 'regression',
  r2: 'regression',
};

/** What a search is for: what the settings name, else what its estimator gives. Throws UserError for a metric that it cannot give. */
export function objectivesOf(settings: StudySettings, { kind }: Kind): Problem['objectives'] {
  const { estimator, objective: named } = settings;
  if (estimator === FUNCTION) return scoresOf(settings);
  if (settings.scores !== undefined)
    throw invalid(
      'scores',
      Object.keys(settings.scores).join(', '),
      'are what a function returns: the estimator is not one',
    );
  const names = named ?? [estimator === 'proxies' ? 'freerea' : usual(kind)];
  const objectives = names.map((name): Objective => {
    const needed = ONLY[name as MetricName];
    if (estimator === 'proxies' && isTrained(name))
      throw invalid('--objective', `"${name}"`, `must be one of ${allOf(PROXY_METRICS)} with --estimator proxies`);
    if (estimator !== 'proxies' && Object.hasOwn(PROXY_METRICS, name))
      throw invalid('--objective', `"${name}"`, 'is a proxy and needs --estimator proxies');
    if (needed !== undefined && needed !== kind)
      throw invalid('--objective', `"${name}"`, `is a metric for ${needed} only, but the task is ${kind}`);
    return { metric: name, ...METRICS[name as MetricName] };
  });
  const [first, ...others] = objectives;
  if (first === undefined) throw invalid('--objective', 'none', 'must name a metric');
  const estimated = objectives.filter(isEstimated).length;
  if (estimator !== 'train' && estimated === 0)
    throw invalid('--objective', names.join(','), `must include a metric for --estimator ${estimator} to estimate`);
  if (estimator === 'predictor' && estimated > 1)
    throw invalid('--objective', names.join(','), '--estimator predictor takes one metric to predict, and costs');
  return [first, ...others];
}

/** What a function is to return: by default `score`, the larger the better. */
function scoresOf({ scores = { score: 'maximise' }, objective }: StudySettings): Problem['objectives'] {
  if (objective !== undefined)
    throw invalid('objective', objective.join(', '), 'the objectives of a function are its scores');
  const [first, ...others] = Object.entries(scores).map(([metric, direction]): Objective => {
    const known = Object.hasOwn(METRICS, metric) ? METRICS[metric as MetricName] : undefined;
    if (known !== undefined && known.direction !== direction)
      throw invalid('scores', `"${metric}": "${direction}"`, `${metric} is something to ${known.direction}`);
    return { metric, direction, unit: known?.unit ?? 'score' };
  });
  if (first === undefined) throw invalid('scores', 'none', 'must name at least one');
  if (!Object.keys(scores).some((metric) => isEstimated({ metric })))
    throw invalid('scores', Object.keys(scores).join(', '), 'must name what the function is to return, too');
  return [first, ...others];
}

/** The metric of a trial to show for people: the first objective that is no cost. */
export function headline(objectives: Problem['objectives'], task: Kind): Objective {
  return objectives.find(isEstimated) ?? testedObjective(objectives, task);
}

/** The metric to show of a network that has been trained: the first objective that it can be measured by. */
export function testedObjective(objectives: Problem['objectives'], { kind }: Kind): Objective {
  const metric = usual(kind);
  return objectives.find(({ metric }) => isTrained(metric)) ?? { metric, ...TRAINED_METRICS[metric] };
}

/** Not known beforehand. */
export function isEstimated({ metric }: Pick<Objective, 'metric'>): boolean {
  return !Object.hasOwn(COST_METRICS, metric);
}

/** What people are shown a trial's metric as: a prediction is called one. */
export function nameOfMetric({ estimator }: Pick<StudySettings, 'estimator'>, metric: string): string {
  return estimator === 'predictor' && isEstimated({ metric }) ? `predicted ${metric}` : metric;
}

const usual = (kind: DatasetInfo['kind']) => (kind === 'classification' ? 'accuracy' : 'r2');
const isTrained = (name: string) => Object.hasOwn(TRAINED_METRICS, name);
const allOf = (metrics: object) => Object.keys({ ...metrics, ...COST_METRICS }).join(', ');
