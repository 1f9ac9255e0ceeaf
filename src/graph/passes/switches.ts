/**
 * Rewrites around `select`, after which all that only one option needs hangs on that option alone, so that an engine can
 * leave it out when another is chosen. The gradient by an option is a switch between zeros and one value. Everything
 * linear that follows it goes inside that option (`sink`), until sums over options, over switches and over other branches
 * bring values together again (`mergeSums`); and inside an option, other switches on the same index are known (`resolve`).
 */
import type { Graph, Node, NodeId, Op } from '../ir.ts';
import { add, constant, type GraphBuilder, select } from '../ops.ts';
import { type Condition, chosen, demands } from './demand.ts';
import { eliminateDeadCode } from './eliminate.ts';
import { givesZero } from './foldZeros.ts';
import { rebuild } from './rebuild.ts';

/** Wants zeros folded (`foldZeros`) and leaves some to fold. Where there is nothing to do, the very graph it was given. */
export function settleSwitches(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op.kind === 'select')) return graph;
  const sunk = sink(graph);
  return resolve(mergeSums(sunk === graph ? graph : eliminateDeadCode(sunk)));
}

function isZero(nodes: readonly Node[], id: NodeId | undefined): boolean {
  const { op, inputs } = nodes[id ?? -1] ?? {};
  if (op?.kind === 'broadcastTo') return isZero(nodes, inputs?.[0]);
  return op?.kind === 'constant' && op.data.every((value) => value === 0);
}

/** A switch all of whose options but one are zero. */
interface OneHot {
  readonly index: NodeId;
  readonly option: number;
  readonly value: NodeId;
}

/** f(select(i; 0, x, 0), y) becomes select(i; 0, f(x, y), 0) where f of zero is zero. */
function sink(graph: Graph): Graph {
  let changed = false;
  const result = rebuild(graph, ({ op, inputs }, _id, g) => {
    const sunk = op.kind === 'select' ? onlyOption(inputs) : addSunk(g, op, inputs);
    changed ||= sunk !== undefined;
    return sunk ?? g.add(op, inputs);
  });
  return changed ? result : graph;
}

/** What a select gives whatever its index is, if all its options are one. */
function onlyOption([, first, ...others]: readonly NodeId[]): NodeId | undefined {
  return others.every((option) => option === first) ? first : undefined;
}

function addSunk(g: GraphBuilder, op: Op, inputs: readonly NodeId[]): NodeId | undefined {
  for (const from of inputs) {
    const one = oneHot(g.nodes, from);
    if (one === undefined) continue;
    const alike = (id: NodeId | undefined): OneHot | undefined => {
      const other = id === undefined ? undefined : oneHot(g.nodes, id);
      return other?.index === one.index && other.option === one.option ? other : undefined;
    };
    if (!givesZero({ op, inputs }, (id) => alike(id) !== undefined || isZero(g.nodes, id))) continue;
    const within = inputs.map((id) => alike(id)?.value ?? id);
    const inner = addSunk(g, op, within) ?? g.add(op, within);
    const zero = constant(g, 0, g.shape(inner));
    const count = (g.nodes[from]?.inputs.length ?? 0) - 1;
    return select(
      g,
      one.index,
      Array.from({ length: count }, (_, k) => (k === one.option ? inner : zero)),
    );
  }
  return undefined;
}

function oneHot(nodes: readonly Node[], id: NodeId): OneHot | undefined {
  const { op, inputs = [] } = nodes[id] ?? {};
  if (op?.kind !== 'select') return undefined;
  const [index, ...options] = inputs;
  const others = options.flatMap((option, k) => (isZero(nodes, option) ? [] : [k]));
  const [option] = others;
  const value = options[option ?? -1];
  return index !== undefined && option !== undefined && value !== undefined && others.length === 1
    ? { index, option, value }
    : undefined;
}

/**
 * A sum with switches among its terms becomes a chain of switches, one for each index, each of which adds what was chosen
 * to the sum so far: select(i; a, 0) + x + select(i; 0, b) is select(i; x + a, x + b). So a sum has a term more only
 * where that term is, and no zeros are made to be added.
 */
function mergeSums(graph: Graph): Graph {
  const { nodes } = graph;
  const uses = new Int32Array(nodes.length);
  for (const { inputs } of nodes) for (const from of inputs) uses[from] = (uses[from] as number) + 1;
  for (const id of Object.values(graph.outputs)) uses[id] = 2;
  const isSum = (id: NodeId): boolean => {
    const { op, inputs, shape } = nodes[id] as Node;
    return op.kind === 'binary' && op.fn === 'add' && inputs.every((from) => `${nodes[from]?.shape}` === `${shape}`);
  };
  const inner = new Set(
    nodes.flatMap(({ inputs }, id) => (isSum(id) ? inputs.filter((from) => uses[from] === 1 && isSum(from)) : [])),
  );
  const termsOf = (id: NodeId): NodeId[] =>
    (nodes[id]?.inputs ?? []).flatMap((from) => (inner.has(from) ? termsOf(from) : [from]));
  // What else reads it has a switch made for itself; not worth it, unless there is but one value in it.
  const mergeable = (id: NodeId) =>
    nodes[id]?.op.kind === 'select' && (uses[id] === 1 || oneHot(nodes, id) !== undefined);
  const roots = nodes.flatMap((_, id) => (isSum(id) && !inner.has(id) && termsOf(id).some(mergeable) ? [id] : []));
  if (roots.length === 0) return graph;
  const merged = new Set(roots);
  return rebuild(graph, ({ op, inputs }, id, g, renamed) => {
    if (!merged.has(id)) return g.add(op, inputs);
    const terms = termsOf(id);
    const others = terms.filter((term) => !mergeable(term));
    return addMerged(g, others.map(renamed), terms.filter(mergeable).map(renamed));
  });
}

function addMerged(g: GraphBuilder, others: readonly NodeId[], switches: readonly NodeId[]): NodeId {
  const total = (ids: readonly (NodeId | undefined)[]): NodeId | undefined =>
    ids.reduce((sum, id) => {
      if (id === undefined || isZero(g.nodes, id)) return sum;
      return sum === undefined ? id : add(g, sum, id);
    }, undefined);
  const operands = (id: NodeId) => (g.nodes[id] as Node).inputs;
  const first = switches[0] ?? others[0] ?? 0;
  const nothing = () => constant(g, 0, g.shape(first));
  let sum = total(others);
  for (const [index, group] of Map.groupBy(switches, (id) => operands(id)[0] ?? id)) {
    const count = Math.max(...group.map((id) => operands(id).length)) - 1;
    const options = Array.from({ length: count }, (_, k) => total([sum, ...group.map((id) => operands(id)[k + 1])]));
    sum = select(
      g,
      index,
      options.map((option) => option ?? nothing()),
    );
  }
  return sum ?? nothing();
}

/** Where a value is asked for only if an index has some option, a switch on that index is that option. */
function resolve(graph: Graph): Graph {
  const conditions = demands(graph);
  const { nodes } = graph;
  let changed = false;
  const known = (id: NodeId, condition: Condition): NodeId => {
    const { op, inputs } = nodes[id] as Node;
    const option = op.kind === 'select' ? condition.get(inputs[0] ?? id) : undefined;
    const value = option === undefined ? undefined : inputs[option + 1];
    if (value === undefined) return id;
    changed = true;
    return known(value, condition);
  };
  const resolved = nodes.map((node, id): Node => {
    const own = conditions[id];
    if (own === undefined) return node;
    const inputs = node.inputs.map((from, i) =>
      known(from, node.op.kind === 'select' && i > 0 ? chosen(own, node.inputs[0] ?? id, i - 1) : own),
    );
    return { ...node, inputs };
  });
  return changed ? resolve({ nodes: resolved, outputs: graph.outputs }) : graph;
}
