import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DataError, invalid, StudyStopped, stopped } from '../common/errors.ts';
import { entryModule } from '../common/package-files.node.ts';
import type { Dataset } from '../data/dataset.ts';
import { oneShotOf } from '../oneshot/names.ts';
import { showAgreement } from '../report/numbers.ts';
import { beginning } from '../study/earlier.ts';
import type { StudyEnd, StudyEvent } from '../study/events.ts';
import type { Afterwards, StudyPlan } from '../study/plan.ts';
import { runStudy, type StudyRun } from '../study/run.ts';
import { type StudySettings, supernetEpochsOf } from '../study/spec.ts';
import type { EarlierTrial, Store } from '../study/store/store.ts';
import { checkNewStudy, createStudyStore } from '../study/study.node.ts';
import { processPool } from '../study/worker/process.node.ts';
import { taskOf } from '../task/index.ts';
import { classWeightsFor } from '../train/class-weights.ts';
import { deviceOf } from './device/meter.ts';
import { openEngine } from './engine.ts';
import { openEstimator, tryPredictor } from './estimators.ts';
import { hint } from './invocation.ts';
import { checkTrainsHere, workersHere } from './local-workers.ts';
import { memoryOfProcess } from './memory.node.ts';
import type { Notes } from './notes.ts';
import { measuringFrom, type OwnCode, trainsHere } from './own-code.ts';
import { againWords, isEnvironmentCommand, OWN_FILES, type OwnFiles } from './own-files.ts';
import { forecastSearch } from './preflight.ts';
import { readPrior } from './prior.ts';
import { type AnySpace, budgetOf, type Setup, setUp } from './setup.ts';
import { planOfSetup, planToJson, type WorkerSettings, workerSettingsToJson } from './study.ts';
import { planSupernet } from './supernet-forecast.ts';
import { runOnTable } from './table-search.ts';

/** What a new study gets besides its settings. */
export interface StudyOptions {
  readonly out?: string;
  readonly prior?: readonly string[];
  readonly afterwards?: Afterwards;
  /** The files that the settings name and that may be run. */
  readonly own?: OwnFiles;
  /** What only a program can give. */
  readonly code?: OwnCode;
  /** The data of the settings, where they are open already. */
  readonly dataset?: Dataset;
  /** The time of its trials is known: it need not be forecast. */
  readonly planned?: boolean;
  /** Of its search, where that is planned: a one-shot method needs it before it begins. */
  readonly supernetSeconds?: number;
}

/**
 * Checks everything and looks ahead, then creates the study. Throws UserError, and nothing is written, for whatever does not fit.
 */
export async function newStudy(
  settings: StudySettings,
  space: AnySpace,
  { out, prior = [], afterwards, own, code = {}, dataset, planned = false, supernetSeconds }: StudyOptions,
  notes: Notes,
): Promise<{ readonly dir: string; readonly store: Store; readonly setup: Setup }> {
  if (out !== undefined) checkNewStudy(out);
  const opened = withClassWeights(await setUp(settings, space, false, own, code, dataset));
  const measuring = await measuringFrom('the search', opened.settings, opened.own, code, opened);
  const device = await deviceOf(opened.settings);
  let setup = { ...opened, measuring };
  if (trainsHere(code)) checkTrainsHere(setup);
  const { info } = setup.dataset.search;
  if (info.counts.valid === 0 && setup.estimator.kind !== 'table' && setup.estimator.kind !== 'function') {
    throw invalid(
      '--valid-share',
      String(settings.validShare),
      'a search needs validation samples to compare networks',
    );
  }
  for (const note of info.notes) notes.note(note);
  if (setup.pretrained?.note !== undefined) notes.note(setup.pretrained.note);
  const earlier = await readPrior(prior, setup, notes);
  const { settings: follow, ...known } = await lookAhead(setup, earlier, notes, planned, supernetSeconds);
  setup = { ...setup, settings: { ...setup.settings, ...follow } };
  const state = await beginning(setup.strategy, setup.problem, earlier);
  const dir = out ?? nextFree(settings);
  try {
    const store = await createStudyStore(dir, {
      name: basename(resolve(dir)),
      settings: planToJson({
        ...planOfSetup(setup),
        ...known,
        ...(device !== undefined && { device }),
        ...(afterwards !== undefined && { afterwards }),
        ...(prior.length > 0 && { prior: prior.map((folder) => resolve(folder)) }),
      }),
      state,
      earlier,
    });
    return { dir, store, setup };
  } catch (error) {
    const why = stopped(error, `folder "${dir}"`);
    throw existsSync(join(dir, 'study.db')) ? withWayOn(why, dir, settings) : why;
  }
}

/** The setup of a new study in which `auto` has become what it stands for, so that the study stores it. A benchmark trains nothing. */
function withClassWeights(setup: Setup): Setup {
  const { settings, training, problem, dataset } = setup;
  if (settings.classWeights !== 'auto' || settings.benchmark !== undefined) return setup;
  const { info, task } = dataset.search;
  const canWeigh = taskOf(info, task).encoding?.weigh !== undefined;
  const classWeights = canWeigh ? classWeightsFor(problem.objectives[0].metric) : 'none';
  return { ...setup, settings: { ...settings, classWeights }, training: { ...training, classWeights } };
}

/**
 * Prints what is known before the first trial, and returns the part that the study stores. Throws UserError where no trial could be
 * made.
 */
async function lookAhead(
  setup: Setup,
  earlier: readonly EarlierTrial[],
  notes: Notes,
  planned: boolean,
  supernetSeconds: number | undefined,
): Promise<Pick<StudyPlan, 'block' | 'predictorAgreement'> & { readonly settings?: Partial<StudySettings> }> {
  const { settings, estimator } = setup;
  if (['table', 'function', 'played'].includes(estimator.kind)) return {};
  const predictorAgreement = estimator.kind === 'predictor' ? await tryPredictor(setup, estimator, earlier) : undefined;
  if (predictorAgreement !== undefined) notes.note(`${showAgreement(predictorAgreement)}.`);
  const engine = await openEngine(settings, settings.workers);
  try {
    const follow = await planSupernet(setup, engine, notes, supernetSeconds);
    if (estimator.kind === 'train' && setup.control === undefined && !planned)
      await forecastSearch(setup, engine, notes);
    return { block: engine.options.block, settings: follow, ...(predictorAgreement && { predictorAgreement }) };
  } finally {
    await engine.dispose();
  }
}

/** `runs/digits-residual-cnn-1`, or with the first number that is free; the user's own data by the name of the file. */
function nextFree({ data, dataDir, environment, space }: StudySettings): string {
  const own = dataDir !== undefined && (data === 'image-folder' || data === 'csv');
  const from = environment ?? (own ? dataDir : data);
  const of = isEnvironmentCommand(from) ? 'process' : withoutEnding(from);
  const searched = withoutEnding(space);
  const name = `${of}-${searched}`;
  for (let n = 1; ; n++) {
    const dir = join('runs', `${name}-${n}`);
    if (!existsSync(dir)) return dir;
  }
}

const withoutEnding = (path: string) => basename(path).replace(/\.[a-z.]+$/, '');

/** What stops a study but not for good says how to go on. */
export function withWayOn(error: unknown, dir: string, settings: StudySettings): unknown {
  const wayOn = `Fix this, then resume with: ${hint('resume', dir, ...againWords(settings, OWN_FILES))} (trials that were running are paused)`;
  if (error instanceof DataError) return new DataError(`${error.message}\n${wayOn}`, { cause: error });
  if (error instanceof StudyStopped) return new StudyStopped(`${error.message}\n${wayOn}`, { cause: error });
  return error;
}

/** The running epochs are finished and kept, however long they take. */
const GRACE_SECONDS = 24 * 3600;

/** What a run of a study may be given besides its settings. */
export interface RunOptions {
  /** Its workers and clock; those of `workersOf` unless given. */
  readonly machine?: Pick<StudyRun, 'workers' | 'now'>;
  readonly signal?: AbortSignal;
  readonly graceSeconds?: number;
  onEvent?(event: StudyEvent): void;
  readonly steps?: boolean;
  /** Seconds of search in all, in place of those of the settings. */
  readonly seconds?: number;
}

/** Runs a study that is open for writing until its budget is spent or the signal aborts. Throws as `runStudy`. */
export async function runToEnd(
  dir: string,
  store: Store,
  setup: Setup,
  { machine, signal, graceSeconds = GRACE_SECONDS, onEvent, steps = false, seconds }: RunOptions = {},
): Promise<StudyEnd> {
  const { settings, strategy, problem, stopping, measuring } = setup;
  const run: StudyRun = {
    store,
    strategy,
    problem,
    ...(machine ?? (await workersOf(dir, setup, store))),
    budget: { ...budgetOf(settings), ...(seconds !== undefined && { seconds }) },
    ...(oneShotOf(settings) && { supernet: { epochs: supernetEpochsOf(settings) } }),
    ...(stopping && { stopping }),
    ...(measuring && { measuring }),
    ...(settings.confirm > 0 && { confirm: { top: settings.confirm } }),
    ...(signal && { signal }),
    graceSeconds,
    ...(onEvent && { onEvent }),
    steps,
  };
  try {
    return await runStudy(run);
  } finally {
    await measuring?.close?.();
  }
}

/** The workers of a study, and its clock: processes, or where trials are looked up in a table this very one. */
async function workersOf(dir: string, setup: Setup, store: Store): Promise<Pick<StudyRun, 'workers' | 'now'>> {
  if (setup.estimator.kind === 'table') return runOnTable(setup, setup.estimator.table, store);
  if (setup.estimator.kind === 'function' && setup.own.judge === undefined)
    throw invalid(
      `study "${dir}"`,
      'its candidates are judged by a function',
      'continue it in the program that has it: optimize(function)',
    );
  const { workers } = setup.settings;
  const memoryBytes = memoryOfProcess(setup.settings, workers);
  if (trainsHere(setup.code))
    return { workers: await workersHere(setup, store, (engine) => openEstimator(setup, memoryBytes, [], engine)) };
  const learns = setup.estimator.kind === 'predictor';
  const workerSettings: WorkerSettings = {
    plan: planOfSetup(setup),
    memoryBytes,
    own: setup.own,
    ...(learns && { earlier: await store.earlier() }),
  };
  const entry = entryModule('app/worker.node');
  return {
    workers: processPool({ workers, entry, study: resolve(dir), settings: workerSettingsToJson(workerSettings) }),
  };
}
