import type { GraphBuilder } from '../graph/builder.ts';
import { type NodeId, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Move, Statistic } from '../network/network.ts';
import { guarded } from '../network/switch.ts';
import { pack, type Vector } from './vectors.ts';

/** A statistic that a step moves; its nodes are those of the current graph. */
export type Moved = Omit<Statistic, 'node' | 'move'> & { readonly move: Move };

/**
 * Appends the running statistics after a step, in their vectors: (1 − momentum) · old + momentum · factor · batch. Those of an
 * option of a switch move only where it is chosen.
 */
export function moveStatistics(
  g: GraphBuilder,
  vectors: readonly Vector[],
  statistics: readonly Moved[],
): (readonly [name: string, next: NodeId])[] {
  const byPath = new Map(statistics.map((one) => [one.path, one]));
  return vectors.map(({ name, shape, parts }) => {
    const moved = parts.map((part) => byPath.get(part.name) as Moved);
    const each = (value: (move: Move) => number): NodeId => {
      const numbers = moved.map(({ move }) => value(move));
      const [first = 0] = numbers;
      if (numbers.every((one) => one === first)) return ops.constant(g, first);
      const data = numbers.flatMap((one, i) => Array<number>(sizeOf(parts[i]?.shape ?? [])).fill(one));
      return ops.constant(g, data, shape);
    };
    const old = ops.input(g, name, shape);
    const kept = ops.mul(
      g,
      old,
      each(({ momentum }) => 1 - momentum),
    );
    const batch = ops.reshape(
      g,
      pack(
        g,
        moved.map(({ move }) => move.batch),
      ),
      shape,
    );
    const added = ops.mul(
      g,
      batch,
      each(({ momentum, factor }) => momentum * factor),
    );
    return [name, guarded(g, moved[0]?.when ?? [], old, ops.add(g, kept, added))];
  });
}
