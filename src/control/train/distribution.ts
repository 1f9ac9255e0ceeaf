/** What a policy's outputs mean: the distribution of its actions, drawn on the host and as a graph. */
import type { Rng } from '../../common/random.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import type { NodeId } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import type { ActionSpec, ContinuousActions } from '../environment.ts';

/** R steps at a time in graphs; on the host, one at a time from `outputs[at]` on. */
export interface Distribution {
  /** Outputs of the network that it is made of. */
  readonly outputs: number;
  /** Numbers of a drawn action. */
  readonly width: number;
  /** Draws an action into `into[to]`, and returns the logarithm of its probability (density). */
  draw(outputs: Float32Array, at: number, random: Rng, into: Float32Array, to: number): number;
  /** The action of the largest probability (density). */
  greedy(outputs: Float32Array, at: number, into: Float32Array, to: number): void;
  /** A drawn action as the environment takes it, in place. */
  toAction(drawn: Float32Array, at: number): void;
  /** Outputs [R, outputs], actions as they were drawn [R, width] -> logarithms of their probabilities and entropies, [R]. */
  append(
    g: GraphBuilder,
    outputs: NodeId,
    actions: NodeId,
  ): { readonly logProbability: NodeId; readonly entropy: NodeId };
}

export function distributionOf(action: ActionSpec): Distribution {
  return action.kind === 'discrete' ? categorical(action.count) : gaussian(action);
}

/** The first of the largest of `count` numbers. */
export function largest(values: Float32Array, at: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if ((values[at + i] as number) > (values[at + best] as number)) best = i;
  return best;
}

/** Softmax of as many outputs as there are actions. */
function categorical(count: number): Distribution {
  return {
    outputs: count,
    width: 1,
    draw(outputs, at, random, into, to) {
      const top = outputs[at + largest(outputs, at, count)] as number;
      let total = 0;
      for (let i = 0; i < count; i++) total += Math.exp((outputs[at + i] as number) - top);
      let left = random.float() * total;
      let chosen = 0;
      for (; chosen < count - 1; chosen++) {
        left -= Math.exp((outputs[at + chosen] as number) - top);
        if (left < 0) break;
      }
      into[to] = chosen;
      return (outputs[at + chosen] as number) - top - Math.log(total);
    },
    greedy(outputs, at, into, to) {
      into[to] = largest(outputs, at, count);
    },
    toAction: () => {},
    append(g, outputs, actions) {
      const logs = ops.logSoftmax(g, outputs, 1);
      const numbers = Array.from({ length: count }, (_, i) => i);
      const chosen = ops.equal(g, actions, ops.constant(g, numbers, [1, count]));
      return {
        logProbability: ops.reduceSum(g, ops.mul(g, logs, chosen), [1]),
        entropy: ops.neg(g, ops.reduceSum(g, ops.mul(g, ops.exp(g, logs), logs), [1])),
      };
    },
  };
}

const HALF_LOG_2_PI = Math.log(2 * Math.PI) / 2;

/**
 * Independent normal distributions: outputs are means, then logarithms of deviations. A drawn number is in units of half the range
 * between the bounds, 0 in the middle; what lies outside is clipped when it becomes an action, not in its density.
 */
function gaussian({ size, low, high }: ContinuousActions): Distribution {
  const middle = low.map((least, i) => (least + (high[i] as number)) / 2);
  const half = low.map((least, i) => ((high[i] as number) - least) / 2);
  return {
    outputs: 2 * size,
    width: size,
    draw(outputs, at, random, into, to) {
      let log = 0;
      for (let i = 0; i < size; i++) {
        const deviation = outputs[at + size + i] as number;
        const normal = random.normal();
        into[to + i] = (outputs[at + i] as number) + Math.exp(deviation) * normal;
        log -= (normal * normal) / 2 + deviation + HALF_LOG_2_PI;
      }
      return log;
    },
    greedy(outputs, at, into, to) {
      for (let i = 0; i < size; i++) into[to + i] = outputs[at + i] as number;
    },
    toAction(drawn, at) {
      for (let i = 0; i < size; i++)
        drawn[at + i] = (middle[i] as number) + (half[i] as number) * (drawn[at + i] as number);
    },
    append(g, outputs, actions) {
      const rows = g.shape(outputs)[0] ?? 1;
      const means = ops.slice(g, outputs, [0, 0], [rows, size]);
      const deviations = ops.slice(g, outputs, [0, size], [rows, 2 * size]);
      const normal = ops.mul(g, ops.sub(g, actions, means), ops.exp(g, ops.neg(g, deviations)));
      const logs = ops.add(g, ops.scale(g, ops.mul(g, normal, normal), 0.5), deviations);
      const shift = (x: NodeId, by: number) => ops.add(g, x, ops.constant(g, by));
      return {
        logProbability: shift(ops.neg(g, ops.reduceSum(g, logs, [1])), -size * HALF_LOG_2_PI),
        entropy: shift(ops.reduceSum(g, deviations, [1]), size * (HALF_LOG_2_PI + 0.5)),
      };
    },
  };
}
