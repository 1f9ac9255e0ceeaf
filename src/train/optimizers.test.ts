import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from '../engine/create.ts';
import type { Engine } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { createGraph, finish } from '../graph/builder.ts';
import type { HostTensor } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { optimizerOf, sgd } from './optimizers.ts';
import type { TrainSettings } from './settings.ts';
import { referenceEngine } from './testing/reference-engine.ts';

type Options = Pick<TrainSettings, 'momentum' | 'nesterov' | 'weightDecay'> &
  Partial<Pick<TrainSettings, 'beta1' | 'beta2'>>;
const SHAPES = [[2, 3], [2]] as const;
const PATHS = ['0/weight', '0/bias'] as const;
const RATES = [0.1, 0.05, 0.2, 0.1, 0.01];

/** The gradient of tensor `i` at step `t`, made up. */
const gradientAt = (i: number, t: number) =>
  Float32Array.from({ length: i === 0 ? 6 : 2 }, (_, k) => Math.sin(1 + 7 * i + 3 * t + k));
const initial = (i: number) => Float32Array.from({ length: i === 0 ? 6 : 2 }, (_, k) => Math.cos(1 + 5 * i + k));

/** The weights after five steps of the optimizer's graph. */
async function byGraph(engine: Engine, name: TrainSettings['optimizer'], options: Options): Promise<number[][]> {
  const optimizer = optimizerOf({ optimizer: name, ...options });
  const g = createGraph();
  const parameters = PATHS.map((path, i) => ({
    path,
    shape: SHAPES[i] ?? [],
    node: ops.input(g, path, SHAPES[i] ?? []),
    when: [],
  }));
  const gradients = PATHS.map((path, i) => ops.input(g, `gradient of ${path}`, SHAPES[i] ?? []));
  const update = optimizer.append(g, options, parameters, gradients);
  const next = [
    ...PATHS.map((path, i) => [path, update.parameters[i] ?? -1] as const),
    ...update.state.map((entry) => [entry.name, entry.next] as const),
  ];
  const graph = finish(g, Object.fromEntries(next.map(([entry, node]) => [`next:${entry}`, node])));
  const carries = Object.fromEntries(next.map(([entry]) => [`next:${entry}`, entry]));
  const state = engine.createState({
    ...Object.fromEntries(PATHS.map((path, i) => [path, { shape: SHAPES[i] ?? [], data: initial(i) }])),
    ...Object.fromEntries(
      update.state.map(({ name: entry, shape }) => [
        entry,
        { shape, data: new Float32Array(shape.length === 2 ? 6 : 2) },
      ]),
    ),
  });
  const program = await engine.compile(graph, carries);
  for (const [t, rate] of RATES.entries()) {
    const feeds: Record<string, HostTensor> = {};
    for (const [entry, value] of Object.entries(optimizer.scalars(rate, t + 1))) {
      feeds[entry] = { shape: [], data: Float32Array.of(value) };
    }
    for (const [i, path] of PATHS.entries()) {
      feeds[`gradient of ${path}`] = { shape: SHAPES[i] ?? [], data: gradientAt(i, t) };
    }
    await program.run(feeds, state);
  }
  const weights = await state.read(PATHS);
  return PATHS.map((path) => [...(weights[path]?.data ?? [])]);
}

/** The same by the formulas of PyTorch's documentation, element by element in float64. */
function byHand(
  name: TrainSettings['optimizer'],
  { momentum, nesterov, weightDecay, beta1 = 0.9, beta2 = 0.999 }: Options,
): number[][] {
  return PATHS.map((_, i) =>
    [...initial(i)].map((start, k) => {
      let [w, buffer, m, v] = [start, 0, 0, 0];
      for (const [t, rate] of RATES.entries()) {
        let g = gradientAt(i, t)[k] ?? Number.NaN;
        if (name === 'adamw') w -= rate * weightDecay * w;
        else g += weightDecay * w;
        if (name === 'asgd') {
          w -= rate * g;
        } else if (name === 'sgd') {
          buffer = t === 0 ? g : momentum * buffer + g;
          w -= rate * (momentum === 0 ? g : nesterov ? g + momentum * buffer : buffer);
        } else {
          m = beta1 * m + (1 - beta1) * g;
          v = beta2 * v + (1 - beta2) * g * g;
          const mHat = m / (1 - beta1 ** (t + 1));
          const vHat = v / (1 - beta2 ** (t + 1));
          w -= (rate * mHat) / (Math.sqrt(vHat) + 1e-8);
        }
      }
      return w;
    }),
  );
}

const cases: readonly (readonly [TrainSettings['optimizer'], Options])[] = [
  ['sgd', { momentum: 0, nesterov: false, weightDecay: 0 }],
  ['sgd', { momentum: 0.9, nesterov: false, weightDecay: 0 }],
  ['sgd', { momentum: 0.9, nesterov: true, weightDecay: 0.1 }],
  ['sgd', { momentum: 0, nesterov: true, weightDecay: 0.1 }],
  ['asgd', { momentum: 0.9, nesterov: true, weightDecay: 0.1 }],
  ['adam', { momentum: 0, nesterov: false, weightDecay: 0.1, beta1: 0.5, beta2: 0.9 }],
  ['adam', { momentum: 0, nesterov: false, weightDecay: 0 }],
  ['adamw', { momentum: 0, nesterov: false, weightDecay: 0.1 }],
  ['adamw', { momentum: 0, nesterov: false, weightDecay: 0.1, beta1: 0, beta2: 0.99 }],
];
const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  'the reference interpreter': async () => referenceEngine(),
  'ONNX Runtime': async () => createEngine(nodeRuntime(), { device: 'cpu', threads: 1 }),
};
for (const [where, open] of Object.entries(ENGINES)) {
  for (const [name, options] of cases) {
    test(`five steps of ${name} ${JSON.stringify(options)} in ${where} are PyTorch's`, async () => {
      const [graph, hand] = [await byGraph(await open(), name, options), byHand(name, options)];
      for (const [i, values] of hand.entries()) {
        for (const [k, value] of values.entries()) {
          const found = graph[i]?.[k] ?? Number.NaN;
          assert.ok(Math.abs(found - value) < 2e-6, `tensor ${i}, element ${k}: ${found} is not ${value}`);
        }
      }
    });
  }
}

for (const [limit, factor] of [
  [2.5, 0.5],
  [50, 1],
  [0, 1],
] as const) {
  test(`gradients of norm 5 are scaled by ${factor} under a limit of ${limit}`, async () => {
    const g = createGraph();
    const parameters = PATHS.map((path, i) => ({
      path,
      shape: SHAPES[i] ?? [],
      node: ops.constant(g, 0, SHAPES[i] ?? []),
      when: [],
    }));
    const raw = [ops.constant(g, [3, 0, 0, 0, 0, 0], [2, 3]), ops.constant(g, [0, 4])];
    const { parameters: next } = sgd.append(g, { weightDecay: 0, clipNorm: limit }, parameters, raw);
    const program = await referenceEngine().compile(finish(g, { a: next[0] ?? -1, b: next[1] ?? -1 }));
    const { a, b } = await program.run({ learningRate: { shape: [], data: Float32Array.of(1) } });
    assert.deepEqual([a?.shape, b?.shape], SHAPES.slice());
    assert.ok(Math.abs((a?.data[0] ?? 0) + 3 * factor) < 1e-5);
    assert.ok(Math.abs((b?.data[1] ?? 0) + 4 * factor) < 1e-5);
  });
}
