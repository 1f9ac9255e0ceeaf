import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import { interpret } from '../../graph/interpret.ts';
import type { Graph } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { optimise } from '../../graph/passes.ts';
import { layerStep, randomSwitches } from '../../graph/testing/switches.ts';
import { createEngine } from '../create.ts';
import { nodeRuntime } from '../runtime/node.node.ts';
import { toFloat32 } from '../testing/agreement.ts';
import { lowerGraph } from './lower.ts';
import { schedule } from './schedule.ts';

type GraphProto = onnxProto.onnx.IGraphProto;

/** The operators that a run computes where the input `index` has a value. */
function computed(model: Uint8Array, index: number): string[] {
  const whole = onnxProto.onnx.ModelProto.decode(model).graph as GraphProto;
  const numbers = new Map(
    (whole.initializer ?? []).map(({ name, rawData }) => [name, new DataView(new Uint8Array(rawData ?? []).buffer)]),
  );
  const conditions = new Map<string, boolean>();
  for (const { opType, input = [], output = [] } of whole.node ?? []) {
    if (input?.[0] !== 'index' || (opType !== 'Less' && opType !== 'Equal')) continue;
    const bound = numbers.get(input[1] ?? '')?.getFloat32(0, true) ?? Number.NaN;
    conditions.set(output?.[0] ?? '', opType === 'Less' ? index < bound : index === bound);
  }
  const walk = ({ node }: GraphProto): string[] =>
    (node ?? []).flatMap(({ opType, input, attribute }) => {
      if (opType !== 'If') return [opType ?? ''];
      const holds = conditions.get(input?.[0] ?? '');
      assert.notEqual(holds, undefined, `a condition on ${input}`);
      const branch = attribute?.find(({ name }) => name === (holds === true ? 'then_branch' : 'else_branch'));
      return walk(branch?.g as GraphProto);
    });
  return walk(whole);
}

for (const clip of [false, true]) {
  test(`a run computes the convolutions of the chosen option alone${clip ? ', with gradients clipped' : ''}`, () => {
    const { model } = lowerGraph(optimise(layerStep(clip)), { target: 'cpu' });
    const convolutions = [0, 1, 2, 3].map((option) =>
      computed(model, option).filter((type) => type.startsWith('Conv')),
    );
    assert.deepEqual(convolutions.slice(0, 2), [[], []]);
    // Forward, by the input, by the filter.
    assert.deepEqual(
      convolutions.slice(2).map(({ length }) => length),
      [3, 3],
    );
  });
}

test('what is ready under one index is computed in one conditional', () => {
  const kinds = schedule(optimise(layerStep(false)), () => false).steps.map(({ kind }) => kind);
  // The layer; its gradient by what comes before it, with the update of its weights.
  assert.equal(kinds.filter((kind) => kind === 'switch').length, 2);
});

/** Two switches between nothing and a convolution of one rectified tensor, with the gradients by it and by the filters. */
function twoOfOne(): Graph {
  const g = createGraph();
  const [i, j, x] = [ops.input(g, 'i', []), ops.input(g, 'j', []), ops.input(g, 'x', [4, 16, 32, 32])];
  const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;
  const filters = ['a', 'b'].map((name) => ops.input(g, name, [16, 16, 3, 3]));
  const zero = ops.constant(g, 0, [4, 16, 32, 32]);
  const sum = filters.reduce((total, w, k) => {
    const y = ops.conv(g, ops.relu(g, x), w, geometry);
    return ops.add(g, total, ops.select(g, k === 0 ? i : j, [zero, y, zero]));
  }, x);
  const loss = ops.reduceMean(g, ops.mul(g, sum, sum), [0, 1, 2, 3]);
  const [dx = 0, da = 0, db = 0] = gradients(g, loss, [x, ...filters]);
  return optimise(finish(g, { loss, dx, da, db }));
}

test('what one of several switches asks for is computed once, where one of them does', async () => {
  const graph = twoOfOne();
  assert.equal(graph.nodes.filter(({ op }) => op.kind === 'unary' && op.fn === 'relu').length, 1);
  const { steps, either } = schedule(graph, () => false);
  const own = steps.filter((step) => step.kind === 'switch' && either.has(step.index));
  assert.ok(own.length > 0);
  assert.deepEqual(
    [...either.values()].map((conditions) => conditions.map((condition) => [...condition.values()])),
    [[[1], [1]]],
  );
  const random = rng('two of one');
  const draw = (shape: readonly number[]) => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(random.normal())),
  });
  const values = { x: draw([4, 16, 32, 32]), a: draw([16, 16, 3, 3]), b: draw([16, 16, 3, 3]) };
  for (const layout of ['portable', 'auto'] as const) {
    const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout });
    const program = await engine.compile(graph);
    for (const [i, j] of [
      [0, 0],
      [1, 0],
      [2, 1],
      [1, 1],
    ]) {
      const feeds = { ...values, i: { shape: [], data: [i ?? 0] }, j: { shape: [], data: [j ?? 0] } };
      const found = await program.run(toFloat32(feeds));
      for (const [name, { data }] of Object.entries(interpret(graph, feeds))) {
        const error = Math.hypot(...Array.from(data, (v, k) => v - (found[name]?.data[k] ?? Number.NaN)));
        assert.ok(error < 1e-4 * Math.hypot(...data) + 1e-6, `${layout}, i ${i}, j ${j}: ${name} differs by ${error}`);
      }
    }
    await program.dispose();
  }
});

test('random switches within, behind and beside one another agree with the interpreter for all options', async () => {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  for (let seed = 0; seed < 30; seed++) {
    const graph = randomSwitches(seed);
    const random = rng('random switches on the engine', seed);
    const draw = () => ({ shape: [2, 3], data: Float64Array.from({ length: 6 }, () => Math.fround(random.normal())) });
    const values = { x: draw(), y: draw() };
    const program = await engine.compile(graph);
    for (let option = 0; option < 9; option++) {
      const [i, j] = [Math.floor(option / 3), option % 3];
      const feeds = { ...values, i: { shape: [], data: [i] }, j: { shape: [], data: [j] } };
      const found = await program.run(toFloat32(feeds));
      for (const [name, { data }] of Object.entries(interpret(graph, feeds))) {
        const error = Math.hypot(...data.map((v, k) => v - (found[name]?.data[k] ?? Number.NaN)));
        const bound = 1e-3 * Math.max(1, Math.hypot(...data));
        assert.ok(error < bound, `seed ${seed}, i ${i}, j ${j}: ${name} differs by ${error}`);
      }
    }
    await program.dispose();
  }
});
