import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraph } from '../graph/builder.ts';
import type { HostTensor } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import * as s from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import { lowerNetwork } from './lower.ts';
import { type Named, type Pretrained, startingTensors } from './pretrained.ts';

/** The tensors of a network that reads `length` tokens; each is filled with `value`, and each row of a table of tokens with its number. */
function network(module: Module, vocabulary: number, length: number, outputs: number, value: number) {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, length], 'int32');
  const { parameters } = lowerNetwork(g, module, x, { outputs, mode: 'infer', vocabulary, shape: 'any' });
  const filled = ({ shape, role }: Named): HostTensor => {
    const [rows = 1, columns = 1] = shape;
    const data = Float32Array.from({ length: rows * (shape.length === 1 ? 1 : columns) }, (_, i) =>
      role === 'tokens' ? value + Math.floor(i / columns) : value,
    );
    return { shape, data };
  };
  return { tensors: parameters, values: Object.fromEntries(parameters.map((one) => [one.path, filled(one)])) };
}

// A language model of 5 tokens, with one table for reading and answering.
const model = network(
  s.sequential(
    s.shared('tokens', s.embedding('inputs', 4)),
    s.positions('learned'),
    // Named otherwise than in the classifiers below.
    s.sequential(s.sequential(s.recurrent('gru', 6), s.recurrent('gru', 6))),
    s.linear(4),
    s.shared('tokens', s.linear('outputs', { bias: true })),
  ),
  5,
  8,
  5,
  100,
);
const pretrained: Pretrained = {
  ...{ tensors: model.tensors, weights: model.values, firstToken: -1, sameOutputs: false },
};

const classifier = (width: number, cells: Module, length = 6) =>
  network(s.sequential(s.embedding('inputs', width), s.positions('learned'), cells, s.linear(3)), 6, length, 3, 0);

const rows = ({ shape: [, columns = 1], data }: HostTensor) =>
  Array.from({ length: data.length / columns }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);

test('a classifier takes the tokens behind its padding, the first positions, and layers that read forwards, by their order', () => {
  const cells = s.sequential(s.recurrent('gru', 6, { reverse: true }), s.recurrent('gru', 6));
  const { tensors: wanted, values } = classifier(4, cells);
  const { tensors, taken } = startingTensors(wanted, values, pretrained);
  const fill = (value: number) => [value, value, value, value];
  // Row 0 is fresh: no network reads padding.
  assert.deepEqual(rows(tensors['0/weight'] as HostTensor), [fill(0), ...[100, 101, 102, 103, 104].map(fill)]);
  assert.deepEqual(rows(tensors['1/weight'] as HostTensor), new Array(6).fill(fill(100)));
  // The first layer of the model reads 4 channels, and the one here that reads forwards 6.
  assert.deepEqual(
    Object.keys(tensors)
      .filter((path) => path.startsWith('2/'))
      .sort(),
    ['2/1/hidden/bias', '2/1/hidden/weight', '2/1/input/bias'],
  );
  const sizes = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
  assert.equal(taken, sizes - 4);
});

test('of a table of another width the columns that both have, and nothing of other shapes', () => {
  for (const [width, columns] of [
    [2, 2],
    [7, 4],
  ] as const) {
    const { tensors: wanted, values } = classifier(width, s.recurrent('lstm', 6));
    const { tensors } = startingTensors(wanted, values, pretrained);
    const second = Array.from({ length: width }, (_, i) => (i < columns ? 100 : 1));
    assert.deepEqual(rows(tensors['0/weight'] as HostTensor)[1], second);
    assert.ok(!Object.keys(tensors).some((path) => path.startsWith('2/')));
  }
});

test('the last layer is taken where the answers are the same', () => {
  const again = { ...pretrained, firstToken: 0 };
  const { tensors } = startingTensors(model.tensors, model.values, { ...again, sameOutputs: true });
  assert.deepEqual(tensors, model.values);
  const other = startingTensors(model.tensors, model.values, again);
  assert.deepEqual(
    Object.keys(model.values).filter((path) => !Object.hasOwn(other.tensors, path)),
    ['shared/tokens/bias'],
  );
});
