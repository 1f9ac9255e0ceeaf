import type { Graph, Node, NodeId } from '../ir.ts';
import { ALWAYS, type Condition, chosen, common } from './demand.ts';

/** A value is asked for where one of these holds. */
export type Alternatives = readonly Condition[];

/** Conditions with more alternatives, or that hold in more than this share of runs, are not worth telling apart. */
const MOST = 24;
const MOSTLY = 0.9;

/**
 * When the value of each node is asked for, more exactly than `demands`: all conditions under which something uses it, none of
 * which implies another. Of selects, and where there are many, what these have in common. Undefined where nothing uses a node.
 */
export function alternatives({ nodes, outputs }: Graph): readonly (Alternatives | undefined)[] {
  const options = optionCounts(nodes);
  const uses: (Map<string, Condition> | undefined)[] = new Array(nodes.length);
  const ask = (id: NodeId, condition: Condition): void => {
    const known = uses[id] ?? new Map<string, Condition>();
    if (condition.size === 0) known.clear();
    if (!known.has('')) known.set(keyOf(condition), condition);
    uses[id] = known;
  };
  for (const id of Object.values(outputs)) ask(id, ALWAYS);
  const found: (Alternatives | undefined)[] = new Array(nodes.length);
  for (let id = nodes.length - 1; id >= 0; id--) {
    const [own, node] = [uses[id], nodes[id]];
    if (own === undefined || node === undefined) continue;
    const { op, inputs } = node;
    const least = reduced([...own.values()], options);
    const apart =
      op.kind !== 'select' && least.length > 1 && least.length <= MOST && likelihood(least, options).any <= MOSTLY;
    const asked = apart ? least : [least.reduce(common)];
    found[id] = asked;
    for (const [i, from] of inputs.entries()) {
      for (const condition of asked) {
        ask(from, op.kind === 'select' && i > 0 ? chosen(condition, inputs[0] ?? id, i - 1) : condition);
      }
    }
  }
  return found;
}

/** How many options the switches on each index have. */
export function optionCounts(nodes: readonly Node[]): ReadonlyMap<NodeId, number> {
  const options = new Map<NodeId, number>();
  for (const { op, inputs } of nodes) {
    const [index] = inputs;
    if (op.kind !== 'select' || index === undefined) continue;
    options.set(index, Math.max(options.get(index) ?? 0, inputs.length - 1));
  }
  return options;
}

/**
 * Beyond what the conditions have in common, and if any option is as likely as another: in which share of runs one of them
 * holds, and how many hold on average.
 */
export function likelihood(
  conditions: Alternatives,
  options: ReadonlyMap<NodeId, number>,
): { readonly any: number; readonly count: number } {
  const shared = conditions.reduce(common);
  const shares = conditions.map((condition) => {
    const own = [...condition.keys()].filter((index) => !shared.has(index));
    return { indices: own.join(), share: own.reduce((share, index) => share / (options.get(index) ?? 1), 1) };
  });
  // Of options of one index, no two are chosen at once; different indices are independent.
  const none = [...Map.groupBy(shares, ({ indices }) => indices).values()]
    .map((group) => group.reduce((rest, { share }) => rest - share, 1))
    .reduce((product, rest) => product * rest, 1);
  return { any: 1 - none, count: shares.reduce((sum, { share }) => sum + share, 0) };
}

/** Equal for equal conditions; '' for one that always holds. */
export function keyOf(condition: Condition): string {
  return [...condition]
    .map(([index, option]) => `${index}=${option}`)
    .sort()
    .join(' ');
}

/** The same in fewer words: what implies another is left out, and so is an index all of whose options are there. */
function reduced(conditions: Alternatives, options: ReadonlyMap<NodeId, number>): Alternatives {
  const implies = (a: Condition, b: Condition) => [...b].every(([index, option]) => a.get(index) === option);
  const least = conditions.filter((a, i) => !conditions.some((b, k) => k !== i && implies(a, b)));
  if (least.length < 2) return least;
  for (const index of new Set(least.flatMap((condition) => [...condition.keys()]))) {
    const without = (condition: Condition): Condition => new Map([...condition].filter(([other]) => other !== index));
    const same = Map.groupBy(
      least.filter((condition) => condition.has(index)),
      (condition) => keyOf(without(condition)),
    );
    for (const group of same.values()) {
      const [first] = group;
      if (first === undefined || group.length < (options.get(index) ?? Number.POSITIVE_INFINITY)) continue;
      return reduced([without(first), ...least.filter((condition) => !group.includes(condition))], options);
    }
  }
  return least;
}
