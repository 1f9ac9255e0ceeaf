import { z } from 'zod';
import { invalid } from '../common/errors.ts';
import { type Json, parseJson } from '../common/json.ts';
import { totalSpent } from '../common/spent.ts';
import { showLatency } from '../device/measure.ts';
import { GENOME_SPACES, isGenomeSpace } from '../space/genome/definition.ts';
import { type Space, searchSpaceOf, spaceToJson } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Problem } from '../strategy/strategy.ts';
import { type Agreement, agreementOfConfirmed, agreementsOf } from '../study/agreement.ts';
import { isOfGenomes } from '../study/control-settings.ts';
import { latencySettings } from '../study/latency.ts';
import { checkPlan, type StudyPlan } from '../study/plan.ts';
import type { StudySettings } from '../study/spec.ts';
import { isOwnFile, trainsTrials } from '../study/spec.ts';
import type { Clock, EarlierTrial, StrategyState, StudyRecord, Trial } from '../study/store/store.ts';
import { openStudyStore } from '../study/study.node.ts';
import { spaceTask } from '../task/index.ts';
import { checkSettings as checkTraining } from '../train/settings.ts';
import { deviceLimit } from './device/limit.ts';
import { absentSpace, type OwnCode } from './own-code.ts';
import { ownSpaceBeside } from './own-exports.ts';
import type { OwnFiles } from './own-files.ts';
import { problemOf } from './problem.ts';
import { requireSameData } from './same-data.ts';
import { type Setup, setUp } from './setup.ts';
import { spaceOf } from './stored-space.ts';

export type { StudyPlan } from '../study/plan.ts';

/** Settings of a worker process. */
export interface WorkerSettings {
  readonly plan: StudyPlan;
  /** The memory limit of the process, in bytes. */
  readonly memoryBytes: number;
  /** What the study began with: a predictor learns from it. */
  readonly earlier?: readonly EarlierTrial[];
  /** Own files (`--strategy ./mine.ts`, ...) that the command line of the running process names. */
  readonly own?: OwnFiles;
  /** It makes final trainings, and may open the test part. */
  readonly final?: boolean;
}

export function workerSettingsToJson({ plan, ...rest }: WorkerSettings): Json {
  return JSON.parse(JSON.stringify({ plan: planToJson(plan), ...rest })) as Json;
}

const workerSettingsSchema = z.looseObject({
  plan: z.looseObject({}),
  memoryBytes: z.number(),
  earlier: z.array(z.looseObject({ architecture: z.looseObject({}), metrics: z.looseObject({}) })).optional(),
  own: z.record(z.string(), z.string()).optional(),
  final: z.boolean().optional(),
});

/** What the main process has sent. Throws Error for anything that `workerSettingsToJson` does not write. */
export function checkWorkerSettings(found: unknown): asserts found is WorkerSettings {
  workerSettingsSchema.parse(found);
}

export function planOfSetup({ settings, dataset, space, pretrained }: Setup): StudyPlan {
  const { tree } = space;
  const stored =
    tree === undefined
      ? !isOfGenomes(settings) && { openSpace: true }
      : isOwnSpace(settings.space) && { ownSpace: storedSpace(tree) };
  return { settings, data: dataset.search.info, ...stored, ...(pretrained && { pretrained: pretrained.sha256 }) };
}

/** Whether it is a space that Netsmith does not have by that name: a file's, or one that a program has given. */
function isOwnSpace(name: string): boolean {
  return isOwnFile(name) || !Object.values(SPACES).some((space) => space.name === name);
}

/** Throws UserError for a space that nests so deeply that it could not be read again. */
function storedSpace(space: Space): Json {
  return parseJson(JSON.stringify(spaceToJson(space)), `space "${space.name}" as JSON`);
}

export function planToJson({
  settings,
  data,
  block,
  predictorAgreement,
  ownSpace,
  openSpace,
  prior,
  pretrained,
  device,
  remeasured,
  afterwards,
}: StudyPlan): Json {
  const kept = {
    settings,
    data,
    block,
    predictorAgreement,
    ownSpace,
    openSpace,
    prior,
    pretrained,
    device,
    remeasured,
    afterwards,
  };
  return JSON.parse(JSON.stringify(kept)) as Json;
}

export function planOf(record: StudyRecord, dir: string): StudyPlan {
  return checkPlan(record.settings, dir);
}

/** The current state of a study, read without locking it: another process may be running it. */
export interface ReadStudy extends StudyPlan {
  readonly record: StudyRecord;
  /** For a space that is code, unless the program has given it: a stand-in that writes members as JSON. */
  readonly space: SearchSpace;
  readonly problem: Problem;
  /** Search trials and confirmations; `evaluate` reads its own. */
  readonly trials: readonly Trial[];
  /** The trial of its supernet, if it has begun. */
  readonly supernet?: Trial;
  /** Trials of earlier studies, which it began with. */
  readonly earlier: readonly EarlierTrial[];
  readonly clock: Clock;
  readonly strategyState: StrategyState;
}

/** `given`: the space of a study whose space is code. */
export async function readStudy(dir: string, given?: SearchSpace): Promise<ReadStudy> {
  const store = await openStudyStore(dir, 'read');
  try {
    const record = await store.study();
    const plan = planOf(record, dir);
    checkName(plan, `study "${dir}"`, given);
    const space =
      plan.openSpace === true
        ? (given ?? absentSpace(plan.settings.space, `study "${dir}"`))
        : storedSpaceOf(plan, `study "${dir}"`);
    const problem = problemOf(plan.settings, space, plan.data);
    const [supernet] = await store.trials('supernet');
    return {
      ...plan,
      record,
      space,
      problem,
      trials: withoutSlow(await store.trials(), plan),
      ...(supernet && { supernet }),
      earlier: await store.earlier(),
      clock: await store.clock(),
      strategyState: await store.strategyState(),
    };
  } finally {
    await store.close();
  }
}

/**
 * Search trials and confirmations. A network that was too slow when it was measured again counts as failed, by whichever trial or confirmation it
 * was trained, so that no command takes it as the best.
 */
function withoutSlow(all: readonly Trial[], { remeasured = [], settings }: StudyPlan): readonly Trial[] {
  const trials = all.filter(({ purpose }) => purpose === 'search' || purpose === 'confirm');
  const reasons = new Map<string, string>();
  const given = latencySettings(settings);
  const limit = given && deviceLimit(given);
  for (const { trial: number, kept, ...latency } of remeasured) {
    const found = trials.find(({ purpose, trial }) => purpose === 'search' && trial === number);
    const reason = `latency was ${showLatency(latency)} when measured again; the limit is ${limit?.words}`;
    if (found !== undefined && !kept) reasons.set(architectureKey(found.architecture), reason);
  }
  return trials.map((trial) => {
    const reason = reasons.get(architectureKey(trial.architecture));
    return reason === undefined ? trial : { ...trial, state: 'failed', reason };
  });
}

/**
 * Sets up a study again, with settings that may differ from its own. Throws UserError if its data have changed: a
 * new division would move samples of the search into the test part. `without`: images are newly left out, so contents and counts may
 * differ, but names and division may not.
 */
export async function setUpAgain(
  plan: StudyPlan,
  dir: string,
  settings: StudySettings,
  { without = false, own = {}, code = {} }: Again = {},
): Promise<Setup> {
  const place = `study "${dir}"`;
  const space = plan.openSpace === true ? requireSpace(plan, place, code) : storedSpaceOf(plan, place);
  const setup = await setUp(settings, space, false, own, code);
  requireSameData(`study "${dir}"`, plan.data, setup.dataset.search.info, without);
  requireSameStart(place, plan, setup);
  return setup;
}

interface Again {
  readonly without?: boolean;
  readonly own?: OwnFiles;
  /** What the program at work gives. */
  readonly code?: OwnCode;
}

/** The space of a study whose space is code. Throws UserError unless the program gives it. */
function requireSpace(plan: StudyPlan, place: string, { space }: OwnCode): SearchSpace {
  const { settings } = plan;
  checkName(plan, place, space);
  if (space === undefined)
    throw invalid(
      place,
      `its space "${settings.space}" is code of the program that created it`,
      'continue it in that program: openStudy(dir, { space })',
    );
  return space;
}

/** Throws UserError for a space that a study does not have. */
function checkName({ settings }: StudyPlan, place: string, given: SearchSpace | undefined): void {
  if (given !== undefined && given.name !== settings.space)
    throw invalid(place, `its space is "${settings.space}", not "${given.name}"`, 'a study keeps its space');
}

/** Sets up a study in a process that the study has started: where the data have changed since, it stops. */
export async function setUpInWorker(plan: StudyPlan, own: OwnFiles = {}): Promise<Setup> {
  // A worker does not need a strategy.
  const { strategy: _, ...used } = own;
  const space = plan.openSpace === true ? await ownSpaceBeside(used.judge, plan.settings.space) : storedSpaceOf(plan);
  const setup = await setUp(plan.settings, space, true, used);
  requireSameData('study', plan.data, setup.dataset.search.info, false);
  requireSameStart('study', plan, setup);
  return setup;
}

/** Throws UserError where trainings would start from other weights than those that the study began with. */
function requireSameStart(place: string, plan: StudyPlan, { pretrained }: Setup): void {
  if (plan.pretrained === pretrained?.sha256) return;
  const found = `the weights of --init-from "${pretrained?.dir ?? ''}" have changed since the study was created`;
  throw invalid(place, found, 'a study can only be resumed with the same weights');
}

/**
 * As `setUpAgain`, for a final training: its epochs are `training.epochs` and may be any number, as the rules of the
 * search (how epochs rise from fidelity to fidelity) do not apply to it. `settings` keep the search's epochs.
 */
export async function setUpFinal(
  plan: StudyPlan,
  dir: string,
  settings: StudySettings,
  own: OwnFiles = {},
  code: OwnCode = {},
): Promise<Setup> {
  if (settings.benchmark !== undefined) return setUpAgain(plan, dir, settings);
  const setup = await setUpAgain(plan, dir, { ...settings, epochs: plan.settings.epochs }, { own, code });
  const training = { ...setup.training, epochs: settings.epochs };
  const { info, task } = setup.dataset.search;
  return { ...setup, training: checkTraining(training, 'training settings', info, task) };
}

/** The same as a search space, which may be one of genomes. */
function storedSpaceOf(plan: StudyPlan, place = 'study'): SearchSpace {
  const { settings, data } = plan;
  if (!isOfGenomes(settings) || !isGenomeSpace(settings.space)) return searchSpaceOf(spaceOf(plan, place));
  return GENOME_SPACES[settings.space].open(spaceTask(data), settings.spaceOptions);
}

/** What two studies of the same space have in common: the stored form of a tree; of any other space its name, since it is code. */
export function identityOf({ name, tree }: SearchSpace): Json {
  return tree === undefined ? name : spaceToJson(unplaced(tree));
}

/** Where the quantiles of numbers lie does not change a space, and differs from data set to data set; whether there are any does. */
export function unplaced(tree: Space): Space {
  const { quantiles, ...task } = tree.task;
  const places = quantiles?.map((edges) => (edges.length > 0 ? [0] : []));
  return { ...tree, task: { ...task, ...(places && { quantiles: places }) } };
}

/** How what the study measured cheaply, or predicted, ranks architectures; nothing where there is no training to hold it against. */
export function agreementsIn({ settings, trials, problem, predictorAgreement }: ReadStudy): readonly Agreement[] {
  if (!trainsTrials(settings) && settings.estimator === 'train') return [];
  if (settings.estimator === 'train') return agreementsOf(trials, problem.objectives, problem.fidelities);
  const said = settings.estimator === 'predictor' ? 'predictions' : 'shared weights';
  const confirmed = problem.confirmation && agreementOfConfirmed(trials, problem.objectives[0], said);
  return [predictorAgreement, confirmed].filter((one) => one !== undefined);
}

/** The stable form of a trial: `{ trial, state, epochs, architecture, text, metrics, costs, ... }`. */
export function trialToJson(space: SearchSpace, trial: Trial) {
  const spent = trial.curve.flatMap((report) => report.spent ?? []);
  return {
    trial: trial.trial,
    purpose: trial.purpose,
    ...(trial.repeats !== undefined && { repeats: trial.repeats }),
    state: trial.state,
    ...(trial.start.kind === 'continue' && { continues: trial.start.trial }),
    epochs: trial.curve.at(-1)?.step ?? 0,
    architecture: trial.architecture,
    text: space.format(trial.architecture),
    metrics: trial.metrics,
    costs: trial.costs,
    seconds: trial.seconds,
    ...(spent.length > 0 && { spent: { ...totalSpent(spent) } }),
    ...(trial.reason !== undefined && { reason: trial.reason }),
  };
}
