/**
 * DARTS, first order. Liu et al. 2019, arXiv:1806.09055, algorithm 1 with ξ = 0: an architecture step on one half of the training samples,
 * then a weight step on the other half, in turn. Differs: nothing known. Cost: each step computes every option of every choice.
 */
import { part } from '../data/samples.ts';
import type { MixtureForm } from '../network/mixture.ts';
import type { Space } from '../space/space.ts';
import { derive, type OptionWeights } from '../space/tree/derive.ts';
import type { Module } from '../space/tree/module.ts';
import { trainingBatches } from '../train/batches.ts';
import type { Mixture } from '../train/checkpoint.ts';
import { runSteps } from '../train/epochs.ts';
import { TrainingFailure } from '../train/failure.ts';
import { noiseFor, scalarFeeds } from '../train/loop.ts';
import { OPTIMIZERS } from '../train/optimizers.ts';
import { freshTensors } from '../train/program.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { choicesOf } from './kept-options.ts';
import {
  ARCHITECTURE_OPTIMIZER,
  optionWeights,
  type SupernetSteps,
  stateOfBoth,
  supernetSteps,
} from './mixture-steps.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';

/** How the architecture parameters are trained: the defaults are those of Liu et al. */
export interface MixtureSettings {
  /** Constant. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** The first epochs train the weights alone. */
  readonly warmup: number;
}

export const MIXTURE_DEFAULTS: MixtureSettings = { learningRate: 3e-4, weightDecay: 1e-3, warmup: 0 };

export interface MixtureRequest extends SupernetRequest {
  readonly architecture?: Partial<MixtureSettings>;
  /** How the mixture differs from that of DARTS. */
  readonly form?: MixtureForm;
  /** The supernet, where it is not that of the space: it has the same decisions. */
  readonly network?: Module;
  /** Further inputs of both steps in the epoch of this index, from 0. */
  scalars?(epoch: number): Readonly<Record<string, number>>;
  /** What a record says of the weights of the options; by default they are those of the space. */
  describe?(weights: OptionWeights): Mixture;
}

/**
 * Opens the mixture supernet of a space. Its validation metrics are those of the whole mixture; the record of each
 * epoch has the mixture weights and the genotype of that moment. Throws as `openTraining` does, and UserError
 * if no architecture could be derived (a wiring that picks edges without a choice of operations).
 */
export async function openMixtureSupernet(request: MixtureRequest): Promise<Supernet> {
  const { space, info, settings, signal, data = 1 } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const { learningRate, weightDecay, warmup } = { ...MIXTURE_DEFAULTS, ...request.architecture };
  const { count } = request.train;
  if (count < 2) throw new TrainingFailure('a mixture supernet needs two training samples: it trains on two halves');
  const order = request.rng('halves').shuffle(Array.from({ length: count }, (_, i) => i));
  const half = Math.ceil(count / 2);
  const batchSize = Math.min(settings.batchSize, Math.max(1, Math.floor(Math.floor(count / 2) * data)));
  const batchesOf = (from: number, to: number) =>
    trainingBatches(
      part(request.train, Int32Array.from(order.slice(from, to))),
      info,
      { ...settings, batchSize },
      data,
      request.task,
    );
  const [forWeights, forArchitecture] = [batchesOf(0, half), batchesOf(half, count)];
  const stepsPerEpoch = Math.min(forWeights.stepsPerEpoch, forArchitecture.stepsPerEpoch);
  const { optimizer, momentum, nesterov, clipNorm } = settings;
  const update = { optimizer, momentum, nesterov, weightDecay: settings.weightDecay, clipNorm };
  const streams: SupernetRequest['rng'] = (...labels) => request.rng(...labels);
  const rates = learningRates(settings, stepsPerEpoch);

  const { measureWith: _, ...opened } = await openSupernet(request, {
    choices: request.form ?? 'mixture',
    ...(request.network && { network: request.network }),
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      let both: SupernetSteps | undefined;
      const stepOf = (which: 'weightStep' | 'archStep') =>
        borrow(
          programs.program({
            kind: `mixture ${which}`,
            on,
            settings: { ...update, architecture: { weightDecay } },
            batchSize,
            build() {
              both ??= supernetSteps(on, update, { weightDecay }, batchSize);
              return both[which];
            },
            carriesOf: ({ carries }) => carries,
            // They take turns: both do not keep their peak.
            compile: { memory: 'returned' },
          }),
        );
      const weights = await stepOf('weightStep');
      const architecture = await stepOf('archStep');
      const inference = await borrow(programs.inference(on, validBatch));
      const parts = stateOfBoth(weights.built, architecture.built);
      const mixtureOf = (tensors: Parameters<typeof optionWeights>[1]): Mixture => {
        const shares = optionWeights(parts.architecture, tensors);
        return request.describe?.(shares) ?? describeWeights(space, shares, derive(space, shares));
      };
      // A space whose architectures cannot be derived is refused before anything is trained.
      mixtureOf(freshTensors(parts, (...labels) => request.rng(...labels)));
      return {
        parts,
        training: [weights.program, architecture.program],
        inference,
        measured: [{}],
        more: (tensors) => ({ mixture: mixtureOf(tensors) }),
        train(index, state, nextStep) {
          const mine = forWeights.epoch(index, streams);
          const theirs = forArchitecture.epoch(index, streams, 'architecture');
          const noise = noiseFor(weights.built.randomInputs, request.rng('epoch', index, 'noise'));
          const otherNoise = noiseFor(
            architecture.built.randomInputs,
            request.rng('epoch', index, 'architecture', 'noise'),
          );
          const [scalars, otherScalars] = [scalarFeeds(), scalarFeeds()];
          // Both programs carry into one state, so that each waits for the other.
          let turn: Promise<unknown> = Promise.resolve();
          return runSteps({
            epoch: index,
            count: stepsPerEpoch,
            async prepare(step) {
              const [batch, other] = [await mine.prepare(), await theirs.prepare()];
              signal?.throwIfAborted();
              const number = nextStep();
              const given = request.scalars?.(index);
              const values = OPTIMIZERS[optimizer].scalars(rates(index, step), number);
              const updates = Math.max(1, number - warmup * stepsPerEpoch);
              const otherValues = ARCHITECTURE_OPTIMIZER.scalars(learningRate, updates);
              return {
                architecture: { ...other, ...otherScalars({ ...otherValues, ...given }), ...otherNoise() },
                weights: { ...batch, ...scalars({ ...values, ...given }), ...noise() },
              };
            },
            run(feeds) {
              const done = turn.then(async () => {
                if (index >= warmup) await architecture.program.run(feeds.architecture, state);
                return weights.program.run(feeds.weights, state);
              });
              turn = done;
              return done;
            },
            onStep: request.onStep?.bind(request),
          });
        },
      };
    },
  });
  return opened;
}

/** What a record says of weights: those of choices, and apart from them those of the edges that come into a node. */
export function describeWeights(space: Space, weights: OptionWeights, genotype: Mixture['genotype']): Mixture {
  const choices = new Set(choicesOf(space).map(({ name }) => name));
  const rows = Object.entries(weights).map(([name, row]) => [name, Array.from(row)] as const);
  const edges = rows.filter(([name]) => !choices.has(name));
  return {
    weights: Object.fromEntries(rows.filter(([name]) => choices.has(name))),
    ...(edges.length > 0 && { edges: Object.fromEntries(edges) }),
    genotype,
  };
}
