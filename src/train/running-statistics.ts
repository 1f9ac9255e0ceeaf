import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Move, Statistic } from '../network/network.ts';
import { guarded } from '../network/switch.ts';
import { pack, unpack } from './vectors.ts';

/** A statistic that a step moves; its nodes are those of the graph at hand. */
export type Moved = Omit<Statistic, 'node' | 'move'> & { readonly move: Move };

/**
 * Appends the running statistics after a step, each of which enters under its path: (1 − momentum) · old + momentum · factor
 * · batch. They move end to end in one vector; those of an option of a switch in one of their own, and only where it is
 * chosen.
 */
export function moveStatistics(
  g: GraphBuilder,
  statistics: readonly Moved[],
): (readonly [path: string, next: NodeId])[] {
  const groups = Map.groupBy(statistics, ({ when, move }) => JSON.stringify([when, move.momentum]));
  return [...groups.values()].flatMap((group) => {
    const { momentum } = (group[0] as Moved).move;
    const old = group.map(({ path, shape }) => ops.input(g, path, shape));
    const kept = ops.scale(g, pack(g, old), 1 - momentum);
    const parts = unpack(g, ops.add(g, kept, batchOf(g, group)), group);
    return group.map(({ path, when }, i) => [path, guarded(g, when, old[i] as NodeId, parts[i] as NodeId)] as const);
  });
}

/** momentum · factor · batch of all, end to end; neighbours with one factor are scaled together. */
function batchOf(g: GraphBuilder, group: readonly Moved[]): NodeId {
  const runs: Moved[][] = [];
  for (const one of group) {
    const last = runs.at(-1);
    if (last?.[0]?.move.factor === one.move.factor) last.push(one);
    else runs.push([one]);
  }
  const scaled = runs.map((run) => {
    const { momentum, factor } = (run[0] as Moved).move;
    const batches = run.map(({ move }) => move.batch);
    return ops.scale(g, pack(g, batches), momentum * factor);
  });
  return ops.concat(g, scaled, 0);
}
