import { resolve } from 'node:path';
import { parseJson } from '../../common/json.ts';
import { entryModule } from '../../common/package-files.node.ts';
import type { FinalTraining } from '../../estimate/estimator.ts';
import { costsOf } from '../../measure/index.ts';
import { type Architecture, architectureKey } from '../../space/index.ts';
import type { Baseline } from '../../space/spaces/index.ts';
import { evaluateFinally, lastTrainings, type Wanted } from '../../study/evaluate.ts';
import type { StudyEvent } from '../../study/events.ts';
import type { Store, Trial } from '../../study/store/store.ts';
import { openStudyStore } from '../../study/study.node.ts';
import { likelyEpochs } from '../../study/time-plan.ts';
import { processPool } from '../../study/worker/process.node.ts';
import { TrainingFailure } from '../../train/failure.ts';
import type { TimeLimit } from '../../train/pace.ts';
import type { Chosen } from '../choice.ts';
import { identityOfControl, learnedFrom } from '../control/final.ts';
import { keepPolicy } from '../control/record.ts';
import { workersHere } from '../local-workers.ts';
import { memoryOfProcess } from '../memory.node.ts';
import { trainsHere } from '../own-code.ts';
import { trainingFiles } from '../own-files.ts';
import type { Setup } from '../setup.ts';
import { planOfSetup, workerSettingsToJson } from '../study.ts';
import { checkKeeps, type EvaluationRecord, sha256Of, writeEvaluation, writeWeights } from './evaluation.ts';
import { ANSWERS, type Answers, baselinesOf, type FinalResult, openFinalEstimator, WEIGHTS } from './final.ts';
import { writePredictions } from './predictions.ts';
import { usefulEpochs } from './useful-epochs.ts';

export interface EvaluateOptions {
  /** Trainings from scratch, each with random streams of its own. */
  readonly seeds: number;
  readonly baselines: boolean;
  /** Whether baselines that failed before are trained again. By default the failure stands: their trials are kept. */
  readonly retryFailed?: boolean;
  /** Whether some test samples are kept for the report. */
  readonly samples?: boolean;
  /** Each training has as many epochs as fit. */
  readonly time?: TimeLimit;
  /** Whether the time limit's `mostEpochs` holds although the trials were best after fewer: the user has named it. */
  readonly isAsLong?: boolean;
}

/** How far a final training is. */
export interface TrainingProgress {
  /** Epochs done, from 0 to `epochs`. */
  readonly epoch: number;
  readonly epochs: number;
  /** Training loss of the last epoch; absent before the first one ends. */
  readonly loss?: number;
}

/** Progress of the trainings of an evaluation, each with a readable name. */
export interface EvaluationEvents {
  /** Before the first: how many there are to do, and how many were complete before. */
  onBegin?(trainings: number, complete: number): void;
  /** A baseline that failed in an earlier call is not trained again. */
  onSkip?(name: string, reason: string): void;
  onProgress?(name: string, progress: TrainingProgress): void;
  /** Its process died; it continues in another. */
  onRetry?(name: string, reason: string): void;
  /** TrainingFailure: a baseline that these settings cannot train. */
  onDone?(name: string, result: Pick<FinalResult, 'metrics' | 'seconds'> | TrainingFailure): void;
}

/**
 * Trains the chosen architecture and the baselines, all from scratch on train + valid with the same settings and number
 * of epochs (`setup.training`), and measures them on the test part: trials of the study with the purpose `evaluate`. Complete ones, and
 * baselines that have failed, are not trained again; an interrupted one continues from its last epoch. Writes the result, and the weights of the
 * first seed, in `best/`. Throws UserError, before anything is trained, where they cannot be written or another process holds the study;
 * TrainingFailure where the chosen architecture cannot be trained; and the signal's reason when aborted.
 */
export async function evaluate(
  dir: string,
  setup: Setup,
  best: Chosen,
  options: EvaluateOptions,
  events: EvaluationEvents,
  signal: AbortSignal,
): Promise<EvaluationRecord> {
  const { epochs } = setup.training;
  const { architecture, trial } = best.trial;
  checkKeeps(dir);
  const limit = options.time && (await usefulTime(dir, setup, architecture, options.time, options.isAsLong));
  const seeds = Array.from({ length: options.seeds }, (_, repetition) => repetition);
  const baselines = options.baselines && setup.control === undefined ? Object.entries(baselinesOf(setup)) : [];
  const networks = [
    { architecture },
    ...baselines.map(([baseline, of]) => ({ baseline, architecture: of.architecture })),
  ];
  const wanted = networks.flatMap(({ architecture, ...of }) =>
    seeds.map((repetition): Wanted => {
      const final = { ...of, repetition, epochs };
      const time = limit === undefined ? {} : { time: limit };
      return { architecture, final: { id: idOf(setup, architecture, { ...final, ...time }), ...final, ...time } };
    }),
  );
  const store = await openStudyStore(dir, 'write');
  try {
    const before = lastTrainings(await store.trials('evaluate'));
    const complete = await completeOf(store, wanted, before);
    const failed = wanted.flatMap(({ final }) => {
      const { state, reason = '' } = before.get(final.id) ?? {};
      return final.baseline !== undefined && state === 'failed' && options.retryFailed !== true
        ? [{ final, reason }]
        : [];
    });
    const done = new Set([...complete, ...failed.map(({ final }) => final.id)]);
    const left = wanted.filter(({ final }) => !done.has(final.id));
    events.onBegin?.(left.length, complete.size);
    const name = nameOf(`trial ${trial}`);
    for (const { final, reason } of failed) events.onSkip?.(name(final), reason);
    if (left.length > 0) await train(dir, setup, store, left, name, events, signal);
    const trials = lastTrainings(await store.trials('evaluate'));
    const results = new Map<string, FinalResult>();
    for (const { final } of wanted) {
      const one = trials.get(final.id);
      if (one?.state !== 'complete') continue;
      results.set(final.id, await resultOf(store, one));
    }
    const first = wanted[0]?.final.id ?? '';
    const had = options.time === undefined ? epochs : (trials.get(first)?.curve.at(-1)?.step ?? epochs);
    await keep(dir, store, trials.get(first), results.get(first), { architecture, epochs: had, trial }, options);
    keepPolicy(
      dir,
      setup,
      trial,
      seeds.map((repetition) => trials.get(wanted[repetition]?.final.id ?? '')),
      results.get(first)?.episode,
    );
    const trainedOn = learnedFrom(setup) ?? 'train + valid';
    return writeRecord(dir, { architecture, trial, seeds, epochs: had, baselines, trainedOn }, wanted, results);
  } finally {
    await store.close();
  }
}

/**
 * The limit with the epochs that the trainings of this network have found useful, where they had early stopping. Others say less: a network
 * that overfits soon may be among many that do not.
 */
async function usefulTime(
  dir: string,
  { training }: Setup,
  architecture: Architecture,
  time: TimeLimit,
  isAsLong = false,
): Promise<TimeLimit> {
  if (isAsLong || training.patience === 0) return time;
  const store = await openStudyStore(dir, 'read');
  try {
    const trials = [...(await store.trials('search')), ...(await store.trials('confirm'))];
    const key = architectureKey(architecture);
    const own = trials.filter((trial) => trial.state === 'complete' && architectureKey(trial.architecture) === key);
    return { ...time, mostEpochs: usefulEpochs(own.length > 0 ? own : trials, time.mostEpochs) };
  } finally {
    await store.close();
  }
}

/** The wanted trainings that are complete, and whose artifacts can be read. */
async function completeOf(
  store: Store,
  wanted: readonly Wanted[],
  trials: ReadonlyMap<string, Trial>,
): Promise<ReadonlySet<string>> {
  const complete = new Set<string>();
  for (const { final } of wanted) {
    const trial = trials.get(final.id);
    if (trial?.state !== 'complete') continue;
    try {
      for (const hash of Object.values(trial.artifacts ?? {})) await store.artifacts.get(hash);
      complete.add(final.id);
    } catch {
      // They were deleted or damaged: it is trained again.
    }
  }
  return complete;
}

const nameOf =
  (network: string) =>
  ({ baseline, repetition }: FinalTraining): string =>
    `${baseline === undefined ? network : `baseline ${baseline}`}, seed ${repetition}`;

async function train(
  dir: string,
  setup: Setup,
  store: Store,
  left: readonly Wanted[],
  nameOf: (final: FinalTraining) => string,
  events: EvaluationEvents,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = setup;
  const workers = Math.min(settings.workers, left.length);
  // A training that is alone, with a time limit, has the cores of all.
  const isAlone = workers === 1 && left.every(({ final }) => final.time !== undefined);
  const threads = isAlone ? settings.threads * settings.workers : settings.threads;
  const memoryBytes = memoryOfProcess(settings, workers);
  const plan = { ...planOfSetup(setup), settings: { ...settings, threads, workers } };
  const workerSettings = { plan, memoryBytes, final: true, own: trainingFiles(setup.own) };
  const failed = new AbortController();
  let failure: TrainingFailure | undefined;
  const onEvent = (event: StudyEvent) => {
    if (!('trial' in event) || event.trial.final === undefined) return;
    const { final, metrics, seconds, state, reason = '' } = event.trial;
    const name = nameOf(final);
    const epochs = epochsOf(event.trial, final);
    switch (event.kind) {
      case 'started':
        return events.onProgress?.(name, { epoch: event.trial.curve.at(-1)?.step ?? 0, epochs });
      case 'reported': {
        const { step, metrics } = event.report;
        const { trainLoss: loss } = metrics;
        return events.onProgress?.(name, { epoch: step, epochs, ...(loss !== undefined && { loss }) });
      }
      case 'released':
        if (!signal.aborted) events.onRetry?.(name, event.reason);
        return;
      case 'ended': {
        const error = state === 'complete' ? undefined : new TrainingFailure(reason);
        events.onDone?.(name, error ?? { metrics, seconds });
        if (error === undefined || final.baseline !== undefined) return;
        // Without the network that was chosen there is nothing to compare baselines with.
        failure ??= error;
        failed.abort(error);
        return;
      }
      default:
    }
  };
  await evaluateFinally(
    {
      ...{ store, problem: setup.problem, onEvent, signal: AbortSignal.any([signal, failed.signal]), graceSeconds: 0 },
      workers: trainsHere(setup.code)
        ? await workersHere(setup, store, (engine) => openFinalEstimator(setup, engine, memoryBytes))
        : processPool({
            workers,
            entry: entryModule('app/worker.node'),
            study: resolve(dir),
            settings: workerSettingsToJson(workerSettings),
          }),
    },
    left,
  );
  if (failure !== undefined) throw failure;
  signal.throwIfAborted();
}

/** Epochs in all; of a training with a time limit, as many as are likely to fit. */
function epochsOf({ curve }: Trial, { epochs, time }: FinalTraining): number {
  const { step, seconds } = curve.at(-1) ?? { step: 0, seconds: 0 };
  return time === undefined ? epochs : likelyEpochs(time.seconds, time.mostEpochs, step, seconds);
}

async function resultOf(store: Store, { metrics, seconds, artifacts = {} }: Trial): Promise<FinalResult> {
  const hash = artifacts[ANSWERS];
  const bytes = hash === undefined ? undefined : await store.artifacts.get(hash);
  const answers = bytes && (parseJson(new TextDecoder().decode(bytes), 'answers of a final training') as Answers);
  return { ...answers, metrics, seconds };
}

/** Writes the weights of the first seed, and its sample predictions, in `best/`. */
async function keep(
  dir: string,
  store: Store,
  first: Trial | undefined,
  result: FinalResult | undefined,
  { architecture, epochs, trial }: Pick<EvaluationRecord, 'architecture' | 'epochs' | 'trial'>,
  { samples = false }: EvaluateOptions,
): Promise<void> {
  const weights = first?.artifacts?.[WEIGHTS];
  if (weights === undefined || result === undefined) return;
  const about = { architecture, epochs, seed: 0, test: result.metrics };
  writeWeights(dir, about, await store.artifacts.get(weights));
  writePredictions(dir, trial, epochs, samples ? result.samples : undefined);
}

/** The results of the trainings, stored in `best/evaluation.json`. */
function writeRecord(
  dir: string,
  about: Pick<EvaluationRecord, 'architecture' | 'trial' | 'seeds' | 'epochs'> & {
    readonly baselines: readonly (readonly [string, Baseline])[];
    readonly trainedOn: string;
  },
  wanted: readonly Wanted[],
  results: ReadonlyMap<string, FinalResult>,
): EvaluationRecord {
  const { baselines, trainedOn, ...of } = about;
  const resultsOf = (name: string | undefined) =>
    wanted.filter(({ final }) => final.baseline === name).flatMap(({ final }) => results.get(final.id) ?? []);
  const found = resultsOf(undefined);
  const confusions = found.flatMap(({ confusion }) => (confusion === undefined ? [] : [confusion]));
  const record: EvaluationRecord = {
    ...of,
    metrics: found.map(({ metrics }) => metrics),
    ...(confusions.length > 0 && { confusion: confusions.reduce(addMatrices) }),
    trainedOn,
    baselines: baselines.flatMap(([name, { space, architecture }]) => {
      const metrics = resultsOf(name).map((result) => result.metrics);
      const { seeds } = of;
      // One that failed may have no network to count.
      if (metrics.length < seeds.length) return [];
      const { params = 0, flops = 0 } = costsOf(space, architecture);
      return [{ name, architecture, seeds, metrics, costs: { params, flops } }];
    }),
  };
  writeEvaluation(dir, record);
  return record;
}

/** All that a final training depends on. Not the machine: layouts and threads change its last digits alone. */
function idOf(
  setup: Setup,
  architecture: Architecture,
  { baseline, repetition, epochs, time }: Omit<FinalTraining, 'id'>,
): string {
  const { settings, training, dataset, pretrained } = setup;
  const { notes, ...data } = dataset.search.info;
  const control = identityOfControl(setup);
  // What did not exist when older studies were evaluated has no part in it where it is not used.
  const { epochSamples, classWeights, patience: _, ...known } = training;
  const of = {
    ...{ baseline, architecture, repetition, seed: settings.seed, training: { ...known, epochs }, data },
    ...(control !== undefined && { control }),
    ...(pretrained && baseline === undefined && { pretrained: pretrained.sha256 }),
    ...(epochSamples > 0 && { epochSamples }),
    ...(classWeights === 'balanced' && { classWeights }),
    // How much time is left differs from one session to the next: an interrupted training keeps what it had.
    ...(time && { timed: true }),
  };
  return sha256Of(Buffer.from(JSON.stringify(of))).slice(0, 32);
}

function addMatrices(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  return a.map((row, i) => row.map((count, j) => count + (b[i]?.[j] ?? 0)));
}
