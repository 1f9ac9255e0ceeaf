import { type ConvGeometry, type Graph, type Node, type NodeId, type Shape, sizeOf } from '../ir.ts';
import { sameShape } from '../ops/definition.ts';
import { add, constant, type GraphBuilder, mul, neg, sub } from '../ops.ts';
import { eliminateDeadCode } from './eliminate.ts';
import { rebuild } from './rebuild.ts';
import { areApart, joinStrips, type Strip, stripOf } from './strips.ts';
import { useCounts } from './uses.ts';

/** A node of a graph, added or taken away. */
interface Term {
  readonly id: NodeId;
  readonly minus: boolean;
}

/** What a term is to a sum of larger or equal shape. */
type Part =
  /** It is broadcast. */
  | { readonly kind: 'narrow' }
  /** x, or x · factor with a factor smaller than x. */
  | { readonly kind: 'multiple'; readonly x: NodeId; readonly factor: NodeId | undefined }
  /** A convolution or the gradient of one by its input, which nothing else reads. */
  | { readonly kind: 'convolution'; readonly node: Node & { readonly op: ConvGeometry } }
  /** A tensor amid zeros. */
  | { readonly kind: 'strip'; readonly piece: NodeId; readonly strip: Strip };

type PartTerm = Term & { readonly part: Part };

/**
 * Sums with less work: of a whole tree of additions, x·a + x·b becomes x·(a + b) for a and b smaller than x, convolutions of
 * one tensor with equal geometry become one with the sum of their filters, likewise their input gradients, summands that are
 * broadcast are added to one another first, and tensors padded to different parts of the sum are joined. Where there is nothing to do, it returns the given graph itself.
 */
export function combineSums(graph: Graph): Graph {
  const { nodes } = graph;
  const uses = useCounts(graph);
  const inside = insideSums(graph, uses);
  const at = (id: NodeId): Node => nodes[id] as Node;

  const termsOf = (id: NodeId, minus: boolean, root: boolean): Term[] => {
    const { op, inputs } = at(id);
    if (!root && inside[id] !== 1) return [{ id, minus }];
    const [a, b] = inputs as [NodeId, NodeId];
    if (op.kind === 'unary') return termsOf(a, !minus, false);
    const second = op.kind === 'binary' && op.fn === 'sub' ? !minus : minus;
    return [...termsOf(a, minus, false), ...termsOf(b, second, false)];
  };

  const partOf = (id: NodeId, whole: Shape): Part => {
    const node = at(id);
    const { op, inputs, shape } = node;
    if (!sameShape(shape, whole)) return { kind: 'narrow' };
    if (uses[id] !== 1) return { kind: 'multiple', x: id, factor: undefined };
    if (op.kind === 'conv' || op.kind === 'convInputGrad') return { kind: 'convolution', node: { ...node, op } };
    if (op.kind === 'pad') {
      const [piece = id] = inputs;
      const strip = stripOf(op.before, at(piece).shape, shape);
      if (strip !== undefined) return { kind: 'strip', piece, strip };
    }
    if (op.kind === 'binary' && op.fn === 'mul') {
      const [a, b] = inputs as [NodeId, NodeId];
      const isFactor = (factor: NodeId) => sizeOf(at(factor).shape) < sizeOf(shape);
      if (sameShape(at(a).shape, shape) && isFactor(b)) return { kind: 'multiple', x: a, factor: b };
      if (sameShape(at(b).shape, shape) && isFactor(a)) return { kind: 'multiple', x: b, factor: a };
    }
    return { kind: 'multiple', x: id, factor: undefined };
  };

  /** Terms of one key become one term. */
  const keyOf = (id: NodeId, part: Part): string => {
    switch (part.kind) {
      case 'narrow':
        return `of [${at(id).shape}]`;
      case 'multiple':
        return `multiple of ${part.x}`;
      case 'convolution': {
        const { op, inputs } = part.node;
        const { stride, dilation, pads, groups } = op;
        return JSON.stringify([at(id).op.kind, inputs[0], at(inputs[1] ?? id).shape, stride, dilation, pads, groups]);
      }
      case 'strip':
        return `strip along ${part.strip.along}`;
    }
  };
  const isJoinable = (group: readonly PartTerm[]): boolean =>
    areApart(group.flatMap(({ part }) => (part.kind === 'strip' ? [part.strip] : [])));

  /** The groups of a sum's terms, by the node that is the sum, where some group has several terms. */
  const sums = new Map<NodeId, readonly (readonly PartTerm[])[]>();
  for (const [id, node] of nodes.entries()) {
    if (!isSum(node) || inside[id] === 1) continue;
    const terms = termsOf(id, false, true).map((term) => ({ ...term, part: partOf(term.id, node.shape) }));
    const groups = [...Map.groupBy(terms, (term) => keyOf(term.id, term.part)).values()].flatMap((group) =>
      isJoinable(group) ? [group] : group.map((term) => [term]),
    );
    if (groups.length < terms.length) sums.set(id, groups);
  }
  if (sums.size === 0) return graph;
  return eliminateDeadCode(
    rebuild(graph, (node, id, g, renamed) => {
      const groups = sums.get(id);
      if (groups === undefined) return g.add(node.op, node.inputs);
      return total(
        g,
        groups.map((group) => {
          const [first, second] = group;
          if (first === undefined) throw new RangeError('a group has a term');
          if (second === undefined) return { id: renamed(first.id), minus: first.minus };
          const minus = group.every((term) => term.minus);
          const terms = group.map((term) => ({ ...term, minus: term.minus && !minus }));
          return { id: joined(g, terms, first, renamed), minus };
        }),
      );
    }),
  );

  function joined(
    g: GraphBuilder,
    group: readonly PartTerm[],
    { id: first, part }: PartTerm,
    renamed: (id: NodeId) => NodeId,
  ): NodeId {
    switch (part.kind) {
      case 'narrow':
        return total(
          g,
          group.map((term) => ({ ...term, id: renamed(term.id) })),
        );
      case 'multiple': {
        const factors = group.map(({ minus, part: own }) => {
          const factor = own.kind === 'multiple' ? own.factor : undefined;
          return { id: factor === undefined ? constant(g, 1) : renamed(factor), minus };
        });
        return mul(g, renamed(part.x), total(g, factors));
      }
      case 'convolution': {
        const operands = (i: number) =>
          group.flatMap(({ id, minus }) => {
            const operand = at(id).inputs[i];
            return operand === undefined ? [] : [{ id: renamed(operand), minus }];
          });
        const biases = operands(2);
        const bias = biases.length === 0 ? [] : [total(g, biases)];
        return g.add(at(first).op, [renamed(part.node.inputs[0] as NodeId), total(g, operands(1)), ...bias]);
      }
      case 'strip': {
        const pieces = group.flatMap(({ part: own, minus }) =>
          own.kind === 'strip' ? [{ strip: own.strip, term: { id: renamed(own.piece), minus } }] : [],
        );
        const places = [...Map.groupBy(pieces, ({ strip }) => strip.start).values()];
        const summed = places.flatMap((place) => {
          const [one] = place;
          const terms = place.map(({ term }) => term);
          return one === undefined ? [] : [{ strip: one.strip, id: total(g, terms) }];
        });
        return joinStrips(g, summed, at(first).shape);
      }
    }
  }
}

/** The sum of the terms from left to right, one that is added first. */
function total(g: GraphBuilder, terms: readonly Term[]): NodeId {
  const start = Math.max(
    0,
    terms.findIndex(({ minus }) => !minus),
  );
  const first = terms[start];
  if (first === undefined) throw new RangeError('a sum has a term');
  const from = first.minus ? neg(g, first.id) : first.id;
  return terms.toSpliced(start, 1).reduce((sum, { id, minus }) => (minus ? sub : add)(g, sum, id), from);
}

/** Additions, subtractions and negations. */
function isSum({ op }: Node): boolean {
  if (op.kind === 'unary') return op.fn === 'neg';
  return op.kind === 'binary' && (op.fn === 'add' || op.fn === 'sub');
}

/** 1 for each node of a sum that only a larger sum of the same shape reads. */
function insideSums({ nodes }: Graph, uses: Int32Array): Uint8Array {
  const inside = new Uint8Array(nodes.length);
  for (const node of nodes) {
    if (!isSum(node)) continue;
    for (const from of node.inputs) {
      const operand = nodes[from] as Node;
      if (uses[from] === 1 && isSum(operand) && sameShape(operand.shape, node.shape)) inside[from] = 1;
    }
  }
  return inside;
}
