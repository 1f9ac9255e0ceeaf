import type { Graph, Node, NodeId } from '../ir.ts';
import { sameShape } from '../ops/definition.ts';
import { add, constant, div, type GraphBuilder, mul, neg, reshape, sub } from '../ops.ts';
import { eliminateDeadCode } from './eliminate.ts';
import { rebuild } from './rebuild.ts';
import { isByChannel } from './rules/operands.ts';
import { readersOf, useCounts } from './uses.ts';

/** A summand of a gradient [N, C, H, W]: a number by channel, times a tensor where there is one. */
interface Summand {
  readonly x: NodeId | undefined;
  readonly factor: NodeId;
  readonly minus: boolean;
}

/** A gradient scale · (first + rest), of which convolutions alone take their own. */
interface Scaled {
  readonly first: NodeId;
  readonly scale: NodeId;
  /** These are divided by the scale. */
  readonly rest: readonly Summand[];
}

/**
 * The gradient by the input of a batch norm is dy·a + x·b + c, with a number for each channel each, where a, the scale over the
 * deviation, is a factor of b and c. Of dy + x·(b/a) + c/a the convolution before it takes its gradients as well: with filters
 * times a the one by its input, times a itself the one by its filters. That is one pass over memory less, since dy need not be
 * scaled. The factor a is left out of b and c where they are made: nothing is divided by a scale, which may be 0.
 */
export function scaleGradients(graph: Graph): Graph {
  const { nodes } = graph;
  const found = scaledIn(graph);
  if (found.size === 0) return graph;
  const scaleOf = (id: NodeId | undefined) => (id === undefined ? undefined : found.get(id)?.scale);
  return eliminateDeadCode(
    rebuild(graph, ({ op, inputs }, id, g, renamed) => {
      const scaled = found.get(id);
      if (scaled !== undefined) return withoutScale(g, nodes, scaled, renamed);
      const own = (nodes[id] as Node).inputs;
      const [read = -1, other = -1] = inputs;
      if (op.kind === 'convInputGrad') {
        const scale = scaleOf(own[0]);
        return g.add(op, [read, scale === undefined ? other : mul(g, other, byFilter(g, renamed(scale)))]);
      }
      const scale = op.kind === 'convWeightGrad' ? scaleOf(own[1]) : undefined;
      const made = g.add(op, inputs);
      return scale === undefined ? made : mul(g, made, byFilter(g, renamed(scale)));
    }),
  );
}

/** [1, C, 1, 1] as a factor of filters: [C, 1, 1, 1]. */
function byFilter(g: GraphBuilder, scale: NodeId): NodeId {
  const [, channels = 1] = g.shape(scale);
  return reshape(g, scale, [channels, 1, 1, 1]);
}

function scaledIn(graph: Graph): ReadonlyMap<NodeId, Scaled> {
  const { nodes } = graph;
  const readers = readersOf(graph);
  const uses = useCounts(graph);
  const at = (id: NodeId): Node => nodes[id] as Node;
  const isGradientOf = (id: NodeId) => (reader: NodeId) => {
    const { op, inputs } = at(reader);
    const place = op.kind === 'convInputGrad' ? 0 : op.kind === 'convWeightGrad' ? 1 : -1;
    return inputs[place] === id && inputs[1 - place] !== id;
  };
  const found = new Map<NodeId, Scaled>();
  for (const [id, { op, shape }] of nodes.entries()) {
    if (op.kind !== 'binary' || shape.length !== 4) continue;
    const own = readers[id] ?? [];
    // What is an output as well counts twice more.
    if (own.length === 0 || uses[id] !== own.length || !own.every(isGradientOf(id))) continue;
    const summands = summandsOf(nodes, uses, id);
    const scaled = summands === undefined ? undefined : commonScale(nodes, summands);
    if (scaled !== undefined) found.set(id, scaled);
  }
  return found;
}

/** The summands of a sum; undefined where one is something else. */
function summandsOf(nodes: readonly Node[], uses: Int32Array, root: NodeId): readonly Summand[] | undefined {
  const { shape: whole } = nodes[root] as Node;
  const isFactor = (id: NodeId) => {
    const { shape } = nodes[id] as Node;
    return shape.length === 4 && shape[1] === whole[1] && isByChannel(shape, whole[1] ?? 0);
  };
  const collect = (id: NodeId, minus: boolean): readonly Summand[] | undefined => {
    const { op, inputs, shape } = nodes[id] as Node;
    if (isFactor(id)) return [{ x: undefined, factor: id, minus }];
    if (op.kind !== 'binary' || !sameShape(shape, whole) || (id !== root && uses[id] !== 1)) return undefined;
    const [a, b] = inputs as [NodeId, NodeId];
    if (op.fn === 'mul') {
      const [x, factor] = isFactor(b) ? [a, b] : [b, a];
      return isFactor(factor) && sameShape((nodes[x] as Node).shape, whole) ? [{ x, factor, minus }] : undefined;
    }
    if (op.fn !== 'add' && op.fn !== 'sub') return undefined;
    const [left, right] = [collect(a, minus), collect(b, op.fn === 'sub' ? !minus : minus)];
    return left && right && [...left, ...right];
  };
  return collect(root, false);
}

/** The first summand whose factor is one of all others, too. */
function commonScale(nodes: readonly Node[], summands: readonly Summand[]): Scaled | undefined {
  for (const first of summands) {
    if (first.x === undefined || first.minus) continue;
    const rest = summands.filter((summand) => summand !== first);
    const { numerator } = fraction(nodes, first.factor);
    const holds = factorIn(nodes, numerator);
    if (rest.length > 0 && rest.every(({ factor }) => holds(factor)))
      return { first: first.x, scale: first.factor, rest };
  }
  return undefined;
}

interface Fraction {
  readonly numerator: NodeId;
  readonly denominator: NodeId | undefined;
}

function fraction(nodes: readonly Node[], id: NodeId): Fraction {
  const { op, inputs } = nodes[id] as Node;
  const [numerator = id, denominator] = op.kind === 'binary' && op.fn === 'div' ? inputs : [];
  return { numerator, denominator };
}

const isOne = ({ op }: Node): boolean => op.kind === 'constant' && op.data.length === 1 && op.data[0] === 1;

/** Whether nodes are products that have this factor, or sums of such. */
function factorIn(nodes: readonly Node[], factor: NodeId): (id: NodeId) => boolean {
  if (isOne(nodes[factor] as Node)) return () => true;
  const known = new Map<NodeId, boolean>();
  const holds = (id: NodeId): boolean => {
    const memo = known.get(id);
    if (memo !== undefined) return memo;
    const result = id === factor || heldBy(id);
    known.set(id, result);
    return result;
  };
  const heldBy = (id: NodeId): boolean => {
    const { op, inputs } = nodes[id] as Node;
    const [a = -1, b = -1] = inputs;
    if (op.kind === 'unary') return op.fn === 'neg' && holds(a);
    if (op.kind !== 'binary') return false;
    switch (op.fn) {
      case 'mul':
        return holds(a) || holds(b);
      case 'div':
        return holds(a);
      case 'add':
      case 'sub':
        return holds(a) && holds(b);
      default:
        return false;
    }
  };
  return holds;
}

/** first + rest / scale. */
function withoutScale(
  g: GraphBuilder,
  nodes: readonly Node[],
  { first, scale, rest }: Scaled,
  renamed: (id: NodeId) => NodeId,
): NodeId {
  const { numerator, denominator } = fraction(nodes, scale);
  const holds = factorIn(nodes, numerator);
  /** A node without the factor; undefined for 1. */
  const quotient = (id: NodeId): NodeId | undefined => {
    if (isOne(nodes[numerator] as Node)) return renamed(id);
    if (id === numerator) return undefined;
    const { op, inputs } = nodes[id] as Node;
    const [a = -1, b = -1] = inputs;
    if (op.kind === 'unary') return neg(g, orOne(quotient(a)));
    const { fn } = op as Extract<typeof op, { kind: 'binary' }>;
    if (fn === 'mul') {
      const [held, other] = holds(a) ? [a, b] : [b, a];
      const part = quotient(held);
      return part === undefined ? renamed(other) : mul(g, part, renamed(other));
    }
    if (fn === 'div') return div(g, orOne(quotient(a)), renamed(b));
    return (fn === 'add' ? add : sub)(g, orOne(quotient(a)), orOne(quotient(b)));
  };
  const orOne = (id: NodeId | undefined): NodeId => id ?? constant(g, 1);
  return rest.reduce((sum, { x, factor, minus }) => {
    const part = quotient(factor);
    const divided =
      denominator === undefined
        ? orOne(part)
        : part === undefined
          ? renamed(denominator)
          : mul(g, part, renamed(denominator));
    const summand = x === undefined ? divided : mul(g, renamed(x), divided);
    return (minus ? sub : add)(g, sum, summand);
  }, renamed(first));
}
