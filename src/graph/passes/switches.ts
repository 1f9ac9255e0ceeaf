/**
 * Rewrites around `select`, after which all that only one option needs depends on that option alone, so that an engine can
 * leave it out when another is chosen. The gradient by an option is a switch between zeros and one value. Everything
 * linear that follows it goes inside that option (`sink`), until sums over options, over switches and over other branches
 * bring values together again (`mergeSums`); and inside an option, other switches on the same index are known (`resolve`).
 */
import { largest } from '../../common/extremes.ts';
import type { Graph, Node, NodeId, Op, Shape } from '../ir.ts';
import { sameShape } from '../ops/definition.ts';
import { add, broadcastTo, constant, type GraphBuilder, select, sub } from '../ops.ts';
import { type Condition, chosen, demands, isHeavy } from './demand.ts';
import { eliminateDeadCode } from './eliminate.ts';
import { givesZero } from './fold-zeros.ts';
import { rebuild } from './rebuild.ts';

/** Wants zeros folded (`foldZeros`) and leaves some to fold. Where there is nothing to do, it returns the given graph itself. */
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

/** A switch with one option that is not zero. */
interface OneHot {
  readonly index: NodeId;
  readonly option: number;
  readonly value: NodeId;
  /** How many options there are. */
  readonly count: number;
}

/**
 * f(select(i; 0, x, 0), y) becomes select(i; 0, f(x, y), 0) where f of zero is zero; y - select(i; 0, x, 0), which is small,
 * select(i; y, y - x, y).
 */
function sink(graph: Graph): Graph {
  let changed = false;
  const result = rebuild(graph, ({ op, inputs }, _id, g) => {
    const sunk =
      op.kind === 'select'
        ? (onlyOption(inputs) ?? turnedOut(g, inputs))
        : (addSunk(g, op, inputs) ?? addDifference(g, op, inputs));
    changed ||= sunk !== undefined;
    return sunk ?? g.add(op, inputs);
  });
  return changed ? result : graph;
}

/** The value of a select for any index, if all its options are the same. */
function onlyOption([, first, ...others]: readonly NodeId[]): NodeId | undefined {
  return others.every((option) => option === first) ? first : undefined;
}

function addSunk(g: GraphBuilder, op: Op, inputs: readonly NodeId[]): NodeId | undefined {
  for (const from of inputs) {
    const one = oneHot(g.nodes, from);
    if (one === undefined || (!isFed(g.nodes, one.index) && isPlacing(op))) continue;
    const alike = (id: NodeId | undefined): OneHot | undefined => {
      const other = id === undefined ? undefined : oneHot(g.nodes, id);
      return other?.index === one.index && other.option === one.option ? other : undefined;
    };
    if (!givesZero({ op, inputs }, (id) => alike(id) !== undefined || isZero(g.nodes, id))) continue;
    const within = inputs.map((id) => alike(id)?.value ?? id);
    const inner = addSunk(g, op, within) ?? g.add(op, within);
    const zero = constant(g, 0, g.shape(inner));
    return select(
      g,
      one.index,
      Array.from({ length: one.count }, (_, k) => (k === one.option ? inner : zero)),
    );
  }
  return undefined;
}

function addDifference(g: GraphBuilder, op: Op, [from, taken]: readonly NodeId[]): NodeId | undefined {
  if (op.kind !== 'binary' || op.fn !== 'sub' || from === undefined || taken === undefined) return undefined;
  const one = oneHot(g.nodes, taken);
  const shapes = [g.shape(from), g.shape(taken)];
  if (one === undefined || !sameShape(g.shape(from), g.shape(taken)) || isHeavy('binary', shapes)) return undefined;
  if (g.nodes[from]?.op.kind === 'select') return undefined;
  const difference = sub(g, from, one.value);
  return select(
    g,
    one.index,
    Array.from({ length: one.count }, (_, k) => (k === one.option ? difference : from)),
  );
}

/**
 * A switch on an index that is worked out goes inside one on an index that is fed, which is that of an option: all that belongs
 * to the option, such as the gradients of its parameters, then stays together.
 */
function turnedOut(g: GraphBuilder, inputs: readonly NodeId[]): NodeId | undefined {
  const outer = oneHotOf(g.nodes, inputs);
  const inner = outer && oneHot(g.nodes, outer.value);
  if (outer === undefined || inner === undefined) return undefined;
  if (isFed(g.nodes, outer.index) || !isFed(g.nodes, inner.index)) return undefined;
  const zero = constant(g, 0, g.shape(inner.value));
  const only = ({ index, option, count }: OneHot, value: NodeId) =>
    select(
      g,
      index,
      Array.from({ length: count }, (_, k) => (k === option ? value : zero)),
    );
  return only(inner, only(outer, inner.value));
}

function isFed(nodes: readonly Node[], index: NodeId): boolean {
  return nodes[index]?.op.kind === 'input';
}

/** Whether it gives a tensor its place in a vector, next to which engines want the tensor itself. */
function isPlacing(op: Op): boolean {
  return op.kind === 'reshape' && op.shape.length === 1;
}

function oneHot(nodes: readonly Node[], id: NodeId): OneHot | undefined {
  const { op, inputs = [] } = nodes[id] ?? {};
  return op?.kind === 'select' ? oneHotOf(nodes, inputs) : undefined;
}

function oneHotOf(nodes: readonly Node[], [index, ...options]: readonly NodeId[]): OneHot | undefined {
  const others = options.flatMap((option, k) => (isZero(nodes, option) ? [] : [k]));
  const [option] = others;
  const value = options[option ?? -1];
  return index !== undefined && option !== undefined && value !== undefined && others.length === 1
    ? { index, option, value, count: options.length }
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
  for (const { inputs } of nodes) for (const from of inputs) uses[from] = (uses[from] ?? Number.NaN) + 1;
  for (const id of Object.values(graph.outputs)) uses[id] = 2;
  const shapeOf = (id: NodeId): Shape => nodes[id]?.shape ?? [];
  const isSum = (id: NodeId): boolean => {
    const { op, inputs, shape } = nodes[id] as Node;
    return op.kind === 'binary' && op.fn === 'add' && inputs.some((from) => sameShape(shapeOf(from), shape));
  };
  const inner = new Set(
    nodes.flatMap(({ inputs, shape }, id) =>
      isSum(id) ? inputs.filter((from) => uses[from] === 1 && isSum(from) && sameShape(shapeOf(from), shape)) : [],
    ),
  );
  const termsOf = (id: NodeId): NodeId[] =>
    (nodes[id]?.inputs ?? []).flatMap((from) => (inner.has(from) ? termsOf(from) : [from]));
  // Other readers would need their own switch, which only pays if it has a single value.
  const mergeable = (id: NodeId) =>
    nodes[id]?.op.kind === 'select' && (uses[id] === 1 || oneHot(nodes, id) !== undefined);
  const roots = nodes.flatMap(({ shape }, id) => {
    const isRoot = isSum(id) && !inner.has(id);
    return isRoot && termsOf(id).some((term) => mergeable(term) && sameShape(shapeOf(term), shape)) ? [id] : [];
  });
  if (roots.length === 0) return graph;
  const merged = new Set(roots);
  return rebuild(graph, ({ op, inputs }, id, g, renamed) => {
    if (!merged.has(id)) return g.add(op, inputs);
    const terms = termsOf(id);
    const others = terms.filter((term) => !mergeable(term));
    return addMerged(g, nodes[id]?.shape ?? [], others.map(renamed), terms.filter(mergeable).map(renamed));
  });
}

function addMerged(g: GraphBuilder, shape: Shape, others: readonly NodeId[], switches: readonly NodeId[]): NodeId {
  const isWhole = (id: NodeId) => sameShape(g.shape(id), shape);
  const total = (ids: readonly (NodeId | undefined)[]): NodeId | undefined =>
    ids
      .filter((id) => id !== undefined && !isZero(g.nodes, id))
      .sort((a = 0, b = 0) => Number(isWhole(b)) - Number(isWhole(a)))
      .reduce((sum, id) => (sum === undefined || id === undefined ? id : add(g, sum, id)), undefined);
  const operands = (id: NodeId) => (g.nodes[id] as Node).inputs;
  const nothing = () => constant(g, 0, shape);
  const groups = [...Map.groupBy(switches, (id) => operands(id)[0] ?? id)];
  // What is broadcast comes last: it adds no pass to what is computed anyway.
  const narrow = others.filter((id) => !isWhole(id));
  let sum = total(others.filter(isWhole));
  for (const [n, [index, group]] of groups.entries()) {
    const count = largest(group.map((id) => operands(id).length)) - 1;
    const last = n === groups.length - 1 ? narrow : [];
    const options = Array.from({ length: count }, (_, k) =>
      total([sum, ...group.map((id) => operands(id)[k + 1]), ...last]),
    );
    sum = select(
      g,
      index,
      options.map((option) => (option === undefined ? nothing() : broadcastTo(g, option, shape))),
    );
  }
  return sum ?? nothing();
}

/** If a value is needed only when an index has some option, a switch on that index is that option. */
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
