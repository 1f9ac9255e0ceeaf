/**
 * Single path one-shot. Guo et al. 2020, arXiv:1904.00420, sections 3.2 and 3.4: each step draws one architecture of the space and trains its
 * weights alone, which all networks share; before a path is measured, batch norm's statistics are computed again for it (path-meter.ts).
 * `uniform`: each step draws every decision uniformly. `fair`: strict fairness (FairNAS, Chu et al. 2019, arXiv:1907.01845, algorithm 1):
 * of a decision with m options, each group of m steps in a row takes every option once, in an order drawn for that decision and group. Differs
 * from it: every step of a group has a batch and an update of its own, where the paper adds up the gradients of m networks on one batch;
 * where options lie inside another option, a group is fair only among the steps that reach them.
 * Cost: a step is one of the sampled network.
 */
import type { Rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import type { Architecture, Space } from '../space/space.ts';
import { chooseAll } from '../space/tree/choose.ts';
import { sample } from '../space/tree/vary.ts';
import { optionsOf } from '../strategy/options.ts';
import type { Measured } from '../task/metrics.ts';
import { trainBatches } from '../train/batch-steps.ts';
import { trainingBatches } from '../train/batches.ts';
import type { NetworkOnData } from '../train/forward.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { trainingGraph, type UpdateSettings, updateSettings } from '../train/program.ts';
import type { Programs } from '../train/programs.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { pathFeeds } from '../train/single-path.ts';
import { openPathMeter, type PathMeter, RECALIBRATE } from './path-meter.ts';
import { meanOf, openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';
import { watchPaths } from './watch-paths.ts';

export interface SinglePathSettings {
  readonly sampling: 'uniform' | 'fair';
  /** Batches of training samples that batch norm's statistics are computed on before a path is measured; 0: running statistics. */
  readonly recalibrate: number;
  /** How many architectures are measured after each epoch, the same ones each time. Their mean is the validation metric. */
  readonly validationPaths: number;
}

export const SINGLE_PATH_DEFAULTS: SinglePathSettings = {
  sampling: 'uniform',
  recalibrate: RECALIBRATE,
  validationPaths: 4,
};

export interface SinglePathRequest extends SupernetRequest, Partial<SinglePathSettings> {}

/** A supernet of which each step trains one path. */
export interface SinglePathSupernet extends Supernet {
  /** One network of the space with the shared weights as they are. Throws UserError if the architecture is not in the space. */
  measurePath(architecture: Architecture, samples: Samples): Promise<Measured>;
}

/**
 * Opens the supernet of a space for single-path training. Parameters have the names that they have in each of its networks.
 * `choices`: where the weights of a path come from. Throws as `openTraining` does.
 */
export async function openSinglePathSupernet(
  request: SinglePathRequest,
  choices: NonNullable<NetworkOnData['choices']> = 'switch',
): Promise<SinglePathSupernet> {
  const { space, info, settings, train, signal, data = 1 } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const { sampling, recalibrate, validationPaths } = { ...SINGLE_PATH_DEFAULTS, ...request };
  const batches = trainingBatches(train, info, settings, data, request.task);
  const { batchSize, stepsPerEpoch } = batches;
  const rates = learningRates(settings, stepsPerEpoch);
  const streams: SupernetRequest['rng'] = (...labels) => request.rng(...labels);
  const pathAt = (index: number, step: number): Architecture =>
    sampling === 'fair'
      ? fairPath(space, index * stepsPerEpoch + step, streams)
      : sample(space, request.rng('epoch', index, 'path', step));
  let meter: PathMeter | undefined;

  const {
    measureWith: _,
    state,
    ...opened
  } = await openSupernet(request, {
    choices,
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const { built, program } = await borrow(pathStep(programs, on, settings, batchSize));
      const paths = await openPathMeter({
        ...{ programs, borrow, on, validBatch, batchSize, train, recalibrate },
        rng: streams,
      });
      meter = paths;
      const measured = Array.from({ length: validationPaths }, (_, i) => sample(space, streams('validation path', i)));
      const guards = await watchPaths(request, { program, built, batches, stepsPerEpoch, meter: paths });
      return {
        parts: built,
        training: [program],
        inference: paths.inference,
        more: async (after) => ({ guards: await guards(after) }),
        async measured(on, samples) {
          const all: Measured[] = [];
          for (const architecture of measured) all.push(await paths.measure(on, architecture, samples, signal));
          return meanOf(all);
        },
        train: (index, state, nextStep) =>
          trainBatches(request, index, {
            batches,
            randomInputs: () => built.randomInputs,
            progress: index / settings.epochs,
            scalars: (step) => optimizerOf(settings).scalars(rates(index, step), nextStep()),
            feeds: (step) => built.feedsOf(pathAt(index, step)),
            run: (feeds) => program.run(feeds, state),
          }),
      };
    },
  });
  return {
    ...opened,
    async measurePath(architecture, samples) {
      if (meter === undefined) throw new Error('the supernet is not open');
      return meter.measure(state, architecture, samples, signal);
    },
  };
}

/** The program of a step that trains the weights of one path: `feedsOf` chooses it. */
export function pathStep(programs: Programs, on: NetworkOnData, settings: UpdateSettings, batchSize: number) {
  const update = updateSettings(settings);
  return programs.program({
    kind: 'single-path step',
    on,
    settings: update,
    batchSize,
    build() {
      const step = trainingGraph(on, update, batchSize);
      return { ...step, feedsOf: pathFeeds(on, step) };
    },
    carriesOf: ({ carries }) => carries,
  });
}

/**
 * The path of a step, counted from 0 over all epochs, by strict fairness: of each decision, the steps 0 to m - 1, m to 2m - 1, ... take each of
 * its m options once. Throws UserError for a decision with more than 1,000 options.
 */
export function fairPath(
  space: Space,
  step: number,
  rng: (...labels: readonly (string | number)[]) => Rng,
): Architecture {
  return chooseAll(space, (name, domain) => {
    const { size, draw } = optionsOf(name, domain);
    const random = rng('fair', name, Math.floor(step / size));
    const order = random.shuffle(Array.from({ length: size }, (_, k) => k));
    return draw(order[step % size] ?? 0, random);
  });
}
