import type { Graph, Node, NodeId, OpOf, Shape } from '../ir.ts';
import { isPointwise } from '../ops/conv.ts';
import { type GraphBuilder, matmul, mul, reduceMean, reduceSum, reshape, scale } from '../ops.ts';
import { eliminateDeadCode } from './eliminate.ts';
import { rebuild } from './rebuild.ts';
import { isByChannel } from './rules/operands.ts';
import { readersOf, useCounts } from './uses.ts';

/**
 * Up to how many input channels a group the second moment is taken from the input. The products of all pairs of channels cost
 * as much as a second convolution with as many filters; with more channels, keeping the convolution's result costs less.
 */
const MOST_CHANNELS = 32;
const CHANNEL_AXES = '0,2,3';

/**
 * Batch norm's mean(y) and mean(y²) of a 1x1 convolution y = W·d, by channel, from moments of d:
 * mean(y) = W·mean(d), and mean(y²) are the row sums of (W·G) ∘ W, where G = mean(d·dᵀ), [I, I], is the weight gradient of
 * such a convolution with d for both operands. What then reads y is y · scale alone, and scale moves into the filter
 * (rules/convolutions.ts): y is not kept, nor is its gradient computed.
 */
export function foldMoments(graph: Graph): Graph {
  const { nodes } = graph;
  const readers = readersOf(graph);
  const uses = useCounts(graph);
  const isMean = (id: NodeId): boolean => isChannelMean(nodes[id]);
  const isSquare = (id: NodeId, y: NodeId): boolean => {
    const { op, inputs } = nodes[id] as Node;
    return op.kind === 'binary' && op.fn === 'mul' && inputs.every((from) => from === y) && !isOutput(id);
  };
  const isScaling = (id: NodeId, y: NodeId): boolean => {
    const { op, inputs } = nodes[id] as Node;
    const other = inputs.find((from) => from !== y);
    if (op.kind !== 'binary' || op.fn !== 'mul' || other === undefined) return false;
    return isByChannel(nodes[other]?.shape ?? [], nodes[y]?.shape[1] ?? 0);
  };
  const isOutput = (id: NodeId): boolean => (uses[id] ?? 0) > (readers[id]?.length ?? 0);
  /** Means of y, or of y², by the node that computes them. */
  const moments = new Map<NodeId, { readonly y: NodeId; readonly squared: boolean }>();
  for (const [y, node] of nodes.entries()) {
    if (!isFoldable(node, nodes) || isOutput(y)) continue;
    const found = new Set(readers[y]);
    const means = [...found].filter(isMean);
    const squares = [...found].filter((id) => isSquare(id, y));
    const scalings = [...found].filter((id) => isScaling(id, y));
    const ofSquares = squares.flatMap((id) => readers[id] ?? []);
    if (scalings.length !== 1 || means.length + squares.length + 1 !== found.size) continue;
    if (means.length + squares.length === 0 || !ofSquares.every(isMean)) continue;
    for (const id of means) moments.set(id, { y, squared: false });
    for (const id of ofSquares) moments.set(id, { y, squared: true });
  }
  return eliminateDeadCode(
    rebuild(graph, ({ op, inputs }, id, g, renamed) => {
      const moment = moments.get(id);
      const made = moment === undefined ? undefined : (nodes[moment.y] as Node);
      if (moment === undefined || made === undefined) return g.add(op, inputs);
      const [d, w] = made.inputs.map(renamed) as [NodeId, NodeId];
      return moment.squared ? meanSquare(g, d, w, made) : mean(g, d, w, made);
    }),
  );
}

/** Whether a node is a mean by channel, [1, C, 1, 1]. */
export function isChannelMean(node: Node | undefined): boolean {
  const op = node?.op;
  return op?.kind === 'reduce' && op.fn === 'mean' && op.keepDims && `${op.axes}` === CHANNEL_AXES;
}

/** W·mean(d), [1, O, 1, 1]. */
function mean(g: GraphBuilder, d: NodeId, w: NodeId, y: Node): NodeId {
  const { groups, inner } = sizes(y, g.shape(w));
  const ofInput = reshape(g, reduceMean(g, d, [0, 2, 3], true), [groups, inner, 1]);
  return byChannel(g, matmul(g, matrices(g, w, groups), ofInput), y);
}

/** The row sums of (W·G) ∘ W, [1, O, 1, 1]. */
function meanSquare(g: GraphBuilder, d: NodeId, w: NodeId, y: Node): NodeId {
  const { groups, inner, outer } = sizes(y, g.shape(w));
  const { stride, dilation, pads } = y.op as OpOf<'conv'>;
  const [n = 1, , height = 1, width = 1] = g.shape(d);
  const products = {
    kind: 'convWeightGrad',
    shape: [groups * inner, inner, 1, 1],
    stride,
    dilation,
    pads,
    groups,
  } as const;
  const gram = reshape(g, g.add(products, [d, d]), [groups, inner, inner]); // of sums, not means
  const filters = matrices(g, w, groups);
  const sums = reduceSum(g, mul(g, matmul(g, filters, gram), filters), [2]); // [groups, outer]
  return byChannel(g, scale(g, reshape(g, sums, [groups * outer]), 1 / (n * height * width)), y);
}

/** W as a matrix for each group, [groups, O / groups, I]. */
function matrices(g: GraphBuilder, w: NodeId, groups: number): NodeId {
  const [o = 1, i = 1] = g.shape(w);
  return reshape(g, w, [groups, o / groups, i]);
}

const byChannel = (g: GraphBuilder, x: NodeId, { shape }: Node): NodeId => reshape(g, x, [1, shape[1] ?? 1, 1, 1]);

function sizes({ op }: Node, w: Shape): { groups: number; inner: number; outer: number } {
  const { groups } = op as OpOf<'conv'>;
  return { groups, inner: w[1] ?? 1, outer: (w[0] ?? 1) / groups };
}

function isFoldable({ op, inputs }: Node, nodes: readonly Node[]): boolean {
  if (op.kind !== 'conv' || inputs.length > 2) return false;
  const w = nodes[inputs[1] ?? -1]?.shape ?? [];
  const [, inner = 0] = w;
  return isPointwise(op, w) && inner > 1 && inner <= MOST_CHANNELS;
}
