import type { GraphBuilder } from '../../graph/builder.ts';
import type { NodeId } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import type { Nodes } from '../../task/spec.ts';
import type { Distribution } from './distribution.ts';

/** Outputs of an actor-critic, [R, outputs + 1], and its targets, [R, width] -> what losses are made of, each [R]. */
export function splitActorCritic(
  g: GraphBuilder,
  distribution: Distribution,
  outputs: NodeId,
  targets: Nodes,
): {
  readonly logProbability: NodeId;
  readonly entropy: NodeId;
  /** (V − return)² */
  readonly valueLoss: NodeId;
  /** A target by its name. */
  of(name: string): NodeId;
} {
  const [rows = 1, all = 1] = g.shape(outputs);
  const target = (name: string): NodeId => {
    const found = targets[name];
    if (found === undefined) throw new Error(`there is no target "${name}"`);
    return found;
  };
  const of = (name: string) => ops.reshape(g, target(name), [rows]);
  const policy = ops.slice(g, outputs, [0, 0], [rows, all - 1]);
  const value = ops.reshape(g, ops.slice(g, outputs, [0, all - 1], [rows, all]), [rows]);
  const error = ops.sub(g, value, of('returns'));
  return {
    ...distribution.append(g, policy, target('actions')),
    valueLoss: ops.mul(g, error, error),
    of,
  };
}
