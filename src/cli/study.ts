import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import { totalSpent } from '../common/spent.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { formatArchitecture, type Space, spaceFromJson, spaceToJson } from '../space/index.ts';
import type { Problem } from '../strategy/strategy.ts';
import { type Agreement, agreementsOf } from '../study/agreement.ts';
import type { Clock, EarlierTrial, StrategyState, StudyRecord, Trial } from '../study/store/store.ts';
import { openStudy } from '../study/study.node.ts';
import { checkSettings as checkTraining } from '../train/settings.ts';
import { checkSettings, type StudySettings } from './config.ts';
import { isSpaceFile } from './flags.ts';
import { loadSpace, problemOf, type Setup, setUp, taskOf } from './setup.ts';

/**
 * What the record of a study holds as its settings: those of the command line, and what its data were, so that a study
 * can be read (and its data be recognised) without them.
 */
export interface StudyPlan {
  readonly settings: StudySettings;
  readonly data: DatasetInfo;
  /** Channels in a block of the engine's layout where the study began, 0 for NCHW: results differ in rounding. */
  readonly block?: number;
  /** How well the predictor of a study that has one ranked earlier trials that it was not shown. */
  readonly foresight?: Agreement;
  /** A space that came from a file, as it was when the study began: the file may change or go. */
  readonly ownSpace?: Json;
  /** Folders of the earlier studies that it began with, as they were called then. */
  readonly prior?: readonly string[];
}

/** What a worker process of a study is told. */
export interface WorkerOrders {
  readonly plan: StudyPlan;
  /** What it may take. */
  readonly memoryBytes: number;
  /** What the study began with: a predictor learns from it. */
  readonly earlier?: readonly EarlierTrial[];
}

export function ordersToJson({ plan, ...rest }: WorkerOrders): Json {
  return JSON.parse(JSON.stringify({ plan: planToJson(plan), ...rest })) as Json;
}

export function planOfSetup({ settings, dataset, space }: Setup): StudyPlan {
  return { settings, data: dataset.search.info, ...(isSpaceFile(settings.space) && { ownSpace: spaceToJson(space) }) };
}

export function planToJson({ settings, data, block, foresight, ownSpace, prior }: StudyPlan): Json {
  return JSON.parse(JSON.stringify({ settings, data, block, foresight, ownSpace, prior })) as Json;
}

export function planOf(record: StudyRecord, dir: string): StudyPlan {
  const { settings, ...rest } = record.settings as unknown as StudyPlan;
  return { settings: checkSettings(settings, (name) => `study "${dir}": ${name}`), ...rest };
}

/** A study as it is now, read without holding it: another process may be at work on it. */
export interface ReadStudy extends StudyPlan {
  readonly record: StudyRecord;
  readonly space: Space;
  readonly problem: Problem;
  readonly trials: readonly Trial[];
  /** Of earlier studies, which it began with. */
  readonly earlier: readonly EarlierTrial[];
  readonly clock: Clock;
  readonly strategyState: StrategyState;
}

export async function readStudy(dir: string): Promise<ReadStudy> {
  const store = await openStudy(dir, 'read');
  try {
    const record = await store.study();
    const plan = planOf(record, dir);
    const space = await spaceOf(plan);
    const problem = problemOf(plan.settings, space, plan.data);
    return {
      ...plan,
      record,
      space,
      problem,
      trials: await store.trials(),
      earlier: await store.earlier(),
      clock: await store.clock(),
      strategyState: await store.strategyState(),
    };
  } finally {
    await store.close();
  }
}

/**
 * Sets up a study again, with settings that may differ from its own. Throws UserError when its data are others now: they
 * would be divided anew, and samples of the search would come into the test part.
 */
export async function setUpAgain(plan: StudyPlan, dir: string, settings: StudySettings): Promise<Setup> {
  const setup = await setUp(settings, await spaceOf(plan));
  const now = { settings, data: setup.dataset.search.info };
  if (!isDeepStrictEqual(planToJson(now), planToJson({ settings, data: plan.data }))) {
    throw invalid(`study "${dir}"`, 'its data are not what they were', 'a study goes on with the same files');
  }
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

/** The space of a study. One that came from a file has the general text form, since its own is code. */
export async function spaceOf({ settings, data, ownSpace }: StudyPlan): Promise<Space> {
  if (ownSpace !== undefined) return spaceFromJson(ownSpace);
  return (await loadSpace(settings.space)).create(taskOf(data), settings.spaceOptions);
}

/** How what the study measured cheaply, or predicted, ranks architectures; nothing where there is no training to hold it against. */
export function agreementsIn({ settings, trials, problem, foresight }: ReadStudy): readonly Agreement[] {
  if (settings.estimator === 'train') return agreementsOf(trials, problem.objectives, problem.fidelities);
  return foresight === undefined ? [] : [foresight];
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

export function costsToJson({ params = 0, flops = 0 }: Trial['costs']) {
  return { params, flops };
}
