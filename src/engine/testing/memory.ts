/** What a process holds between the runs of its programs. */
import assert from 'node:assert/strict';
import { createGraph, finish } from '../../graph/builder.ts';
import * as ops from '../../graph/ops.ts';
import type { CompileOptions, Engine } from '../engine.ts';

const MEBIBYTE = 2 ** 20;
/** The side of a square value of 64 MiB: more than any allocator keeps in reserve. */
const SIDE = 4096;

/** `memory: 'returned'` computes the same numbers, and what it computed them in is gone after the run. */
export async function assertGivesMemoryBack(engine: Engine): Promise<void> {
  const g = createGraph();
  const [x, y] = [ops.input(g, 'x', [SIDE, 1]), ops.input(g, 'y', [1, SIDE])];
  const graph = finish(g, { sum: ops.reduceSum(g, ops.tanh(g, ops.add(g, x, y)), [0, 1]) });
  const data = Float32Array.from({ length: SIDE }, (_, i) => i / SIDE);
  const feeds = { x: { shape: [SIDE, 1], data }, y: { shape: [1, SIDE], data } };
  const held = async (memory: CompileOptions['memory']) => {
    const before = process.memoryUsage.rss();
    const program = await engine.compile(graph, {}, memory && { memory });
    const { sum } = await program.run(feeds);
    const bytes = process.memoryUsage.rss() - before;
    await program.dispose();
    return { sum, bytes };
  };
  const [returned, kept] = [await held('returned'), await held(undefined)];
  assert.deepEqual(returned.sum, kept.sum);
  assert.ok(
    kept.bytes - returned.bytes > 2 * SIDE ** 2,
    `${returned.bytes / MEBIBYTE} MiB where memory is returned, ${kept.bytes / MEBIBYTE} where it is kept`,
  );
}
