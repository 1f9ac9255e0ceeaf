import { invalid } from '../common/errors.ts';
import { COST_METRICS, METRICS, type Objective, PROXY_METRICS, TRAINED_METRICS } from '../common/metrics.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Problem } from '../strategy/strategy.ts';
import { TASK_KINDS, taskOf } from '../task/index.ts';
import type { Target } from './budget.ts';
import { FUNCTION, isOwnFile, parseTarget, type StudySettings } from './spec.ts';

type Kind = Pick<DatasetInfo, 'kind'>;
type MetricName = keyof typeof METRICS;

/** Whether networks of this task are measured by it. */
const belongs = (name: string, kind: DatasetInfo['kind']) =>
  taskOf({ kind }).metrics.some(({ metric }) => metric === name);
const kindsWith = (name: string) => TASK_KINDS.filter((kind) => belongs(name, kind)).join(' and ');

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
    if (estimator === 'proxies' && isTrained(name))
      throw invalid('--objective', `"${name}"`, `must be one of ${allOf(PROXY_METRICS)} with --estimator proxies`);
    if (estimator !== 'proxies' && !isOwnFile(estimator) && Object.hasOwn(PROXY_METRICS, name))
      throw invalid('--objective', `"${name}"`, 'is a proxy and needs --estimator proxies');
    if (isTrained(name) && !belongs(name, kind))
      throw invalid('--objective', `"${name}"`, `is a metric for ${kindsWith(name)} only, but the task is ${kind}`);
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

/** What a trial must reach for a search to be good enough. Throws UserError for a metric that no trial will have. */
export function targetsOf(settings: StudySettings, info: Kind): readonly Target[] {
  const has = new Set(objectivesOf(settings, info).map(({ metric }) => metric));
  return (settings.until ?? []).flatMap((text) => {
    const target = parseTarget(text);
    if (target === undefined) return [];
    const { metric } = target;
    const trained = settings.estimator === 'train' && settings.benchmark === undefined;
    const isMeasured = trained && isTrained(metric) && belongs(metric, info.kind);
    if (isTrained(metric) && !belongs(metric, info.kind))
      throw invalid(
        '--until',
        `"${text}"`,
        `${metric} is a metric for ${kindsWith(metric)} only, but the task is ${info.kind}`,
      );
    if (!has.has(metric) && isEstimated({ metric }) && !isMeasured)
      throw invalid(
        '--until',
        `"${text}"`,
        `a trial of this search measures ${[...has].join(', ')}, and what is known before: ${Object.keys(COST_METRICS).join(', ')}`,
      );
    return [target];
  });
}

/** What a function is to return: by default `score`, the larger the better. */
function scoresOf({ scores = { score: 'maximize' }, objective }: StudySettings): Problem['objectives'] {
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

/** The metric of a trial that is shown: the first objective that is no cost. */
export function headline(objectives: Problem['objectives'], task: Kind): Objective {
  return objectives.find(isEstimated) ?? testedObjective(objectives, task);
}

/** The metric to show of a network that has been trained: the first objective that it can be measured by. */
export function testedObjective(objectives: Problem['objectives'], { kind }: Kind): Objective {
  return objectives.find(({ metric }) => isTrained(metric)) ?? taskOf({ kind }).metrics[0];
}

/** Not known beforehand. */
export function isEstimated({ metric }: Pick<Objective, 'metric'>): boolean {
  return !Object.hasOwn(COST_METRICS, metric);
}

/** The costs of a trial that are shown: parameters and FLOPs always, and those that the search has to do with. */
export function shownCosts({ objectives, limits }: Pick<Problem, 'objectives' | 'limits'>): readonly string[] {
  const named = [...objectives.map(({ metric }) => metric), ...limits.map(({ cost }) => cost)];
  return [...new Set(['params', 'flops', ...named.filter((metric) => !isEstimated({ metric }))])];
}

/** The name under which a trial's metric is shown: a prediction is called one. */
export function nameOfMetric({ estimator }: Pick<StudySettings, 'estimator'>, metric: string): string {
  return estimator === 'predictor' && isEstimated({ metric }) ? `predicted ${metric}` : metric;
}

const usual = (kind: DatasetInfo['kind']) => taskOf({ kind }).metrics[0].metric;
const isTrained = (name: string) => Object.hasOwn(TRAINED_METRICS, name);
const allOf = (metrics: object) => Object.keys({ ...metrics, ...COST_METRICS }).join(', ');
