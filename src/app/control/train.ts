/** One policy, trained outside of any study. */

import { invalid } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import { openPolicy } from '../../control/estimate.ts';
import type { Engine } from '../../engine/engine.ts';
import { plural, showCount } from '../../report/numbers.ts';
import { type Architecture, resolve } from '../../space/index.ts';
import { openPrograms } from '../../train/programs.ts';
import { trainUntil } from '../../train/trainable.ts';
import { modelOf, writeModel } from '../model-file.ts';
import type { Notes } from '../notes.ts';
import { type Setup, treeOf } from '../setup.ts';
import type { TrainedOne, TrainOneEvents, TrainOneOptions } from '../trained-one.ts';
import { testEpisodes } from './environment.ts';
import { type TrainedControl, testPolicy } from './final.ts';

/**
 * Trains a policy in the environment of the settings. What it hands on, and tests, are the weights of the epoch with the largest return on the
 * validation episodes. Throws TrainingFailure, UserError for a limit of time, and the signal's reason.
 */
export async function trainPolicy(
  setup: Setup,
  control: TrainedControl,
  engine: Engine,
  architecture: Architecture,
  { test, out, time, signal }: TrainOneOptions,
  notes: Notes,
  events: TrainOneEvents,
): Promise<TrainedOne> {
  if (time !== undefined)
    throw invalid('--time', `${time.seconds}s`, 'a policy is trained for a number of environment steps: --env-steps');
  const { settings, dataset, training } = setup;
  const { environment, training: choice } = control;
  const { epochs } = training;
  const network = resolve(treeOf(setup), architecture);
  const options = {
    ...{ engine, programs: openPrograms(engine), environment, training: choice, valid: dataset.search.valid },
  };
  const streams = (...labels: readonly (string | number)[]) => rng(settings.seed, 'train', ...labels);
  const opened = await openPolicy(options, network, epochs, { rng: streams, signal }, undefined);
  try {
    notes.note(
      `${choice.trainer} in ${environment.name}: ${showCount(opened.plannedSteps)} environment steps in ${plural(epochs, 'epoch')}.`,
    );
    events.onProgress?.(0, epochs);
    await trainUntil(opened, epochs, (record) => {
      events.onProgress?.(record.epoch, epochs);
      events.onEpoch?.(record);
    });
    events.onTrained?.();
    const weights = await opened.weights();
    const tested = test
      ? (await testPolicy(control, network, weights, engine, testEpisodes(setup, 0), signal)).metrics
      : undefined;
    const trained: TrainedOne = { epochs: opened.history, test: tested };
    if (out === undefined) return trained;
    const about = {
      ...choice,
      ...{ options: { ...choice.options }, epochs, trainedOn: `${showCount(opened.plannedSteps)} environment steps` },
      ...{ seed: settings.seed, test: tested ?? null },
    };
    const { model, ...compared } = await modelOf({
      ...{ engine, setup, architecture, weights, samples: dataset.search.valid, training: about },
    });
    return { ...trained, model: { file: out, about: writeModel(out, model), ...compared } };
  } finally {
    await opened.dispose();
  }
}
