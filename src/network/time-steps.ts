import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Layer, Move, Statistic } from './network.ts';

/** What the modules of one network have in common over time steps (`Lowering.overTime`). */
export interface TimeSteps {
  /** Whether a time step is being lowered. */
  readonly isInside: boolean;
  over<T>(steps: number, step: (time: number) => T): readonly T[];
  /** What `make` has made for the name; outside time steps, it makes it. */
  once(name: string, make: () => NodeId): NodeId;
  /** A statistic with what one more step moves it by. */
  moved(g: GraphBuilder, statistic: Statistic, move: Move | undefined): Statistic;
  /** Appends a layer, or puts it in place of that of the step before. */
  add(layers: Layer[], layer: Layer): void;
}

export function timeSteps(): TimeSteps {
  let isInside = false;
  const made = new Map<string, NodeId>();
  /** By path, how many steps have moved a statistic, and where a layer stands. */
  const moves = new Map<string, number>();
  const places = new Map<string, number>();
  return {
    get isInside() {
      return isInside;
    },
    over(steps, step) {
      const outer = isInside;
      isInside = true;
      try {
        return Array.from({ length: steps }, (_, time) => step(time));
      } finally {
        isInside = outer;
      }
    },
    once(name, make) {
      if (!isInside) return make();
      const node = made.get(name) ?? make();
      made.set(name, node);
      return node;
    },
    moved(g, statistic, move) {
      if (statistic.move === undefined || move === undefined) return statistic;
      const count = (moves.get(statistic.path) ?? 1) + 1;
      moves.set(statistic.path, count);
      const batch = ops.add(g, statistic.move.batch, move.batch);
      return { ...statistic, move: { ...move, batch, factor: move.factor / count } };
    },
    add(layers, layer) {
      const key = `${layer.path} ${layer.kind}`;
      const place = isInside ? places.get(key) : undefined;
      const known = place === undefined ? undefined : layers[place];
      if (place !== undefined && known !== undefined) {
        layers[place] = { ...layer, steps: (known.steps ?? 1) + 1 };
        return;
      }
      if (isInside) places.set(key, layers.length);
      layers.push(layer);
    },
  };
}
