import { invalid } from '../common/errors.ts';
import { COST_METRICS, METRICS, type Objective, PROXY_METRICS, TRAINED_METRICS } from '../common/metrics.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Problem } from '../strategy/strategy.ts';
import { TASK_KINDS, taskOf } from '../task/index.ts';
import type { StudySettings } from './config.ts';

type Kind = Pick<DatasetInfo, 'kind'>;
type MetricName = keyof typeof METRICS;

/** Whether networks of this task are measured by it. */
const belongs = (name: string, kind: DatasetInfo['kind']) => taskOf({ kind }).metrics.some((one) => one === name);
const kindsWith = (name: string) => TASK_KINDS.filter((kind) => belongs(name, kind)).join(' and ');

/** What a search is for: what the settings name, else what its estimator gives. Throws UserError for a metric that it cannot give. */
export function objectivesOf(settings: StudySettings, { kind }: Kind): Problem['objectives'] {
  const { estimator, objective: named } = settings;
  const names = named ?? [estimator === 'proxies' ? 'freerea' : usual(kind)];
  const objectives = names.map((name): Objective => {
    if (estimator === 'proxies' && isTrained(name))
      throw invalid('--objective', `"${name}"`, `with --estimator proxies it is one of ${allOf(PROXY_METRICS)}`);
    if (estimator !== 'proxies' && Object.hasOwn(PROXY_METRICS, name))
      throw invalid('--objective', `"${name}"`, 'is a proxy, measured with --estimator proxies');
    if (isTrained(name) && !belongs(name, kind))
      throw invalid('--objective', `"${name}"`, `is a metric of ${kindsWith(name)} only, and this is ${kind}`);
    return { metric: name, ...METRICS[name as MetricName] };
  });
  const [first, ...others] = objectives;
  if (first === undefined) throw invalid('--objective', 'none', 'must name a metric');
  const estimated = objectives.filter(isEstimated).length;
  if (estimator !== 'train' && estimated === 0)
    throw invalid('--objective', names.join(','), `must name what --estimator ${estimator} is to estimate, too`);
  if (estimator === 'predictor' && estimated > 1)
    throw invalid('--objective', names.join(','), '--estimator predictor predicts one metric, with costs beside it');
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

const usual = (kind: DatasetInfo['kind']) => taskOf({ kind }).metrics[0];
const isTrained = (name: string) => Object.hasOwn(TRAINED_METRICS, name);
const allOf = (metrics: object) => Object.keys({ ...metrics, ...COST_METRICS }).join(', ');
