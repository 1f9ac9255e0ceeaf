import { type Graph, type Node, type Shape, sizeOf } from '../graph/ir.ts';
import { peakBytes } from '../graph/liveness.ts';

/**
 * Memory that runs of a program take, in bytes, predicted from its graph: everything that is alive at the same time, the
 * state's second buffers, and what operators need beside their results. `bench/preflight.ts` compares it with what the
 * process really takes.
 */
export function programBytes(graph: Graph): number {
  return Math.round(SLACK * peakBytes(graph, workspace)) + SESSION + NODE * graph.nodes.length;
}

/** The runtime's arena hands out blocks that fit worse than perfectly. */
const SLACK = 1.2;
/** Of any session, and of each of its nodes: the model's own text, plans and kernels. */
const SESSION = 16 * 2 ** 20;
const NODE = 8 * 2 ** 10;

/** Elements that the lowering of an operator holds beside its result. */
function workspace({ op, shape }: Node, operands: readonly Shape[]): number {
  if (op.kind !== 'convWeightGrad') return 0;
  const [images = 1, , height = 1, width = 1] = operands[1] ?? [];
  const [, perGroup = 1, ...kernel] = shape;
  // A product for each image, and the input as each tap of the filter sees it.
  const products = images * sizeOf(shape);
  return sizeOf(kernel) === 1 ? products : products + images * perGroup * op.groups * sizeOf(kernel) * height * width;
}
