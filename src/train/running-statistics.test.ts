import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import * as ops from '../graph/ops.ts';
import { type Moved, moveStatistics } from './running-statistics.ts';
import { type Vector, vectorOf } from './vectors.ts';

test('each statistic moves by its own momentum towards its batch, and one of a switch only where it is chosen', () => {
  const g = createGraph();
  const index = ops.input(g, 'choice', []);
  const chosen = [{ index, name: 'choice', option: 1, of: 2 }];
  const statistic = (path: string, momentum: number, factor: number, when: Moved['when'] = []): Moved => ({
    path,
    shape: [2],
    initializer: { kind: 'constant', value: 0 },
    when,
    move: { batch: ops.input(g, `batch of ${path}`, [1, 2, 1, 1]), momentum, factor },
  });
  const one = (path: string): Vector => vectorOf(path, [{ name: path, shape: [2] }]);
  const pair = ['mean', 'variance', 'slow'].map((name) => ({ name, shape: [2] }));
  const next = moveStatistics(
    g,
    [vectorOf('three', pair), one('option')],
    [
      statistic('variance', 0.1, 1.5),
      statistic('mean', 0.1, 1),
      statistic('slow', 0.01, 1.5),
      statistic('option', 0.5, 1, chosen),
    ],
  );
  const graph = finish(g, Object.fromEntries(next));
  const paths = ['mean', 'variance', 'slow', 'option'];
  const after = (option: number) =>
    interpret(graph, {
      choice: { shape: [], data: [option] },
      three: { shape: [6], data: [1, 2, 1, 2, 1, 2] },
      option: { shape: [2], data: [1, 2] },
      ...Object.fromEntries(paths.map((path) => [`batch of ${path}`, { shape: [1, 2, 1, 1], data: [10, 20] }])),
    });
  const close = (actual: ArrayLike<number> | undefined, expected: readonly number[]) =>
    assert.ok(
      expected.every((v, i) => Math.abs(v - (actual?.[i] ?? Number.NaN)) < 1e-12),
      `${actual}`,
    );
  const taken = after(1);
  close(taken.three?.data, [0.9 + 1, 1.8 + 2, 0.9 + 1.5, 1.8 + 3, 0.99 + 0.15, 1.98 + 0.3]);
  close(taken.option?.data, [5.5, 11]);
  assert.deepEqual([...(after(0).option?.data ?? [])], [1, 2]);
});
