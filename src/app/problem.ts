/** What a strategy is given of a study: objectives, limits, costs and fidelities, as the settings say. */
import { invalid } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { costsOf, isCost } from '../measure/index.ts';
import { networkCosts } from '../network/costs.ts';
import { WEIGHT_METHODS } from '../oneshot/names.ts';
import type { Genome } from '../space/genome/genome.ts';
import { isNeatSpace } from '../space/genome/neat.ts';
import type { Task } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Limit, Problem } from '../strategy/strategy.ts';
import { isOfGenomes } from '../study/control-settings.ts';
import { objectivesOf, referenceOf, targetsOf } from '../study/objectives.ts';
import { limitValue } from '../study/quantities.ts';
import { isOwnFile, type StudySettings } from '../study/spec.ts';
import { spaceTask } from '../task/index.ts';
import { fidelitiesOf } from './strategies.ts';

/** The problem that a strategy is given: what to look for in this space, within which limits. */
export function problemOf(settings: StudySettings, space: SearchSpace, info: DatasetInfo): Problem {
  const objectives = objectivesOf(settings, info);
  const limits = limitsOf(settings).filter(({ cost }) => isCost(cost));
  const targets = targetsOf(settings, info);
  const names = [...objectives, ...targets].map(({ metric }) => metric).concat(limits.map(({ cost }) => cost));
  const reference = referenceOf(settings, objectives);
  return {
    space,
    objectives,
    limits,
    ...(reference && { reference }),
    seed: settings.seed,
    fidelities: fidelitiesFor(settings),
    ...(isTrainedToConfirm(settings) && { confirmation: fullFidelity(settings) }),
    costs: costsIn(space, spaceTask(info), names),
  };
}

/** The costs of a member. A space without a tree has the costs of the networks that it builds; no costs if it builds none. */
function costsIn(space: SearchSpace, task: Task, names: readonly string[]): Problem['costs'] {
  const { tree, build } = space;
  if (tree !== undefined) return (architecture) => costsOf(tree, architecture, names);
  if (isNeatSpace(space)) return (architecture) => ({ params: enabledIn(space.check(architecture)) });
  if (build === undefined) return () => ({});
  return (architecture) => {
    const { params, flops, activationBytes } = networkCosts(build(architecture), task);
    return { params, flops, activationBytes };
  };
}

const enabledIn = ({ connections }: Genome): number => connections.filter(({ enabled }) => enabled).length;

function fullFidelity({ epochs, dataShare, resolution, width }: StudySettings): Fidelity {
  return { epochs, data: dataShare, resolution, width };
}

/** Whether a study's candidates are estimated by the metrics of a training, but without one, so that only a training can confirm them. */
export function isTrainedToConfirm({ estimator }: Pick<StudySettings, 'estimator'>): boolean {
  return estimator === 'predictor' || WEIGHT_METHODS.some((name) => name === estimator);
}

/** How thoroughly the trials of a study look at a candidate; 0 epochs where nothing is trained. Throws UserError. */
function fidelitiesFor(settings: StudySettings): Problem['fidelities'] {
  const { space, estimator, strategy, strategyOptions } = settings;
  const full = fullFidelity(settings);
  const fidelities = isOwnFile(strategy) ? ([full] as const) : fidelitiesOf(strategy, strategyOptions, full);
  const isPlayed = isOfGenomes(settings);
  if ((estimator === 'train' && !isPlayed) || isOwnFile(estimator)) return fidelities;
  if (fidelities.length > 1) {
    const why = isPlayed ? `the genomes of space ${space} are not trained` : `--estimator ${estimator} does not train`;
    throw invalid('--strategy', `"${strategy}"`, `needs trials with different numbers of epochs; ${why}`);
  }
  return [{ ...full, epochs: 0 }];
}

/** The limits of --limit and of its short forms. Throws UserError for a cost that two of them limit. */
export function limitsOf({ maxParams, maxFlops, maxDepth, limit = {}, measures }: StudySettings): readonly Limit[] {
  const short = Object.entries({ params: maxParams, flops: maxFlops, depth: maxDepth });
  const twice = short.find(([cost, max]) => max !== undefined && limit[cost] !== undefined);
  if (twice !== undefined)
    throw invalid('--limit', `${twice[0]}=${limit[twice[0]]}`, `${twice[0]} has a limit of ${twice[1]} already`);
  return [
    ...short,
    ...Object.entries(limit).map(([cost, max]) => [cost, limitValue(cost, max, measures)] as const),
  ].flatMap(([cost, max]) => (max === undefined ? [] : [{ cost, max }]));
}

/** Throws UserError for costs that members of a space without a tree, or without decisions, do not have. */
export function checkCosts(space: SearchSpace, names: readonly string[]): void {
  const { name, tree, build } = space;
  if (tree !== undefined) {
    if (tree.members !== undefined && names.includes('descriptionLength'))
      throw invalid(`space "${name}"`, 'cost descriptionLength', 'the space has no decisions to describe');
    return;
  }
  if (isNeatSpace(space)) {
    const other = names.find((cost) => isCost(cost) && cost !== 'params');
    if (other === undefined) return;
    throw invalid(`space "${name}"`, `cost ${other}`, 'genomes have one cost: params, their enabled connections');
  }
  const absent = names.find((cost) => isCost(cost) && (build === undefined || !OPEN_COSTS.includes(cost)));
  if (absent === undefined) return;
  const what = build === undefined ? 'builds no networks' : `has no decisions, and so only ${OPEN_COSTS.join(', ')}`;
  throw invalid(`space "${name}"`, `cost ${absent}`, `the space ${what}; give a measure of your own: measures`);
}

/** The costs of the networks that a space without a tree builds. */
const OPEN_COSTS: readonly string[] = ['params', 'flops', 'activationBytes'];
