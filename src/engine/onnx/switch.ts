/** Switches as nested `If` operators, of which each computes one branch of a step of the schedule. */
import { largest } from '../../common/extremes.ts';
import { type Node, type NodeId, sizeOf } from '../../graph/ir.ts';
import type { Layout } from './blocked/layout.ts';
import type { Emitted } from './blocked/site.ts';
import type { Memo } from './model.ts';
import type { Branch, Step, SwitchStep } from './schedule.ts';
import type { Emitter } from './value.ts';
import { emittedVector } from './vectors.ts';

export interface SwitchContext {
  readonly nodes: readonly Node[];
  readonly emitter: Emitter;
  /** Adds the nodes of these steps. */
  readonly emit: (steps: readonly Step[]) => void;
  /** What nodes have been made as. */
  readonly made: Memo<NodeId, Emitted>;
  /** A node's value in a layout. */
  readonly read: (id: NodeId, layout: Layout) => string;
  /** The layout that the results of a select have. */
  readonly layoutOf: (select: NodeId) => Layout;
  /** Comparisons of indices with numbers. */
  readonly comparisons: Memo<string, string>;
  /** An input whose first axis is an open batch, if there is one, and which axis of a node is. */
  readonly openInput: NodeId;
  readonly batchAxis: (id: NodeId) => number | undefined;
}

/** Numbers from which on all threads copy faster than one. */
const LARGE = 2 ** 16;

interface Case {
  readonly option: number;
  readonly branch: Branch;
}

/** Adds a switch, and says of its selects and of what its branches keep what they have been made as. */
export function lowerSwitch(context: SwitchContext, step: SwitchStep): void {
  const { nodes, emitter, made, read } = context;
  const { model } = emitter;
  const { index, selects, branches } = step;
  const slots = largest(branches.map(({ kept }) => kept.length));
  /** The values that a branch keeps, as they are in it. */
  const keptAs = new Map<NodeId, { readonly layout: Layout; readonly vector: boolean }>();

  const results = ({ option, branch: { steps, kept } }: Case): string[] => {
    context.emit(steps);
    const chosen = selects.map((id) => passedOn(id, option, steps, optionOf(context, id, option)));
    const values = kept.map((id) => {
      const value = made.get(id);
      if (value === undefined) throw new Error(`node ${id} is kept by a branch that does not compute it`);
      keptAs.set(id, { layout: value.layout, vector: value.vector !== undefined });
      return value.vector ?? value.name;
    });
    return [...chosen, ...values, ...nothing(slots - kept.length)];
  };
  /**
   * What a branch passes on unchanged has to be copied. `Identity` does that on one thread; a product with one gives the same
   * bits on all of them.
   */
  const passedOn = (select: NodeId, option: number, steps: readonly Step[], value: string): string => {
    const from = operandOf(nodes, select, option);
    const { op, shape } = nodes[from] as Node;
    const own = steps.some((one) => (one.kind === 'node' ? one.id === from : one.selects.includes(from)));
    return own || op.kind === 'broadcastTo' || sizeOf(shape) < LARGE
      ? value
      : model.node('Mul', [value, model.floats([], [1])]);
  };
  /** Branches have equally many results; what later nodes do not read may be anything. */
  const nothing = (count: number): readonly string[] =>
    count < 2
      ? Array.from({ length: count }, () => model.floats([1], [0]))
      : model.nodes(
          'Split',
          [model.floats([count], Array(count).fill(0)), model.ints(Array(count).fill(1))],
          {},
          count,
        );
  const { each, rest } = casesOf(step, nodes);
  const at = read(index, 'plain');
  /** Whether the index is below, or is, a number: a comparison for the whole model, not one in each branch. */
  const compare = (type: 'Less' | 'Equal', to: number): string => {
    const key = `${type} ${at} ${to}`;
    const name = context.comparisons.get(key) ?? model.node(type, [at, model.floats([], [to])]);
    context.comparisons.set(key, name);
    return name;
  };
  type Results = () => readonly string[];
  const oneByOne = ([first, ...others]: readonly Case[], last: Case): Results => {
    if (first === undefined) return () => results(last);
    const condition = compare('Equal', first.option);
    const otherwise = oneByOne(others, last);
    return () => model.branch(condition, () => results(first), otherwise);
  };
  const byHalves = (cases: readonly Case[]): Results => {
    const middle = cases[cases.length >> 1];
    if (middle === undefined) throw new Error('a switch has options');
    if (cases.length === 1) return () => results(middle);
    const condition = compare('Less', middle.option - 0.5);
    const [low, high] = [byHalves(cases.slice(0, cases.length >> 1)), byHalves(cases.slice(cases.length >> 1))];
    return () => model.branch(condition, low, high);
  };
  const names = (rest === undefined ? byHalves(each) : oneByOne(each, rest))();
  for (const [i, id] of selects.entries()) made.set(id, { name: names[i] as string, layout: context.layoutOf(id) });
  for (const { kept } of branches) {
    for (const [i, id] of kept.entries()) {
      const name = names[selects.length + i] as string;
      const { layout, vector } = keptAs.get(id) ?? { layout: 'plain', vector: false };
      made.set(id, vector ? emittedVector(emitter, name, nodes[id]?.shape ?? []) : { name, layout });
    }
  }
}

interface Cases {
  /** In the order of their options. */
  readonly each: readonly Case[];
  /** What all other options have in common: the same results, and nothing to compute. */
  readonly rest: Case | undefined;
}

function casesOf({ selects, branches }: SwitchStep, nodes: readonly Node[]): Cases {
  const all = branches.map((branch, option): Case => ({ option, branch }));
  const idle = all.filter(({ branch }) => branch.steps.length + branch.kept.length === 0);
  const groups = Map.groupBy(idle, ({ option }) => selects.map((id) => operandOf(nodes, id, option)).join());
  const most = [...groups.values()].reduce<readonly Case[]>((a, c) => (c.length > a.length ? c : a), []);
  return most.length > 1
    ? { each: all.filter((one) => !most.includes(one)), rest: most[0] }
    : { each: all, rest: undefined };
}

/** A select's operand for an option; the last, where another select on its index has more. */
function operandOf(nodes: readonly Node[], select: NodeId, option: number): NodeId {
  const options = nodes[select]?.inputs.slice(1) ?? [];
  return options[Math.min(option, options.length - 1)] as NodeId;
}

function optionOf(context: SwitchContext, select: NodeId, option: number): string {
  const { nodes, emitter, read, batchAxis, openInput } = context;
  const { model } = emitter;
  const from = operandOf(nodes, select, option);
  if (batchAxis(select) === undefined || batchAxis(from) !== undefined) return read(from, context.layoutOf(select));
  // Without its own batch, it is spread over that of the run.
  const { op, inputs, shape } = nodes[from] as Node;
  const [number] = inputs;
  if (
    op.kind !== 'broadcastTo' ||
    number === undefined ||
    sizeOf(nodes[number]?.shape ?? []) !== 1 ||
    batchAxis(select) !== 0
  ) {
    throw new Error(`open batch: select between a batch and ${op.kind} of [${shape}], which has none`);
  }
  const batch = model.node('Shape', [read(openInput, 'plain')], { start: 0, end: 1 });
  const size = model.node('Concat', [batch, model.ints(shape.slice(1))], { axis: 0 });
  return model.node('Expand', [read(number, 'plain'), size]);
}
