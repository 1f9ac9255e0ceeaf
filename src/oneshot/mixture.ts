/**
 * DARTS, first order. Liu et al. 2019, arXiv:1806.09055, algorithm 1 with ξ = 0: an architecture step on one half of the training samples,
 * then a weight step on the other half, in turn. Differs: nothing known. Cost: each step computes every option of every choice.
 */
import { part } from '../data/samples.ts';
import { derive } from '../space/tree/derive.ts';
import { trainingBatches } from '../train/batches.ts';
import type { Mixture } from '../train/checkpoint.ts';
import { runSteps } from '../train/epochs.ts';
import { TrainingFailure } from '../train/failure.ts';
import { noiseFor, scalarFeeds } from '../train/loop.ts';
import { OPTIMIZERS } from '../train/optimizers.ts';
import { freshTensors } from '../train/program.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
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
}

export const MIXTURE_DEFAULTS: MixtureSettings = { learningRate: 3e-4, weightDecay: 1e-3 };

export interface MixtureRequest extends SupernetRequest {
  readonly architecture?: Partial<MixtureSettings>;
}

/**
 * Opens the mixture supernet of a space. Its validation metrics are those of the whole mixture; the record of each
 * epoch has the mixture weights and the genotype of that moment. Throws as `openTraining` does, and UserError
 * if no architecture could be derived (a wiring that picks edges without a choice of operations).
 */
export async function openMixtureSupernet(request: MixtureRequest): Promise<Supernet> {
  const { space, info, settings, signal, data = 1 } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const { learningRate, weightDecay } = { ...MIXTURE_DEFAULTS, ...request.architecture };
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

  const {
    measureWith: _,
    state: _state,
    ...opened
  } = await openSupernet(request, {
    choices: 'mixture',
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
        const rows = Object.entries(shares).map(([name, row]) => [name, Array.from(row)] as const);
        return { weights: Object.fromEntries(rows), genotype: derive(space, shares) };
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
              const values = OPTIMIZERS[optimizer].scalars(rates(index, step), number);
              const otherValues = ARCHITECTURE_OPTIMIZER.scalars(learningRate, number);
              return {
                architecture: { ...other, ...otherScalars(otherValues), ...otherNoise() },
                weights: { ...batch, ...scalars(values), ...noise() },
              };
            },
            run(feeds) {
              const done = turn.then(async () => {
                await architecture.program.run(feeds.architecture, state);
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
