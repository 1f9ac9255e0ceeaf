import type { Metrics } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { type Architecture, resolve, resolveHyperparameters } from '../space/index.ts';
import type { EpochRecord } from '../train/checkpoint.ts';
import { openTraining, type Training, type TrainRequest, trainNetwork } from '../train/loop.ts';
import { openPrograms } from '../train/programs.ts';
import { withHyperparameters } from '../train/settings.ts';
import { openEngine } from './engine.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import type { Notes } from './notes.ts';
import { forecastTraining } from './preflight.ts';
import { type Setup, treeOf } from './setup.ts';

/** Progress of a single training. */
export interface TrainOneEvents {
  /** How far it is, from 0 to `epochs`: after each step. */
  onProgress?(epoch: number, epochs: number): void;
  onEpoch?(record: EpochRecord): void;
  /** Before the test. */
  onTrained?(): void;
}

export interface TrainedOne {
  readonly epochs: readonly EpochRecord[];
  /** Metrics on the test split, if requested. */
  readonly test: Metrics | undefined;
}

/** Trains one architecture on the training part of the data, outside of any study. Throws TrainingFailure, and the signal's reason. */
export async function trainOne(
  setup: Setup,
  architecture: Architecture,
  { test, signal }: { readonly test: boolean; readonly signal: AbortSignal },
  notes: Notes,
  events: TrainOneEvents = {},
): Promise<TrainedOne> {
  const { settings, dataset, training } = setup;
  const space = treeOf(setup);
  const { info, train, valid, task } = dataset.search;
  const engine = await openEngine(settings, 1);
  const request = {
    engine,
    programs: openPrograms(engine, { memory: memoryOfPrograms(memoryOfProcess(settings, 1)) }),
    network: resolve(space, architecture),
    info,
    ...(task && { task }),
    train,
    ...(valid.count > 0 && { valid }),
    settings: withHyperparameters(training, resolveHyperparameters(space, architecture)),
    rng: (...labels: readonly (string | number)[]) => rng(settings.seed, 'train', ...labels),
    signal,
  };
  await forecastTraining(request, settings, notes);
  const { epochs, batchSize } = request.settings;
  const steps = Math.max(1, Math.floor(train.count / batchSize));
  events.onProgress?.(0, epochs);
  const trained = await trainNetwork({
    ...request,
    onStep: (epoch, step) => events.onProgress?.(epoch - 1 + Math.min(1, step / steps), epochs),
    onEpoch(record) {
      events.onProgress?.(record.epoch, epochs);
      events.onEpoch?.(record);
    },
  });
  events.onTrained?.();
  try {
    const measured = test ? await measureKept(request, trained, await dataset.openTest()) : undefined;
    return { epochs: trained.history, test: measured };
  } finally {
    await trained.dispose();
  }
}

/** Measures the weights that the training hands on. */
async function measureKept(request: TrainRequest, trained: Training, samples: Samples): Promise<Metrics> {
  if ((trained.keptEpoch?.() ?? trained.history.length) === trained.history.length)
    return (await trained.measure(samples)).metrics;
  const kept = await openTraining({ ...request, initial: await trained.weights() });
  try {
    return (await kept.measure(samples)).metrics;
  } finally {
    await kept.dispose();
  }
}
