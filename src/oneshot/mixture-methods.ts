/** What a step of a mixture supernet computes, by method: which programs it has, and in which order they run. */
import type { Feeds, Program, State } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { RandomInput } from '../network/network.ts';
import type { Borrowed } from '../train/epochs.ts';
import type { NetworkOnData } from '../train/forward.ts';
import { type StateParts, trainingGraph, type UpdateSettings } from '../train/program.ts';
import type { ProgramLease, Programs } from '../train/programs.ts';
import {
  type ArchitectureSettings,
  type GradientGraph,
  gradientGraph,
  gradientOf,
  type Scratch,
  stateOf,
  type UpdateGraph,
  updateGraph,
} from './mixture-steps.ts';
import { DISTANCE, probeGraph, totalOf, virtualGraph, virtualSlope } from './unrolled-steps.ts';

/** What the programs of a method are opened with. */
export interface StepRequest {
  readonly programs: Programs;
  readonly borrow: Borrowed['borrow'];
  readonly on: NetworkOnData;
  readonly update: UpdateSettings;
  readonly architecture: ArchitectureSettings;
  readonly batchSize: number;
}

/** A batch for each level, with its noise. */
export interface StepFeeds {
  readonly weights: Feeds;
  /** Undefined: this step trains the weights alone. Empty where there is one level. */
  readonly architecture: Feeds | undefined;
  /** The learning rate of the weights. */
  readonly learningRate: number;
  /** Scalars of the weights' optimizer. */
  readonly weightScalars: Readonly<Record<string, number>>;
  /** Scalars of the architecture's update. */
  readonly architectureScalars: Readonly<Record<string, number>>;
  /** The gradients of costs, where the architecture's settings say so. */
  readonly costs?: Feeds;
}

/** The open programs of a method. */
export interface OpenStep {
  /** The state between steps. */
  readonly parts: StateParts;
  readonly scratch: readonly Scratch[];
  readonly training: readonly Program[];
  /** The random inputs of the programs that work on the batch of the weights, and of those on the batch of the architecture. */
  readonly noise: { readonly weights: readonly RandomInput[]; readonly architecture: readonly RandomInput[] };
  /** Gradients by the architecture on a batch, as the state has it or as it is fed. */
  gradient(feeds: Feeds, state: State): Promise<Record<string, HostTensor>>;
  /** Trains the architecture, then the weights; returns what the step of the weights returns. */
  run(feeds: StepFeeds, state: State): Promise<Record<string, HostTensor>>;
}

/** How a method trains weights and architecture. */
export interface MixtureStep {
  /** 2: each on its own half of the samples; 1: both on the same batches, of all samples. */
  readonly levels: 1 | 2;
  open(request: StepRequest): Promise<OpenStep>;
}

/** Numbers as tensors of shape []. */
export const scalars = (values: Readonly<Record<string, number>>): Feeds =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { shape: [], data: Float32Array.of(value) }]),
  );

const updateFeeds = ({ architectureScalars, costs }: StepFeeds): Feeds => ({
  ...scalars(architectureScalars),
  ...costs,
});

/** The programs that all methods share. */
async function common(
  { programs, borrow, on, update, architecture, batchSize }: StepRequest,
  /** Where the update finds the gradients by the architecture. */
  entryOf = gradientOf,
  /** Where the step of the weights leaves them, if it computes them too. */
  carried?: typeof gradientOf,
) {
  const order = { on, settings: update, batchSize };
  // Large programs that take turns: they do not each keep their peak.
  const compile = { memory: 'returned' } as const;
  const weights = await borrow(
    programs.program({
      ...{ ...order, kind: carried ? 'mixture joint step' : 'mixture weight step', compile },
      build: () => trainingGraph(on, update, batchSize, carried),
      carriesOf: ({ carries }) => carries,
    }),
  );
  const gradient = await borrow(
    programs.program({
      ...{ on, batchSize, kind: 'mixture architecture gradient', compile },
      build: () => gradientGraph(on, batchSize, 'architecture'),
      carriesOf: ({ carries }) => carries,
    }),
  );
  const settings = { architecture, from: entryOf('') };
  const updating = await borrow(
    programs.program({
      ...{ on, settings, batchSize, kind: 'mixture architecture update' },
      build: () => updateGraph(gradient.built.architecture, architecture, entryOf),
      carriesOf: ({ carries }) => carries,
    }),
  );
  return { order, weights, gradient, updating, ...sharedParts(weights.built, gradient, updating) };
}

function sharedParts(
  weights: StateParts,
  gradient: ProgramLease<Omit<GradientGraph, 'graph'>>,
  updating: ProgramLease<Omit<UpdateGraph, 'graph'>>,
) {
  return {
    parts: stateOf(weights, updating.built),
    async gradientOn(feeds: Feeds, state: State) {
      const returned = await gradient.program.run(feeds, state);
      const entries = gradient.built.architecture.map(({ path }) => path);
      const found = await state.read(entries.map(gradientOf));
      return {
        ...returned,
        ...Object.fromEntries(entries.map((path) => [path, found[gradientOf(path)] as HostTensor])),
      };
    },
  };
}

/** Liu et al. 2019, algorithm 1 with ξ = 0: the gradient by the architecture takes the weights as constants. */
export const FIRST_ORDER: MixtureStep = {
  levels: 2,
  async open(request) {
    const { weights, gradient, updating, parts, gradientOn } = await common(request);
    return {
      parts,
      scratch: gradient.built.scratch,
      training: [weights.program, gradient.program, updating.program],
      noise: { weights: weights.built.randomInputs, architecture: gradient.built.randomInputs },
      gradient: gradientOn,
      async run(feeds, state) {
        if (feeds.architecture !== undefined) {
          await gradient.program.run(feeds.architecture, state);
          await updating.program.run(updateFeeds(feeds), state);
        }
        return weights.program.run({ ...feeds.weights, ...scalars(feeds.weightScalars) }, state);
      },
    };
  },
};

/**
 * Liu et al. 2019, algorithm 1 with ξ = the learning rate of the weights: the gradient of the loss after a virtual step of the weights,
 * with a finite difference in place of the second derivative (equations 7 and 8).
 */
export const SECOND_ORDER: MixtureStep = {
  levels: 2,
  async open(request) {
    const { programs, borrow, on, update, batchSize } = request;
    const { order, weights, gradient, updating, parts, gradientOn } = await common(request, totalOf);
    const both = await borrow(
      programs.program({
        ...{ on, batchSize, kind: 'mixture gradients' },
        build: () => gradientGraph(on, batchSize, 'both'),
        carriesOf: ({ carries }) => carries,
        compile: { memory: 'returned' },
      }),
    );
    const virtual = await borrow(
      programs.program({
        ...{ ...order, kind: 'mixture virtual step' },
        build: () => virtualGraph(both.built, update),
        carriesOf: ({ carries }) => carries,
      }),
    );
    const probe = await borrow(
      programs.program({
        ...{ ...order, kind: 'mixture finite difference' },
        build: () => probeGraph(both.built),
        carriesOf: ({ carries }) => carries,
      }),
    );
    const slope = virtualSlope(update);
    /** Leaves the gradient of equation 7 in the state, and the weights where they were. */
    async function unrolled({ weights: train, architecture: valid, learningRate }: StepFeeds, state: State) {
      const move = (values: Readonly<Record<'shift' | 'keep' | 'plain' | 'slope', number>>) =>
        probe.program.run(scalars(values), state);
      const factor = (learningRate * slope) / (2 * DISTANCE);
      await both.program.run(train, state);
      await virtual.program.run(scalars({ learningRate }), state);
      await both.program.run(valid ?? {}, state);
      await move({ shift: DISTANCE, keep: 0, plain: 1, slope: 0 });
      await gradient.program.run(train, state);
      await move({ shift: -DISTANCE, keep: 1, plain: 0, slope: -factor });
      await gradient.program.run(train, state);
      await move({ shift: 0, keep: 1, plain: 0, slope: factor });
    }
    return {
      parts,
      scratch: [...both.built.scratch, ...virtual.built.scratch, ...probe.built.scratch],
      training: [weights, gradient, updating, both, virtual, probe].map(({ program }) => program),
      noise: { weights: weights.built.randomInputs, architecture: both.built.randomInputs },
      gradient: gradientOn,
      async run(feeds, state) {
        if (feeds.architecture !== undefined) {
          await unrolled(feeds, state);
          await updating.program.run(updateFeeds(feeds), state);
        }
        return weights.program.run({ ...feeds.weights, ...scalars(feeds.weightScalars) }, state);
      },
    };
  },
};

/** Xie et al. 2019: weights and architecture learn from the same pass through the network, there and back. */
export const JOINT: MixtureStep = {
  levels: 1,
  async open(request) {
    const { weights, gradient, updating, parts, gradientOn } = await common(request, gradientOf, gradientOf);
    return {
      parts,
      scratch: gradient.built.scratch,
      training: [weights.program, gradient.program, updating.program],
      noise: { weights: weights.built.randomInputs, architecture: gradient.built.randomInputs },
      gradient: gradientOn,
      async run(feeds, state) {
        const returned = await weights.program.run({ ...feeds.weights, ...scalars(feeds.weightScalars) }, state);
        if (feeds.architecture !== undefined) await updating.program.run(updateFeeds(feeds), state);
        return returned;
      },
    };
  },
};
