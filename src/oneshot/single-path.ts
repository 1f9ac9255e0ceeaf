/**
 * Single path one-shot with uniform sampling. Guo et al. 2020, arXiv:1904.00420, section 3.2: each step draws one architecture of the
 * space and trains its weights alone, which all networks share. Differs: batch norm's statistics are running means over the sampled paths,
 * not recomputed for each path before it is measured. Cost: a step is one of the sampled network.
 */
import type { Samples } from '../data/dataset.ts';
import type { Architecture } from '../space/space.ts';
import { sample } from '../space/tree/vary.ts';
import type { Measured } from '../task/metrics.ts';
import { trainingBatches } from '../train/batches.ts';
import { trainBatches } from '../train/loop.ts';
import { OPTIMIZERS } from '../train/optimizers.ts';
import { inferenceOnState, trainingGraph } from '../train/program.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { switchFeeds } from '../train/single-path.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';

export interface SinglePathRequest extends SupernetRequest {
  /** How many architectures are measured after each epoch, the same ones each time; 4 by default. Their mean is the validation metric. */
  readonly validationPaths?: number;
}

/** A supernet of which each step trains one path. */
export interface SinglePathSupernet extends Supernet {
  /** One network of the space with the shared weights as they are. Throws UserError if the architecture is not in the space. */
  measurePath(architecture: Architecture, samples: Samples): Promise<Measured>;
}

/**
 * Opens the supernet of a space for single-path training. Parameters have the names that they have in each of its networks.
 * Throws as `openTraining` does.
 */
export async function openSinglePathSupernet(request: SinglePathRequest): Promise<SinglePathSupernet> {
  const { space, info, settings, data = 1, validationPaths = 4 } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const batches = trainingBatches(request.train, info, settings, data, request.task);
  const { batchSize, stepsPerEpoch } = batches;
  const { optimizer, momentum, nesterov, weightDecay, clipNorm } = settings;
  const update = { optimizer, momentum, nesterov, weightDecay, clipNorm };
  const rates = learningRates(settings, stepsPerEpoch);
  let feedsOf: ReturnType<typeof switchFeeds> | undefined;

  const { measureWith, ...opened } = await openSupernet(request, {
    choices: 'switch',
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const { built, program } = await borrow(
        programs.program({
          kind: 'single-path step',
          on,
          settings: update,
          batchSize,
          build() {
            const step = trainingGraph(on, update, batchSize);
            return { ...step, feedsOf: switchFeeds(step) };
          },
          carriesOf: ({ carries }) => carries,
        }),
      );
      const inference = await borrow(
        programs.program({
          kind: 'single-path inference',
          on,
          batchSize: validBatch,
          build() {
            const whole = inferenceOnState(on, validBatch);
            return { ...whole, feedsOf: switchFeeds(whole) };
          },
        }),
      );
      const chosen = inference.built.feedsOf;
      feedsOf = chosen;
      return {
        parts: built,
        training: [program],
        inference,
        measured: Array.from({ length: validationPaths }, (_, i) =>
          chosen(sample(space, request.rng('validation path', i))),
        ),
        train: (index, state, nextStep) =>
          trainBatches(request, index, {
            batches,
            randomInputs: built.randomInputs,
            progress: index / settings.epochs,
            scalars: (step) => OPTIMIZERS[optimizer].scalars(rates(index, step), nextStep()),
            feeds: (step) => built.feedsOf(sample(space, request.rng('epoch', index, 'path', step))),
            run: (feeds) => program.run(feeds, state),
          }),
      };
    },
  });
  return {
    ...opened,
    async measurePath(architecture, samples) {
      return measureWith(feedsOf?.(architecture) ?? {}, samples);
    },
  };
}
