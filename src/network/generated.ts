import type { GraphBuilder } from '../graph/builder.ts';
import { type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import type { OpenChoices } from './lowering.ts';
import type { Initializer, OpenDecision, Parameter } from './network.ts';
import { openChoices, openWirings } from './open-decisions.ts';
import { switchedWith } from './switch.ts';

/** A supernet of single paths, the weights of whose options a hypernetwork generates from the encoding of the path (Brock et al. 2017). */
export interface GeneratedForm {
  readonly kind: 'generated';
  /** Units of the hypernetwork's hidden layer. */
  readonly hidden: number;
  /** Numbers that describe a slice of a tensor, and that the hypernetwork weighs. */
  readonly rank: number;
}

/** The input [1, options of all decisions] that says which architecture the weights are generated for: a one for each option that it takes. */
export const ENCODING = 'hypernetwork:encoding';

/** The decisions that `ENCODING` encodes, in its order. */
export const encodedDecisions = (network: Module): readonly OpenDecision[] => [
  ...openChoices(network),
  ...openWirings(network),
];

/**
 * Single paths as of `switched`, where each tensor of two or more axes within an option is generated. A tensor [n, ...] has n slices, and slice i is
 *
 *     base[i] + Σ_r slices[i, r] · (tanh(encoding · W + b) · scales)[r] · patterns[r]
 *
 * W and b are those of one hidden layer for the whole network; the rest is of the tensor. The patterns are zeros at first, so that all architectures
 * begin with the same weights. Tensors of one axis (batch norm, biases), and those outside options, are trained as they are.
 */
export function generated(g: GraphBuilder, network: Module, { hidden, rank }: GeneratedForm): OpenChoices {
  const weights: Parameter[] = [];
  const decisions = encodedDecisions(network);
  const length = decisions.reduce((sum, { options }) => sum + options.length, 0);
  const trained = (path: string, shape: Shape, initializer: Initializer): NodeId => {
    const node = ops.input(g, path, shape);
    weights.push({ path, shape, initializer, node, when: [] });
    return node;
  };
  const code =
    length === 0
      ? undefined
      : g.within('hypernetwork', () => {
          // A one for each decision, so that the sum of the rows that it picks has a deviation of about 1.
          const deviation = 1 / Math.sqrt(decisions.length);
          const weight = trained('hypernetwork/weight', [length, hidden], { kind: 'normal', deviation });
          const bias = trained('hypernetwork/bias', [1, hidden], { kind: 'constant', value: 0 });
          return ops.tanh(g, ops.add(g, ops.matmul(g, ops.input(g, ENCODING, [1, length]), weight), bias));
        });
  const open = switchedWith(g, {});
  return {
    ...open,
    get switches() {
      return open.switches;
    },
    get when() {
      return open.when;
    },
    weights,
    generate(base, part) {
      const shape = g.shape(base);
      const [count = 1, ...rest] = shape;
      if (code === undefined || open.when.length === 0 || rest.length === 0) return base;
      const slices = part('slices', [count, rank], { kind: 'normal', deviation: 1 / Math.sqrt(count) });
      const scales = part('scales', [hidden, rank], { kind: 'normal', deviation: 1 / Math.sqrt(hidden) });
      const patterns = part('patterns', [rank, sizeOf(rest)], { kind: 'constant', value: 0 });
      const weighed = ops.mul(g, slices, ops.matmul(g, code, scales));
      return ops.add(g, base, ops.reshape(g, ops.matmul(g, weighed, patterns), shape));
    },
  };
}
