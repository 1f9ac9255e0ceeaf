import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import type { HostTensor } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { createEngine } from './create.ts';
import type { Engine } from './engine.ts';
import { toOnnx } from './onnx/lower.ts';
import { nodeRuntime } from './runtime/node.node.ts';
import type { Device, Runtime } from './runtime/runtime.ts';
import { assertTrainsLikeReference } from './testing/agreement.ts';
import { assertGivesMemoryBack } from './testing/memory.ts';
import { assertFailureStopsTheQueue, assertRunsInOrder } from './testing/order.ts';
import { regressionFeeds, regressionStart, regressionStep } from './testing/regression.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 2 });
const vector = (...values: number[]): HostTensor => ({ shape: [values.length], data: Float32Array.from(values) });

test('training carries its state from step to step as the interpreter does', () => assertTrainsLikeReference(engine));

test('the same training twice gives the same weights, bit for bit', async () => {
  const train = async () => {
    const { graph, carries } = regressionStep();
    const program = await engine.compile(graph, carries);
    const state = engine.createState(regressionStart());
    for (let step = 0; step < 10; step++) await program.run(regressionFeeds(step), state);
    const weights = await state.read();
    state.dispose();
    await program.dispose();
    return weights;
  };
  assert.deepEqual(await train(), await train());
});

test('a program that returns its memory', () => assertGivesMemoryBack(engine));

test('a run that fails leaves the state as it was', async () => {
  const { graph, carries } = regressionStep();
  const program = await engine.compile(graph, carries);
  const state = engine.createState(regressionStart());
  const { x, rate } = regressionFeeds(0) as { x: HostTensor; rate: HostTensor };
  await assert.rejects(program.run({ x, rate }, state), { message: 'input "y" is neither fed nor in the state' });
  assert.deepEqual(await state.read(), regressionStart());
  await program.dispose();
});

test('a state is a copy, shared by programs; what is read is a copy too', async () => {
  const start = regressionStart();
  const { graph, carries } = regressionStep();
  const g = createGraph();
  const doubled = finish(g, { twice: ops.mul(g, ops.input(g, 'weight', [2, 3]), ops.constant(g, 2)) });
  const [train, read] = [await engine.compile(graph, carries), await engine.compile(doubled)];
  const state = engine.createState(start);
  start.weight?.data.fill(7);
  await train.run(regressionFeeds(0), state);
  const { weight } = await state.read(['weight']);
  assert.ok(weight !== undefined && !weight.data.includes(7));
  const { twice } = await read.run({}, state);
  assert.deepEqual(
    twice?.data,
    weight.data.map((v) => 2 * v),
  );
  weight.data.fill(0);
  assert.notDeepEqual((await state.read(['weight'])).weight, weight);
  await assert.rejects(state.read(['wait']), { message: 'the state has no entry "wait"' });
});

test('an output may be an input, a constant, the same as another, and have the name of an input', async () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [2]);
  const y = ops.neg(g, x);
  const program = await engine.compile(finish(g, { x: y, same: y, given: x, fixed: ops.constant(g, [1, 2, 3]) }));
  const results = await program.run({ x: vector(1, -2) });
  assert.deepEqual(results, { x: vector(-1, 2), same: vector(-1, 2), given: vector(1, -2), fixed: vector(1, 2, 3) });
});

test('feeds: the missing and the misshapen are named, with both shapes', async () => {
  const g = createGraph();
  const program = await engine.compile(finish(g, { y: ops.relu(g, ops.input(g, 'x', [2, 3])) }));
  await assert.rejects(program.run({}), { message: 'input "x" is neither fed nor in the state' });
  const square = { shape: [3, 2], data: new Float32Array(6) };
  await assert.rejects(program.run({ x: square }), { message: 'input "x" is [3,2]; the program takes [2,3]' });
});

test('runs come in the order they were asked for', () => assertRunsInOrder(engine));
test('a run that fails takes those behind it along', () => assertFailureStopsTheQueue(engine));

test('a state that is written is for one program; a running program is not disposed of', async () => {
  const { graph, carries } = regressionStep();
  const [one, other] = [await engine.compile(graph, carries), await engine.compile(graph, carries)];
  const state = engine.createState(regressionStart());
  const running = one.run(regressionFeeds(0), state);
  await assert.rejects(other.run(regressionFeeds(1), state), /the state is in use by another run/);
  await assert.rejects(one.dispose(), /is running/);
  assert.throws(() => state.dispose(), /is in use/);
  await running;
  await other.run(regressionFeeds(1), state);
});

test('what has been disposed of says so; a second time does nothing', async () => {
  const { graph, carries } = regressionStep();
  const program = await engine.compile(graph, carries);
  const state = engine.createState(regressionStart());
  state.dispose();
  state.dispose();
  await assert.rejects(program.run(regressionFeeds(0), state), /the state has been disposed of/);
  await assert.rejects(state.read(), /the state has been disposed of/);
  await program.dispose();
  await program.dispose();
  await assert.rejects(program.run(regressionFeeds(0), state), /the program has been disposed of/);
});

test('a carry into nowhere, or of another shape, is refused', async () => {
  const { graph } = regressionStep();
  const nowhere = await engine.compile(graph, { 'next weight': 'wait' });
  await assert.rejects(nowhere.run(regressionFeeds(0), engine.createState(regressionStart())), {
    message: 'output "next weight" goes into "wait", which the state does not have',
  });
  await nowhere.dispose();
  await assert.rejects(engine.compile(graph, { 'next weight': 'bias' }), {
    message: 'carry "next weight" into "bias": the output is [2,3], the input [2]',
  });
  await assert.rejects(engine.compile(graph, { next: 'bias' }), /the graph has no such output/);
});

test('load runs an exported model: weights inside, batch open', async () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, 3]);
  const graph = finish(g, { y: ops.matmul(g, x, ops.input(g, 'w', [4, 3]), { transposeB: true }) });
  const w = { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i / 4) };
  const program = await engine.load(toOnnx(graph, { initializers: { w }, openBatch: ['x'], metadata: { input: 'x' } }));
  const feed = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const { y } = await program.run({ x: feed });
  assert.deepEqual([...(y?.data ?? [])], [...(interpret(graph, { x: feed, w }).y?.data ?? [])]);
  assert.deepEqual(
    (await program.run({ x: { shape: [1, 3], data: feed.data.subarray(3) } })).y?.data,
    y?.data.slice(4),
  );
});

test('an unknown device and a wrong number of threads are refused', async () => {
  const open = (device: string, threads: number) => createEngine(nodeRuntime(), { device: device as Device, threads });
  await assert.rejects(open('tpu', 1), {
    name: 'UserError',
    message: 'device: "tpu" is unknown; devices are cpu, webgpu, cuda',
  });
  await assert.rejects(open('cpu', 0), { name: 'UserError', message: 'threads: found 0; a whole number from 1' });
});

test('a device that the runtime cannot open is refused with what is missing', async () => {
  const runtime: Runtime = {
    ...nodeRuntime(),
    createSession: () => Promise.reject(new Error('/src/context.cc:136 was false. Failed to get a WebGPU adapter\n')),
  };
  await assert.rejects(createEngine(runtime, { device: 'webgpu', threads: 1 }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(
      error.message,
      /^device "webgpu": onnxruntime-node \S+ cannot use it: Failed to get a WebGPU adapter; /,
    );
    assert.ok(error.message.endsWith(runtime.missing('webgpu')));
    return true;
  });
});

/** A small network, forward only. */
async function openBatchProgram(on: Engine) {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, 3, 6, 6]);
  const w = ops.input(g, 'w', [4, 3, 3, 3]);
  const conv = ops.conv(g, x, w, { stride: [2, 2], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 });
  const pooled = ops.maxPool(g, ops.relu(g, conv), { kernel: [2, 2], stride: [1, 1], pads: [0, 0, 0, 0] });
  const scale = ops.broadcastTo(g, ops.reshape(g, ops.input(g, 'scale', [4]), [1, 4, 1, 1]), g.shape(pooled));
  const scaled = ops.mul(g, pooled, scale);
  const features = ops.reshape(g, ops.transpose(g, scaled, [2, 0, 3, 1]), [2, 2, 8]);
  const rows = ops.reshape(g, ops.transpose(g, features, [1, 0, 2]), [2, 16]);
  const both = ops.concat(g, [rows, ops.slice(g, ops.neg(g, rows), [0, 3], [2, 9])], 1);
  const graph = finish(g, { y: ops.logSoftmax(g, both), mean: ops.reduceMean(g, both, [0]) });
  return on.compile(graph, {}, { openBatch: ['x'] });
}

test('open batch: one program runs batches of 1, 2 and 7', async () => {
  const program = await openBatchProgram(engine);
  const state = engine.createState({
    w: { shape: [4, 3, 3, 3], data: Float32Array.from({ length: 108 }, (_, i) => Math.sin(i)) },
    scale: vector(1, -1, 2, 0.5),
  });
  const image = 3 * 6 * 6;
  const all = Float32Array.from({ length: 7 * image }, (_, i) => Math.cos(0.7 * i));
  const run = async (first: number, count: number) =>
    (
      await program.run(
        { x: { shape: [count, 3, 6, 6], data: all.slice(first * image, (first + count) * image) } },
        state,
      )
    ).y;
  const together = await run(0, 7);
  assert.deepEqual(together?.shape, [7, 22]);
  const apart = await Promise.all([run(0, 1)]).then(async ([first]) => [first, await run(1, 2), await run(3, 1)]);
  const joined = apart.flatMap((y) => [...(y?.data ?? [])]);
  for (const [i, v] of joined.entries()) assert.ok(Math.abs(v - (together?.data[i] ?? 0)) < 1e-5);
  assert.equal(joined.length, 4 * 22);
});

test('open batch: what works along the batch is refused', async () => {
  const g = createGraph();
  const x = ops.input(g, 'x', [4, 3]);
  const graph = finish(g, { y: ops.slice(g, x, [1, 0], [3, 3]) });
  await assert.rejects(engine.compile(graph, {}, { openBatch: ['x'] }), {
    message: 'open batch: slice of [4,3] slices along the batch',
  });
});
