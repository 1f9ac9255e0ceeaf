/** Whole graphs in each layout against the interpreter: with channels that fill blocks, and with some that do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { rng } from '../common/random.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { interpret } from '../graph/interpret.ts';
import { type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { type GraphCase, graphCase } from '../graph/testing/case.ts';
import { createEngine } from './create.ts';
import { nodeRuntime } from './runtime/node.node.ts';
import type { Runtime } from './runtime/runtime.ts';
import { assertAgreement } from './testing/agreement.ts';
import { layoutsUnderTest, testLayouts } from './testing/layouts.ts';

const layouts = await layoutsUnderTest();
const [portable, blocked] = layouts;
/** Channels in a block; where there are none, the same graphs are tested in the portable layout. */
const B = blocked.channels;

const window = (stride: number, pad: number, groups = 1, dilation = 1) =>
  ({ stride: [stride, stride], dilation: [dilation, dilation], pads: [pad, pad, pad, pad], groups }) as const;
const pool = (stride: number) => ({ kernel: [3, 3], stride: [stride, stride], pads: [1, 1, 1, 1] }) as const;

/** y = x·scale + shift with the batch's own statistics, as network/normalization.ts has it. */
function normalize(g: GraphBuilder, x: NodeId): NodeId {
  const mean = ops.reduceMean(g, x, [0, 2, 3], true);
  const square = ops.reduceMean(g, ops.mul(g, x, x), [0, 2, 3], true);
  const variance = ops.sub(g, square, ops.mul(g, mean, mean));
  const scale = ops.div(g, ops.constant(g, 1), ops.sqrt(g, ops.add(g, variance, ops.constant(g, 1e-5))));
  return ops.add(g, ops.mul(g, x, scale), ops.neg(g, ops.mul(g, mean, scale)));
}

const image = (channels: number, size = 5): readonly [Shape] => [[2, channels, size, size]];
const distinct = (channels: number, size = 5) => [[2, channels, size, size], 'distinct'] as const;

/** B: what stands for a block of channels. */
const casesOf = (B: number): readonly GraphCase[] => [
  graphCase(
    'stem, relu, dense convolution, batch norm and a sum of branches',
    { x: image(3, 6), stem: [[B, 3, 3, 3]], w: [[2 * B, B, 3, 3]], v: [[2 * B, B, 1, 1]], bias: [[2 * B]] },
    (g, x = 0, stem = 0, w = 0, v = 0, bias = 0) => {
      const start = normalize(g, ops.conv(g, x, stem, window(1, 1)));
      const active = ops.relu(g, start);
      const wide = normalize(g, ops.conv(g, active, w, window(1, 1)));
      return ops.relu(g, ops.add(g, wide, ops.conv(g, start, v, window(1, 0), bias)));
    },
  ),
  graphCase(
    'a gate for each image and channel, on either side',
    { x: image(B, 6), gate: [[2, B, 1, 1]], w: [[B, B, 3, 3]], v: [[2 * B, B, 1, 1]] },
    (g, x = 0, gate = 0, w = 0, v = 0) => {
      const gated = ops.mul(g, ops.conv(g, x, w, window(1, 1)), gate);
      const pooled = ops.reduceMean(g, ops.relu(g, gated), [2, 3], true);
      return ops.conv(g, ops.mul(g, pooled, gated), v, window(2, 0));
    },
  ),
  graphCase(
    'separable convolutions, dilated and strided',
    { x: image(B, 7), d1: [[B, 1, 3, 3]], p1: [[B, B, 1, 1]], d2: [[B, 1, 5, 5]], p2: [[B, B, 1, 1]] },
    (g, x = 0, d1 = 0, p1 = 0, d2 = 0, p2 = 0) => {
      const active = ops.relu(g, x);
      const a = ops.conv(g, ops.conv(g, active, d1, window(2, 2, B, 2)), p1, window(1, 0));
      const b = ops.conv(g, ops.conv(g, active, d2, window(2, 2, B)), p2, window(1, 0));
      return ops.add(g, normalize(g, a), normalize(g, b));
    },
  ),
  graphCase('grouped convolutions of whole blocks', { x: image(2 * B, 4), w: [[2 * B, B, 3, 3]] }, (g, x = 0, w = 0) =>
    ops.conv(g, x, w, window(1, 1, 2)),
  ),
  graphCase(
    'strided dense convolutions',
    { x: image(B, 8), w: [[2 * B, B, 3, 3]], v: [[B, 2 * B, 1, 1]] },
    (g, x = 0, w = 0, v = 0) => ops.conv(g, ops.tanh(g, ops.conv(g, x, w, window(2, 1))), v, window(2, 0)),
  ),
  ...[7, 8].map((size) =>
    graphCase(
      `a strided residual block, ${size} wide`,
      { x: image(B, size), w: [[2 * B, B, 3, 3]], v: [[2 * B, B, 1, 1]], d: [[B, 1, 3, 3]] },
      (g, x = 0, w = 0, v = 0, d = 0) => {
        const start = ops.conv(g, x, d, window(1, 1, B));
        const body = normalize(g, ops.conv(g, ops.relu(g, start), w, window(2, 1)));
        return ops.relu(g, ops.add(g, body, ops.conv(g, ops.relu(g, start), v, window(2, 0))));
      },
    ),
  ),
  ...[6, 7].map((size) =>
    graphCase(
      `a reduction by every other pixel, of an image and of it without its first row and column, ${size} wide`,
      { x: image(B, size), w: [[B, B, 1, 1]], v: [[B, B, 1, 1]], u: [[B, B, 3, 3]] },
      (g, x = 0, w = 0, v = 0, u = 0) => {
        const active = ops.relu(g, x);
        const cut = (rows: number, columns: number) => ops.slice(g, active, [0, 0, rows, columns], g.shape(active));
        const even = ops.conv(g, active, w, window(2, 0));
        const odd = ops.conv(g, cut(1, 1), v, window(2, 0));
        const wide = ops.conv(g, cut(0, 1), u, window(2, 1));
        const total = (id: NodeId) => ops.reduceSum(g, ops.mul(g, id, id), [0, 2, 3]);
        return ops.add(g, ops.add(g, total(even), total(odd)), total(wide));
      },
    ),
  ),
  graphCase('pools of both kinds and strides', { x: distinct(B, 6), w: [[B, B, 1, 1]] }, (g, x = 0, w = 0) => {
    const mixed = ops.conv(g, x, w, window(1, 0));
    const all = [
      ops.maxPool(g, x, pool(2)),
      ops.avgPool(g, mixed, pool(2)),
      ops.maxPool(g, ops.avgPool(g, x, pool(1)), pool(2)),
    ];
    return ops.concat(g, all, 1);
  }),
  graphCase(
    'joined, cut and padded along channels and pixels',
    { x: image(B), y: image(2 * B), w: [[B, 3 * B, 3, 3]] },
    (g, x = 0, y = 0, w = 0) => {
      const joined = ops.concat(g, [ops.tanh(g, x), y], 1);
      const through = ops.conv(g, joined, w, window(1, 1));
      const cut = ops.slice(g, joined, [0, B, 1, 0], [2, 3 * B, 5, 4]);
      const padded = ops.pad(g, cut, [0, 0, 1, 0], [0, B, 0, 1]);
      return ops.concat(g, [padded, through], 1);
    },
  ),
  graphCase(
    'parts of less than a block, joined and cut',
    { x: image(B / 2), y: image(B / 2), w: [[B, B, 3, 3]], v: [[B, B, 1, 1]] },
    (g, x = 0, y = 0, w = 0, v = 0) => {
      const joined = ops.concat(g, [ops.tanh(g, x), ops.relu(g, y)], 1);
      const through = ops.conv(g, ops.relu(g, joined), w, window(1, 1));
      const half = ops.slice(g, through, [0, B / 2, 0, 0], [2, B, 5, 5]);
      const filled = ops.pad(g, half, [0, B / 2, 0, 0], [0, 0, 0, 0]);
      return ops.add(g, ops.conv(g, filled, v, window(1, 0)), ops.mul(g, joined, through));
    },
  ),
  graphCase(
    'operands that broadcast: by channel, by image and channel, by pixel, by number',
    {
      x: image(B),
      w: [[B, B, 1, 1]],
      c: [[1, B, 1, 1]],
      nc: [[2, B, 1, 1]],
      hw: [[1, 1, 5, 5]],
      n: [[2, 1, 1, 1]],
      s: [[]],
    },
    (g, x = 0, w = 0, c = 0, nc = 0, hw = 0, n = 0, s = 0) => {
      const y = ops.conv(g, x, w, window(1, 0));
      const terms = [
        ops.mul(g, y, c),
        ops.mul(g, y, nc),
        ops.mul(g, hw, y),
        ops.sub(g, y, n),
        ops.sub(g, s, y),
        ops.sub(g, y, ops.mul(g, y, c)),
      ];
      return terms.reduce((sum, term) => ops.add(g, sum, term));
    },
  ),
  graphCase('sums over every choice of axes', { x: image(B), w: [[B, B, 1, 1]] }, (g, x = 0, w = 0) => {
    const y = ops.conv(g, x, w, window(1, 0));
    const sums = [[0, 1, 2, 3], [0, 2, 3], [2, 3], [1], [0], [1, 2, 3], [3]].map((axes) =>
      ops.reduceSum(g, ops.mul(g, y, y), axes, true),
    );
    const means = [
      [0, 2, 3],
      [2, 3],
      [0, 1, 2, 3],
    ].map((axes) => ops.reduceMean(g, ops.mul(g, y, x), axes, true));
    return [...sums, ops.reduceMax(g, y, [0, 1, 2, 3], true), ...means].reduce((sum, term) => ops.add(g, sum, term));
  }),
  graphCase(
    'filters: scaled by filter, by input channel, squared, and of a depthwise convolution',
    { x: image(B), w: [[B, B, 3, 3]], d: [[B, 1, 3, 3]], o: [[B, 1, 1, 1]], i: [[1, B, 1, 1]] },
    (g, x = 0, w = 0, d = 0, o = 0, i = 0) => {
      const scaled = ops.mul(g, ops.mul(g, ops.mul(g, w, o), i), w);
      const y = ops.conv(g, x, scaled, window(1, 1));
      return ops.conv(g, y, ops.mul(g, d, o), window(1, 1, B));
    },
  ),
  graphCase(
    'squeeze and excite',
    { x: image(B), v: [[4, B]], w: [[B, 4]], f: [[B, B, 1, 1]] },
    (g, x = 0, v = 0, w = 0, f = 0) => {
      const y = ops.conv(g, x, f, window(1, 0));
      const hidden = ops.tanh(g, ops.matmul(g, ops.reduceMean(g, y, [2, 3]), v, { transposeB: true }));
      const gate = ops.sigmoid(g, ops.matmul(g, hidden, w, { transposeB: true }));
      return ops.mul(g, y, ops.reshape(g, gate, [2, B, 1, 1]));
    },
  ),
  ...[0, 1, 2].map((option) => {
    const filters = { w: [[B, B, 1, 1]], v: [[B, B, 3, 3]], u: [[B, B, 1, 1]] } as const;
    const made = graphCase(
      `a switch between a skip, a convolution and nothing, option ${option}`,
      { index: [[]], x: image(B), ...filters },
      (g, index = 0, x = 0, w = 0, v = 0, u = 0) => {
        const y = ops.conv(g, x, w, window(1, 0));
        const convolved = normalize(g, ops.conv(g, ops.relu(g, y), v, window(1, 1)));
        const chosen = ops.select(g, index, [y, convolved, ops.constant(g, 0, g.shape(y))]);
        return ops.conv(g, ops.add(g, y, chosen), u, window(1, 0));
      },
    );
    return { ...made, feeds: { ...made.feeds, index: { shape: [], data: Float64Array.of(option) } } };
  }),
];

for (const [channels, of] of [
  [B, 'whole blocks'],
  [(3 * B) / 4, 'blocks that are filled up'],
] as const) {
  for (const testCase of casesOf(channels))
    testLayouts(layouts, `${testCase.name}, and gradients, of ${of}`, ({ engine }) =>
      assertAgreement((graph) => engine.compile(graph), testCase),
    );
}

/** Two convolutions trained by gradient descent with momentum, in which filters and momenta are state. */
function trainingStep() {
  const shapes = { stem: [B, 3, 3, 3], depthwise: [B, 1, 3, 3], dense: [B, B, 3, 3] } as const;
  const g = createGraph();
  const x = ops.input(g, 'x', [2, 3, 6, 6]);
  const weights = Object.entries(shapes).map(([name, shape]) => ops.input(g, name, shape));
  const [stem = 0, depthwise = 0, dense = 0] = weights;
  const first = ops.relu(g, normalize(g, ops.conv(g, x, stem, window(1, 1))));
  const second = ops.conv(g, ops.conv(g, first, depthwise, window(1, 1, B)), dense, window(1, 1));
  const loss = ops.reduceMean(g, ops.mul(g, second, second), [0, 1, 2, 3]);
  const slopes = gradients(g, loss, weights);
  const outputs: Record<string, NodeId> = { loss };
  const carries: Record<string, string> = {};
  Object.entries(shapes).forEach(([name, shape], i) => {
    const momentum = ops.add(g, ops.scale(g, ops.input(g, `${name}:momentum`, shape), 0.9), slopes[i] ?? loss);
    outputs[`next:${name}`] = ops.sub(g, weights[i] ?? loss, ops.scale(g, momentum, 0.1));
    outputs[`next:${name}:momentum`] = momentum;
    carries[`next:${name}`] = name;
    carries[`next:${name}:momentum`] = `${name}:momentum`;
  });
  const random = rng('blocked training');
  const draw = (shape: Shape, size: number) => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => size * random.normal()),
  });
  const start = Object.fromEntries(
    Object.entries(shapes).flatMap(([name, shape]) => [
      [name, draw(shape, 0.3)],
      [`${name}:momentum`, draw(shape, 0.01)],
    ]),
  );
  return { graph: finish(g, outputs), carries, start, feeds: { x: draw([2, 3, 6, 6], 1) } };
}

testLayouts(
  layouts,
  'filters and momenta stay as they lie between steps, and are plain where they leave',
  async (layout) => {
    const { engine } = layout;
    const { graph, carries, start, feeds } = trainingStep();
    const program = await engine.compile(graph, carries);
    const state = engine.createState(start);
    let reference: Record<string, { shape: Shape; data: ArrayLike<number> }> = start;
    for (let step = 0; step < 3; step++) {
      const expected = interpret(graph, { ...reference, ...feeds } as never);
      const { loss } = await program.run(feeds, state);
      assert.ok(Math.abs((loss?.data[0] ?? 0) - (expected.loss?.data[0] ?? 0)) < 1e-5);
      reference = Object.fromEntries(
        Object.entries(carries).map(([output, name]) => [name, expected[output] ?? { shape: [], data: [] }]),
      );
      const current = await state.read();
      for (const [name, { data }] of Object.entries(reference)) {
        const worst = Math.max(...Array.from(data, (v, i) => Math.abs(v - (current[name]?.data[i] ?? Number.NaN))));
        assert.ok(worst < 1e-5, `step ${step}: ${name} is off by ${worst}`);
      }
    }
    // What was read goes into the state of an engine with the other layout.
    const other = (layout === portable ? blocked : portable).engine;
    const plain = await other.compile(graph, carries);
    const moved = other.createState(await state.read());
    const [a, b] = [await program.run(feeds, state), await plain.run(feeds, moved)];
    assert.ok(Math.abs((a.loss?.data[0] ?? 0) - (b.loss?.data[0] ?? 1)) < 1e-5);
  },
);

testLayouts(layouts, 'the same steps twice give bitwise the same weights', async ({ engine }) => {
  const { graph, carries, start, feeds } = trainingStep();
  const program = await engine.compile(graph, carries);
  const runs = [engine.createState(start), engine.createState(start)];
  for (const state of runs) for (let step = 0; step < 3; step++) await program.run(feeds, state);
  const [a, b] = await Promise.all(runs.map((state) => state.read()));
  assert.deepEqual(a, b);
});

test('the portable layout can be asked for: no operator of the blocked layout is in its models', async () => {
  const { graph, carries } = trainingStep();
  const compiled = async (layout: 'auto' | 'portable') => {
    const runtime = nodeRuntime();
    const models: Uint8Array[] = [];
    const listening: Runtime = {
      ...runtime,
      createSession(model, options) {
        models.push(model);
        return runtime.createSession(model, options);
      },
    };
    const engine = await createEngine(listening, { device: 'cpu', threads: 1, layout });
    await (await engine.compile(graph, carries)).dispose();
    const model = onnxProto.onnx.ModelProto.decode(models.at(-1) ?? new Uint8Array());
    return { block: engine.options.block, domains: model.opsetImport.map(({ domain }) => domain ?? '') };
  };
  const portably = await compiled('portable');
  assert.equal(portably.block, 0);
  assert.ok(!portably.domains.includes('com.microsoft.nchwc'));
  const automatically = await compiled('auto');
  assert.equal(automatically.domains.includes('com.microsoft.nchwc'), automatically.block > 0);
});
