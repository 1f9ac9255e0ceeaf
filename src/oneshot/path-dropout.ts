/**
 * One-shot with path dropout. Bender et al. 2018, "Understanding and simplifying one-shot architecture search", section 3: the options of
 * all choices are summed up, and each step leaves out some of them at random, so that the rest must do without them. Of the k options
 * whose outputs meet in a node each is left out with probability p · r^(1/k), in all cells alike; p grows linearly from 0 at the first
 * step to 1 at the last one. A candidate is measured with the weights by leaving out the options that it does not have.
 *
 * Differs: one draw for the whole batch, and batch norm over the whole batch, where the paper's ghost batches of 32 have a draw each;
 * weight decay also of the options that a step leaves out. Cost: a step computes every option of every choice.
 */
import { z } from 'zod';
import type { Rng } from '../common/random.ts';
import type { Samples } from '../data/dataset.ts';
import type { HostTensor } from '../graph/ir.ts';
import { type PathInput, pathInputs } from '../network/paths.ts';
import type { Architecture, Space } from '../space/space.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { cellsOf } from '../space/tree/cells.ts';
import { supernet } from '../space/tree/resolve.ts';
import { sample } from '../space/tree/vary.ts';
import { taskOf } from '../task/index.ts';
import type { Measured } from '../task/metrics.ts';
import { noiseFor, trainBatches } from '../train/batch-steps.ts';
import { orderedBatches, trainingBatches } from '../train/batches.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { defineOneShot } from './definition.ts';
import { choicesOf } from './kept-options.ts';
import { outputGraph } from './mixture-steps.ts';
import { RECALIBRATE } from './path-meter.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';
import { type PathSteps, watchPaths } from './watch-paths.ts';

const schema = z.strictObject({
  dropRate: z.number().min(0).lt(1).default(0.05),
  validationPaths: z.int().min(1).max(1000).default(4),
  /** Of candidates, by the estimator (`sharedWeightsEstimator`). */
  recalibrate: z.int().min(0).max(100_000).default(RECALIBRATE),
});
export type PathDropoutOptions = Omit<z.infer<typeof schema>, 'recalibrate'>;

/** A supernet whose networks are measured with its weights. */
export interface PathDropoutSupernet extends Supernet {
  /** One network of the space with the shared weights as they are. Throws UserError if the architecture is not in the space. */
  measurePath(architecture: Architecture, samples: Samples): Promise<Measured>;
}

/**
 * Opens the supernet of a space. Parameters have the names and shapes that they have in each of its networks. Its validation metrics are
 * the mean over some networks, the same ones after each epoch. Throws as `openTraining` does.
 */
export async function openPathDropoutSupernet(
  request: SupernetRequest,
  { dropRate, validationPaths }: PathDropoutOptions = schema.parse({}),
): Promise<PathDropoutSupernet> {
  const { space, info, settings, data = 1 } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const batches = trainingBatches(request.train, info, settings, data, request.task);
  const { batchSize, stepsPerEpoch } = batches;
  const rates = learningRates(settings, stepsPerEpoch);
  const inputs = pathInputs(supernet(space));
  const paths = pathCounts(space);
  const last = Math.max(1, settings.epochs * stepsPerEpoch - 1);
  const dropped = (index: number, step: number) =>
    droppedPaths(inputs, request.rng('epoch', index, 'paths', step), (decision) => {
      const progress = Math.min(1, (index * stepsPerEpoch + step) / last);
      return progress * dropRate ** (1 / (paths.get(decision) ?? 1));
    });

  const {
    measureWith,
    state: _,
    ...opened
  } = await openSupernet(request, {
    choices: 'paths',
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const { built, program } = await borrow(programs.training(on, settings, batchSize));
      const inference = await borrow(programs.inference(on, validBatch));
      const outputs = await borrow(
        programs.program({
          ...{ on, batchSize, kind: 'path outputs' },
          build: () => outputGraph(on, batchSize),
          compile: { memory: 'returned' },
        }),
      );
      const features: PathSteps['meter']['features'] = async (state, architecture, samples, random) => {
        if (samples.count !== batchSize) return undefined;
        const { feeds } = await orderedBatches(samples, taskOf(info, request.task).spec(info), batchSize).read(0);
        const noise = noiseFor(outputs.built.randomInputs, random, 0)();
        return (await outputs.program.run({ ...feeds, ...noise, ...pathOf(inputs, architecture) }, state)).features;
      };
      // A step with the options of one network alone trains that network.
      const guards = await watchPaths(request, {
        ...{ program, batches, stepsPerEpoch, meter: { batchSize, features } },
        built: { randomInputs: built.randomInputs, feedsOf: (architecture) => pathOf(inputs, architecture) },
      });
      return {
        parts: built,
        training: [program],
        inference,
        more: async (after) => ({ guards: await guards(after) }),
        measured: Array.from({ length: validationPaths }, (_, i) =>
          pathOf(inputs, sample(space, request.rng('validation path', i))),
        ),
        train: (index, state, nextStep) =>
          trainBatches(request, index, {
            batches,
            randomInputs: () => built.randomInputs,
            progress: index / settings.epochs,
            scalars: (step) => optimizerOf(settings).scalars(rates(index, step), nextStep()),
            feeds: (step) => dropped(index, step),
            run: (feeds) => program.run(feeds, state),
          }),
      };
    },
  });
  return {
    ...opened,
    async measurePath(architecture, samples) {
      return measureWith(pathOf(inputs, checkArchitecture(space, architecture)), samples);
    },
  };
}

/** The feeds that leave out each option with the probability of its decision; wiring is not touched. */
export function droppedPaths(
  inputs: readonly PathInput[],
  random: Rng,
  rateOf: (decision: string) => number,
): Record<string, HostTensor> {
  return feeds(inputs, ({ name, isWiring }) => (isWiring || random.float() >= rateOf(name) ? 1 : 0));
}

/** The feeds that leave out all that an architecture does not have. */
function pathOf(inputs: readonly PathInput[], architecture: Architecture): Record<string, HostTensor> {
  return feeds(inputs, ({ name, option }) => {
    const value = architecture[name];
    return (Array.isArray(value) ? value.includes(Number(option)) : String(value) === option) ? 1 : 0;
  });
}

function feeds(
  inputs: readonly PathInput[],
  weightOf: (one: { readonly name: string; readonly option: string; readonly isWiring: boolean }) => number,
): Record<string, HostTensor> {
  return Object.fromEntries(
    inputs.map(({ name, shape, decisions }) => {
      const values = decisions.flatMap(({ name, options, isWiring }) =>
        options.map((option) => weightOf({ name, option, isWiring })),
      );
      return [name, { shape, data: Float32Array.from(values) }];
    }),
  );
}

/** How many options meet where those of a choice do: all on the edges into a node of a cell, without `zero`, or else the choice's own. */
export function pathCounts(space: Space): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { connections } of cellsOf(space)) {
    for (const incoming of Map.groupBy(connections, ({ to }) => to).values()) {
      const edges = incoming.flatMap(({ edge }) => (edge ? [edge] : []));
      const meeting = edges.reduce((sum, { options, zeros }) => sum + options.length - zeros.length, 0);
      for (const { decision } of edges) counts.set(decision, Math.max(1, meeting));
    }
  }
  for (const { name, options } of choicesOf(space)) if (!counts.has(name)) counts.set(name, options.length);
  return counts;
}

export const pathDropout = defineOneShot(
  {
    name: 'path-dropout',
    description: 'Trains all paths together and leaves out some at random, ever more of them (Bender et al. 2018).',
    finds: 'weights',
  },
  schema,
  openPathDropoutSupernet,
);
