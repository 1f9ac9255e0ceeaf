import type { Space, Task } from '../../space/space.ts';
import {
  batchNorm,
  choice,
  dag,
  dropout,
  identity,
  linear,
  relu,
  scoped,
  sequential,
  stack,
  tanh,
  zero,
} from '../../space/tree/builders.ts';
import { defineSpace } from '../../space/tree/define.ts';

const block = (units: number) => sequential(linear(units), batchNorm(), relu());

/** 2 x 3 small networks for points in the plane, whose supernet trains in milliseconds. */
export function pointSpace(task: Task): Space {
  return defineSpace('points', () =>
    sequential(
      linear(6),
      choice('first', { plain: block(6), twice: sequential(block(4), block(6)) }),
      choice('second', { none: zero(), skip: identity(), dropped: sequential(dropout(0.1), block(6)) }),
      linear('outputs'),
    ),
  ).create(task);
}

/** Two nodes that pick one input each: their wiring is open. */
export function wiredSpace(task: Task): Space {
  const edge = (from: number, to: number) => choice(`${from}->${to}`, { skip: identity(), plain: block(6) });
  return defineSpace('wired', () => sequential(linear(6), dag(2, edge, { inputs: 1 }), linear('outputs'))).create(task);
}

/** Cells for points in the plane whose operations keep the number of features, and of which one node picks its inputs. */
export const cells = defineSpace(
  'cells of points',
  (_task, { cells: count }) => {
    const cell = dag(
      3,
      (from, to) =>
        choice(`${from}->${to}`, {
          none: zero(),
          skip: identity(),
          relu: sequential(batchNorm(), relu()),
          tanh: sequential(batchNorm(), tanh()),
        }),
      { inputs: 2 },
    );
    return sequential(
      linear(8),
      stack(...Array.from({ length: count }, () => scoped('cell', cell))),
      linear('outputs'),
    );
  },
  { defaults: { cells: { default: 1, whole: true, min: 1, max: 8 } } },
);
