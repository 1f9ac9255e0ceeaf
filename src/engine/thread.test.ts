import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGraph, finish } from '../graph/builder.ts';
import * as ops from '../graph/ops.ts';
import { createEngine } from './create.ts';
import type { Engine } from './engine.ts';
import { nodeRuntime } from './runtime/node.node.ts';
import { threadedRuntime } from './runtime/thread.node.ts';
import { assertTrainsLikeReference } from './testing/agreement.ts';
import { assertGivesMemoryBack } from './testing/memory.ts';
import { assertFailureStopsTheQueue, assertRunsInOrder } from './testing/order.ts';
import { regressionFeeds, regressionStart, regressionStep } from './testing/regression.ts';

const engine = await createEngine(threadedRuntime(), { device: 'cpu', threads: 1 });

async function trained(on: Engine) {
  const { graph, carries } = regressionStep();
  const program = await on.compile(graph, carries);
  const state = on.createState(regressionStart());
  const losses = [];
  for (let step = 0; step < 5; step++) losses.push(await program.run(regressionFeeds(step), state));
  const weights = await state.read();
  state.dispose();
  await program.dispose();
  return { losses, weights };
}

test('in a thread: training carries its state as the interpreter does', () => assertTrainsLikeReference(engine));

test('in a thread: a program that returns its memory', () => assertGivesMemoryBack(engine));
test('in a thread: runs come in the order they were asked for', () => assertRunsInOrder(engine));
test('in a thread: a run that fails takes those behind it along', () => assertFailureStopsTheQueue(engine));

test('in a thread: the same numbers, bit for bit, as on the calling thread', async () => {
  const here = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  assert.deepEqual(await trained(engine), await trained(here));
});

test('in a thread: JavaScript continues while a program runs', async () => {
  const g = createGraph();
  const size = [512, 512] as const;
  let product = ops.input(g, 'a', size);
  for (let i = 0; i < 20; i++) product = ops.tanh(g, ops.matmul(g, product, product));
  const program = await engine.compile(finish(g, { sum: ops.reduceSum(g, product, [0, 1]) }));
  const a = { shape: size, data: new Float32Array(512 * 512).fill(1e-3) };
  // Turns of the event loop, not of a timer: there are many, however fast the program is.
  let [turns, runs] = [0, true];
  const turn = () => {
    turns++;
    if (runs) setImmediate(turn);
  };
  setImmediate(turn);
  await program.run({ a });
  runs = false;
  await program.dispose();
  assert.ok(turns > 1, `${turns} turns`);
});

test('in a thread: errors come back, and the next run works', async () => {
  await assert.rejects(engine.load(new Uint8Array([1, 2, 3])), /./);
  const g = createGraph();
  const program = await engine.compile(finish(g, { y: ops.neg(g, ops.input(g, 'x', [2])) }));
  const { y } = await program.run({ x: { shape: [2], data: Float32Array.of(1, -2) } });
  assert.deepEqual([...(y?.data ?? [])], [-1, 2]);
  await program.dispose();
});

test('in a thread: feeding the same arrays again takes no new memory', async () => {
  const g = createGraph();
  const shape = [64, 3, 64, 64];
  const program = await engine.compile(finish(g, { sum: ops.reduceSum(g, ops.input(g, 'x', shape), [0, 1, 2, 3]) }));
  const x = { shape, data: new Float32Array(64 * 3 * 64 * 64) }; // 3 MB
  await program.run({ x });
  const before = process.memoryUsage().rss;
  for (let run = 0; run < 200; run++) {
    x.data[0] = run;
    const { sum } = await program.run({ x });
    assert.equal(sum?.data[0], run);
  }
  const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
  await program.dispose();
  assert.ok(grownMiB < 200, `${grownMiB} MiB`);
});

test('in a thread: a disposed engine refuses later calls, and can be disposed of again', async () => {
  const closing = await createEngine(threadedRuntime(), { device: 'cpu', threads: 1 });
  const { graph, carries } = regressionStep();
  const program = await closing.compile(graph, carries);
  const state = closing.createState(regressionStart());
  await closing.dispose();
  await assert.rejects(program.run(regressionFeeds(0), state), /the engine has been disposed of/);
  await assert.rejects(closing.compile(graph, carries), /the engine has been disposed of/);
  await program.dispose();
});

test('in a thread: an engine that is left alone does not keep the process alive', () => {
  const script = `
    import { createEngine } from '${new URL('./create.ts', import.meta.url)}';
    import { threadedRuntime } from '${new URL('./runtime/thread.node.ts', import.meta.url)}';
    await createEngine(threadedRuntime(), { device: 'cpu', threads: 1 });
    process.stdout.write('done');`;
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-'));
  try {
    const file = join(folder, 'alone.mjs');
    writeFileSync(file, script);
    const { stdout, status } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 600_000 });
    assert.deepEqual({ stdout, status }, { stdout: 'done', status: 0 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
