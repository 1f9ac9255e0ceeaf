import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Parameter } from '../network/network.ts';
import { guarded } from '../network/switch.ts';
import type { TrainSettings } from './settings.ts';
import { pack, unpack } from './vectors.ts';

/** A tensor that an optimizer keeps from step to step, such as `3/1/weight:momentum`. Starts as zeros. */
export interface OptimiserState {
  readonly name: string;
  readonly shape: Shape;
  readonly next: NodeId;
}

/** What a step leaves in the place of the parameters (in their order) and of the optimizer's own tensors. */
export interface Update {
  readonly parameters: readonly NodeId[];
  readonly state: readonly OptimiserState[];
}

/** What a rule reads of the settings; Adam's has no momentum of its own. */
type OptimiserSettings = Pick<TrainSettings, 'weightDecay'> &
  Partial<Pick<TrainSettings, 'momentum' | 'nesterov' | 'clipNorm'>>;
type Trained = Pick<Parameter, 'path' | 'shape' | 'node' | 'when'>;

/** A rule that turns gradients into new weights, as graph. Numbers that change with the step are scalar inputs. */
export interface Optimiser {
  /** Appends the update of all parameters by `gradients`, in their order, which are clipped first. */
  append(
    g: GraphBuilder,
    settings: OptimiserSettings,
    parameters: readonly Trained[],
    gradients: readonly NodeId[],
  ): Update;
  /** The values of its scalar inputs at the `step`-th update in all, counted from 1. */
  scalars(learningRate: number, step: number): Readonly<Record<string, number>>;
}

/**
 * Stochastic gradient descent, as `torch.optim.SGD` without dampening: g ← g + λ w; b ← μ b + g; w ← w − η d, where d is
 * b, or g + μ b for Nesterov. The buffer starts at zero, so the first b is g.
 */
const sgd: Optimiser = {
  append(g, { momentum = 0, nesterov = false, weightDecay, clipNorm = 0 }, parameters, gradients) {
    const rate = ops.input(g, 'learningRate', []);
    return updateAll(g, parameters, gradients, clipNorm, (weight, gradient, keep) => {
      const decayed = weightDecay === 0 ? gradient : ops.add(g, gradient, ops.scale(g, weight, weightDecay));
      if (momentum === 0) return ops.sub(g, weight, ops.mul(g, decayed, rate));
      const buffer = keep('momentum', (old) => ops.add(g, ops.scale(g, old, momentum), decayed));
      const direction = nesterov ? ops.add(g, decayed, ops.scale(g, buffer, momentum)) : buffer;
      return ops.sub(g, weight, ops.mul(g, direction, rate));
    });
  },
  scalars: (learningRate) => ({ learningRate }),
};

const BETAS = [0.9, 0.999] as const;
const EPSILON = 1e-8;

/**
 * Adam (Kingma & Ba 2015) as `torch.optim.Adam`, β = (0.9, 0.999) unless given, ε = 1e-8: m ← β₁ m + (1−β₁) g; v ← β₂ v + (1−β₂) g²;
 * w ← w − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε). `coupled`: weight decay is added to the gradient. Otherwise AdamW
 * (Loshchilov & Hutter 2019): w ← w − η λ w first, and the gradient is left alone.
 */
export function adamWith(decay: 'coupled' | 'decoupled', [beta1, beta2]: readonly [number, number] = BETAS): Optimiser {
  return {
    append(g, { weightDecay, clipNorm = 0 }, parameters, gradients) {
      const rate = ops.input(g, 'learningRate', []);
      const stepSize = ops.input(g, 'adam:stepSize', []);
      const correction = ops.input(g, 'adam:correction', []);
      const shrink =
        decay === 'decoupled' && weightDecay !== 0
          ? ops.sub(g, ops.constant(g, 1), ops.scale(g, rate, weightDecay))
          : undefined;
      return updateAll(g, parameters, gradients, clipNorm, (weight, gradient, keep) => {
        const coupled = decay === 'coupled' && weightDecay !== 0;
        const own = coupled ? ops.add(g, gradient, ops.scale(g, weight, weightDecay)) : gradient;
        const mean = keep('mean', (old) => ops.add(g, ops.scale(g, old, beta1), ops.scale(g, own, 1 - beta1)));
        const square = keep('square', (old) =>
          ops.add(g, ops.scale(g, old, beta2), ops.scale(g, ops.mul(g, own, own), 1 - beta2)),
        );
        const root = ops.mul(g, ops.sqrt(g, square), correction);
        const direction = ops.div(g, mean, ops.add(g, root, ops.constant(g, EPSILON)));
        const kept = shrink === undefined ? weight : ops.mul(g, weight, shrink);
        return ops.sub(g, kept, ops.mul(g, direction, stepSize));
      });
    },
    scalars: (learningRate, step) => ({
      learningRate,
      'adam:stepSize': learningRate / (1 - beta1 ** step),
      'adam:correction': 1 / Math.sqrt(1 - beta2 ** step),
    }),
  };
}

export const OPTIMISERS = {
  sgd,
  adam: adamWith('coupled'),
  adamw: adamWith('decoupled'),
} as const satisfies Readonly<Record<TrainSettings['optimizer'], Optimiser>>;

/**
 * Runs `rule` for all parameters, end to end in one vector: a rule is about single numbers, and a few operators on long
 * vectors cost less than many on short ones. `keep` makes (or finds) a state tensor, of which each parameter has its own part
 * under its own name. Parameters of an option of a switch have a vector for themselves: where it is not chosen, they and
 * their state stay as they are.
 */
function updateAll(
  g: GraphBuilder,
  parameters: readonly Trained[],
  gradients: readonly NodeId[],
  clipNorm: number,
  rule: (weights: NodeId, gradient: NodeId, keep: (suffix: string, next: (old: NodeId) => NodeId) => NodeId) => NodeId,
): Update {
  const trained = parameters.map((parameter, i) => ({ ...parameter, gradient: gradients[i] as NodeId }));
  const groups = [...Map.groupBy(trained, ({ when }) => JSON.stringify(when)).values()];
  const packed = groups.map((group) => pack(g, nodesOf(group, 'gradient')));
  const clipped = clipByGlobalNorm(g, packed, clipNorm);
  const next = new Map<string, NodeId>();
  const state: OptimiserState[] = [];
  for (const [n, group] of groups.entries()) {
    const leave = (vector: NodeId, old: readonly NodeId[], take: (i: number, value: NodeId) => void) => {
      const parts = unpack(g, vector, group);
      for (const [i, { when }] of group.entries()) take(i, guarded(g, when, old[i] as NodeId, parts[i] as NodeId));
    };
    const weights = nodesOf(group, 'node');
    const updated = rule(pack(g, weights), clipped[n] as NodeId, (suffix, update) => {
      const names = group.map(({ path }) => `${path}:${suffix}`);
      const old = group.map(({ shape }, i) => ops.input(g, names[i] as string, shape));
      const value = update(pack(g, old));
      leave(value, old, (i, part) =>
        state.push({ name: names[i] as string, shape: (group[i] as Trained).shape, next: part }),
      );
      return value;
    });
    leave(updated, weights, (i, part) => next.set((group[i] as Trained).path, part));
  }
  return { parameters: parameters.map(({ path }) => next.get(path) as NodeId), state };
}

function nodesOf<K extends string>(group: readonly Readonly<Record<K, NodeId>>[], key: K): NodeId[] {
  return group.map((one) => one[key]);
}

/**
 * Scales gradients by min(1, limit / (norm + 1e-6)), norm being the Euclidean norm of all of them together, as
 * `torch.nn.utils.clip_grad_norm_` does (Pascanu et al. 2013). `limit` 0 leaves them as they are.
 */
function clipByGlobalNorm(g: GraphBuilder, gradients: readonly NodeId[], limit: number): readonly NodeId[] {
  if (limit === 0 || gradients.length === 0) return gradients;
  const squares = gradients.map((gradient) => ops.reduceSum(g, ops.mul(g, gradient, gradient), [0]));
  const norm = ops.sqrt(
    g,
    squares.reduce((sum, square) => ops.add(g, sum, square)),
  );
  const factor = ops.div(g, ops.constant(g, limit), ops.add(g, norm, ops.constant(g, 1e-6)));
  const capped = ops.minimum(g, factor, ops.constant(g, 1));
  return gradients.map((gradient) => ops.mul(g, gradient, capped));
}

/** The Euclidean norm of at least one tensor, all taken together; []. */
export function normOf(g: GraphBuilder, gradients: readonly NodeId[]): NodeId {
  const all = pack(g, gradients);
  return ops.sqrt(g, ops.reduceSum(g, ops.mul(g, all, all), [0]));
}
