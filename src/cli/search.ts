import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { benchmarkPresets } from '../app/benchmarks.ts';
import { bestToJson } from '../app/best.ts';
import { openEngine } from '../app/engine.ts';
import { entryModule } from '../app/entry.ts';
import { tryPredictor } from '../app/estimators.ts';
import { memoryOfProcess } from '../app/memory.node.ts';
import { forecastSearch } from '../app/preflight.ts';
import { readPrior } from '../app/prior.ts';
import { budgetOf, type Setup, setUp } from '../app/setup.ts';
import {
  ordersToJson,
  planOfSetup,
  planToJson,
  type ReadStudy,
  readStudy,
  type StudyPlan,
  type WorkerOrders,
} from '../app/study.ts';
import { runOnTable } from '../app/table-search.ts';
import { DataError, invalid, StudyStopped, stopped } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import { showAgreement } from '../report/numbers.ts';
import { beginning } from '../study/earlier.ts';
import type { StudyEnd } from '../study/events.ts';
import { allTried } from '../study/exhaustion.ts';
import { runStudy, type StudyRun } from '../study/run.ts';
import { SETTING_NAMES, type SettingName, type StudySettings } from '../study/spec.ts';
import type { EarlierTrial, Store } from '../study/store/store.ts';
import { checkNewStudy, createStudy } from '../study/study.node.ts';
import { processPool } from '../study/worker/process.node.ts';
import { bestText } from './best.ts';
import { define, outputOf, type Shell } from './command.ts';
import { addSettings, readSettings } from './flags.ts';
import { Interrupted, interruptible } from './interrupt.ts';
import { hint } from './invocation.ts';
import { createLiveView } from './live.ts';
import type { Output } from './output.ts';

/** `netsmith search`: { study, trials, best } */
export function addSearch(program: Command, shell: Shell): void {
  addStudyOptions(
    define(program, 'search', 'Search a space for the best network for your data', [
      'netsmith search --data image-folder --data-dir photos --image-size 64 --time 30m',
      'netsmith search --data csv --data-dir houses.csv --label price --regression --space mlp --trials 40',
      'netsmith search --data cifar-10 --data-dir data/cifar-10-batches-bin --space nas-bench-201 --space-options cells=1 \\',
      '    --strategy aging-evolution --strategy-options population=20,sample=5 --trials 100 --epochs 3 --workers 2',
      'netsmith search --estimator proxies --strategy aging-evolution --trials 300',
      'netsmith search --estimator proxies --objective naswot,params --strategy nsga2',
      'netsmith search --benchmark nas-bench-201 --data cifar-10 --strategy tpe --time 12000s --seed 1',
      'netsmith search --strategy tpe --trials 40 --prior runs/digits-small-cnn-1 runs/digits-small-cnn-2',
      'netsmith search --estimator predictor --strategy evolution --prior runs/digits-small-cnn-1',
    ]),
  ).action(async (options: StudyOptions, command: Command) => {
    const output = outputOf(command, shell);
    const { dir, store, setup } = await newStudy(await readSettings(command, benchmarkPresets), options, output);
    const end = await searchToItsEnd(dir, store, setup, output);
    await tellResult(dir, end, output, shell);
  });
}

/** What a new study is told besides its settings. */
export interface StudyOptions {
  readonly out?: string;
  readonly prior?: readonly string[];
}

/** The options of `search` and `run`. */
export function addStudyOptions(
  command: Command,
  names: readonly SettingName[] = SETTING_NAMES,
  presets: Readonly<Partial<Record<SettingName, string>>> = {},
): Command {
  return addSettings(command, names, presets)
    .option('--out <folder>', "the study's folder (default: the next free runs/NAME-N)")
    .option('--prior <folder...>', 'begin with what these earlier studies of the same space have measured')
    .option('--config <file>', 'settings from this file (default: netsmith.config.ts, .js or .json, if there is one)');
}

/**
 * Checks everything and looks ahead, then creates the study. Throws UserError, and nothing is written, for whatever does not fit.
 */
export async function newStudy(
  settings: StudySettings,
  { out, prior = [] }: StudyOptions,
  output: Output,
): Promise<{ readonly dir: string; readonly store: Store; readonly setup: Setup }> {
  if (out !== undefined) checkNewStudy(out);
  const setup = await setUp(settings);
  const { info } = setup.dataset.search;
  if (info.counts.valid === 0 && setup.estimator.kind !== 'table') {
    throw invalid(
      '--valid-share',
      String(settings.validShare),
      'a search needs validation samples to compare networks by',
    );
  }
  for (const note of info.notes) output.note(note);
  const earlier = await readPrior(prior, setup, output);
  const known = await lookAhead(setup, earlier, output);
  const state = await beginning(setup.strategy, setup.problem, earlier);
  const dir = out ?? nextFree(settings);
  try {
    const store = await createStudy(dir, {
      name: basename(resolve(dir)),
      settings: planToJson({
        ...planOfSetup(setup),
        ...known,
        ...(prior.length > 0 && { prior: prior.map((folder) => resolve(folder)) }),
      }),
      state,
      earlier,
    });
    return { dir, store, setup };
  } catch (error) {
    const why = stopped(error, `folder "${dir}"`);
    throw existsSync(join(dir, 'study.db')) ? withWayOn(why, dir) : why;
  }
}

/**
 * Says what can be said of the trials before the first, and returns what of it the study keeps. Throws UserError where no trial could be
 * made.
 */
async function lookAhead(
  setup: Setup,
  earlier: readonly EarlierTrial[],
  output: Output,
): Promise<Pick<StudyPlan, 'block' | 'foresight'>> {
  const { settings, estimator } = setup;
  if (estimator.kind === 'table') return {};
  const foresight = estimator.kind === 'predictor' ? await tryPredictor(setup, estimator, earlier) : undefined;
  if (foresight !== undefined) output.note(`${showAgreement(foresight)}.`);
  const engine = await openEngine(settings, settings.workers);
  try {
    if (estimator.kind === 'train') await forecastSearch(setup, engine, output);
    return { block: engine.options.block, ...(foresight && { foresight }) };
  } finally {
    await engine.dispose();
  }
}

/** `runs/digits-small-cnn-1`, or with the first number that is free; a person's own data by the name of their file. */
function nextFree({ data, dataDir, space }: StudySettings): string {
  const own = dataDir !== undefined && (data === 'image-folder' || data === 'csv');
  const [of, searched] = [own ? dataDir : data, space].map((path) => basename(path).replace(/\.[a-z.]+$/, ''));
  const name = `${of}-${searched}`;
  for (let n = 1; ; n++) {
    const dir = join('runs', `${name}-${n}`);
    if (!existsSync(dir)) return dir;
  }
}

/** How a search ended, and what the process exits with if that was an interruption. */
export type SearchEnd = StudyEnd & { readonly interrupted?: Interrupted };

/**
 * Runs a study that is open for writing until its budget is spent or Ctrl-C, and closes it. Trials run in processes of
 * their own, each of which builds what it needs from the study's settings; those of a table are looked up in this one. Throws
 * DataError and StudyStopped as `runStudy`, with how to go on.
 */
export async function searchToItsEnd(dir: string, store: Store, setup: Setup, output: Output): Promise<SearchEnd> {
  const { settings, problem, strategy, stopping, estimator } = setup;
  const budget = budgetOf(settings);
  const ended = (await store.trials('search')).filter(({ endedAt }) => endedAt !== undefined).length;
  const isTimed = budget.seconds !== undefined && estimator.kind !== 'table';
  const seconds = isTimed ? budget.seconds - (await store.clock()).searchSeconds : undefined;
  const view = createLiveView(setup, seconds, ended, output);
  const say = () => view.say('Stopping: the running epoch is finished and kept. Ctrl-C again ends at once.');
  try {
    const machine =
      estimator.kind === 'table'
        ? await runOnTable(setup, estimator.table, store)
        : await inProcesses(dir, setup, store);
    return await interruptible(say, async (signal) => {
      const end = await runStudy({
        store,
        strategy,
        problem,
        ...machine,
        budget,
        ...(stopping && { stopping }),
        ...(settings.confirm > 0 && { confirm: { top: settings.confirm } }),
        signal,
        graceSeconds: GRACE_SECONDS,
        onEvent: view.onEvent,
      });
      return end.reason === 'interrupted' && signal.reason instanceof Interrupted
        ? { ...end, interrupted: signal.reason }
        : end;
    });
  } catch (error) {
    throw withWayOn(error, dir);
  } finally {
    view.close();
    await store.close();
  }
}

/** What stops a study but not for good says how to go on. */
function withWayOn(error: unknown, dir: string): unknown {
  const wayOn = `Mend this, and go on with: netsmith resume ${dir} (trials that were running wait)`;
  if (error instanceof DataError) return new DataError(`${error.message}\n${wayOn}`, { cause: error });
  if (error instanceof StudyStopped) return new StudyStopped(`${error.message}\n${wayOn}`, { cause: error });
  return error;
}

async function inProcesses(dir: string, setup: Setup, store: Store): Promise<Pick<StudyRun, 'workers'>> {
  const { workers } = setup.settings;
  const memoryBytes = memoryOfProcess(setup.settings, workers);
  const learns = setup.estimator.kind === 'predictor';
  const orders: WorkerOrders = {
    plan: planOfSetup(setup),
    memoryBytes,
    ...(learns && { earlier: await store.earlier() }),
  };
  const entry = entryModule('worker.node');
  return {
    workers: processPool({ workers, entry, study: resolve(dir), settings: ordersToJson(orders) }),
  };
}

/** Ctrl-C lets the running epochs end and keeps them, however long they take; a second one ends at once. */
const GRACE_SECONDS = 24 * 3600;

const REASONS: Readonly<Record<Exclude<StudyEnd['reason'], 'exhausted'>, string>> = {
  trials: 'All trials are done.',
  time: 'The time is up.',
  target: 'The target is reached.',
  failing: 'Stopped early: all trials fail for the same reason.',
  interrupted: 'Interrupted.',
};

/** Why the search has ended. */
export function endText({ reason }: StudyEnd, { problem, trials }: Pick<ReadStudy, 'problem' | 'trials'>): string {
  if (reason !== 'exhausted') return REASONS[reason];
  const searched = trials.filter(({ purpose }) => purpose === 'search');
  const all = allTried(problem, searched);
  const limits = problem.limits.map(({ cost, max }) => `${cost} <= ${max}`).join(', ');
  const isLimited = limits !== '';
  if (isLimited && searched.length === 0) return `No architecture of the space keeps the limits ${limits}.`;
  if (all === undefined) return 'The search space is exhausted: the strategy proposes nothing more.';
  const where = isLimited ? `${all.proved ? '' : ' that were found'} within the limits` : ' of the space';
  return all.count === 1
    ? `The only architecture${where.replace('were', 'was')} has been tried.`
    : `All ${all.count} architectures${where} have been tried.`;
}

/** The result of `search` and `resume`, and how to go on. */
export async function tellResult(dir: string, end: SearchEnd, output: Output, shell: Shell): Promise<void> {
  const study = await readStudy(dir);
  output.note(endText(end, study));
  if (end.reason === 'interrupted') tellInterrupted(dir, end, output, shell);
  else if (end.best.length > 0) output.note(`Next: ${hint('evaluate', dir)}`);
  else {
    const reason = study.trials.find((trial) => trial.reason !== undefined)?.reason;
    output.note(`No trial is complete${reason === undefined ? '' : `; the first failed with: ${reason}`}`);
    shell.exitCode = 1;
  }
  output.result(bestToJson(dir, study) as unknown as Json, bestText(study));
}

export function tellInterrupted(dir: string, { interrupted }: SearchEnd, output: Output, shell: Shell): void {
  output.note(`Resume with: ${hint('resume', dir)}`);
  shell.exitCode = interrupted?.exitCode ?? 130;
}
