import type { Graph, Node, NodeId, Op, UnaryFunction } from '../ir.ts';
import { broadcastTo, constant, type GraphBuilder, neg } from '../ops.ts';
import { rebuild } from './rebuild.ts';

/**
 * Takes out what is known to be zero: x + 0 becomes x, x · 0 becomes 0, a convolution of zeros becomes zeros, and so on.
 * Zeros spread from zerosLike and from constants; each shape has one zero tensor at the end, a broadcast constant, which
 * depends on nothing. So an edge of a cell that carries `zero` costs nothing, forward and backward.
 *
 * Numbers are taken to be finite: an infinity or NaN times zero counts as zero. Where there is nothing to do, the very graph
 * it was given.
 */
export function foldZeros(graph: Graph): Graph {
  if (isFolded(graph)) return graph;
  const zeros = new Set<NodeId>();
  const ofShape = new Map<string, NodeId>();
  const isZero = (id: NodeId | undefined): boolean => id !== undefined && zeros.has(id);
  const zeroOf = ({ op, inputs, shape }: Node, g: GraphBuilder): NodeId => {
    const key = shape.join(',');
    const id = ofShape.get(key) ?? (isZeroTensor(op) ? g.add(op, inputs) : constant(g, 0, shape));
    zeros.add(id);
    ofShape.set(key, id);
    return id;
  };
  return rebuild(graph, (node, _id, g) => {
    if (givesZero(node, isZero)) return zeroOf(node, g);
    return withoutZeroTerm(node, isZero, g) ?? g.add(node.op, node.inputs);
  });
}

/** Whether each shape has one zero tensor at most, and nothing is computed from them that is known. */
function isFolded({ nodes }: Graph): boolean {
  const zeros = new Set<NodeId>();
  const shapes = new Set<string>();
  const isZero = (id: NodeId | undefined): boolean => id !== undefined && zeros.has(id);
  for (const [id, node] of nodes.entries()) {
    const { op, inputs, shape } = node;
    if (givesZero(node, isZero)) {
      if (!isZeroTensor(op) || shapes.has(shape.join(','))) return false;
      zeros.add(id);
      shapes.add(shape.join(','));
    } else if (isSum(op) && inputs.some(isZero)) return false;
  }
  return true;
}

/** How a zero tensor is written: a number, or one that is broadcast. */
function isZeroTensor(op: Op): boolean {
  return op.kind === 'broadcastTo' || (op.kind === 'constant' && op.data.length === 1);
}

function isSum(op: Op): boolean {
  return op.kind === 'binary' && (op.fn === 'add' || op.fn === 'sub');
}

/** x + 0, 0 + x and x - 0 are x; 0 - x is -x; each broadcast if zero had the larger shape. */
function withoutZeroTerm(
  { op, inputs, shape }: Node,
  isZero: (id: NodeId | undefined) => boolean,
  g: GraphBuilder,
): NodeId | undefined {
  if (!isSum(op)) return undefined;
  const [a, b] = inputs;
  const term = isZero(b) ? a : isZero(a) ? b : undefined;
  if (term === undefined) return undefined;
  return broadcastTo(g, op.kind === 'binary' && op.fn === 'sub' && term === b ? neg(g, term) : term, shape);
}

/** fn(0) = 0 */
const KEEPS_ZERO: Readonly<Record<UnaryFunction, boolean>> = {
  relu: true,
  sigmoid: false,
  tanh: true,
  exp: false,
  log: false,
  sqrt: true,
  erf: true,
  neg: true,
  abs: true,
  step: true,
  zerosLike: true,
  stopGradient: true,
};

/** Whether the node's value is zero, given which of its operands are. */
export function givesZero(
  { op, inputs }: Pick<Node, 'op' | 'inputs'>,
  isZero: (id: NodeId | undefined) => boolean,
): boolean {
  const [a, b, bias] = inputs;
  switch (op.kind) {
    case 'input':
    case 'logSoftmax':
    case 'cast':
    case 'compare':
      return false;
    case 'constant':
      // Indices are no summands: a row 0 is as good as another.
      return op.dtype !== 'int32' && op.data.every((value) => value === 0);
    case 'unary':
      return op.fn === 'zerosLike' || (KEEPS_ZERO[op.fn] && isZero(a));
    case 'clip':
      return isZero(a) && op.low <= 0 && op.high >= 0;
    case 'binary':
      return binaryGivesZero(op, isZero(a), isZero(b));
    case 'matmul':
    case 'conv':
      return (isZero(a) || isZero(b)) && (bias === undefined || isZero(bias));
    case 'convInputGrad':
    case 'convWeightGrad':
      return isZero(a) || isZero(b);
    case 'maxPoolScatter':
    case 'maxPoolGather':
      return isZero(b);
    case 'select':
    case 'where':
      return inputs.slice(1).every(isZero);
    case 'gather':
    case 'scatterAdd':
      return isZero(a);
    case 'reduce':
    case 'broadcastTo':
    case 'reshape':
    case 'transpose':
    case 'slice':
    case 'pad':
    case 'concat':
    case 'maxPool':
    case 'avgPool':
    case 'avgPoolGrad':
      return inputs.every(isZero);
  }
}

function binaryGivesZero({ fn }: Extract<Op, { kind: 'binary' }>, a: boolean, b: boolean): boolean {
  switch (fn) {
    case 'mul':
      return a || b;
    case 'div':
      return a;
    case 'add':
    case 'sub':
    case 'max':
    case 'min':
      return a && b;
  }
}
