/**
 * GDAS. Dong & Yang 2019, arXiv:1910.04465, algorithm 1: one operation for each decision is sampled by the Gumbel-max trick, and only the
 * sampled path is computed; a weight step on one half of the training samples, then an architecture step on the other half, in turn, each with a
 * sample of its own. The gradient reaches the parameters through the sampled option's share (network/gated.ts), whose temperature falls
 * linearly from 10 to 0.1. Where wiring is open, all edges are there; inputs are picked when an architecture is derived. A node whose edges
 * share their operation, and which picks one, samples that as well (the paper has no such nodes).
 * As in the published code for the DARTS space, the shares of options that were not sampled have no gradient of their own; with
 * `othersAsOnes`, they are added to the output, as if these options put out ones everywhere, as in its code for NAS-Bench-201. Differs: metrics are those of the
 * derived architecture with recalibrated statistics (path-meter.ts). Cost: two steps of a sampled network, one without gradients of the weights.
 */
import type { State } from '../engine/engine.ts';
import { derive } from '../space/tree/derive.ts';
import { noiseFor, scalarFeeds } from '../train/batch-steps.ts';
import type { Mixture } from '../train/checkpoint.ts';
import { runSteps } from '../train/epochs.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { freshTensors } from '../train/program.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { switchFeeds } from '../train/single-path.ts';
import { architectureStep } from './architecture-step.ts';
import { mixtureWithin } from './cost/keep-limits.ts';
import { COST_DEFAULTS, type CostSettings } from './cost/settings.ts';
import { costTerm, hasCostTerm } from './cost/term.ts';
import { guardsOf } from './guards.ts';
import { gumbelSample } from './gumbel.ts';
import { halvesOf } from './halves.ts';
import { describeWeights, MIXTURE_DEFAULTS } from './mixture.ts';
import { ARCHITECTURE_OPTIMIZER, optionWeights, stateOf } from './mixture-steps.ts';
import { openPathMeter, RECALIBRATE } from './path-meter.ts';
import { pathStep } from './single-path.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';
import { watchPaths } from './watch-paths.ts';

/** The defaults are those of the paper and its code. */
export interface GdasSettings extends CostSettings {
  /** Of the architecture parameters, constant. */
  readonly archLearningRate: number;
  readonly archWeightDecay: number;
  /** In the first epoch. */
  readonly initialTemperature: number;
  /** In the last one. */
  readonly finalTemperature: number;
  /** Epochs in which only the weights train, on paths drawn uniformly (not in the paper). */
  readonly warmup: number;
  /** Whether options that were not sampled count as if they put out ones (the author's code for NAS-Bench-201). */
  readonly othersAsOnes: boolean;
  /** Batches of training samples that batch norm's statistics are computed on before an architecture is measured. */
  readonly recalibrate: number;
}

export const GDAS_DEFAULTS: GdasSettings = {
  archLearningRate: MIXTURE_DEFAULTS.learningRate,
  archWeightDecay: MIXTURE_DEFAULTS.weightDecay,
  initialTemperature: 10,
  finalTemperature: 0.1,
  warmup: MIXTURE_DEFAULTS.warmup,
  othersAsOnes: false,
  recalibrate: RECALIBRATE,
  ...COST_DEFAULTS,
};

export interface GdasRequest extends SupernetRequest, Partial<GdasSettings> {}

/**
 * Opens the supernet of a space for GDAS. The record of each epoch has the mixture weights (the probabilities of the options) and the
 * genotype of that moment; its metrics are the genotype's. Throws as `openMixtureSupernet` does.
 */
export async function openGdasSupernet(request: GdasRequest): Promise<Supernet> {
  const { space, info, settings, signal } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const gdas = { ...GDAS_DEFAULTS, ...request };
  const halves = halvesOf(request);
  const withinLimits = mixtureWithin(request);
  const { batchSize, stepsPerEpoch } = halves;
  const rates = learningRates(settings, stepsPerEpoch);
  const streams: SupernetRequest['rng'] = (...labels) => request.rng(...labels);

  const {
    measureWith: _,
    state: _state,
    ...opened
  } = await openSupernet(request, {
    choices: 'operations',
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const weights = await borrow(pathStep(programs, on, settings, batchSize));
      const weightDecay = gdas.archWeightDecay;
      const { costs } = request;
      const isCosted = hasCostTerm(space, costs, gdas);
      const gatedOn = { ...on, choices: gdas.othersAsOnes ? 'gatedSum' : 'gated' } as const;
      const architecture = await borrow(
        programs.program({
          kind: 'gated architecture step',
          on: gatedOn,
          settings: { weightDecay, ...(isCosted && { costs: true }) },
          batchSize,
          build() {
            const step = architectureStep(gatedOn, weightDecay, batchSize, isCosted);
            return { ...step, feedsOf: switchFeeds(step) };
          },
          carriesOf: ({ carries }) => carries,
        }),
      );
      const { train } = request;
      const meter = await openPathMeter({
        ...{ programs, borrow, validBatch, batchSize, train },
        on: { ...on, choices: 'wired' },
        recalibrate: gdas.recalibrate,
        rng: streams,
      });
      const parameters = architecture.built.architecture;
      const parts = { ...stateOf(weights.built, architecture.built), architecture: parameters };
      const cost = isCosted ? costTerm(space, on.network, parameters, costs, gdas) : undefined;
      const mixtureOf = (tensors: Parameters<typeof optionWeights>[1]): Mixture => {
        const shares = optionWeights(parameters, tensors);
        const mixture = withinLimits(describeWeights(space, shares, derive(space, shares)));
        return { ...mixture, ...(cost && { costs: cost.expected(tensors) }) };
      };
      // A space whose architectures cannot be derived is refused before anything is trained.
      mixtureOf(freshTensors(parts, streams));
      const signs = guardsOf(space);
      const guards = await watchPaths(request, {
        ...{ program: weights.program, built: weights.built, batches: halves.weights, stepsPerEpoch, meter },
        // Its steps have all edges, those that an architecture leaves out, too.
        further: (random) =>
          Object.fromEntries(
            parameters.flatMap(({ decisions }) => decisions.map(({ name, options }) => [name, random.pick(options)])),
          ),
      });
      const parametersIn = (state: State) => state.read(parameters.map(({ path }) => path));

      return {
        parts,
        training: [weights.program, architecture.program],
        inference: meter.inference,
        measured: async (state, samples) =>
          meter.measure(state, mixtureOf(await parametersIn(state)).genotype, samples, signal),
        async more(after) {
          const mixture = mixtureOf(after.tensors);
          return { mixture, guards: { ...signs(mixture), ...(await guards(after)) } };
        },
        train(index, state, nextStep) {
          const mine = halves.weights.epoch(index, streams);
          const theirs = halves.architecture.epoch(index, streams, 'architecture');
          const progress = index / settings.epochs;
          const noise = noiseFor(weights.built.randomInputs, request.rng('epoch', index, 'noise'), progress);
          const random = request.rng('epoch', index, 'architecture', 'noise');
          const otherNoise = noiseFor(architecture.built.randomInputs, random, progress);
          const [scalars, otherScalars] = [scalarFeeds(), scalarFeeds()];
          const warm = index < gdas.warmup;
          const temperature = temperatureAt(gdas, index - gdas.warmup, settings.epochs - gdas.warmup);
          // What is sampled depends on the parameters that the step before has left.
          let turn: Promise<unknown> = Promise.resolve();
          return runSteps({
            epoch: index,
            count: stepsPerEpoch,
            async prepare(step) {
              const [batch, other] = [await mine.prepare(), warm ? {} : await theirs.prepare()];
              signal?.throwIfAborted();
              const number = nextStep();
              const values = optimizerOf(settings).scalars(rates(index, step), number);
              const updates = Math.max(1, number - gdas.warmup * stepsPerEpoch);
              const otherValues = ARCHITECTURE_OPTIMIZER.scalars(gdas.archLearningRate, updates);
              return {
                step,
                weights: { ...batch, ...scalars(values), ...noise() },
                architecture: { ...other, ...otherScalars(otherValues), ...otherNoise() },
              };
            },
            run(feeds) {
              const done = turn.then(async () => {
                const now = await parametersIn(state);
                const sample = (purpose: string) =>
                  gumbelSample(parameters, now, temperature, request.rng('epoch', index, purpose, feeds.step));
                const switches = weights.built.feedsOf(sample('path').choices);
                const result = await weights.program.run({ ...feeds.weights, ...switches }, state);
                if (warm) return result;
                const path = sample('architecture path');
                const gates = { ...architecture.built.feedsOf(path.choices), ...path.feeds, ...cost?.gradient(now) };
                await architecture.program.run({ ...feeds.architecture, ...gates }, state);
                return result;
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

/** Linear over the epochs after warm-up, from the first to the last. */
function temperatureAt(
  { initialTemperature: from, finalTemperature: to }: GdasSettings,
  index: number,
  epochs: number,
): number {
  return from + (to - from) * Math.min(1, Math.max(0, index) / Math.max(1, epochs - 1));
}
