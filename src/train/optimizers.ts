import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Parameter } from '../network/network.ts';
import { guarded } from '../network/switch.ts';
import { DEFAULT_SETTINGS, type TrainSettings } from './settings.ts';

/** A tensor that an optimizer keeps from step to step, such as `3/1/weight:momentum`. Starts as zeros. */
export interface OptimizerState {
  /** `of`, a colon, `role`. */
  readonly name: string;
  /** The trained tensor that it belongs to, by path. */
  readonly of: string;
  readonly role: string;
  readonly shape: Shape;
  readonly next: NodeId;
}

/** What a step leaves in the place of the parameters (in their order) and of the optimizer's own tensors. */
export interface Update {
  readonly parameters: readonly NodeId[];
  readonly state: readonly OptimizerState[];
}

/** A gradient, clipped if it is to be, and its elements squared. */
interface Gradient {
  readonly value: NodeId;
  readonly square: NodeId;
}

/** What a rule reads of the settings. */
type OptimizerSettings = Pick<TrainSettings, 'weightDecay'> &
  Partial<Pick<TrainSettings, 'momentum' | 'nesterov' | 'clipNorm'>>;
type Trained = Pick<Parameter, 'path' | 'shape' | 'node' | 'when'>;

/** A rule that turns gradients into new weights, as graph. Numbers that change with the step are scalar inputs. */
export interface Optimizer {
  /** Appends the update of all parameters by `gradients`, in their order, which are clipped first. */
  append(
    g: GraphBuilder,
    settings: OptimizerSettings,
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
export const sgd: Optimizer = {
  append(g, { momentum = 0, nesterov = false, weightDecay, clipNorm = 0 }, parameters, gradients) {
    const rate = ops.input(g, 'learningRate', []);
    return updateEach(g, parameters, gradients, clipNorm, (weight, gradient, keep) => {
      const { value } = gradient;
      const decayed = weightDecay === 0 ? value : ops.add(g, value, ops.scale(g, weight, weightDecay));
      if (momentum === 0) return ops.sub(g, weight, ops.mul(g, decayed, rate));
      const buffer = keep('momentum', (old) => ops.add(g, ops.scale(g, old, momentum), decayed));
      const direction = nesterov ? ops.add(g, decayed, ops.scale(g, buffer, momentum)) : buffer;
      return ops.sub(g, weight, ops.mul(g, direction, rate));
    });
  },
  scalars: (learningRate) => ({ learningRate }),
};

const EPSILON = 1e-8;

/**
 * Adam (Kingma & Ba 2015) as `torch.optim.Adam`, ε = 1e-8: m ← β₁ m + (1−β₁) g; v ← β₂ v + (1−β₂) g²;
 * w ← w − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε), here with √(1−β₂ᵗ) in the numbers η and ε, which is one pass over v less. `coupled`: weight
 * decay is added to the gradient. Otherwise AdamW (Loshchilov & Hutter 2019): w ← w − η λ w first, and the gradient is left alone.
 */
export function adamWith(decay: 'coupled' | 'decoupled', [beta1, beta2]: readonly [number, number]): Optimizer {
  return {
    append(g, { weightDecay, clipNorm = 0 }, parameters, gradients) {
      const rate = ops.input(g, 'learningRate', []);
      const stepSize = ops.input(g, 'adam:stepSize', []);
      const epsilon = ops.input(g, 'adam:epsilon', []);
      const shrink =
        decay === 'decoupled' && weightDecay !== 0
          ? ops.sub(g, ops.constant(g, 1), ops.scale(g, rate, weightDecay))
          : undefined;
      return updateEach(g, parameters, gradients, clipNorm, (weight, gradient, keep) => {
        const coupled = decay === 'coupled' && weightDecay !== 0;
        const own = coupled ? squared(g, ops.add(g, gradient.value, ops.scale(g, weight, weightDecay))) : gradient;
        const mean = keep('mean', (old) => ops.add(g, ops.scale(g, old, beta1), ops.scale(g, own.value, 1 - beta1)));
        const square = keep('square', (old) =>
          ops.add(g, ops.scale(g, old, beta2), ops.scale(g, own.square, 1 - beta2)),
        );
        const direction = ops.div(g, mean, ops.add(g, ops.sqrt(g, square), epsilon));
        const kept = shrink === undefined ? weight : ops.mul(g, weight, shrink);
        return ops.sub(g, kept, ops.mul(g, direction, stepSize));
      });
    },
    scalars: (learningRate, step) => {
      const correction = Math.sqrt(1 - beta2 ** step);
      return {
        learningRate,
        'adam:stepSize': (learningRate * correction) / (1 - beta1 ** step),
        'adam:epsilon': EPSILON * correction,
      };
    },
  };
}

/** SGD without momentum, as that of averaged SGD is; the average is that of `weight-average.ts`. */
const plainSgd: Optimizer = {
  ...sgd,
  append: (g, { weightDecay, clipNorm = 0 }, ...of) => sgd.append(g, { weightDecay, clipNorm }, ...of),
};

/** The rule of these settings; Adam's β are (0.9, 0.999) where they have none. */
export function optimizerOf({
  optimizer,
  beta1 = DEFAULT_SETTINGS.beta1,
  beta2 = DEFAULT_SETTINGS.beta2,
}: Pick<TrainSettings, 'optimizer'> & Partial<Pick<TrainSettings, 'beta1' | 'beta2'>>): Optimizer {
  switch (optimizer) {
    case 'sgd':
      return sgd;
    case 'asgd':
      return plainSgd;
    case 'adam':
      return adamWith('coupled', [beta1, beta2]);
    case 'adamw':
      return adamWith('decoupled', [beta1, beta2]);
  }
}

/**
 * Clips the gradients and runs `rule` for each tensor; `keep` makes (or finds) a state tensor of its shape. A tensor of an
 * option of a switch, and its state, stay as they are where the option is not chosen.
 */
function updateEach(
  g: GraphBuilder,
  trained: readonly Trained[],
  gradients: readonly NodeId[],
  clipNorm: number,
  rule: (weight: NodeId, gradient: Gradient, keep: (role: string, next: (old: NodeId) => NodeId) => NodeId) => NodeId,
): Update {
  const clipped = clipByGlobalNorm(g, gradients, clipNorm);
  const state: OptimizerState[] = [];
  const parameters = trained.map(({ path, shape, node, when }, i) => {
    const next = rule(node, clipped[i] as Gradient, (role, update) => {
      const name = `${path}:${role}`;
      const old = ops.input(g, name, shape);
      const value = update(old);
      state.push({ name, of: path, role, shape, next: guarded(g, when, old, value) });
      return value;
    });
    return guarded(g, when, node, next);
  });
  return { parameters, state };
}

/**
 * Scales gradients by min(1, limit / (norm + 1e-6)), norm being the Euclidean norm of all of them together, as
 * `torch.nn.utils.clip_grad_norm_` does (Pascanu et al. 2013). `limit` 0 leaves them as they are.
 */
function clipByGlobalNorm(g: GraphBuilder, gradients: readonly NodeId[], limit: number): readonly Gradient[] {
  if (limit === 0 || gradients.length === 0) return gradients.map((gradient) => squared(g, gradient));
  const factor = ops.div(g, ops.constant(g, limit), ops.add(g, normOf(g, gradients), ops.constant(g, 1e-6)));
  const capped = ops.minimum(g, factor, ops.constant(g, 1));
  const cappedSquare = ops.mul(g, capped, capped);
  return gradients.map((gradient) => ({
    value: ops.mul(g, gradient, capped),
    // The norm has made the gradient's own square.
    square: ops.mul(g, ops.mul(g, gradient, gradient), cappedSquare),
  }));
}

const squared = (g: GraphBuilder, value: NodeId): Gradient => ({ value, square: ops.mul(g, value, value) });

/** The Euclidean norm of at least one tensor, all taken together; []. */
export function normOf(g: GraphBuilder, gradients: readonly NodeId[]): NodeId {
  const squares = gradients.map((gradient) => {
    const axes = g.shape(gradient).map((_, axis) => axis);
    return ops.reduceSum(g, ops.mul(g, gradient, gradient), axes);
  });
  return ops.sqrt(
    g,
    squares.reduce((sum, square) => ops.add(g, sum, square)),
  );
}
