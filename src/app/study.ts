import { z } from 'zod';
import { invalid } from '../common/errors.ts';
import { type Json, parseJson } from '../common/json.ts';
import { totalSpent } from '../common/spent.ts';
import { formatArchitecture, type Space, spaceFromJson, spaceToJson } from '../space/index.ts';
import { SPACES } from '../space/spaces/index.ts';
import type { Problem } from '../strategy/strategy.ts';
import { type Agreement, agreementsOf } from '../study/agreement.ts';
import { checkPlan, type StudyPlan } from '../study/plan.ts';
import type { StudySettings } from '../study/spec.ts';
import { isOwnFile } from '../study/spec.ts';
import type { Clock, EarlierTrial, StrategyState, StudyRecord, Trial } from '../study/store/store.ts';
import { openStudyStore } from '../study/study.node.ts';
import { checkSettings as checkTraining } from '../train/settings.ts';
import type { OwnFiles } from './own-files.ts';
import { requireSameData } from './same-data.ts';
import { namedSpace, problemOf, type Setup, setUp, taskOf } from './setup.ts';

export type { StudyPlan } from '../study/plan.ts';

/** Settings of a worker process. */
export interface WorkerSettings {
  readonly plan: StudyPlan;
  /** What it may take. */
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

export function planOfSetup({ settings, dataset, space }: Setup): StudyPlan {
  return { settings, data: dataset.search.info, ...(isOwnSpace(settings.space) && { ownSpace: storedSpace(space) }) };
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
  prior,
  afterwards,
}: StudyPlan): Json {
  return JSON.parse(JSON.stringify({ settings, data, block, predictorAgreement, ownSpace, prior, afterwards })) as Json;
}

export function planOf(record: StudyRecord, dir: string): StudyPlan {
  return checkPlan(record.settings, dir);
}

/** The current state of a study, read without locking it: another process may be running it. */
export interface ReadStudy extends StudyPlan {
  readonly record: StudyRecord;
  readonly space: Space;
  readonly problem: Problem;
  /** Search trials and confirmations; `evaluate` reads its own. */
  readonly trials: readonly Trial[];
  /** Of earlier studies, which it began with. */
  readonly earlier: readonly EarlierTrial[];
  readonly clock: Clock;
  readonly strategyState: StrategyState;
}

export async function readStudy(dir: string): Promise<ReadStudy> {
  const store = await openStudyStore(dir, 'read');
  try {
    const record = await store.study();
    const plan = planOf(record, dir);
    const space = spaceOf(plan, `study "${dir}"`);
    const problem = problemOf(plan.settings, space, plan.data);
    return {
      ...plan,
      record,
      space,
      problem,
      trials: (await store.trials()).filter(({ purpose }) => purpose === 'search' || purpose === 'confirm'),
      earlier: await store.earlier(),
      clock: await store.clock(),
      strategyState: await store.strategyState(),
    };
  } finally {
    await store.close();
  }
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
  { without = false, own = {} }: { readonly without?: boolean; readonly own?: OwnFiles } = {},
): Promise<Setup> {
  const setup = await setUp(settings, spaceOf(plan, `study "${dir}"`), false, own);
  requireSameData(`study "${dir}"`, plan.data, setup.dataset.search.info, without);
  return setup;
}

/** Sets up a study in a process that the study has started: where the data have changed since, it stops. */
export async function setUpInWorker(plan: StudyPlan, own: OwnFiles = {}): Promise<Setup> {
  // A worker does not need a strategy.
  const { strategy: _, ...used } = own;
  const setup = await setUp(plan.settings, spaceOf(plan), true, used);
  requireSameData('study', plan.data, setup.dataset.search.info, false);
  return setup;
}

/**
 * As `setUpAgain`, for a final training: its epochs are `training.epochs` and may be any number, as the rules of the
 * search (how epochs rise from fidelity to fidelity) do not apply to it. `settings` keep the search's epochs.
 */
export async function setUpFinal(plan: StudyPlan, dir: string, settings: StudySettings): Promise<Setup> {
  if (settings.benchmark !== undefined) return setUpAgain(plan, dir, settings);
  const setup = await setUpAgain(plan, dir, { ...settings, epochs: plan.settings.epochs });
  const training = { ...setup.training, epochs: settings.epochs };
  return { ...setup, training: checkTraining(training, 'training settings', setup.dataset.search.info) };
}

/**
 * The space of a study: one of Netsmith's, or the one that is stored with it, which has the general text form, since its own is
 * code. Never a file that the study names: it would be run, and the study may come from anybody.
 */
export function spaceOf({ settings, data, ownSpace }: StudyPlan, place = 'study'): Space {
  if (ownSpace !== undefined) return spaceFromJson(ownSpace);
  if (isOwnFile(settings.space))
    throw invalid(
      place,
      `the study does not contain its space, only the file name "${settings.space}"`,
      'studies are read without running code: start a new search with --space, which stores the space',
    );
  return namedSpace(settings.space).create(taskOf(data), settings.spaceOptions);
}

/** How what the study measured cheaply, or predicted, ranks architectures; nothing where there is no training to hold it against. */
export function agreementsIn({ settings, trials, problem, predictorAgreement }: ReadStudy): readonly Agreement[] {
  if (settings.estimator === 'train') return agreementsOf(trials, problem.objectives, problem.fidelities);
  return predictorAgreement === undefined ? [] : [predictorAgreement];
}

/** The stable form of a trial: `{ trial, state, epochs, architecture, text, metrics, costs, ... }`. */
export function trialToJson(space: Space, trial: Trial) {
  const spent = trial.curve.flatMap((report) => report.spent ?? []);
  return {
    trial: trial.trial,
    purpose: trial.purpose,
    ...(trial.repeats !== undefined && { repeats: trial.repeats }),
    state: trial.state,
    ...(trial.start.kind === 'continue' && { continues: trial.start.trial }),
    epochs: trial.curve.at(-1)?.step ?? 0,
    architecture: trial.architecture,
    text: formatArchitecture(space, trial.architecture),
    metrics: trial.metrics,
    costs: costsToJson(trial.costs),
    seconds: trial.seconds,
    ...(spent.length > 0 && { spent: { ...totalSpent(spent) } }),
    ...(trial.reason !== undefined && { reason: trial.reason }),
  };
}

/** params and flops always; the other costs that the study names. Activation memory is in every trial, for the forecast. */
export function costsToJson({ params = 0, flops = 0, ...others }: Trial['costs']) {
  return { params, flops, ...others };
}
