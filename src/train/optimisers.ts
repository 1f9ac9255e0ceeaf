import type { GraphBuilder } from '../graph/builder.ts';
import { type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Parameter } from '../network/network.ts';
import type { TrainSettings } from './settings.ts';

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
type Trained = Pick<Parameter, 'path' | 'shape' | 'node'>;

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
 * Runs `rule` once for all parameters, end to end in one vector: a rule is about single numbers, and a few operators on
 * long vectors cost less than many on short ones. `keep` makes (or finds) a state tensor, of which each parameter has its
 * own part under its own name.
 */
function updateAll(
  g: GraphBuilder,
  parameters: readonly Trained[],
  gradients: readonly NodeId[],
  clipNorm: number,
  rule: (weights: NodeId, gradient: NodeId, keep: (suffix: string, next: (old: NodeId) => NodeId) => NodeId) => NodeId,
): Update {
  if (parameters.length === 0) return { parameters: [], state: [] };
  const state: OptimiserState[] = [];
  const unpack = (packed: NodeId) => {
    let start = 0;
    return parameters.map(({ shape }) => {
      const end = start + sizeOf(shape);
      const part = ops.reshape(g, ops.slice(g, packed, [start], [end]), shape);
      start = end;
      return part;
    });
  };
  const weights = pack(
    g,
    parameters.map(({ node }) => node),
  );
  const next = rule(weights, clipByGlobalNorm(g, pack(g, gradients), clipNorm), (suffix, update) => {
    const names = parameters.map(({ path }) => `${path}:${suffix}`);
    const value = update(
      pack(
        g,
        parameters.map(({ shape }, i) => ops.input(g, names[i] as string, shape)),
      ),
    );
    unpack(value).forEach((part, i) => {
      state.push({ name: names[i] as string, shape: (parameters[i] as Trained).shape, next: part });
    });
    return value;
  });
  return { parameters: unpack(next), state };
}

/**
 * Scales a gradient by min(1, limit / (norm + 1e-6)), norm being its Euclidean norm, all parameters taken together, as
 * `torch.nn.utils.clip_grad_norm_` does (Pascanu et al. 2013). `limit` 0 leaves it as it is.
 */
function clipByGlobalNorm(g: GraphBuilder, gradient: NodeId, limit: number): NodeId {
  if (limit === 0) return gradient;
  const norm = ops.sqrt(g, ops.reduceSum(g, ops.mul(g, gradient, gradient), [0]));
  const factor = ops.div(g, ops.constant(g, limit), ops.add(g, norm, ops.constant(g, 1e-6)));
  return ops.mul(g, gradient, ops.minimum(g, factor, ops.constant(g, 1)));
}

/** The Euclidean norm of at least one tensor, all taken together; []. */
export function normOf(g: GraphBuilder, gradients: readonly NodeId[]): NodeId {
  const all = pack(g, gradients);
  return ops.sqrt(g, ops.reduceSum(g, ops.mul(g, all, all), [0]));
}

/** Tensors of any shape end to end in one vector. */
function pack(g: GraphBuilder, nodes: readonly NodeId[]): NodeId {
  return ops.concat(
    g,
    nodes.map((node) => ops.reshape(g, node, [sizeOf(g.shape(node))])),
    0,
  );
}
