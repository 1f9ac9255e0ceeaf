import { type Graph, type Node, type NodeId, type Op, type Shape, sizeOf, type UnaryFunction } from '../ir.ts';
import { sameShape } from '../ops/definition.ts';
import { made, type Rebuilder, rebuild } from './rebuild.ts';

/**
 * Takes out what is known to be zero: x + 0 becomes x, x · 0 becomes 0, a convolution of zeros becomes zeros, and so on.
 * Zeros spread from zerosLike and from constants; each shape has one zero tensor at the end, a broadcast constant, which
 * depends on nothing. So an edge of a cell that carries `zero` costs nothing, forward and backward.
 *
 * Numbers are taken to be finite: an infinity or NaN times zero counts as zero.
 */
export function foldZeros(graph: Graph): Graph {
  const zeros = new Set<NodeId>();
  const ofShape = new Map<string, NodeId>();
  const isZero = (id: NodeId | undefined): boolean => id !== undefined && zeros.has(id);
  const emitZero = (node: Node, to: Rebuilder): NodeId => {
    const key = node.shape.join(',');
    const known = ofShape.get(key);
    if (known !== undefined) return known;
    const single = sizeOf(node.shape) === 1;
    const op = { kind: 'constant', shape: single ? node.shape : [], data: [0] } as const;
    let id = to.emit(made(op, [], op.shape, node));
    if (!single) id = to.emit(made({ kind: 'broadcastTo', shape: node.shape }, [id], node.shape, node));
    zeros.add(id);
    ofShape.set(key, id);
    return id;
  };
  return rebuild(graph, (node, _id, to) => {
    if (givesZero(node, isZero)) return emitZero(node, to);
    return withoutZeroTerm(node, isZero, to) ?? to.emit(node);
  });
}

/** x + 0, 0 + x and x - 0 are x; 0 - x is -x; each broadcast if zero had the larger shape. */
function withoutZeroTerm(node: Node, isZero: (id: NodeId | undefined) => boolean, to: Rebuilder): NodeId | undefined {
  const { op, inputs, shape } = node;
  if (op.kind !== 'binary' || (op.fn !== 'add' && op.fn !== 'sub')) return undefined;
  const [a, b] = inputs;
  const term = isZero(b) ? a : isZero(a) ? b : undefined;
  if (term === undefined) return undefined;
  const own: Shape = to.nodes[term]?.shape ?? [];
  const value = op.fn === 'sub' && term === b ? to.emit(made({ kind: 'unary', fn: 'neg' }, [term], own, node)) : term;
  return sameShape(own, shape) ? value : to.emit(made({ kind: 'broadcastTo', shape }, [value], shape, node));
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
function givesZero({ op, inputs }: Node, isZero: (id: NodeId | undefined) => boolean): boolean {
  const [a, b, bias] = inputs;
  switch (op.kind) {
    case 'input':
    case 'logSoftmax':
      return false;
    case 'constant':
      return op.data.every((value) => value === 0);
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
