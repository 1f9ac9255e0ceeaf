import { largest, smallest } from '../../common/extremes.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import { type HostTensor, type Node, type NodeId, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { DEAD, finite, type Readout } from './readout.ts';
import { eigenvalues } from './spectrum.ts';

/** Eigenvalues below this share of the largest are rounding. */
const ROUNDING = 1e-12;

/**
 * NASWOT (Mellor et al. 2021, arXiv:2006.04647v3): the binary code of a sample says which of the network's ReLUs are above 0 for it;
 * K[i][j] counts the places where the codes of samples i and j agree, and the score is log |K|. Differs: ReLUs that lead to no output do not
 * count, equal codes bring a lowest score in place of -∞, and other activations count like ReLUs, by the sign of what goes into them: else
 * networks of SiLU would have no codes. One forward pass, and one product of 64 codes with each other for each activation.
 */
export const naswot: Readout = {
  append(context) {
    const { g, output } = context;
    const samples = g.shape(output)[0] ?? 1;
    const ids = Array.from({ length: output }, (_, id) => id).filter(
      // Batch norm clips variances by a ReLU of its own.
      (id) => isActivation(g.nodes[id]) && g.shape(id)[0] === samples && context.isAlive(id),
    );
    const products = ids.map((id) => {
      const flat = ops.reshape(g, ops.step(g, inputOf(g, id)), [samples, sizeOf(g.shape(id)) / samples]);
      const signs = ops.add(g, ops.scale(g, flat, 2), ops.constant(g, -1)); // ±1, [N, units]
      return context.counted(id, ops.matmul(g, signs, signs, { transposeB: true })); // agreements less disagreements
    });
    const first = ops.constant(g, 0, [samples, samples]);
    return { codes: products.reduce((sum, product) => ops.add(g, sum, product), first) };
  },
  score({ codes }) {
    const { shape, data } = codes as HostTensor;
    const n = shape[0] ?? 0;
    const units = data[0] ?? 0;
    const values = eigenvalues(
      Float64Array.from(data, (value) => (value + units) / 2),
      n,
    );
    const singular = smallest(values) <= ROUNDING * Math.max(1, largest(values));
    return singular ? DEAD : finite(values.reduce((sum, value) => sum + Math.log(value), 0));
  },
};

/**
 * Nodes that an activation is made of (network/activation.ts), one in each: of SiLU the sigmoid, of GELU the erf, of ReLU6, hard sigmoid and
 * hard swish the clip. */
const OF_ACTIVATIONS: ReadonlySet<string> = new Set(['relu', 'sigmoid', 'tanh', 'erf']);

function isActivation(node: Node | undefined): boolean {
  if (node?.op.kind === 'clip') return node.op.low === 0 && node.op.high === 6;
  return node?.op.kind === 'unary' && OF_ACTIVATIONS.has(node.op.fn);
}

/** What has the sign of an activation's input. */
function inputOf(g: GraphBuilder, id: NodeId): NodeId {
  const { op, inputs } = g.nodes[id] as Node;
  const [input] = inputs as [NodeId];
  // ReLU6 clips what it reads; hard sigmoid and hard swish add 3 first.
  const isShifted = op.kind === 'clip' && addsThree(g, input);
  return isShifted ? ops.add(g, input, ops.constant(g, -3)) : input;
}

function addsThree(g: GraphBuilder, id: NodeId): boolean {
  const { op, inputs } = g.nodes[id] as Node;
  return (
    op.kind === 'binary' &&
    op.fn === 'add' &&
    inputs.some((input) => {
      const added = g.nodes[input]?.op;
      return added?.kind === 'constant' && added.data.length === 1 && added.data[0] === 3;
    })
  );
}
