import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import * as ops from '../graph/ops.ts';
import { batchNorm, conv, flatten, linear, relu, sequential } from '../space/tree/builders.ts';
import { freshTensors, inferenceGraph, inferenceOnState, trainingGraph } from './program.ts';
import { referenceEngine } from './testing/reference-engine.ts';
import { cutInputs, joinTensors, networkVectors, splitTensors, vectorOf } from './vectors.ts';

const tensor = (shape: readonly number[], ...data: readonly number[]) => ({ shape, data: Float32Array.from(data) });

test('tensors are joined in order and come apart as they were; what is in no vector stays', () => {
  const parts = [
    { name: 'a', shape: [2, 2] },
    { name: 'b', shape: [3] },
  ];
  const vectors = [vectorOf('ab', parts), vectorOf('only', [{ name: 'c', shape: [1, 2] }])];
  const tensors = {
    b: tensor([3], 5, 6, 7),
    a: tensor([2, 2], 1, 2, 3, 4),
    c: tensor([1, 2], 8, 9),
    other: tensor([], 10),
  };
  const joined = joinTensors(vectors, tensors);
  assert.deepEqual(joined, {
    ab: tensor([7], 1, 2, 3, 4, 5, 6, 7),
    only: tensor([1, 2], 8, 9),
    other: tensor([], 10),
  });
  assert.deepEqual(splitTensors(vectors, joined), tensors);
  assert.throws(() => joinTensors(vectors, { a: tensors.a }), /there is no tensor "b"/u);
  assert.throws(() => splitTensors(vectors, tensors), /there is no vector "ab"/u);
});

test('what is trained together is in one vector, statistics in one for each kind, options of a switch apart', () => {
  const chosen = (option: number) => [{ index: 0, name: 'choice:k', option, of: 2 }];
  const one = (path: string, when: ReturnType<typeof chosen> = []) => ({ path, shape: [2], when });
  const vectors = networkVectors(
    [
      one('0/weight'),
      one('1/a/weight', chosen(0)),
      one('1/b/weight', chosen(1)),
      one('2/a/weight', chosen(0)),
      one('3/bias'),
    ],
    [one('1/runningMean'), one('1/runningVariance'), one('2/runningMean')],
  );
  assert.deepEqual(
    vectors.map(({ name, shape, parts }) => [name, shape[0], parts.map((part) => part.name)]),
    [
      [':weights', 4, ['0/weight', '3/bias']],
      [':weights choice:k=0', 4, ['1/a/weight', '2/a/weight']],
      [':weights choice:k=1', 2, ['1/b/weight']],
      [':runningMean', 4, ['1/runningMean', '2/runningMean']],
      [':runningVariance', 2, ['1/runningVariance']],
    ],
  );
});

test('a graph on vectors computes what it computed on their parts', () => {
  const g = createGraph();
  const [x, w, b] = [ops.input(g, 'x', [1, 2]), ops.input(g, 'w', [2, 2]), ops.input(g, 'b', [2])];
  const whole = finish(g, { y: ops.add(g, ops.matmul(g, x, w), b) });
  const vectors = [
    vectorOf('v', [
      { name: 'b', shape: [2] },
      { name: 'unused', shape: [3] },
      { name: 'w', shape: [2, 2] },
    ]),
  ];
  const { graph, nodes } = cutInputs(whole, vectors);
  assert.deepEqual(
    ['v', 'b', 'unused', 'w'].map((name) => graph.nodes[nodes.get(name) ?? -1]?.shape),
    [[9], [2], [3], [2, 2]],
  );
  const feeds = { x: tensor([1, 2], 1, 10) };
  const joined = { v: tensor([9], 100, 200, 0, 0, 0, 1, 2, 3, 4) };
  const parts = { w: tensor([2, 2], 1, 2, 3, 4), b: tensor([2], 100, 200) };
  assert.deepEqual(interpret(graph, { ...feeds, ...joined }), interpret(whole, { ...feeds, ...parts }));
});

test('inference on the state of a training program is inference on the tensors in it', async () => {
  const info: DatasetInfo = {
    name: 'noise',
    kind: 'classification',
    input: [2, 3, 3],
    outputs: 2,
    labels: ['a', 'b'],
    mean: [0, 0],
    deviation: [1, 1],
    counts: { train: 2, valid: 0, test: 0 },
    notes: [],
  };
  const network = sequential(
    conv(3, 3),
    batchNorm(),
    relu(),
    conv(2, 1),
    batchNorm({ affine: false }),
    flatten(),
    linear('outputs'),
  );
  const on = { network, info, resolution: 1 };
  const settings = { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0, clipNorm: 1 } as const;
  const step = trainingGraph(on, settings, 2);
  const engine = referenceEngine();
  const state = engine.createState(
    joinTensors(
      step.vectors,
      freshTensors(step, (...labels) => rng('vectors', ...labels)),
    ),
  );
  const random = rng('vectors', 'x');
  const x = { shape: [2, 2, 3, 3], data: Float32Array.from({ length: 36 }, () => random.normal()) };
  const targets = tensor([2, 2], 1, 0, 0, 1);
  const program = await engine.compile(step.graph, step.carries);
  await program.run({ input: x, targets, learningRate: tensor([], 0.1) }, state);
  assert.equal(state.names.length, 4, 'weights, their momentum, means, variances');

  const tensors = splitTensors(step.vectors, await state.read());
  const names = [...step.parameters, ...step.statistics].map(({ path }) => path);
  assert.ok(names.every((name) => Object.hasOwn(tensors, name)));
  const whole = await (await engine.compile(inferenceGraph(on, 2).graph)).run({ ...tensors, input: x });
  const onState = await (await engine.compile(inferenceOnState(on, 2).graph)).run({ input: x }, state);
  assert.deepEqual(onState.output, whole.output);
});
