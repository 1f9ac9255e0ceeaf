/** Runs that are requested while others run, on any engine. */
import assert from 'node:assert/strict';
import { createGraph, finish } from '../../graph/builder.ts';
import type { HostTensor } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import type { Engine } from '../engine.ts';
import { regressionFeeds, regressionStart, regressionStep } from './regression.ts';

const STEPS = 6;

/** Training whose steps are all requested at once gives bit-identical results to training that waits for each step. */
export async function assertRunsInOrder(engine: Engine): Promise<void> {
  const { graph, carries } = regressionStep();
  const program = await engine.compile(graph, carries);
  const train = async (ahead: boolean) => {
    const state = engine.createState(regressionStart());
    const losses: Promise<Record<string, HostTensor>>[] = [];
    for (let step = 0; step < STEPS; step++) {
      const run = program.run(regressionFeeds(step), state);
      losses.push(run);
      if (!ahead) await run;
    }
    const values = await Promise.all(losses);
    const weights = await state.read();
    state.dispose();
    return { values, weights };
  };
  assert.deepEqual(await train(true), await train(false));
  await program.dispose();
}

/** A run that fails takes those behind it along; the state is as it was before, and later runs continue from it. */
export async function assertFailureStopsTheQueue(engine: Engine): Promise<void> {
  const g = createGraph();
  const [x, y] = [ops.input(g, 'x', [4, 3]), ops.input(g, 'y', [4, 3])];
  const sum = ops.reduceSum(g, ops.mul(g, x, y), [0, 1]);
  const next = ops.add(g, ops.input(g, 'total', []), sum);
  const graph = finish(g, { next, sum });
  const program = await engine.compile(graph, { next: 'total' }, { openBatch: ['x', 'y'] });
  const state = engine.createState({ total: { shape: [], data: Float32Array.of(100) } });
  const rows = (count: number, value: number) => ({ shape: [count, 3], data: new Float32Array(3 * count).fill(value) });
  const good = (value: number) => program.run({ x: rows(2, 1), y: rows(2, value) }, state);
  const total = async () => (await state.read()).total?.data[0];

  // Three rows times two: only the runtime finds out.
  const runs = [good(1), program.run({ x: rows(3, 1), y: rows(2, 1) }, state), good(2), good(3)];
  const ends = await Promise.allSettled(runs);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'rejected'],
  );
  assert.equal(await total(), 106);
  await Promise.all([good(4), good(5)]);
  assert.equal(await total(), 106 + 24 + 30);
  state.dispose();
  await program.dispose();
}
