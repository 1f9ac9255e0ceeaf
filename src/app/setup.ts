import { basename, resolve as resolvePath } from 'node:path';
import { invalid, UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import type { DataRequest, Dataset, DatasetInfo } from '../data/dataset.ts';
import { openDataset } from '../data/open.node.ts';
import { rotated } from '../data/rotations.ts';
import { checkBuildable } from '../network/buildable.ts';
import { isArchitectureMethod, oneShotOf } from '../oneshot/names.ts';
import { type GenomeSpaceDefinition, isGenomeSpace } from '../space/genome/definition.ts';
import {
  type Architecture,
  constrained,
  type Space,
  type SpaceDefinition,
  searchSpaceOf,
  type Task,
} from '../space/index.ts';
import { isMember, type SearchSpace } from '../space/search-space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Problem, Strategy } from '../strategy/strategy.ts';
import { tryingFirst } from '../strategy/wrappers/trying-first.ts';
import { type Budget, checkBudget } from '../study/budget.ts';
import { isOfGenomes } from '../study/control-settings.ts';
import { latencySettings } from '../study/latency.ts';
import type { Measuring } from '../study/measuring.ts';
import { objectivesOf, targetsOf } from '../study/objectives.ts';
import { parseDuration, parseTarget } from '../study/quantities.ts';
import {
  checkSettings,
  DEFAULT_TRIALS,
  FUNCTION,
  flagOf,
  GENOME_TRIALS,
  isOwnFile,
  type SettingName,
  type StudySettings,
  trainSettings,
} from '../study/spec.ts';
import type { StoppingRule } from '../study/stopping.ts';
import { stoppingOf } from '../study/stopping-rules.ts';
import { isTaskKind, spaceTask, TASK_KINDS } from '../task/index.ts';
import type { TaskDefinition } from '../task/task.ts';
import { checkSettings as checkTraining, type TrainSettings, withHyperparameters } from '../train/settings.ts';
import { openBenchmark } from './benchmarks.ts';
import { type OpenedEnvironment, openEnvironment } from './control/environment.ts';
import { type EstimatorPlan, estimatorOf } from './estimator-plan.ts';
import { definitionNamed } from './named-space.ts';
import { checkOpenSpace, type OwnCode, withOwnTask } from './own-code.ts';
import { absentStrategy, lineIn, openOwnData, ownEstimator, ownStrategy } from './own-exports.ts';
import { type OwnFiles, pathsOf } from './own-files.ts';
import { type OpenedPretrained, openPretrained, pretrainedTokenizer } from './pretrained.ts';
import { checkCosts, problemOf } from './problem.ts';
import { checkOnTable, strategyNamed } from './strategies.ts';

/** Everything that settings describe, except the engine. */
export interface Setup {
  readonly settings: StudySettings;
  readonly dataset: Dataset;
  /** Of a study that looks for a policy. */
  readonly control?: OpenedEnvironment | undefined;
  /** What trains, draws or exports its networks takes its tree (`treeOf`). */
  readonly space: SearchSpace;
  readonly training: TrainSettings;
  readonly problem: Problem;
  readonly strategy: Strategy;
  readonly stopping: StoppingRule | undefined;
  readonly estimator: EstimatorPlan;
  /** Measures of the user's own; absent where the study is only set up to be evaluated. */
  readonly measuring?: Measuring | undefined;
  /** The user's own files that the command line names. Only these may be run. */
  readonly own: OwnFiles;
  /** What the program at work gives. */
  readonly code: OwnCode;
  /** What trainings start from, in place of fresh weights (`initFrom`). */
  readonly pretrained?: OpenedPretrained | undefined;
}

/**
 * Opens the data and builds what the settings name. Writes nothing; throws UserError for settings that do not fit: this is
 * where a study's settings are checked before it is created, and where a worker or `resume` begins again from them, with
 * the space of the study (`spaceOf`). `checked`: the process that started this one has just checked the data. `own`: the files that the
 * command line names; those that a stored study alone names are not run. `code`: what the program at work gives. `opened`: the data, where
 * they are open already.
 */
export async function setUp(
  settings: StudySettings,
  given: AnySpace = definitionNamed(settings.space),
  checked = false,
  own: OwnFiles = {},
  code: OwnCode = {},
  opened?: Dataset,
): Promise<Setup> {
  const chosen =
    own.strategy !== undefined
      ? await ownStrategy(own.strategy, settings.strategyOptions)
      : isOwnFile(settings.strategy)
        ? absentStrategy(settings.strategy)
        : strategyNamed(settings.strategy, settings.strategyOptions);
  if (own.estimator !== undefined) (await ownEstimator(own.estimator)).checkOptions(settings.estimatorOptions);
  const { benchmark, latencies } = settings;
  const latency = latencySettings(settings);
  if (benchmark === undefined && latencies !== undefined) throw invalid('--latencies', latencies, 'needs --benchmark');
  if (benchmark !== undefined) checkOnTable('--strategy', settings.strategy);
  const control = await openEnvironment(settings, own, checked);
  if (control !== undefined && oneShotOf(settings) !== undefined)
    throw invalid('--strategy', `"${settings.strategy}"`, 'trains a supernet on samples; an environment has none');
  const { table, dataset } =
    benchmark === undefined
      ? {
          table: undefined,
          dataset: control?.dataset ?? opened ?? (await openData(settings, own, code, checked)),
        }
      : await openBenchmark(benchmark, settings);
  const { info, task } = dataset.search;
  // Members of a table that lists open ones are those that it has.
  const listed = table?.space.members === undefined ? undefined : table.space;
  if (listed !== undefined) checkUnconstrained(listed.name, settings);
  const space = searchSpaceFrom(listed ?? given, info, settings, task);
  const training = checkTraining(trainSettings(settings), 'training settings', info, task);
  if ('create' in given && space.tree !== undefined && table === undefined)
    checkBuildable(space.tree, rng(settings.seed, 'buildable'), (chosen) => withHyperparameters(training, chosen));
  const problem = problemOf(settings, space, info);
  if (space.tree !== undefined) checkResolution(problem, space.tree.task, info);
  if (latency !== undefined && space.tree === undefined)
    throw invalid(`space "${space.name}"`, 'latency on a device', 'is no tree of modules: give a measure of your own');
  checkCosts(space, [
    ...[...problem.objectives, ...targetsOf(settings, info)].map(({ metric }) => metric),
    ...problem.limits.map(({ cost }) => cost),
  ]);
  const estimator = estimatorOf(settings, problem, table);
  if (estimator.kind === 'predictor' && space.tree?.members !== undefined)
    throw invalid('--estimator', '"predictor"', `learns from decisions; space "${space.name}" has none`);
  if (estimator.kind === 'proxies' && !isTaskKind(info.kind))
    throw invalid('--estimator', '"proxies"', `only serves ${TASK_KINDS.join(', ')}; the task is ${info.kind}`);
  const first = settings.handDesigned && namedIn(handDesignedOf(given, settings, space), settings.handDesigned);
  const designed = settings.initFrom === undefined ? {} : handDesignedOf(given, settings, space);
  const bases = Object.values(designed).filter((one) => isMember(space, one));
  const pretrained = await openPretrained(settings, dataset.search, space, bases, checked);
  const members = [...(pretrained?.first ?? []), ...(first ?? [])].filter((one) => isMember(space, one));
  const strategy = first || pretrained?.first ? tryingFirst(chosen, distinct(members)) : chosen;
  strategy.init(problem);
  checkBudget(budgetOf(settings));
  const stopping = stoppingOf(settings, problem);
  return { settings, dataset, control, space, training, problem, strategy, stopping, estimator, own, code, pretrained };
}

/** Each architecture once. */
function distinct(all: readonly Architecture[]): readonly Architecture[] {
  return [...new Map(all.map((one) => [architectureKey(one), one])).values()];
}

/**
 * Throws UserError for a strategy, a metric or a hand-designed network that does not fit the data, as `setUp` does: before a plan is made,
 * which takes its time.
 */
export function checkNames(settings: StudySettings, definition: SpaceDefinition, { search }: Dataset): void {
  const { info, task } = search;
  if (!isOwnFile(settings.strategy)) strategyNamed(settings.strategy, settings.strategyOptions);
  objectivesOf(settings, info);
  targetsOf(settings, info);
  if (settings.handDesigned === undefined) return;
  const space = searchSpaceFrom(definition, info, settings, task);
  namedIn(handDesignedOf(definition, settings, space), settings.handDesigned);
}

/** Throws UserError for weights that are no start for these data (`--init-from`), as `setUp` does. */
export async function checkStart(
  settings: StudySettings,
  definition: SpaceDefinition,
  { search }: Dataset,
): Promise<void> {
  if (settings.initFrom === undefined) return;
  await openPretrained(settings, search, searchSpaceFrom(definition, search.info, settings, search.task), []);
}

/** A space in whichever form it is given. */
export type AnySpace = SpaceDefinition | GenomeSpaceDefinition | Space | SearchSpace;

/** The hand-designed members of a space. A stored study has no definition of a space from a file: its strategy's state has the members. */
export function handDesignedOf(
  given: AnySpace,
  { space: name, spaceOptions }: StudySettings,
  { tree }: SearchSpace,
): Readonly<Record<string, Architecture>> {
  const definition = 'create' in given ? given : Object.values(SPACES).find((space) => space.name === name);
  return tree === undefined ? {} : (definition?.handDesigned?.(tree.task, spaceOptions) ?? {});
}

/** Those of the hand-designed networks that are named. Throws UserError for a name that none has. */
function namedIn(members: Readonly<Record<string, Architecture>>, names: readonly string[]): readonly Architecture[] {
  const known = Object.keys(members);
  if (known.length === 0 || names.includes('all')) return Object.values(members);
  return names.map((name) => {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    if (member === undefined) throw invalid('--hand-designed', `"${name}"`, `must be all or among ${known.join(', ')}`);
    return member;
  });
}

/**
 * The data that settings name, with the loss and the metrics of the user's own. Throws UserError for a file of the user's that the command
 * line does not name.
 */
export async function openData(
  settings: StudySettings,
  own: OwnFiles,
  code: OwnCode,
  checked = false,
): Promise<Dataset> {
  const tokenizer = await pretrainedTokenizer(settings);
  const isRotation = settings.task === 'rotation';
  if (isRotation && settings.flip)
    throw invalid('--flip', 'true', 'cannot be used with --task rotation: a mirrored image may be turned another way');
  const request = {
    ...dataRequest(settings),
    checked,
    ...(tokenizer && { tokenizer }),
    ...(isRotation && { unlabeled: true }),
  };
  if (own.data === undefined && isOwnFile(request.name))
    throw new UserError(`--data: the file "${request.name}" must be named on the command line`);
  const dataset = own.data === undefined ? await openDataset(request) : await openOwnData(own.data, request);
  return withOwnTask(isRotation ? rotated(dataset) : dataset, settings, own, code);
}

/** Throws UserError for trials that see smaller images, where the data are no images or the answer is an image, too. */
function checkResolution({ fidelities }: Problem, { input, positions }: Task, { name, kind }: DatasetInfo): void {
  const lower = fidelities.find(({ resolution }) => resolution < 1);
  if (lower === undefined) return;
  const refuse = (rule: string) => invalid('--resolution', String(lower.resolution), rule);
  if (input.length !== 3) throw refuse(`only applies to images; a sample of ${name} is [${input.join(', ')}]`);
  if (positions !== undefined)
    throw refuse(`must be 1 for the task ${kind}: its targets have a value for each pixel of the full image`);
}

/** A space, in whichever form it is given. Throws UserError where the settings do not fit it. */
export function searchSpaceFrom(
  given: AnySpace,
  info: DatasetInfo,
  settings: StudySettings,
  task?: TaskDefinition,
): SearchSpace {
  // The tree of a study has its constraints already (`spaceOf`).
  if ('root' in given) return searchSpaceOf(given);
  if ('create' in given) return searchSpaceOf(constrained(spaceFor(given, spaceTask(info, task), settings), settings));
  if ('open' in given) {
    checkUnconstrained(given.name, settings);
    return given.open(spaceTask(info, task), settings.spaceOptions);
  }
  // Genomes of Netsmith's own space play in the study's environment; the members of others need a function.
  const isPlayed = settings.environment !== undefined && isGenomeSpace(given.name);
  if (given.tree === undefined && !isPlayed) checkOpenStudy(given, settings);
  return given;
}

const CONSTRAINTS = ['require', 'forbid', 'fix', 'prefer'] as const satisfies readonly SettingName[];

/** Throws UserError for settings that need networks which Netsmith can train. */
function checkOpenStudy(space: SearchSpace, settings: StudySettings): void {
  const { estimator, spaceOptions, seed } = settings;
  const place = `space "${space.name}"`;
  if (estimator !== FUNCTION)
    throw invalid(
      place,
      'is no tree of modules, so Netsmith cannot train its members',
      "a function of yours must score them: objective: { score: 'maximize' }",
    );
  checkUnconstrained(space.name, settings);
  const [option] = Object.keys(spaceOptions);
  if (option !== undefined) throw invalid('spaceOptions', option, `${place} has no options`);
  checkOpenSpace(space, seed);
}

/** Throws UserError for constraints on decisions that the members of a space do not make. */
function checkUnconstrained(name: string, settings: StudySettings): void {
  const constraint = CONSTRAINTS.find((one) => settings[one] !== undefined);
  if (constraint === undefined) return;
  const found = JSON.stringify(settings[constraint]);
  throw invalid(flagOf(constraint), found, `space "${name}" has no decisions to constrain`);
}

/** The tree of a space, for what trains, draws or exports networks. Throws UserError where the space is none. */
export function treeOf({ space }: { readonly space: SearchSpace }): Space {
  if (space.tree !== undefined) return space.tree;
  throw invalid(
    `space "${space.name}"`,
    'is no tree of modules',
    'only networks of modules can be trained, evaluated, drawn and exported',
  );
}

/** The settings of the data, as `openDataset` takes them. */
function dataRequest(settings: StudySettings): DataRequest {
  const { data, dataDir, validData, testData, seed, validShare, trainSamples, imageSize, imageChannels } = settings;
  const { exclude, label, regression, text, tokens, vocabulary, textLength } = settings;
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
    ...(regression !== undefined && { regression }),
    ...(validData !== undefined && { validFile: validData }),
    ...(testData !== undefined && { testFile: testData }),
    ...(text !== undefined && { text }),
    ...(tokens !== undefined && { tokens }),
    ...(vocabulary !== undefined && { vocabulary }),
    ...(textLength !== undefined && { textLength }),
  };
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

/** A study's settings, with those given for one command in their place. With fewer epochs, the warm-up keeps its share of them. */
export function checkRunSettings(stored: StudySettings, given: Readonly<Record<string, unknown>>): StudySettings {
  const { epochs } = given;
  const shorter = typeof epochs === 'number' && epochs < stored.epochs && !('warmupEpochs' in given);
  const warmupEpochs = shorter ? (stored.warmupEpochs * epochs) / stored.epochs : stored.warmupEpochs;
  return checkSettings({ ...stored, warmupEpochs, ...given, ...pathsOf(given, resolvePath) }, flagOf);
}

/** What ends the search: the given limits, or by default a number of trials. */
export function budgetOf({
  trials,
  time,
  trialTime,
  until = [],
  strategy,
  estimator,
  space,
  environment,
  scores,
  measures,
  metrics,
}: StudySettings): Budget {
  const seconds = time === undefined ? undefined : parseDuration(time);
  const targets = until.flatMap((text) => parseTarget(text, { scores, measures, metrics }) ?? []);
  const isPlayed = isOfGenomes({ environment, space });
  const usual = isPlayed ? GENOME_TRIALS : (DEFAULT_TRIALS[estimator] ?? DEFAULT_TRIALS.train);
  const defaultTrials = isArchitectureMethod(strategy) ? 1 : usual;
  const wanted = trials ?? (seconds === undefined && targets.length === 0 ? defaultTrials : undefined);
  return {
    ...(wanted !== undefined && { trials: wanted }),
    ...(seconds !== undefined && { seconds }),
    ...(trialTime !== undefined && { trialSeconds: parseDuration(trialTime) ?? 0 }),
    ...(targets.length > 0 && { targets }),
  };
}
