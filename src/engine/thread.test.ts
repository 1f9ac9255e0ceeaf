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

test('in a thread: the same numbers, bit for bit, as on the calling thread', async () => {
  const here = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  assert.deepEqual(await trained(engine), await trained(here));
});

test('in a thread: JavaScript goes on while a program runs', async () => {
  const g = createGraph();
  const size = [512, 512] as const;
  let product = ops.input(g, 'a', size);
  for (let i = 0; i < 20; i++) product = ops.tanh(g, ops.matmul(g, product, product));
  const program = await engine.compile(finish(g, { sum: ops.reduceSum(g, product, [0, 1]) }));
  const a = { shape: size, data: new Float32Array(512 * 512).fill(1e-3) };
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await program.run({ a });
  clearInterval(timer);
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
    const { stdout, status } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual({ stdout, status }, { stdout: 'done', status: 0 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
