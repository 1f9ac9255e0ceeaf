import { invalid } from '../common/errors.ts';
import {
  COST_METRICS,
  DEVICE_METRICS,
  FREEREA,
  METRICS,
  type Metrics,
  type Objective,
  PROXY_METRICS,
  TRAINED_METRICS,
} from '../common/metrics.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Problem } from '../strategy/strategy.ts';
import { factsOf, TASK_KINDS } from '../task/index.ts';
import type { Target } from './budget.ts';
import { measuresOf } from './latency.ts';
import { parseTarget } from './quantities.ts';
import { FUNCTION, isOwnFile, type StudySettings } from './spec.ts';

type Kind = Pick<DatasetInfo, 'kind' | 'ownTask'>;
type MetricName = keyof typeof METRICS;

/** A metric of networks of this task; undefined where they are not measured by it. */
const metricOf = (name: string, task: Kind) => factsOf(task).metrics.find(({ metric }) => metric === name);
const belongs = (name: string, task: Kind) => metricOf(name, task) !== undefined;
const kindsWith = (name: string) => TASK_KINDS.filter((kind) => belongs(name, { kind })).join(', ');

const isOfDevice = (name: string): name is keyof typeof DEVICE_METRICS => Object.hasOwn(DEVICE_METRICS, name);

/** What a search is for: what the settings name, else what its estimator gives. Throws UserError for a metric that it cannot give. */
export function objectivesOf(settings: StudySettings, task: Kind): Problem['objectives'] {
  const { estimator, objective: named } = settings;
  if (estimator === FUNCTION) return scoresOf(settings);
  if (settings.scores !== undefined)
    throw invalid(
      'scores',
      Object.keys(settings.scores).join(', '),
      'are what a function returns: the estimator is not one',
    );
  const names = named ?? [estimator === 'proxies' ? 'freerea' : usual(task)];
  const objectives = names.map((name): Objective => {
    if (estimator === 'proxies' && isTrained(name, task))
      throw invalid('--objective', `"${name}"`, `must be one of ${allOf(PROXY_METRICS)} with --estimator proxies`);
    if (estimator !== 'proxies' && !isOwnFile(estimator) && Object.hasOwn(PROXY_METRICS, name))
      throw invalid('--objective', `"${name}"`, 'is a proxy and needs --estimator proxies');
    if (isTrained(name, task) && !belongs(name, task))
      throw invalid(
        '--objective',
        `"${name}"`,
        `is a metric for ${kindsWith(name)} only, but the task is ${task.kind}`,
      );
    const known = measureNamed(name, settings) ?? metricOf(name, task);
    if (known !== undefined || !isOfDevice(name)) return known ?? { metric: name, ...METRICS[name as MetricName] };
    if (settings.latencies === undefined || name !== 'latency')
      throw invalid('--objective', `"${name}"`, 'needs a table of latencies: --benchmark and --latencies FILE:COLUMN');
    return { metric: name, ...DEVICE_METRICS[name] };
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

/** The reference point that the settings state. Throws UserError unless it has a value of each of several objectives. */
export function referenceOf({ reference }: StudySettings, objectives: Problem['objectives']): Metrics | undefined {
  if (reference === undefined) return undefined;
  const names = objectives.map(({ metric }) => metric);
  const given = Object.keys(reference);
  if (names.length > 1 && given.length === names.length && names.every((name) => given.includes(name)))
    return reference;
  const found = Object.entries(reference).map(([name, value]) => `${name}=${value}`);
  const rule = names.length > 1 ? `must have a value of ${names.join(' and ')}` : 'the search has one objective';
  throw invalid('--reference', found.join(',') || 'nothing', rule);
}

/** What a trial must reach for a search to be good enough. Throws UserError for a metric that no trial will have. */
export function targetsOf(settings: StudySettings, info: Kind): readonly Target[] {
  const objectives = objectivesOf(settings, info).map(({ metric }) => metric);
  const has = new Set<string>([...objectives, ...(objectives.includes('freerea') ? FREEREA : [])]);
  return (settings.until ?? []).flatMap((text) => {
    const target = parseTarget(text, settings);
    if (target === undefined) return [];
    const { metric } = target;
    const trained = settings.estimator === 'train' && settings.benchmark === undefined;
    const isMeasured = trained && belongs(metric, info);
    if (isTrained(metric, info) && !belongs(metric, info))
      throw invalid(
        '--until',
        `"${text}"`,
        `${metric} is a metric for ${kindsWith(metric)} only, but the task is ${info.kind}`,
      );
    const isOwn = Object.hasOwn(measuresOf(settings), metric);
    if (!has.has(metric) && !isOwn && isEstimated({ metric }) && !isMeasured)
      throw invalid(
        '--until',
        `"${text}"`,
        `a trial of this search measures ${[...has].join(', ')}, and what is known before: ${Object.keys(COST_METRICS).join(', ')}`,
      );
    return [target];
  });
}

/** What a function is to return: by default `score`, the larger the better. */
function scoresOf({ scores = { score: 'maximize' }, objective, ...settings }: StudySettings): Problem['objectives'] {
  if (objective !== undefined)
    throw invalid('objective', objective.join(', '), 'the objectives of a function are its scores');
  const [first, ...others] = Object.entries(scores).map(([metric, direction]): Objective => {
    const own = measureNamed(metric, settings);
    const known = own ?? (Object.hasOwn(METRICS, metric) ? METRICS[metric as MetricName] : undefined);
    if (known !== undefined && known.direction !== direction)
      throw invalid('scores', `"${metric}": "${direction}"`, `${metric} is something to ${known.direction}`);
    return own ?? { metric, direction, unit: known?.unit ?? 'score' };
  });
  if (first === undefined) throw invalid('scores', 'none', 'must name at least one');
  if (![first, ...others].some(isEstimated))
    throw invalid('scores', Object.keys(scores).join(', '), 'must name what the function is to return, too');
  return [first, ...others];
}

/** The metric of a trial that is shown: the first objective that is no cost. */
export function headline(objectives: Problem['objectives'], task: Kind): Objective {
  return objectives.find(isEstimated) ?? testedObjective(objectives, task);
}

/** The metric to show of a network that has been trained: the first objective that it can be measured by. */
export function testedObjective(objectives: Problem['objectives'], task: Kind): Objective {
  return objectives.find(({ metric }) => isTrained(metric, task)) ?? factsOf(task).metrics[0];
}

/** A measure that takes time, by its name: one of the user's own, or the latency on a device. */
function measureNamed(name: string, settings: Partial<StudySettings>): Objective | undefined {
  const measures = measuresOf(settings);
  const own = Object.hasOwn(measures, name) ? measures[name] : undefined;
  return own && { metric: name, ...own, isMeasure: true };
}

/** Not known beforehand. */
export function isEstimated({ metric, isMeasure = false }: Pick<Objective, 'metric' | 'isMeasure'>): boolean {
  return !isMeasure && !Object.hasOwn(COST_METRICS, metric);
}

/**
 * The costs that tables of trials show: parameters, FLOPs, and the costs that are objectives, limits or measures of this study. A cost that
 * none of these trials has is left out.
 */
export function shownCosts(
  { objectives, limits }: Pick<Problem, 'objectives' | 'limits'>,
  settings: Partial<StudySettings>,
  trials: readonly { readonly costs: Metrics }[],
): readonly string[] {
  const named = objectives.filter((one) => !isEstimated(one)).map(({ metric }) => metric);
  const measures = Object.keys(measuresOf(settings));
  const all = ['params', 'flops', ...named, ...limits.map(({ cost }) => cost), ...measures];
  return [...new Set(all)].filter((name) => trials.some(({ costs }) => costs[name] !== undefined));
}

/**
 * A trial's metric as displayed: a prediction is called one, unless a confirmation has measured it instead (`confirmed`), and a measure of the
 * user's own has its unit.
 */
export function nameOfMetric(settings: Partial<StudySettings>, metric: string, confirmed = false): string {
  const { estimator, latencies } = settings;
  if (latencies !== undefined && isOfDevice(metric)) return `${metric} (${DEVICE_METRICS[metric].unit})`;
  const { unit = '' } = measuresOf(settings)[metric] ?? {};
  if (unit !== '') return `${metric} (${unit})`;
  return estimator === 'predictor' && !confirmed && isEstimated({ metric }) ? `predicted ${metric}` : metric;
}

const usual = (task: Kind) => factsOf(task).metrics[0].metric;
const isTrained = (name: string, task: Kind) => Object.hasOwn(TRAINED_METRICS, name) || belongs(name, task);
const allOf = (metrics: object) => Object.keys({ ...metrics, ...COST_METRICS }).join(', ');
