import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { rng } from '../../common/random.ts';
import { interpret } from '../../graph/interpret.ts';
import { optimize } from '../../graph/passes.ts';
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
    const { model } = lowerGraph(optimize(layerStep(clip)), { target: 'cpu' });
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
  const kinds = schedule(optimize(layerStep(false)), () => false).map(({ kind }) => kind);
  // The layer; its gradient by what comes before it, with the update of its weights.
  assert.equal(kinds.filter((kind) => kind === 'switch').length, 2);
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
