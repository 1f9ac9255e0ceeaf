import { type Graph, type NodeId, type OpKind, type Shape, sizeOf } from '../ir.ts';

/** The option that each of these indices must have for a value to be needed. */
export type Condition = ReadonlyMap<NodeId, number>;

export const ALWAYS: Condition = new Map();

/**
 * When the value of each node is needed: what all its uses have in common. An option of a `select` is needed when it
 * is chosen and the select is needed; an output always. Undefined where nothing uses a node.
 *
 * What is computed under another condition than this one is computed without need, or too late.
 */
export function demands({ nodes, outputs }: Graph): readonly (Condition | undefined)[] {
  const found: (Condition | undefined)[] = new Array(nodes.length);
  for (const id of Object.values(outputs)) found[id] = ALWAYS;
  for (let id = nodes.length - 1; id >= 0; id--) {
    const own = found[id];
    const node = nodes[id];
    if (own === undefined || node === undefined) continue;
    for (const [i, from] of node.inputs.entries()) {
      const use = node.op.kind === 'select' && i > 0 ? chosen(own, node.inputs[0] ?? id, i - 1) : own;
      const known = found[from];
      found[from] = known === undefined ? use : common(known, use);
    }
  }
  return found;
}

/** The condition that holds for the `option`-th operand of a select on `index` that is needed under `outer`. */
export function chosen(outer: Condition, index: NodeId, option: number): Condition {
  return outer.has(index) ? outer : new Map([...outer, [index, option]]);
}

/** Operators that need no pass over memory, at any size. */
const FREE: ReadonlySet<OpKind> = new Set(['input', 'constant', 'reshape', 'broadcastTo']);
/** Numbers from which on a pass over them takes longer than a conditional does. */
const LARGE = 2 ** 14;

/**
 * Under which condition to compute one node instead of two equal ones that are needed under `a` and under `b`;
 * undefined where two are better: where at most one of them is computed in a run, or where one with large operands would be
 * computed in runs that need neither.
 */
export function together(kind: OpKind, operands: readonly Shape[], a: Condition, b: Condition): Condition | undefined {
  const shared = common(a, b);
  if (shared === a || shared.size === b.size) return shared;
  const exclusive = [...a].some(([index, option]) => (b.get(index) ?? option) !== option);
  return exclusive || isHeavy(kind, operands) ? undefined : shared;
}

/** Whether an operator takes longer than a conditional does. */
export function isHeavy(kind: OpKind, operands: readonly Shape[]): boolean {
  return !FREE.has(kind) && operands.some((shape) => sizeOf(shape) >= LARGE);
}

function common(a: Condition, b: Condition): Condition {
  if (a === b || a.size === 0) return a;
  const shared = [...a].filter(([index, option]) => b.get(index) === option);
  if (shared.length === a.size) return a;
  return shared.length === 0 ? ALWAYS : new Map(shared);
}
