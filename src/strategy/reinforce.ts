import { invalid } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import {
  type ControllerTraining,
  type ControllerWeights,
  type Episode,
  freshController,
  trainController,
} from '../model/controller.ts';
import { packFloats, unpackFloats } from '../model/floats.ts';
import type { ModelTools } from '../model/tools.ts';
import type { Architecture, Space } from '../space/space.ts';
import { fingerprint, remember } from './keys.ts';
import { proposalRng, sampleWithin, TRIES, withinLimits } from './limits.ts';
import { rankAmong, scoreOf } from './outcomes.ts';
import { asTokens, drawArchitecture, type Sequence, sequenceOf } from './sequence.ts';
import type { Outcome, Problem, Strategy } from './strategy.ts';
import { treeOf } from './tree.ts';

export interface ControllerOptions extends ControllerTraining {
  /** Units of the LSTM, even. */
  readonly hidden: number;
  /** Results to an update. */
  readonly batch: number;
  /** How much of the baseline is kept at each result: the moving average's decay. */
  readonly baseline: number;
}

/** Weights, Adam's mean and its square, float32, little-endian, in base64; null: as drawn from the seed. */
type Policy = { readonly vectors: readonly [string, string, string]; readonly steps: number };

export type ControllerState = {
  readonly policy: Policy | null;
  /** The moving average of rewards; null before the first. */
  readonly baseline: number | null;
  /** Results that the next update will use. */
  readonly waiting: readonly { readonly trial: number; readonly architecture: Architecture; readonly reward: number }[];
  /** Values of the last results, larger is better, which rewards are ranks among. */
  readonly values: readonly number[];
  /** Fingerprints of what was measured last. */
  readonly known: readonly string[];
};

/**
 * A recurrent controller, trained by policy gradients on our own engine. Zoph & Le 2017, "Neural Architecture Search
 * with Reinforcement Learning", section 3: an LSTM makes the decisions one after another, each given the one before; its
 * weights follow REINFORCE (Williams 1992) with a moving average as baseline. `ppo`: proximal policy optimization
 * (Schulman et al. 2017, section 3), as in Zoph et al. 2018; `epochs` updates by a batch of results, in place of one.
 *
 * Differs: one LSTM layer; rewards are the cube of the rank among the last 1,000 results (the paper: the cube of the
 * accuracy), so that scale and direction of the metric do not matter; an architecture that was measured lately is drawn
 * again, from probabilities that grow flatter with each attempt; a decision that is inactive is passed over, and the
 * next one told so. Whole numbers and continuous ranges are cut into 10 bins, within which a draw is uniform. "Before the
 * update" means the policy that drew the architecture, which with several workers may be a little older. With
 * several objectives it learns from the first. Failed, paused and pruned trials, and those of a lower fidelity, teach nothing.
 *
 * The state has the weights and Adam's two vectors, 12 bytes a weight as base64 (NAS-Bench-201 with 32 units: 7,700 weights,
 * 124 KB). ask: one pass of the LSTM, O(decisions · hidden²). tell: `epochs` runs of the update every `batch` results.
 */
export function controller(options: ControllerOptions, tools: ModelTools): Strategy<ControllerState> {
  // What REINFORCE estimates is the gradient at the policy that drew: one update.
  const training = options.algorithm === 'reinforce' ? { ...options, epochs: 1 } : options;
  const decoded = new WeakMap<Policy, ControllerWeights>();
  const sequences = new WeakMap<Space, Sequence>();
  const sequenceFor = (space: Space) => {
    const found = sequences.get(space) ?? sequenceOf(space, options.hidden);
    sequences.set(space, found);
    return found;
  };
  const drawn = new WeakMap<Problem, ControllerWeights>();
  const weightsOf = (problem: Problem, policy: Policy | null): ControllerWeights => {
    const found = policy ? decoded.get(policy) : drawn.get(problem);
    if (found) return found;
    if (policy === null) {
      const fresh = freshController(sequenceFor(treeOf(problem)).shape, rng(problem.seed, 'controller'));
      drawn.set(problem, fresh);
      return fresh;
    }
    const [weights, mean, square] = policy.vectors;
    const unpacked = {
      weights: unpackFloats(weights),
      mean: unpackFloats(mean),
      square: unpackFloats(square),
      steps: policy.steps,
    };
    decoded.set(policy, unpacked);
    return unpacked;
  };

  return {
    name: 'controller',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { policy: null, baseline: null, waiting: [], values: [], known: [] };
    },
    async ask(problem, state, firstTrial, count) {
      requireEngine(tools);
      const { weights } = weightsOf(problem, state.policy);
      const known = new Set(state.known);
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture: propose(problem, sequenceFor(treeOf(problem)), weights, known, firstTrial + i),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [state, proposals];
    },
    async tell(problem, state, outcomes) {
      let now = state;
      for (const outcome of outcomes) now = await take(problem, now, outcome);
      return now;
    },
  };

  async function take(problem: Problem, state: ControllerState, outcome: Outcome): Promise<ControllerState> {
    const { trial, architecture } = outcome;
    const known = remember(state.known, architecture);
    const value = scoreOf(problem, outcome);
    if (value === undefined) return { ...state, known };
    const { rank, values } = rankAmong(state.values, value);
    const waiting = [...state.waiting, { trial, architecture, reward: rank ** 3 }];
    const next = { ...state, known, values, waiting };
    const sequence = sequenceFor(treeOf(problem));
    return waiting.length < options.batch || sequence.lists.length === 0 ? next : update(problem, next, sequence);
  }

  async function update(problem: Problem, state: ControllerState, sequence: Sequence): Promise<ControllerState> {
    const engine = await requireEngine(tools)();
    let { baseline } = state;
    const inOrder = state.waiting.toSorted((a, b) => a.trial - b.trial);
    const episodes = inOrder.map(({ architecture, reward }): Episode => {
      baseline ??= reward;
      const advantage = reward - baseline;
      baseline = options.baseline * baseline + (1 - options.baseline) * reward;
      return { ...asTokens(sequence, architecture), advantage };
    });
    const before = weightsOf(problem, state.policy);
    const after = await trainController(engine, sequence.shape, before, episodes, training);
    const vectors = [packFloats(after.weights), packFloats(after.mean), packFloats(after.square)] as const;
    const policy: Policy = { vectors, steps: after.steps };
    decoded.set(policy, after);
    return { ...state, policy, baseline, waiting: [] };
  }
}

function requireEngine(tools: ModelTools): NonNullable<ModelTools['engine']> {
  if (tools.engine) return tools.engine;
  throw invalid('strategy "controller"', 'has no engine', 'its controller needs one for training');
}

function propose(
  problem: Problem,
  sequence: Sequence,
  weights: Float32Array,
  known: ReadonlySet<string>,
  trial: number,
): Architecture {
  const stream = proposalRng(problem, trial, 'controller');
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const flatness = 2 ** (attempt / 20);
    const architecture = drawArchitecture(treeOf(problem), sequence, weights, stream, { flatness });
    if (withinLimits(problem, architecture) && !known.has(fingerprint(architecture))) return architecture;
  }
  return sampleWithin(problem, trial);
}
