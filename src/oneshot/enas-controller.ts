/** The controller of ENAS: an LSTM that draws architectures, its update by rewards, and its tensors in a checkpoint. */
import type { Rng } from '../common/random.ts';
import type { Engine, Program } from '../engine/engine.ts';
import type { Graph, HostTensor } from '../graph/ir.ts';
import {
  CONTROLLER_CARRIES,
  type ControllerWeights,
  controllerStep,
  type Episode,
  freshController,
  updateController,
} from '../model/controller.ts';
import type { Space, TreeArchitecture } from '../space/space.ts';
import { asTokens, drawArchitecture, sequenceOf } from '../strategy/sequence.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { NetworkOnData } from '../train/forward.ts';
import type { ProgramLease, Programs } from '../train/programs.ts';

export interface ControllerSettings {
  /** Units of the LSTM, even. */
  readonly hidden: number;
  /** Of Adam. */
  readonly controllerLearningRate: number;
  /** Weight of the entropy bonus, per nat. */
  readonly entropy: number;
  /** How much of the moving average of rewards is kept at each reward. */
  readonly baseline: number;
  /** Architectures that are rewarded for one update. */
  readonly aggregate: number;
}

export interface Rewarded {
  readonly architecture: TreeArchitecture;
  /** The larger, the better. */
  readonly reward: number;
}

export interface Controller {
  sample(random: Rng): TreeArchitecture;
  /** One update by REINFORCE with the moving average of the rewards as baseline; `aggregate` episodes, in their order. */
  update(episodes: readonly Rewarded[]): Promise<void>;
  /** The probability of each option by decision: the mean over `draws` sampled architectures of what it is after the decisions before. */
  probabilities(draws: number, random: Rng): Record<string, number[]>;
  /** All that it is, by the names of `CONTROLLER_TENSORS`. */
  read(): Record<string, HostTensor>;
}

/** Its weights and Adam's two vectors, [P]; updates so far, [1]; the baseline, [1], or [0] before the first reward. */
export const CONTROLLER_TENSORS = [
  'controller:weights',
  'controller:mean',
  'controller:square',
  'controller:steps',
  'controller:baseline',
] as const;

type Tensors = Readonly<Record<string, HostTensor>>;

/** The program of an update, to be borrowed. */
export function controllerProgram(
  programs: Programs,
  on: NetworkOnData,
  space: Space,
  { hidden, entropy, aggregate }: ControllerSettings,
): Promise<ProgramLease<object>> {
  const { shape } = sequenceOf(space, hidden);
  return programs.program({
    kind: 'controller step',
    on,
    settings: { shape, entropy },
    batchSize: aggregate,
    build: (): { graph: Graph } => ({
      graph: controllerStep(shape, aggregate, { algorithm: 'reinforce', entropy, clip: 0 }),
    }),
    carriesOf: () => CONTROLLER_CARRIES,
  });
}

/** A fresh controller, its weights drawn from `random`, or that of a checkpoint. Throws TrainingFailure if the checkpoint has another. */
export function openController(
  engine: Engine,
  program: Program,
  space: Space,
  settings: ControllerSettings,
  from: { readonly random: Rng; readonly tensors?: Tensors | undefined },
): Controller {
  const sequence = sequenceOf(space, settings.hidden);
  const fresh = freshController(sequence.shape, from.random);
  const restored = from.tensors && restore(from.tensors, fresh.weights.length);
  let now: ControllerWeights = restored?.weights ?? fresh;
  let baseline = restored?.baseline;
  const training = { epochs: 1, learningRate: settings.controllerLearningRate };

  return {
    sample: (random) => drawArchitecture(space, sequence, now.weights, random),
    async update(rewarded) {
      const episodes = rewarded.map(({ architecture, reward }): Episode => {
        baseline ??= reward;
        const advantage = reward - baseline;
        // As a checkpoint keeps it, so that a resumed search does not differ.
        baseline = Math.fround(settings.baseline * baseline + (1 - settings.baseline) * reward);
        return { ...asTokens(sequence, architecture), advantage };
      });
      if (sequence.lists.length > 0)
        now = await updateController(engine, program, sequence.shape, now, episodes, training);
    },
    probabilities(draws, random) {
      const sums = sequence.lists.map(({ size }) => Array<number>(size).fill(0));
      const seen = (t: number, logProbabilities: Float64Array) => {
        const own = sums[t] ?? [];
        for (const [k, value] of logProbabilities.entries()) own[k] = (own[k] ?? 0) + Math.exp(value) / draws;
      };
      for (let i = 0; i < draws; i++) drawArchitecture(space, sequence, now.weights, random, { seen });
      return Object.fromEntries(sequence.lists.map(({ decision }, t) => [decision.name, sums[t] ?? []]));
    },
    read() {
      const vector = (data: Float32Array): HostTensor => ({ shape: [data.length], data: data.slice() });
      return {
        'controller:weights': vector(now.weights),
        'controller:mean': vector(now.mean),
        'controller:square': vector(now.square),
        'controller:steps': vector(Float32Array.of(now.steps)),
        'controller:baseline': vector(baseline === undefined ? new Float32Array() : Float32Array.of(baseline)),
      } satisfies Record<(typeof CONTROLLER_TENSORS)[number], HostTensor>;
    },
  };
}

function restore(tensors: Tensors, size: number): { weights: ControllerWeights; baseline: number | undefined } {
  const read = (name: (typeof CONTROLLER_TENSORS)[number], length?: number) => {
    const found = tensors[name]?.data;
    if (found === undefined) throw new TrainingFailure(`the checkpoint has no tensor "${name}"`);
    if (length !== undefined && found.length !== length)
      throw new TrainingFailure(
        `the checkpoint: "${name}" has ${found.length} values; this controller's has ${length}`,
      );
    return Float32Array.from(found);
  };
  const [steps = 0] = read('controller:steps', 1);
  const weights = {
    weights: read('controller:weights', size),
    mean: read('controller:mean', size),
    square: read('controller:square', size),
    steps,
  };
  return { weights, baseline: read('controller:baseline')[0] };
}
