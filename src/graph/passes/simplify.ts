import { createGraph, finish } from '../builder.ts';
import type { Graph, Node, NodeId, Op, OpKind, OpOf } from '../ir.ts';
import type { GraphBuilder } from '../ops.ts';
import { ALWAYS, type Condition, demands, together } from './demand.ts';
import { useCounts } from './uses.ts';

/** What a rule sees, and builds with: nodes that it adds are simplified in turn. */
export interface Rewriter extends GraphBuilder {
  node(id: NodeId): Node;
  /** Whether nothing but the node in question reads this one, so that it is gone when the rule does without it. */
  once(id: NodeId): boolean;
}

/** What equals the node that is about to be added, or undefined where the rule does not apply. */
export type Rule<K extends OpKind> = (r: Rewriter, op: OpOf<K>, inputs: readonly NodeId[]) => NodeId | undefined;
export type Rules = { readonly [K in OpKind]?: readonly Rule<K>[] };

/**
 * Rebuilds the graph, each node by the first rule that applies to it, tables in their order; equal nodes (the same
 * operator and operands, in either order where it is commutative) become one, the first, which keeps its path, unless
 * switches ask for them under conditions that are better kept apart. Rules may leave nodes behind that nothing reads. Where
 * there is nothing to do, the given graph itself.
 */
export function simplify(graph: Graph, tables: readonly Rules[]): Graph {
  const g = createGraph();
  const known = new Map<string, { readonly id: NodeId; condition: Condition }[]>();
  const shared = new Set<NodeId>();
  const uses = useCounts(graph);
  const conditions = demands(graph);
  let condition = ALWAYS;
  let changed = false;
  const add = (op: Op, inputs: readonly NodeId[]): NodeId => {
    const simpler = applyRules(rewriter, tables, op, inputs);
    if (simpler !== undefined) {
      changed = true;
      return simpler;
    }
    const key = keyOf(op, inputs);
    const equal = known.get(key);
    for (const found of equal ?? []) {
      const both = together(op.kind, inputs.map(g.shape), found.condition, condition);
      if (both === undefined) continue;
      found.condition = both;
      shared.add(found.id);
      changed = true;
      return found.id;
    }
    const id = g.add(op, inputs);
    if (equal === undefined) known.set(key, [{ id, condition }]);
    else equal.push({ id, condition });
    return id;
  };
  const rewriter: Rewriter = {
    nodes: g.nodes,
    get path() {
      return g.path;
    },
    shape: g.shape,
    dtype: g.dtype,
    within: g.within,
    add,
    node(id) {
      const found = g.nodes[id];
      if (found === undefined) throw new RangeError(`there is no node ${id} yet`);
      return found;
    },
    once: (id) => !shared.has(id),
  };
  const replacement: NodeId[] = [];
  for (const [old, { op, inputs, path }] of graph.nodes.entries()) {
    condition = conditions[old] ?? ALWAYS;
    const id = g.within(path, () =>
      add(
        op,
        inputs.map((from) => replacement[from] as NodeId),
      ),
    );
    if (uses[old] !== 1) shared.add(id);
    replacement.push(id);
  }
  if (!changed) return graph;
  const renamed = Object.entries(graph.outputs).map(([name, id]) => [name, replacement[id] as NodeId]);
  return finish(g, Object.fromEntries(renamed));
}

function applyRules<K extends OpKind>(
  r: Rewriter,
  tables: readonly Rules[],
  op: OpOf<K>,
  inputs: readonly NodeId[],
): NodeId | undefined {
  for (const table of tables) {
    for (const rule of (table[op.kind] as readonly Rule<K>[] | undefined) ?? []) {
      const found = rule(r, op, inputs);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function keyOf(op: Op, inputs: readonly NodeId[]): string {
  const [a = -1, b = -1] = inputs;
  const operands = a > b && inputs.length === 2 && isCommutative(op) ? `${b},${a}` : inputs.join();
  return `${attributesOf(op)} ${operands}`;
}

/** Texts of operators: every pass asks again for those of the same objects, which never change. */
const texts = new WeakMap<Op, string>();

/** An operator as text, equal for equal operators. */
export function attributesOf(op: Op): string {
  if (op.kind === 'unary' || op.kind === 'binary') return op.fn;
  let text = texts.get(op);
  if (text === undefined) {
    text = textOf(op);
    texts.set(op, text);
  }
  return text;
}

function textOf(op: Op): string {
  switch (op.kind) {
    case 'reshape':
    case 'broadcastTo':
      return `${op.kind} ${op.shape}`;
    default:
      return JSON.stringify(
        Object.entries(op).sort(([a], [b]) => (a < b ? -1 : 1)),
        exactly,
      );
  }
}

function isCommutative(op: Op): boolean {
  return op.kind === 'binary' && op.fn !== 'sub' && op.fn !== 'div';
}

/** JSON writes infinities as null and -0 as 0. */
function exactly(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value;
  return String(value);
}
