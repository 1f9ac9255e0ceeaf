/**
 * Rematerialization (Chen et al. 2016, "Training deep nets with sublinear memory cost"), of single tensors: what is kept
 * from the forward to the backward part only to be read there is dropped, and recomputed before it is read, where that
 * is cheap and starts from tensors that are kept anyway. A 1x1 convolution and its ReLU take as long as reading their
 * result from main memory, so a step is no slower for it.
 */
import { flopsOf } from '../flops.ts';
import { type Graph, type Node, type NodeId, sizeOf } from '../ir.ts';
import { lifetimes, neededNodes, peakOf } from '../liveness.ts';
import type { GraphBuilder } from '../ops.ts';
import { rebuild } from './rebuild.ts';

/** Bytes: programs that need less than this fit, and those of few, small tensors find them in the cache. */
const LEAST_PEAK = 2 ** 30;
/** Share of the peak that must be saved; for less, the graph does not change. */
const LEAST_GAIN = 1 / 16;
/** What reading or writing a float costs, in multiply-adds. */
const FLOAT_MOVED = 8;
/** Multiply-adds and moves that may be spent to save one float of memory: a 1x1 convolution of 64 channels to 64. */
const WORTH_OF_A_FLOAT = 90;
/** Tensors with fewer floats are not recomputed. */
const LEAST_FLOATS = 2 ** 14;
/** Operands as much smaller than the tensor may be kept for it. */
const NEGLIGIBLE = 1 / 64;
/** Operators to compute one tensor again. */
const LONGEST_CHAIN = 12;

/** A tensor that could be computed again. */
interface Candidate {
  readonly id: NodeId;
  readonly floats: number;
  /** What is to be computed again for it, itself included. */
  readonly chain: ReadonlySet<NodeId>;
  /** What the chain reads. */
  readonly leaves: readonly NodeId[];
  /** In multiply-adds. */
  readonly cost: number;
}

/**
 * Computes a second time, after the moment of the largest estimated memory, what would be kept across that moment, if it costs at
 * most `WORTH_OF_A_FLOAT` for each float. The cheapest come first; what one of them starts from stays. The copies stand right
 * before what reads them. Does nothing where the peak is small or would hardly fall, or where switches decide what is alive.
 *
 * `leastPeak` is in bytes, 1 GiB by default. To be called last: eliminating common subexpressions would undo it. n log n in the nodes.
 */
export function rematerialize(graph: Graph, leastPeak = LEAST_PEAK): Graph {
  if (graph.nodes.some(({ op }) => op.kind === 'select')) return graph;
  const peak = peakOf(graph);
  if (peak.bytes < leastPeak) return graph;
  const chosen = choose(candidatesAcross(graph, peak.at));
  if (chosen.size === 0) return graph;
  const result = recompute(graph, chosen, peak.at);
  return peakOf(result).bytes <= (1 - LEAST_GAIN) * peak.bytes ? result : graph;
}

/** Tensors that are made before the moment `at`, read after it, and that can be computed again from others which are. */
function candidatesAcross(graph: Graph, at: NodeId): readonly Candidate[] {
  const { nodes } = graph;
  const needed = neededNodes(graph);
  const { owner, end } = lifetimes(graph, needed);
  const node = (id: NodeId): Node => nodes[id] as Node;
  const ownerOf = (id: NodeId): NodeId => owner[id] as NodeId;
  const endOf = (id: NodeId): NodeId => end[id] as NodeId;
  const size = (id: NodeId): number => sizeOf(node(id).shape);
  const firstUse = new Int32Array(nodes.length).fill(nodes.length);
  for (let id = nodes.length - 1; id > at; id--) {
    if (needed[id] === 1 && owner[id] === id) for (const from of node(id).inputs) firstUse[ownerOf(from)] = id;
  }

  function candidate(id: NodeId): Candidate | undefined {
    const [floats, use] = [size(id), firstUse[id] as NodeId];
    const chain = new Set<NodeId>();
    const leaves: NodeId[] = [];
    let cost = 0;
    const visit = (from: NodeId): boolean => {
      if (chain.has(from)) return true;
      if (!isCheap(nodes, from) || chain.size === LONGEST_CHAIN) return false;
      chain.add(from);
      const { inputs } = node(from);
      if (owner[from] === from) cost += costOf(nodes, from);
      return inputs.every((operand) => {
        const own = ownerOf(operand);
        const isKept = node(own).inputs.length === 0 || endOf(own) >= use || size(own) <= NEGLIGIBLE * floats;
        if (isKept) leaves.push(own);
        return isKept || visit(operand);
      });
    };
    return visit(id) ? { id, floats, chain, leaves, cost } : undefined;
  }

  const found: Candidate[] = [];
  for (let id = 0; id <= at; id++) {
    // What an output keeps is kept in any case.
    const isAcross = owner[id] === id && needed[id] === 1 && endOf(id) > at && endOf(id) < nodes.length;
    if (!isAcross || node(id).inputs.length === 0 || size(id) < LEAST_FLOATS) continue;
    const one = candidate(id);
    if (one !== undefined) found.push(one);
  }
  return found;
}

/** Those that pay, none of which is what another starts from. */
function choose(candidates: readonly Candidate[]): ReadonlyMap<NodeId, Candidate> {
  const chosen = new Map<NodeId, Candidate>();
  const kept = new Set<NodeId>();
  const paying = candidates.filter(({ cost, floats }) => cost <= WORTH_OF_A_FLOAT * floats);
  for (const one of paying.sort((a, b) => a.cost / a.floats - b.cost / b.floats || a.id - b.id)) {
    if (kept.has(one.id) || one.leaves.some((leaf) => chosen.has(leaf))) continue;
    chosen.set(one.id, one);
    for (const leaf of one.leaves) kept.add(leaf);
  }
  return chosen;
}

/** The graph in which what comes after `at` reads copies of the chosen tensors. */
function recompute(graph: Graph, chosen: ReadonlyMap<NodeId, Candidate>, at: NodeId): Graph {
  const { nodes } = graph;
  const { owner } = lifetimes(graph, neededNodes(graph));
  const node = (id: NodeId): Node => nodes[id] as Node;
  const copies = new Map<NodeId, NodeId>();
  return rebuild(graph, ({ op, inputs }, id, g, renamed) => {
    if (id <= at) return g.add(op, inputs);
    const operands = node(id).inputs.map((from) =>
      from <= at && chosen.has(owner[from] as NodeId) ? copyOf(from, g, renamed) : renamed(from),
    );
    return g.add(op, operands);
  });

  /** Of a chosen tensor or of a view of one. */
  function copyOf(id: NodeId, g: GraphBuilder, renamed: (old: NodeId) => NodeId): NodeId {
    const known = copies.get(id);
    if (known !== undefined) return known;
    const { op, inputs } = node(id);
    const one = chosen.get(id);
    const copy =
      one === undefined
        ? g.add(
            op,
            inputs.map((from) => copyOf(from, g, renamed)),
          )
        : copyOfChain(one, g, renamed);
    copies.set(id, copy);
    return copy;
  }

  function copyOfChain({ id, chain }: Candidate, g: GraphBuilder, renamed: (old: NodeId) => NodeId): NodeId {
    const again = new Map<NodeId, NodeId>();
    for (const from of [...chain].sort((a, b) => a - b)) {
      const { op, inputs } = node(from);
      again.set(
        from,
        g.add(
          op,
          inputs.map((operand) => again.get(operand) ?? renamed(operand)),
        ),
      );
    }
    return again.get(id) as NodeId;
  }
}

/** What can be cheap: what looks at each number of its operands once, or at few. */
function isCheap(nodes: readonly Node[], id: NodeId): boolean {
  const { op, inputs } = nodes[id] as Node;
  switch (op.kind) {
    case 'unary':
    case 'clip':
    case 'binary':
    case 'reshape':
    case 'broadcastTo':
    case 'concat':
    case 'pad':
    case 'maxPool':
    case 'avgPool':
      return true;
    case 'conv': {
      const [, , height, width] = nodes[inputs[1] ?? id]?.shape ?? [];
      return height === 1 && width === 1;
    }
    default:
      return false;
  }
}

/** Of one operator, in multiply-adds. */
function costOf(nodes: readonly Node[], id: NodeId): number {
  const { op, inputs, shape } = nodes[id] as Node;
  const moved = inputs.reduce((sum, from) => sum + sizeOf(nodes[from]?.shape ?? []), sizeOf(shape));
  const window = op.kind === 'maxPool' || op.kind === 'avgPool' ? sizeOf(op.kernel) * sizeOf(shape) : 0;
  return flopsOf(nodes, id) + window + FLOAT_MOVED * moved;
}
