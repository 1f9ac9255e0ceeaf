import type { Graph, Node, NodeId } from '../../graph/ir.ts';
import { sameShape } from '../../graph/ops/definition.ts';
import { numberOf } from '../../graph/passes/rules/operands.ts';
import { readersOf } from '../../graph/passes/uses.ts';
import type { Factor } from './value.ts';
import { vectorLength } from './vectors.ts';

/** Numbers that matrix products multiply their results by anyway, so that no operator of its own does. */
export interface Factors {
  /** What is read in place of a product with a number. */
  readonly instead: ReadonlyMap<NodeId, NodeId>;
  readonly of: ReadonlyMap<NodeId, Factor>;
}

/**
 * A product x · c with a number c needs no operator if only matrix products read it, or if x is a matrix product with no other reader.
 * Reshapes and transposes may stand between them. `isTaken`: this node is lowered in another way.
 */
export function findFactors(graph: Graph, isTaken: (id: NodeId) => boolean): Factors {
  const { nodes } = graph;
  const readers = readersOf(graph);
  const outputs = new Set(Object.values(graph.outputs));
  const instead = new Map<NodeId, NodeId>();
  const of = new Map<NodeId, Factor>();
  const multiply = (id: NodeId, by: Factor) => {
    const { product, summand } = of.get(id) ?? { product: 1, summand: 1 };
    of.set(id, { product: product * by.product, summand: summand * by.summand });
  };

  /** The matrix products that read it, one that reads it twice twice; undefined where something else does. */
  const productsFrom = (id: NodeId): readonly NodeId[] | undefined => {
    if (outputs.has(id) || isTaken(id)) return undefined;
    const found: NodeId[] = [];
    for (const reader of new Set(readers[id])) {
      const { op, inputs } = nodes[reader] as Node;
      const through = isMoved(nodes[reader] as Node) ? productsFrom(reader) : undefined;
      if (through !== undefined) found.push(...through);
      else if (op.kind === 'matmul' && inputs[2] !== id && takesFactor(nodes[reader] as Node))
        found.push(...inputs.filter((one) => one === id).map(() => reader));
      else return undefined;
    }
    return found.length === 0 ? undefined : found;
  };

  /** The matrix product that x is, if nothing else reads it. */
  const productBehind = (x: NodeId): NodeId | undefined => {
    if (readers[x]?.length !== 1 || outputs.has(x) || isTaken(x)) return undefined;
    const node = nodes[x] as Node;
    const [from = -1] = node.inputs;
    if (isMoved(node)) return productBehind(from);
    return node.op.kind === 'matmul' && (node.inputs.length === 2 || isSingle(node)) && takesFactor(node)
      ? x
      : undefined;
  };

  for (const [id, node] of nodes.entries()) {
    const scaled = scaledBy(nodes, node);
    if (scaled === undefined || isTaken(id) || vectorLength(node.shape) !== undefined) continue;
    const { x, factor } = scaled;
    const own = productBehind(x);
    const products = own === undefined ? productsFrom(id) : [own];
    if (products === undefined) continue;
    // An operand has nothing to do with the summand.
    for (const product of products) multiply(product, { product: factor, summand: own === undefined ? 1 : factor });
    instead.set(id, x);
  }
  return { instead, of };
}

/** The same numbers in another shape or order of axes. */
const isMoved = ({ op }: Node): boolean => op.kind === 'reshape' || op.kind === 'transpose';

/** One product, whose summand is multiplied as well; batched ones add theirs afterwards. */
const isSingle = ({ shape }: Node): boolean => shape.length === 2;

/** Batched products of one vector are lowered without a factor (`lowerings/matmul.ts`). */
const takesFactor = ({ shape }: Node): boolean => shape.length === 2 || shape.slice(0, -2).some((n) => n !== 1);

/** x and c of x · c, where c is one number and x has the shape of the result. */
function scaledBy(
  nodes: readonly Node[],
  { op, inputs, shape }: Node,
): { readonly x: NodeId; readonly factor: number } | undefined {
  if (op.kind !== 'binary' || op.fn !== 'mul') return undefined;
  const [a = -1, b = -1] = inputs;
  for (const [x, c] of [
    [a, b],
    [b, a],
  ] as const) {
    const factor = numberOf({ node: (id) => nodes[id] as Node }, c);
    if (factor !== undefined && sameShape((nodes[x] as Node).shape, shape)) return { x, factor };
  }
  return undefined;
}
