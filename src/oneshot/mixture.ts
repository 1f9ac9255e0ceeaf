/**
 * What the methods have in common that weigh all options of a choice at once: their loop. A method adds how options are weighed and what
 * a step of the architecture computes (`MixtureMethod`). Cost: each step computes every option of every choice.
 */
import type { State } from '../engine/engine.ts';
import type { MixtureForm } from '../network/mixture.ts';
import type { Space } from '../space/space.ts';
import type { OptionWeights } from '../space/tree/derive.ts';
import type { Module } from '../space/tree/module.ts';
import { noiseFor } from '../train/batch-steps.ts';
import type { Mixture } from '../train/checkpoint.ts';
import { runSteps } from '../train/epochs.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { freshTensors, type StateParts, updateSettings } from '../train/program.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { mixtureWithin } from './cost/keep-limits.ts';
import { COST_DEFAULTS, type CostSettings } from './cost/settings.ts';
import { costTerm, hasCostTerm } from './cost/term.ts';
import { deriveCapped } from './genotype.ts';
import { levelsOf } from './halves.ts';
import { choicesOf } from './kept-options.ts';
import { FIRST_ORDER, type MixtureStep, scalars } from './mixture-methods.ts';
import { ARCHITECTURE_OPTIMIZER, type ArchitectureSettings, optionWeights } from './mixture-steps.ts';
import { epochBeforeSharp } from './sharpness.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';
import { watch } from './watch.ts';

/** How the architecture parameters are trained: the defaults are those of Liu et al. */
export interface MixtureSettings extends CostSettings {
  /** Constant. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Deviation of fresh parameters around 0. */
  readonly deviation: number;
  /** The first epochs train the weights alone. */
  readonly warmup: number;
  /** Skip connections that a cell of the genotype may have (`deriveCapped`). */
  readonly skipCap: number;
  /**
   * Stops when the dominant eigenvalue of the architecture's Hessian has grown, and takes the genotype from before (`epochBeforeSharp`).
   */
  readonly eigenvalueStop: boolean;
}

export const MIXTURE_DEFAULTS: MixtureSettings = {
  learningRate: 3e-4,
  weightDecay: 1e-3,
  deviation: 1e-3,
  warmup: 0,
  skipCap: 1000,
  eigenvalueStop: false,
  ...COST_DEFAULTS,
};

/** What sets one method apart from another. */
export interface MixtureMethod {
  readonly step: MixtureStep;
  /** How options are weighed (`LowerOptions`); the mixture by default. */
  readonly choices?: 'mixture' | 'concrete' | MixtureForm;
  /** What this way of weighing is fed besides, at a share of the planned steps, from 0 to 1. */
  scalars?(progress: number): Readonly<Record<string, number>>;
  /** What the architecture's loss has besides, and its weight at a share of the planned epochs, from 0 to 1. */
  readonly penalty?: { readonly of: NonNullable<ArchitectureSettings['penalty']>; weight(progress: number): number };
}

export interface MixtureRequest extends SupernetRequest {
  readonly architecture?: Partial<MixtureSettings>;
  /** First-order DARTS by default. */
  readonly method?: MixtureMethod;
  /** The supernet, where it is not that of the space: it has the same decisions, perhaps with fewer options. */
  readonly network?: Module;
  /** What a record says of the supernet's mixture weights; by default, its options are those of the space. */
  describe?(weights: OptionWeights): Mixture;
}

/**
 * Opens the mixture supernet of a space. Its validation metrics are those of the whole mixture; the record of each
 * epoch has the mixture weights and the genotype of that moment. Throws as `openTraining` does, and UserError
 * if no architecture could be derived (a wiring that picks edges without a choice of operations).
 */
export async function openMixtureSupernet(request: MixtureRequest): Promise<Supernet> {
  const { space, info, settings, signal, method = { step: FIRST_ORDER } } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const ofArchitecture: MixtureSettings = { ...MIXTURE_DEFAULTS, ...request.architecture };
  const { learningRate, weightDecay, deviation, warmup, skipCap, eigenvalueStop } = ofArchitecture;
  const { penalty } = method;
  /** The epoch whose architecture a search takes that stops since its loss became sharp. */
  const epochBefore = (records: Parameters<typeof epochBeforeSharp>[0]) =>
    eigenvalueStop ? epochBeforeSharp(records, warmup) : undefined;
  const derived = deriveCapped(space, skipCap);
  const withinLimits = mixtureWithin(request);
  const levels = levelsOf(request, method.step.levels);
  const { batchSize, stepsPerEpoch, weights: forWeights, architecture: forArchitecture } = levels;
  const update = updateSettings(settings);
  const streams: SupernetRequest['rng'] = (...labels) => request.rng(...labels);
  const rates = learningRates(settings, stepsPerEpoch);

  const {
    measureWith: _,
    state: _state,
    ...opened
  } = await openSupernet(request, {
    choices: method.choices ?? 'mixture',
    ...(request.network && { network: request.network }),
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const { costs } = request;
      const isCosted = hasCostTerm(space, costs, ofArchitecture);
      const architecture = { weightDecay, ...(penalty && { penalty: penalty.of }), ...(isCosted && { costs: true }) };
      const open = await method.step.open({ programs, borrow, on, update, architecture, batchSize });
      const inference = await borrow(programs.inference(on, validBatch));
      const cost = isCosted ? costTerm(space, on.network, open.parts.architecture, costs, ofArchitecture) : undefined;
      const parts = withDeviation(open.parts, deviation);
      const costsIn = async (state: State) =>
        cost === undefined ? {} : cost.gradient(await state.read(parts.architecture.map(({ path }) => path)));
      const mixtureOf = (tensors: Parameters<typeof optionWeights>[1]): Mixture => {
        const shares = optionWeights(parts.architecture, tensors);
        const mixture = request.describe?.(shares) ?? describeWeights(space, shares, derived(shares));
        return { ...withinLimits(mixture), ...(cost && { costs: cost.expected(tensors) }) };
      };
      const guards = await watch(request, {
        ...{ open, parts, stepsPerEpoch, programs, borrow, on },
        batches: forArchitecture ?? forWeights,
        // With partial channels, no parameters make a network of the space of the supernet.
        hasGenotypes: typeof method.choices !== 'object' || (method.choices.partial ?? 1) === 1,
      });
      // A space whose architectures cannot be derived is refused before anything is trained.
      mixtureOf(freshTensors(parts, (...labels) => request.rng(...labels)));
      return {
        parts,
        scratch: open.scratch,
        training: open.training,
        inference,
        measured: [{}],
        async more(after) {
          const mixture = mixtureOf(after.tensors);
          const seen = await guards(mixture, after);
          const records = [...after.history, { mixture, guards: seen }];
          // A search that ends here has the architecture of that epoch.
          const genotype = records[(epochBefore(records) ?? records.length) - 1]?.mixture?.genotype ?? mixture.genotype;
          return { mixture: { ...mixture, genotype }, guards: seen };
        },
        train(index, state, nextStep) {
          const warm = index < warmup;
          const mine = forWeights.epoch(index, streams);
          const theirs = forArchitecture?.epoch(index, streams, 'architecture');
          const progress = index / settings.epochs;
          const noise = noiseFor(open.noise.weights, request.rng('epoch', index, 'noise'), progress);
          const random = request.rng('epoch', index, 'architecture', 'noise');
          const otherNoise = noiseFor(open.noise.architecture, random, progress);
          // The programs carry into one state, so that each waits for the other.
          let turn: Promise<unknown> = Promise.resolve();
          return runSteps({
            epoch: index,
            count: stepsPerEpoch,
            async prepare(step) {
              const batch = await mine.prepare();
              const other = warm ? undefined : ((await theirs?.prepare()) ?? {});
              signal?.throwIfAborted();
              const number = nextStep();
              const rate = rates(index, step);
              const updates = Math.max(1, number - warmup * stepsPerEpoch);
              const own = scalars(method.scalars?.((index + step / stepsPerEpoch) / settings.epochs) ?? {});
              return {
                weights: { ...batch, ...noise(), ...own },
                architecture: other && { ...other, ...otherNoise(), ...own },
                learningRate: rate,
                weightScalars: optimizerOf(settings).scalars(rate, number),
                architectureScalars: {
                  ...ARCHITECTURE_OPTIMIZER.scalars(learningRate, updates),
                  ...(penalty && { penalty: penalty.weight(progress) }),
                },
              };
            },
            run(feeds) {
              const done = turn.then(async () =>
                open.run({ ...feeds, costs: warm ? {} : await costsIn(state) }, state),
              );
              turn = done;
              return done;
            },
            onStep: request.onStep?.bind(request),
          });
        },
      };
    },
  });
  const before = () => epochBefore(opened.history);
  return { ...opened, ...(eigenvalueStop && { hasStopped: () => before() !== undefined, keptEpoch: before }) };
}

/** The same state, but for how its architecture parameters begin. */
function withDeviation(parts: StateParts, deviation: number): StateParts {
  const initializer = { kind: 'normal', deviation } as const;
  return { ...parts, architecture: parts.architecture.map((one) => ({ ...one, initializer })) };
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
