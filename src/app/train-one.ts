import { invalid } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import { plural } from '../report/numbers.ts';
import { type Architecture, resolve, resolveHyperparameters } from '../space/index.ts';
import { openTraining, type Training, type TrainRequest, trainNetwork } from '../train/loop.ts';
import type { Forecast } from '../train/preflight.ts';
import { openPrograms } from '../train/programs.ts';
import { withHyperparameters } from '../train/settings.ts';
import { isTrained } from './control/final.ts';
import { trainPolicy } from './control/train.ts';
import { openEngine } from './engine.ts';
import { memoryOfProcess, memoryOfPrograms } from './memory.node.ts';
import { modelOf, writeModel } from './model-file.ts';
import type { Notes } from './notes.ts';
import { mostEpochsOf } from './plan-run.ts';
import { forecastText, forecastTraining } from './preflight.ts';
import { startNote } from './pretrained.ts';
import { type Setup, treeOf } from './setup.ts';
import type { CommandTime, TrainedOne, TrainOneEvents, TrainOneOptions } from './trained-one.ts';

/** Kept for the end of the command. */
const CLOSING_SECONDS = 0.5;
/** Fewer train nothing. */
const LEAST_STEPS = 2;

/**
 * What the time of the command leaves for the training: all but the last measurements. Throws UserError where not even the shortest training
 * fits.
 */
function secondsOfTraining(
  { seconds, elapsed }: CommandTime,
  { sampleSeconds, measureSeconds }: Forecast,
  samples: { readonly valid: number; readonly test: number },
  batchSize: number,
): number {
  // Where there was nothing to measure: a forward pass is less than half of a training step.
  const measuring = (samples.valid + samples.test) * (samples.valid === 0 ? sampleSeconds / 2 : measureSeconds);
  const overhead = elapsed() + measuring + CLOSING_SECONDS;
  const least = LEAST_STEPS * batchSize * sampleSeconds;
  if (seconds >= overhead + least) return seconds - overhead;
  const rule = `must be at least ${Math.ceil(overhead + least)}s for this network and these data on this machine`;
  throw invalid('--time', `${seconds}s`, rule);
}

/**
 * Trains one architecture on the training part of the data, outside of any study. Throws UserError where memory or time is not enough,
 * TrainingFailure, and the signal's reason.
 */
export async function trainOne(
  setup: Setup,
  architecture: Architecture,
  { test, out, time, signal }: TrainOneOptions,
  notes: Notes,
  events: TrainOneEvents = {},
): Promise<TrainedOne> {
  const { settings, dataset, training, control } = setup;
  const space = treeOf(setup);
  const { info, train, valid, task } = dataset.search;
  const engine = await openEngine(settings, 1);
  if (isTrained(control))
    return trainPolicy(
      setup,
      control,
      engine,
      architecture,
      { test, signal, ...(out !== undefined && { out }), ...(time && { time }) },
      notes,
      events,
    );
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
    ...(setup.pretrained && { pretrained: setup.pretrained.weights }),
  };
  if (setup.pretrained) notes.note(startNote(setup.pretrained, space, architecture, dataset.search));
  const forecast = await forecastTraining(request, settings);
  const { batchSize, epochSamples } = request.settings;
  let { epochs } = request.settings;
  const limit = time && {
    seconds: secondsOfTraining(time, forecast, { valid: valid.count, test: test ? info.counts.test : 0 }, batchSize),
    mostEpochs: time.isCapped ? epochs : mostEpochsOf(info, epochSamples),
  };
  if (limit) epochs = Math.max(1, Math.min(limit.mostEpochs, Math.floor(limit.seconds / forecast.epochSeconds)));
  notes.note(
    `Estimate: ${forecastText(forecast, epochs)}${limit ? `: about ${plural(epochs, 'epoch')} in the time` : ''}.`,
  );
  const steps = Math.max(1, Math.floor((epochSamples === 0 ? train.count : epochSamples) / batchSize));
  events.onProgress?.(0, epochs);
  const trained = await trainNetwork({
    ...request,
    ...(limit && { time: limit }),
    onStep: (epoch, step) => events.onProgress?.(epoch - 1 + Math.min(1, step / steps), epochs),
    onEpoch(record, training) {
      epochs = training.epochs?.() ?? epochs;
      events.onProgress?.(record.epoch, epochs);
      events.onEpoch?.(record);
    },
  });
  events.onTrained?.();
  try {
    const measured = test ? await measureKept(request, trained, await dataset.openTest()) : undefined;
    if (out === undefined) return { epochs: trained.history, test: measured };
    const weights = await trained.weights();
    const epochs = trained.keptEpoch?.() ?? trained.history.length;
    const { model, ...compared } = await modelOf({
      ...{ engine, setup, architecture, weights, samples: valid.count > 0 ? valid : train },
      training: { ...request.settings, epochs, trainedOn: 'train', seed: settings.seed, test: measured ?? null },
    });
    return {
      epochs: trained.history,
      test: measured,
      model: { file: out, about: writeModel(out, model), ...compared },
    };
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
