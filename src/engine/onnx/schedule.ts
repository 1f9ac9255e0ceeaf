/**
 * In which order a graph is computed, and what of it inside the options of switches: a node that is asked for under a
 * condition (graph/passes/demand.ts) is computed in a branch that only runs then, together with all else that is ready by
 * then under the same index. Few large conditionals cost less than many small ones.
 */
import { smallest } from '../../common/extremes.ts';
import type { Graph, NodeId } from '../../graph/ir.ts';
import { type Condition, demands } from '../../graph/passes/demand.ts';

export type Step = { readonly kind: 'node'; readonly id: NodeId } | SwitchStep;

/** One of several branches runs: the one whose number the index is. */
export interface SwitchStep {
  readonly kind: 'switch';
  readonly index: NodeId;
  /** Selects that get their values here. */
  readonly selects: readonly NodeId[];
  readonly branches: readonly Branch[];
}

export interface Branch {
  readonly steps: readonly Step[];
  /** Nodes of this branch that are read after the switch, where the same option is chosen. */
  readonly kept: readonly NodeId[];
}

/** What must be computed for a node in a switch on one index. */
interface Cone {
  /** Under a condition on that index. */
  readonly inside: ReadonlySet<NodeId>;
  /** What these read that is not. */
  readonly outside: ReadonlySet<NodeId>;
  /** Of the latter, what is asked for under other conditions. */
  readonly foreign: ReadonlySet<NodeId>;
}

/**
 * The steps that compute a graph: each node once, after what it reads, but for those of which `inlined` says that they are
 * computed where they are read. Without switches, the nodes in their order.
 */
export function schedule(graph: Graph, inlined: (id: NodeId) => boolean): readonly Step[] {
  const { nodes } = graph;
  const all = nodes.flatMap((_, id) => (inlined(id) ? [] : [id]));
  if (!nodes.some(({ op }) => op.kind === 'select')) return all.map((id) => ({ kind: 'node', id }));

  const conditions = demands(graph);
  const done = new Uint8Array(nodes.length);
  const through = (id: NodeId): readonly NodeId[] => (inlined(id) ? (nodes[id]?.inputs ?? []).flatMap(through) : [id]);
  const reads = nodes.map(({ inputs }) => [...new Set(inputs.flatMap(through))]);
  const readers = nodes.map((): NodeId[] => []);
  for (const id of all) for (const from of reads[id] ?? []) readers[from]?.push(id);

  /** How many options there are by each index: with fewer branches, one would run in the place of those that lack. */
  const counts = new Map<NodeId, number>();
  for (const { op, inputs } of nodes) {
    const [index = -1, ...options] = inputs;
    if (op.kind === 'select') counts.set(index, Math.max(counts.get(index) ?? 0, options.length));
  }
  const isSelect = (id: NodeId): boolean => nodes[id]?.op.kind === 'select';
  const ready = (ids: Iterable<NodeId>): boolean => {
    for (const id of ids) if (done[id] !== 1) return false;
    return true;
  };
  /** The indices that a node's condition has beyond the outer one, the outermost first. */
  const within = (id: NodeId, outer: Condition): readonly NodeId[] => {
    // Inputs and constants belong to the whole model.
    if (nodes[id]?.inputs.length === 0) return [];
    return [...(conditions[id]?.keys() ?? [])].filter((index) => !outer.has(index));
  };
  /** The index that a node depends on, or that it selects by. */
  const indexOf = (id: NodeId, outer: Condition): NodeId => within(id, outer)[0] ?? nodes[id]?.inputs[0] ?? id;

  function coneOf(target: NodeId, index: NodeId, conditional: ReadonlySet<NodeId>): Cone {
    const [inside, outside, foreign] = [new Set<NodeId>(), new Set<NodeId>(), new Set<NodeId>()];
    const visit = (id: NodeId): void => {
      for (const from of reads[id] ?? []) {
        if (inside.has(from) || outside.has(from)) continue;
        if (conditional.has(from) && conditions[from]?.has(index) === true) {
          inside.add(from);
          visit(from);
        } else {
          outside.add(from);
          if (conditional.has(from)) foreign.add(from);
        }
      }
    };
    if (conditional.has(target)) inside.add(target);
    visit(target);
    return { inside, outside, foreign };
  }

  /** What there is to switch for, each with its cone: selects, and what must be there before or after them. */
  function targetsOf(own: readonly NodeId[], conditional: ReadonlySet<NodeId>, outer: Condition): Map<NodeId, Cone> {
    const targets = new Map<NodeId, Cone>();
    const covered = new Set<NodeId>();
    const add = (id: NodeId): void => {
      if (targets.has(id)) return;
      const cone = coneOf(id, indexOf(id, outer), conditional);
      targets.set(id, cone);
      for (const member of cone.inside) covered.add(member);
      for (const other of cone.foreign) add(other);
    };
    for (const id of own) if (isSelect(id)) add(id);
    for (const id of [...conditional].reverse()) if (!covered.has(id)) add(id);
    return targets;
  }

  /** The first switch that depends on no unplaced node, with all others on its index. */
  function nextSwitch(
    targets: ReadonlyMap<NodeId, Cone>,
    conditional: Iterable<NodeId>,
    outer: Condition,
  ): SwitchStep | undefined {
    const open = [...targets].filter(([id, { outside }]) => done[id] !== 1 && ready(outside));
    if (open.length === 0) return undefined;
    const first = smallest(open.map(([id]) => id));
    const index = indexOf(first, outer);
    const taken = open.filter(([id]) => indexOf(id, outer) === index);
    const members = new Set(taken.flatMap(([, { inside }]) => [...inside].filter((id) => done[id] !== 1)));
    // What could be computed by now, such as the gradient of a weight whose update comes at the end, is not put off: all that
    // it reads would have to be kept until then.
    for (const id of conditional) {
      if (id > first) break;
      if (done[id] === 1 || members.has(id) || isSelect(id) || within(id, outer)[0] !== index) continue;
      if (reads[id]?.every((from) => done[from] === 1 || members.has(from))) members.add(id);
    }
    const selects = taken.flatMap(([id]) => (within(id, outer).length === 0 ? [id] : []));
    return switchStep(
      index,
      selects,
      [...members].sort((a, b) => a - b),
      outer,
    );
  }

  function switchStep(
    index: NodeId,
    selects: readonly NodeId[],
    members: readonly NodeId[],
    outer: Condition,
  ): SwitchStep {
    const chosen = new Set(selects);
    const options = members.map((id) => conditions[id]?.get(index) ?? 0);
    const count = counts.get(index) ?? 0;
    const branches = Array.from({ length: count }, (_, option): Branch => {
      const ids = members.filter((_, i) => options[i] === option);
      const inside = new Set(ids);
      const steps = arrange(ids, new Map([...outer, [index, option]]));
      const kept = ids.filter((id) => readers[id]?.some((to) => !inside.has(to) && !chosen.has(to)));
      return { steps, kept };
    });
    for (const id of selects) done[id] = 1;
    return { kind: 'switch', index, selects, branches };
  }

  /** The steps that compute `ids`, which are in order, where the condition `outer` holds. */
  function arrange(ids: readonly NodeId[], outer: Condition): Step[] {
    const own = ids.filter((id) => within(id, outer).length === 0);
    const conditional = new Set(ids.filter((id) => within(id, outer).length > 0));
    const targets = targetsOf(own, conditional, outer);
    const steps: Step[] = [];
    let waiting = own;
    for (;;) {
      waiting = waiting.filter((id) => {
        if (done[id] === 1) return false;
        if (isSelect(id) || !ready(reads[id] ?? [])) return true;
        done[id] = 1;
        steps.push({ kind: 'node', id });
        return false;
      });
      const next = nextSwitch(targets, conditional, outer);
      if (next === undefined) break;
      steps.push(next);
    }
    if (waiting.length > 0) throw new Error(`nodes ${waiting.slice(0, 5)} wait for one another`);
    return steps;
  }

  return arrange(all, new Map());
}
