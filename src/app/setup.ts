import { basename, resolve as resolvePath } from 'node:path';
import { pathToFileURL } from 'node:url';
import { unknownName } from '../common/closest.ts';
import { invalid, UserError } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import { rng } from '../common/random.ts';
import type { DataRequest, Dataset, DatasetInfo } from '../data/dataset.ts';
import { openDataset } from '../data/open.node.ts';
import { costsOf } from '../measure/index.ts';
import { checkBuildable } from '../network/buildable.ts';
import { type Space, type SpaceDefinition, searchSpaceOf, type Task } from '../space/index.ts';
import { SPACES } from '../space/spaces/index.ts';
import { createStrategy, fidelitiesOf } from '../strategy/index.ts';
import type { Limit, Problem, Strategy } from '../strategy/strategy.ts';
import { type Budget, checkBudget } from '../study/budget.ts';
import { objectivesOf, targetsOf } from '../study/objectives.ts';
import {
  checkSettings,
  DEFAULT_TRIALS,
  flagOf,
  isOwnFile,
  limitValue,
  parseDuration,
  parseTarget,
  type StudySettings,
  trainSettings,
} from '../study/spec.ts';
import type { StoppingRule } from '../study/stopping.ts';
import { stoppingOf } from '../study/stopping-rules.ts';
import { checkSettings as checkTraining, type TrainSettings, withHyperparameters } from '../train/settings.ts';
import { openBenchmark } from './benchmarks.ts';
import { modelTools } from './engine.ts';
import { type EstimatorPlan, estimatorOf } from './estimator-plan.ts';
import { absentStrategy, type OwnFiles, ownEstimator, ownStrategy } from './own-files.ts';

/** Everything that settings describe, except the engine. */
export interface Setup {
  readonly settings: StudySettings;
  readonly dataset: Dataset;
  readonly space: Space;
  readonly training: TrainSettings;
  readonly problem: Problem;
  readonly strategy: Strategy;
  readonly stopping: StoppingRule | undefined;
  readonly estimator: EstimatorPlan;
  /** The user's own files that the command line names; they may be run. */
  readonly own: OwnFiles;
}

/**
 * Opens the data and builds what the settings name. Writes nothing; throws UserError for whatever does not fit: this is
 * where a study's settings are checked before it is created, and where a worker or `resume` begins again from them, with
 * the space of the study (`spaceOf`). `checked`: the process that started this one has just checked the data. `own`: the files that the
 * command line names; those that a stored study alone names are not run.
 */
export async function setUp(
  settings: StudySettings,
  given: SpaceDefinition | Space = namedSpace(settings.space),
  checked = false,
  own: OwnFiles = {},
): Promise<Setup> {
  const strategy =
    own.strategy !== undefined
      ? await ownStrategy(own.strategy, settings.strategyOptions)
      : isOwnFile(settings.strategy)
        ? absentStrategy(settings.strategy)
        : createStrategy(settings.strategy, settings.strategyOptions, modelTools());
  if (own.estimator !== undefined) (await ownEstimator(own.estimator)).checkOptions(settings.estimatorOptions);
  const { benchmark } = settings;
  const { table, dataset } =
    benchmark === undefined
      ? { table: undefined, dataset: await openDataset({ ...dataRequest(settings), checked }) }
      : await openBenchmark(benchmark, settings);
  const { info } = dataset.search;
  const space = 'root' in given ? given : spaceFor(given, taskOf(info), settings);
  const training = checkTraining(trainSettings(settings), 'training settings', info);
  if (!('root' in given) && table === undefined)
    checkBuildable(space, rng(settings.seed, 'buildable'), (chosen) => withHyperparameters(training, chosen));
  if (settings.resolution < 1 && info.input.length !== 3) {
    throw invalid('--resolution', String(settings.resolution), `only applies to images; ${info.name} is a table`);
  }
  const problem = problemOf(settings, space, info);
  const estimator = estimatorOf(settings, problem, table);
  strategy.init(problem);
  checkBudget(budgetOf(settings));
  const stopping = stoppingOf(settings, problem);
  return { settings, dataset, space, training, problem, strategy, stopping, estimator, own };
}

/** What the data room is asked for. */
export function dataRequest(settings: StudySettings): DataRequest {
  const { data, dataDir, seed, validShare, trainSamples, imageSize, imageChannels, exclude, label, regression } =
    settings;
  return {
    name: data,
    seed,
    validShare,
    ...(dataDir !== undefined && { dir: dataDir }),
    ...(trainSamples !== undefined && { trainSamples }),
    ...(imageSize !== undefined && { imageSize }),
    ...(imageChannels !== undefined && { imageChannels }),
    ...(exclude !== undefined && { exclude }),
    ...(label !== undefined && { label }),
    ...(regression && { regression }),
  };
}

export function taskOf({ kind, input, outputs }: DatasetInfo): Task {
  return { kind, input, outputs };
}

/** A space of Netsmith by its name: nothing is loaded. */
export function namedSpace(name: string): SpaceDefinition {
  const found = Object.values(SPACES).find((space) => space.name === name);
  if (found !== undefined) return found;
  const { message } = unknownName('--space:', name, Object.keys(SPACES));
  throw new UserError(`${message}, or a .ts or .js file that exports a space`);
}

/**
 * The space of a definition. Whatever the user's file throws becomes a UserError with the line in the file.
 */
export function spaceFor(
  definition: SpaceDefinition,
  task: Task,
  { space, spaceOptions }: Pick<StudySettings, 'space' | 'spaceOptions'>,
): Space {
  try {
    return definition.create(task, spaceOptions);
  } catch (error) {
    if (!isOwnFile(space)) throw error;
    const line = lineIn(resolvePath(space), error);
    const isTold = error instanceof UserError;
    const what = isTold ? error.message : `space "${definition.name}": ${String(error)}`;
    throw new UserError(line === '' ? what : `${basename(space)}${line}: ${what}`);
  }
}

/** `, line 12`: where in the file an error, or what caused it, was thrown; nothing where that is not known. */
export function lineIn(path: string, error: unknown): string {
  let deepest = '';
  for (let one = error; one instanceof Error; one = one.cause) {
    const { stack = '' } = one;
    const at = [pathToFileURL(path).href, path].map((name) => stack.indexOf(`${name}:`)).find((found) => found >= 0);
    const line = at === undefined ? undefined : /:(\d+)/.exec(stack.slice(at + path.length))?.[1];
    if (line !== undefined) deepest = `, line ${line}`;
  }
  return deepest;
}

/** The problem that a strategy is given: what to look for in this space, within which limits. */
export function problemOf(settings: StudySettings, space: Space, info: DatasetInfo): Problem {
  const objectives = objectivesOf(settings, info);
  const limits = limitsOf(settings);
  const targets = targetsOf(settings, info);
  const names = [...objectives, ...targets].map(({ metric }) => metric).concat(limits.map(({ cost }) => cost));
  return {
    space: searchSpaceOf(space),
    objectives,
    limits,
    seed: settings.seed,
    fidelities: fidelitiesFor(settings),
    costs: (architecture) => costsOf(space, architecture, names),
  };
}

/** How thoroughly the trials of a study look at a candidate; 0 epochs where nothing is trained. Throws UserError. */
function fidelitiesFor(settings: StudySettings): Problem['fidelities'] {
  const { estimator, strategy, strategyOptions, epochs, dataShare, resolution, width } = settings;
  const full: Fidelity = { epochs, data: dataShare, resolution, width };
  const fidelities = isOwnFile(strategy) ? ([full] as const) : fidelitiesOf(strategy, strategyOptions, full);
  if (estimator === 'train' || isOwnFile(estimator)) return fidelities;
  if (fidelities.length > 1)
    throw invalid(
      '--strategy',
      `"${strategy}"`,
      `needs trials with different numbers of epochs; --estimator ${estimator} does not train`,
    );
  return [{ ...full, epochs: 0 }];
}

/** The limits of --limit and of its short forms. Throws UserError for a cost that two of them limit. */
export function limitsOf({ maxParams, maxFlops, limit = {} }: StudySettings): readonly Limit[] {
  const short = Object.entries({ params: maxParams, flops: maxFlops });
  const twice = short.find(([cost, max]) => max !== undefined && limit[cost] !== undefined);
  if (twice !== undefined)
    throw invalid('--limit', `${twice[0]}=${limit[twice[0]]}`, `${twice[0]} has a limit of ${twice[1]} already`);
  return [...short, ...Object.entries(limit).map(([cost, max]) => [cost, limitValue(cost, max)] as const)].flatMap(
    ([cost, max]) => (max === undefined ? [] : [{ cost, max }]),
  );
}

/** A study's settings, with those given for one command in their place. */
export function checkRunSettings(stored: StudySettings, given: Readonly<Record<string, unknown>>): StudySettings {
  const { dataDir } = given;
  const moved = typeof dataDir === 'string' ? { dataDir: resolvePath(dataDir) } : {};
  return checkSettings({ ...stored, ...given, ...moved }, flagOf);
}

/** The search budget; without one from the user, a number of trials. */
export function budgetOf({ trials, time, until = [], estimator }: StudySettings): Budget {
  const seconds = time === undefined ? undefined : parseDuration(time);
  const targets = until.flatMap((text) => parseTarget(text) ?? []);
  const wanted =
    trials ??
    (seconds === undefined && targets.length === 0 ? (DEFAULT_TRIALS[estimator] ?? DEFAULT_TRIALS.train) : undefined);
  return {
    ...(wanted !== undefined && { trials: wanted }),
    ...(seconds !== undefined && { seconds }),
    ...(targets.length > 0 && { targets }),
  };
}
