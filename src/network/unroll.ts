import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { pointwise } from './dense.ts';
import { type Lowering, sequenceShape } from './lowering.ts';

/**
 * A recurrent layer over the time steps of x, [N, C, T] -> [N, units, T]: `step` makes the next states, [N, units], of those before, in
 * the order of their names; the first is the output. It begins with zeros (of one row, broadcast), or with states that are fed. Behind the
 * end of a sample, states stay as they are. `reverse`: from the last step to the first; a padded sample begins at its own last one.
 */
export function unroll(
  l: Lowering,
  x: NodeId,
  { units, states, reverse = false }: Unrolled,
  step: (time: number, before: States) => States,
): NodeId {
  const { g } = l;
  const [n, , t] = sequenceShape(l, x);
  const filled = l.filled(x);
  const zeros = ops.constant(g, 0, [1, units]);
  const [first, ...others] = states;
  const begin = (name: string) => l.stateIn(name, [n, units]) ?? zeros;
  let carried: States = [begin(first), ...others.map(begin)];
  const outputs = l.overTime(t, (i) => {
    const time = reverse ? t - 1 - i : i;
    const before = carried;
    const [output, ...rest] = step(time, before);
    const mask = filled && ops.reshape(g, ops.slice(g, filled, [0, 0, time], [n, 1, time + 1]), [n, 1]);
    const kept = (now: NodeId, k: number) => (mask === undefined ? now : ops.where(g, mask, now, before[k] ?? zeros));
    carried = [kept(output, 0), ...rest.map((now, k) => kept(now, k + 1))];
    return ops.reshape(g, carried[0], [n, units, 1]);
  });
  for (const [k, name] of states.entries()) l.stateOut(name, carried[k] ?? zeros);
  return ops.concat(g, reverse ? outputs.toReversed() : outputs, 2);
}

interface Unrolled {
  readonly units: number;
  readonly states: readonly [string, ...string[]];
  readonly reverse?: boolean;
}

/** What a recurrent layer carries from one time step to the next. */
export type States = readonly [NodeId, ...NodeId[]];

/** The product of a weight, [O, C], with x, [N, C, T], and a bias, at all time steps at once; the function gives that of one step, [N, O]. */
export function productOverTime(l: Lowering, x: NodeId, weight: NodeId, bias?: NodeId): (time: number) => NodeId {
  const { g } = l;
  const all = pointwise(l, x, weight, bias); // [N, O, T]
  const [n = 1, width = 1] = g.shape(all);
  return (time) => ops.reshape(g, ops.slice(g, all, [0, 0, time], [n, width, time + 1]), [n, width]);
}
