import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BaselineRow } from '../baseline/run.ts';
import { invalid } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import type { StepReport } from '../estimate/estimator.ts';
import type { Architecture, Module } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import { type AskTell, openAskTell, type Told } from '../study/ask-tell.ts';
import type { StudyEnd, StudyEvent } from '../study/events.ts';

import { functionWorkers, type Judge, type ObjectiveFunction } from '../study/own-function.ts';
import { defaultSpace, type StudySettings } from '../study/spec.ts';

import type { Store, Trial } from '../study/store/store.ts';
import { progressOutput } from '../terminal/streams.ts';
import { bestTrials } from './best.ts';
import { type ChoiceOptions, chosen } from './choice.ts';
import { type BaselineEvents, type StudyBaselinesOptions, studyBaselines } from './evaluation/baselines.ts';
import { type EvaluateOptions, type EvaluationEvents, evaluate } from './evaluation/evaluate.ts';
import { readEvaluation } from './evaluation/evaluation.ts';
import { type EvaluationResult, evaluationToJson } from './evaluation/result.ts';
import { type Exported, exportBest } from './export.ts';
import type { Notes } from './notes.ts';
import { namesInCode, type OwnCode } from './own-code.ts';
import { ownJudge, ownSpaceBeside } from './own-exports.ts';
import { type OwnFiles, ownFilesOf, trainingNamedAgain } from './own-files.ts';
import { openProgress } from './progress.ts';
import { writeReport } from './report.ts';
import { CHANGEABLE, checkSameSettings, reopen } from './resume.ts';
import { newStudy, runToEnd } from './search.ts';
import { checkRunSettings, type Setup, searchSpaceFrom } from './setup.ts';
import {
  checkRest,
  codeOf,
  definitionOf,
  type GivenSpace,
  type MemberOf,
  type NetworkOf,
  type StudySpec,
  settingsOf,
} from './spec.ts';
import { identityOf, readStudy, setUpFinal } from './study.ts';
import { type BestNetwork, networkView, type StudyTrial, trialView } from './views.ts';

/** How a study is opened. */
export interface OpenOptions<S extends SearchSpace | string = string>
  extends Omit<OwnFiles, 'loss'>,
    Pick<StudySpec, 'onNote' | 'loss' | 'metrics'> {
  /** The space of a study whose space is code (a `SearchSpace` that is no tree); without it the study can only be read. */
  readonly space?: Extract<S, SearchSpace>;
  /** The measures of a study that has some of a program's own. */
  readonly measures?: StudySpec<S>['measures'];
}

export interface OptimizeOptions {
  /** Stop at this number of trials, including those of earlier calls. */
  readonly trials?: number;
  /** End after this time of searching, that of earlier calls included: `90s`, `10m`, `2h`. */
  readonly time?: string;
  /** End when one trial is good enough: `accuracy=0.97`, or all of `['accuracy=0.97', 'params=20000']`. */
  readonly until?: string | readonly string[];
  readonly workers?: number;
  /** Running epochs are finished and kept; the trials wait for the next call. */
  readonly signal?: AbortSignal;
  /** Shows the search on standard error as `netsmith search` does: a line for each trial, and in a terminal bars below them. */
  readonly progress?: boolean;
  /** After each trial. */
  onTrial?(trial: StudyTrial): void;
  /** After each epoch of a trial: its metrics so far. */
  onEpoch?(trial: StudyTrial): void;
  /** After each step of a training: its epoch, its number in the epoch (both from 1) and its loss. */
  onStep?(trial: StudyTrial, step: StepReport): void;
}

export interface Optimized {
  /** Why it ended. */
  readonly reason: StudyEnd['reason'];
  /** Search trials so far. */
  readonly trials: number;
  /** With several objectives the best by the first. Undefined if no trial is complete. */
  readonly best: BestNetwork | undefined;
}

/** Which network, and how it is trained at last. */
export interface FinalOptions extends ChoiceOptions {
  readonly epochs?: number;
  readonly signal?: AbortSignal;
}

/**
 * A study in a folder. Between calls it holds nothing open, `ask` aside: other processes may read it, and continue it. `A`, `N`: the members
 * of its space and their networks.
 */
export interface Study<A extends Architecture = Architecture, N extends Module | undefined = Module> {
  readonly dir: string;
  /** `space.tree` is the network with choices that it is, if it is one. */
  readonly space: SearchSpace;
  /** Searches until the budget of the study, or the one given here, is spent. What was there before counts. */
  optimize(options?: OptimizeOptions): Promise<Optimized>;
  /**
   * The same, with candidates judged by a function in this process, one after another; or by the function that a module exports (a URL,
   * or a path from the current folder), in as many worker processes as the study has. Where the space is code, that module exports the
   * space, too.
   */
  optimize(judge: ObjectiveFunction<A, N> | URL | string, options?: OptimizeOptions): Promise<Optimized>;
  /** The next candidate to judge, of a study that is judged by a function; undefined where the strategy has no more. */
  ask(): Promise<StudyTrial | undefined>;
  /** The result of a trial from `ask`: a value for each score, or the reason of its failure. */
  tell(trial: StudyTrial | number, result: Metrics | { readonly failed: string }): Promise<StudyTrial>;
  /** Retrains the best network on train + validation data and tests it. Trainings that were done before are kept. Default: 3 seeds, no baselines. */
  evaluate(options?: Partial<EvaluateOptions> & FinalOptions & EvaluationEvents): Promise<EvaluationResult>;
  /**
   * Fits the baselines that are no networks (docs/baselines.md) and measures them; on the test split, too, unless `test` is false. Those
   * of an earlier call on the same data are kept.
   */
  baselines(
    options?: Partial<StudyBaselinesOptions> & Pick<FinalOptions, 'signal'> & BaselineEvents,
  ): Promise<readonly BaselineRow[]>;
  /** Writes the best network as ONNX (default: `best/model.onnx` in the study), and trains it first where `evaluate` has not. */
  export(file?: string, options?: FinalOptions): Promise<Exported>;
  /** Writes the HTML report (default: `report.html` in the study) and returns its path. */
  report(file?: string): Promise<string>;
  /** Search trials by number. */
  trials(): Promise<readonly StudyTrial[]>;
  best(): Promise<BestNetwork | undefined>;
  /** The Pareto front, the best by the first objective first; with one objective the best alone. */
  front(): Promise<readonly BestNetwork[]>;
  /** Ends `ask`: trials without a result wait. */
  close(): Promise<void>;
}

/**
 * Creates a study in its own folder, as `netsmith search` does, and checks everything that it is made of. The command line can
 * read, continue, evaluate and export it. Throws UserError, and writes nothing, for settings that do not fit.
 */
export async function createStudy<S extends GivenSpace = string>(
  spec?: StudySpec<S>,
): Promise<Study<MemberOf<S>, NetworkOf<S>>>;
export async function createStudy(spec: StudySpec = {}): Promise<Study> {
  checkRest(spec, 'createStudy');
  const { space = defaultSpace({ ...spec }), dir, prior = [], ifExists = 'refuse', onNote } = spec;
  const definition = await definitionOf(space);
  const settings = await settingsOf(spec, typeof space === 'string' ? space : definition.name);
  const code: OwnCode = { ...(isOpen(definition) && { space: definition }), ...codeOf(spec) };
  if (ifExists === 'continue' && dir !== undefined && existsSync(join(dir, 'study.db'))) {
    await checkSameStudy(dir, settings, definition);
    return studyIn(dir, (await readStudy(dir, code.space)).space, notesFor(onNote), ownFilesOf(settings), code);
  }
  const made = await newStudy(
    settings,
    definition,
    { ...(dir !== undefined && { out: dir }), prior, own: ownFilesOf(settings), code },
    notesFor(onNote),
  );
  await made.store.close();
  return studyIn(made.dir, made.setup.space, notesFor(onNote), made.setup.own, code);
}

type Definition = Awaited<ReturnType<typeof definitionOf>>;

function isOpen(space: Definition): space is SearchSpace {
  return !('create' in space) && !('open' in space) && space.tree === undefined;
}

/**
 * Opens a study of the library or of the command line. A study never runs the files of the user's own that it names: `data`, `strategy`,
 * `estimator`, `measure`, `loss` and `metric` name them again. What else is code (`space`, `measures`, `metrics`, a `loss` that is a
 * function) can only be given by a program. Throws UserError for a missing or damaged study.
 */
export async function openStudy<S extends SearchSpace>(
  dir: string,
  options: OpenOptions<S> & { readonly space: S },
): Promise<Study<MemberOf<S>, NetworkOf<S>>>;
export async function openStudy(dir: string, options?: OpenOptions): Promise<Study>;
export async function openStudy(dir: string, options: OpenOptions<SearchSpace> = {}): Promise<Study> {
  return opened(dir, options);
}

async function opened(
  dir: string,
  { onNote, space, measures, metrics, loss, ...others }: OpenOptions<SearchSpace>,
): Promise<Study> {
  const study = await readStudy(dir, space);
  const files = { ...others, ...(typeof loss === 'string' && { loss }) };
  const code = codeOf({ ...(measures && { measures }), ...(metrics && { metrics }), ...(loss && { loss }) });
  return studyIn(dir, study.space, notesFor(onNote), files, { ...(space && { space }), ...code });
}

function notesFor(onNote: ((text: string) => void) | undefined): Notes {
  return { note: (text) => onNote?.(text) };
}

/** Throws UserError if the study in a folder has other settings, except for those that may change when it continues. */
async function checkSameStudy(dir: string, wanted: StudySettings, given: Definition): Promise<void> {
  const study = await readStudy(dir);
  const rule = 'a study is continued with the settings that it has; give another folder';
  checkSameSettings(dir, study.settings, wanted, CHANGEABLE, rule);
  const [is, should] = [study.space, searchSpaceFrom(given, study.data, wanted)].map((one) =>
    JSON.stringify(identityOf(one)),
  );
  if (is !== should) throw invalid(`study "${dir}"`, `space "${wanted.space}" was another`, rule);
}

const GIVEN = ['trials', 'time', 'until', 'workers'] as const;

/** Ctrl-C has its own end there; a function that does not listen to its signal is not waited for longer. */
const FUNCTION_GRACE_SECONDS = 2;

function studyIn(dir: string, space: SearchSpace, notes: Notes, files: OwnFiles, code: OwnCode): Study {
  const again = () => readStudy(dir, code.space);
  let asking: { readonly store: Store; readonly loop: AskTell } | undefined;
  const viewOf = (trial: Trial) => trialView(space, trial);

  /** Opens the study with the given files, and always closes it. */
  const held = async <T>(given: object, body: (store: Store, setup: Setup) => Promise<T>): Promise<T> => {
    await endAsking();
    const { store, setup } = await reopen(dir, { ...files, ...given }, notes, { code });
    try {
      return await body(store, setup);
    } finally {
      await store.close();
    }
  };

  const optimize = (judge: Judge | URL | string | undefined, options: OptimizeOptions): Promise<Optimized> => {
    const given = Object.fromEntries(
      GIVEN.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
    );
    const { signal } = options;
    return held(given, async (store, setup) => {
      checkJudge(dir, setup, judge !== undefined);
      const own = typeof judge === 'function' ? functionWorkers(judge, setup, store, signal) : undefined;
      const file = judge === undefined || typeof judge === 'function' ? undefined : await judgeFile(judge, setup.space);
      const view = options.progress === true ? await openProgress(setup, store, progressOutput()) : undefined;
      const onEvent = (event: StudyEvent) => {
        view?.onEvent(event);
        // A supernet is no architecture of the space.
        if ('trial' in event && event.trial.purpose === 'supernet') return;
        if (event.kind === 'ended') options.onTrial?.(viewOf(event.trial));
        if (event.kind === 'reported') options.onEpoch?.(viewOf(event.trial));
        if (event.kind === 'stepped') options.onStep?.(viewOf(event.trial), event.step);
        if (event.kind === 'note') notes.note(`trial ${event.trial.trial}: ${event.text}`);
      };
      const judged = file === undefined ? setup : { ...setup, own: { ...setup.own, judge: file } };
      const end = await runToEnd(dir, store, judged, {
        ...(own !== undefined && { machine: { workers: own }, graceSeconds: FUNCTION_GRACE_SECONDS }),
        ...(signal && { signal }),
        onEvent,
        steps: options.onStep !== undefined,
      }).finally(() => view?.close());
      const [first] = end.best;
      return { reason: end.reason, trials: end.trials, best: first && networkView(space, first) };
    });
  };

  const beginAsking = async (): Promise<AskTell> => {
    if (asking !== undefined) return asking.loop;
    const { store, setup } = await reopen(dir, { ...files }, notes, { code });
    try {
      checkJudge(dir, setup, true);
      const { strategy, problem, measuring } = setup;
      const run = { store, strategy, problem, ...(measuring && { measuring }) };
      asking = { store, loop: await openAskTell(run) };
      return asking.loop;
    } catch (error) {
      await store.close();
      throw error;
    }
  };

  const endAsking = async (): Promise<void> => {
    const ended = asking;
    asking = undefined;
    await ended?.loop.close();
    await ended?.store.close();
  };

  /** The requested network, set up for its final training. */
  const final = async ({ epochs, trial, choose }: FinalOptions) => {
    const study = await again();
    const which = { ...(trial !== undefined && { trial }), ...(choose !== undefined && { choose }) };
    const own = trainingNamedAgain(`study "${dir}"`, study.settings, { ...files }, namesInCode(code));
    const settings = checkRunSettings(study.settings, { ...own, ...(epochs !== undefined && { epochs }) });
    const setup = await setUpFinal(study, dir, settings, own, code);
    if (setup.estimator.kind === 'table')
      throw invalid(`study "${dir}"`, `searches the table ${settings.benchmark}`, 'which holds no network to train');
    return { study, which, setup };
  };
  const unending = new AbortController().signal;

  return {
    dir,
    space,
    optimize(first: Judge | URL | string | OptimizeOptions = {}, options: OptimizeOptions = {}) {
      const isJudge = typeof first === 'function' || typeof first === 'string' || first instanceof URL;
      return isJudge ? optimize(first, options) : optimize(undefined, first);
    },
    async ask() {
      const trial = await (await beginAsking()).ask();
      return trial && viewOf(trial);
    },
    async tell(trial, result) {
      const number = typeof trial === 'number' ? trial : trial.number;
      return viewOf(await (await beginAsking()).tell(number, toldOf(result)));
    },
    async evaluate({ seeds = 3, baselines = false, samples = true, signal = unending, ...options } = {}) {
      const { study, which, setup } = await final(options);
      const best = chosen(study, dir, which);
      const record = await evaluate(dir, setup, best, { seeds, baselines, samples }, options, signal);
      return evaluationToJson(dir, setup, best, record);
    },
    async baselines({ test = true, seconds, signal = unending, ...events } = {}) {
      const { setup } = await final({});
      return studyBaselines(dir, setup, { test, ...(seconds !== undefined && { seconds }) }, events, signal);
    },
    async export(file, { signal = unending, ...options } = {}) {
      const { study, which, setup } = await final(options);
      const best = chosen(study, dir, which, readEvaluation(dir)?.trial);
      const wanted = { ...(file !== undefined && { out: file }), mustTrain: options.epochs !== undefined };
      return exportBest(dir, setup, best, wanted, {}, signal);
    },
    report: (file) => writeReport(dir, file, code.space),
    async trials() {
      return (await again()).trials.filter(({ purpose }) => purpose === 'search').map(viewOf);
    },
    best: async () => bestTrials(await again()).map((one) => networkView(space, one))[0],
    front: async () => bestTrials(await again()).map((one) => networkView(space, one)),
    close: endAsking,
  };
}

/** The absolute path of a module that exports a function, and the space if that is code. Throws UserError. */
async function judgeFile(file: URL | string, { name, tree }: SearchSpace): Promise<string> {
  const path = resolve(typeof file === 'string' ? file : fileURLToPath(file));
  await ownJudge(path);
  if (tree === undefined) await ownSpaceBeside(path, name);
  return path;
}

/** Throws UserError for a function where trainings judge, and for none where a function does. */
function checkJudge(dir: string, { estimator }: Setup, given: boolean): void {
  const isFunctions = estimator.kind === 'function';
  if (isFunctions === given) return;
  throw isFunctions
    ? invalid(`study "${dir}"`, 'its candidates are judged by a function', 'give it: optimize(function)')
    : invalid(
        `study "${dir}"`,
        'its candidates are not judged by a function',
        "a study for one is created with its scores: objective: { score: 'maximize' }",
      );
}

function toldOf(result: Metrics | { readonly failed: string }): Told {
  const { failed } = result;
  return typeof failed === 'string' ? { failed } : { metrics: result as Metrics };
}
