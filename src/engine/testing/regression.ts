/** A whole training program in a few nodes: linear regression by gradient descent with momentum. */
import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import type { Graph, HostTensor } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';

export const BATCH = 8;

/** Inputs: x [8, 3], y [8, 2], rate; carried: weight, bias and their momenta. Outputs: loss, and `next NAME` for each. */
export function regressionStep(): { graph: Graph; carries: Record<string, string> } {
  const g = createGraph();
  const x = ops.input(g, 'x', [BATCH, 3]);
  const rate = ops.input(g, 'rate', []);
  const parameters = { weight: ops.input(g, 'weight', [2, 3]), bias: ops.input(g, 'bias', [2]) };
  const { weight, bias } = parameters;
  const error = ops.sub(g, ops.matmul(g, x, weight, { transposeB: true, bias }), ops.input(g, 'y', [BATCH, 2]));
  const loss = ops.reduceMean(g, ops.mul(g, error, error), [0, 1]);
  const slopes = gradients(g, loss, [weight, bias]);
  const next = Object.entries(parameters).flatMap(([name, parameter], i) => {
    const momentum = ops.input(g, `${name} momentum`, g.shape(parameter));
    const faster = ops.add(g, ops.mul(g, momentum, ops.constant(g, 0.9)), slopes[i] ?? loss);
    return [
      [name, ops.sub(g, parameter, ops.mul(g, rate, faster))],
      [`${name} momentum`, faster],
    ] as const;
  });
  return {
    graph: finish(g, { loss, ...Object.fromEntries(next.map(([name, id]) => [`next ${name}`, id])) }),
    carries: Object.fromEntries(next.map(([name]) => [`next ${name}`, name])),
  };
}

export function regressionStart(): Record<string, HostTensor> {
  const zeros = (shape: readonly number[], size: number) => ({ shape, data: new Float32Array(size) });
  const random = rng('regression start');
  return {
    weight: { shape: [2, 3], data: Float32Array.from({ length: 6 }, () => random.normal()) },
    bias: zeros([2], 2),
    'weight momentum': zeros([2, 3], 6),
    'bias momentum': zeros([2], 2),
  };
}

/** The batch of one step, drawn from a seed. */
export function regressionFeeds(step: number): Record<string, HostTensor> {
  const random = rng('regression', step);
  const draw = (shape: readonly number[], size: number) => ({
    shape,
    data: Float32Array.from({ length: size }, () => random.normal()),
  });
  return {
    x: draw([BATCH, 3], 3 * BATCH),
    y: draw([BATCH, 2], 2 * BATCH),
    rate: { shape: [], data: Float32Array.of(0.05) },
  };
}
