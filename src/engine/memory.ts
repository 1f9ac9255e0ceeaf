import { type Graph, type Node, type Shape, sizeOf } from '../graph/ir.ts';
import { peakBytes } from '../graph/liveness.ts';
import { rematerialize } from '../graph/passes/rematerialize.ts';

/**
 * Memory that a program takes which keeps it (`CompileOptions.memory`), in bytes, predicted from its optimized graph:
 * everything that is alive at the same time, the state's second buffers, what operators need beside their results, and what
 * each node costs to compile. `block` is that of the engine. `bench/preflight.ts` compares it with what processes really
 * take; the constants are fitted there.
 */
export function programBytes(graph: Graph, block: number): number {
  const values = peakBytes(rematerialize(graph), (node, operands) => workspace(node, operands, block));
  return Math.round(SLACK * values) + SESSION + (block > 0 ? BLOCKED_NODE : PLAIN_NODE) * graph.nodes.length;
}

/** The runtime's arena hands out blocks that fit worse than perfectly. */
const SLACK = 1.5;
const SESSION = 8 * 2 ** 20;
/** Passes and lowering leave garbage, too. */
const PLAIN_NODE = 40 * 2 ** 10;
const BLOCKED_NODE = 60 * 2 ** 10;

/** Elements that the lowering of an operator holds beside its result. */
function workspace({ op, shape }: Node, operands: readonly Shape[], block: number): number {
  if (op.kind !== 'convWeightGrad') return 0;
  const [images = 1, , height = 1, width = 1] = operands[1] ?? [];
  const [outputs = 1, inputs = 1, ...kernel] = shape;
  // A product for each image, and the input as each tap of the filter sees it.
  const products = images * sizeOf(shape);
  if (sizeOf(kernel) === 1) return products;
  const unfolded = images * inputs * op.groups * sizeOf(kernel) * height * width;
  if (block === 0) return products + unfolded;
  const isDepthwise = inputs === 1 && outputs === op.groups;
  if (isDepthwise) return products + unfolded / sizeOf(kernel);
  // In blocks a dense filter's columns come one after another.
  return (products + unfolded) / (inputs % block === 0 ? 3 : 1);
}
