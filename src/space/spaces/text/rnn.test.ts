import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { resolve } from '../../tree/resolve.ts';
import { rnn } from '../index.ts';

const treebank: Task = {
  ...{ kind: 'language-model', outputs: 10_000, vocabulary: 10_000 },
  ...{ input: [2], positions: [2] },
};
const texts: Task = { kind: 'text', input: [4], outputs: 3, vocabulary: 10, padded: true };

function paramsOf(task: Task, options: Parameters<typeof rnn.create>[1], written: string): number {
  const space = rnn.create(task, options);
  return networkCosts(resolve(space, parseArchitecture(space, written)), task).params;
}

test("AWD-LSTM has the published code's 24,221,600 parameters at Penn Treebank's size", () => {
  assert.equal(paramsOf(treebank, { embedding: 400, width: 1150, layers: 3 }, 'AWD-LSTM'), 24_221_600);
});

test('the medium LSTM of Zaremba et al. has its parameters, with two biases as in PyTorch', () => {
  const layer = 4 * 650 * (650 + 650 + 2);
  const expected = 10_000 * 650 + 2 * layer + (650 + 1) * 10_000;
  assert.equal(paramsOf(treebank, { embedding: 650, width: 650, layers: 2 }, 'Zaremba-medium'), expected);
});

test('both directions have the units of a layer each', () => {
  const written =
    'embedding=4, tokenDropout=0, mask=sequence, inputDropout=0, direction=both, layers=2, cell=gru, width1=6, weightDrop=0, ' +
    'dropout=0, pool=last, width2=3';
  const gru = (from: number, units: number) => 3 * units * (from + units + 2);
  const expected = 10 * 4 + 2 * gru(4, 6) + 2 * gru(12, 3) + (2 * 3 + 1) * 3;
  assert.equal(paramsOf(texts, { embedding: 4, width: 6, layers: 2 }, written), expected);
});

test('the sizes that the docstring names, and hand-designed members', () => {
  assert.equal(count(rnn.create(treebank)), 89_856n);
  assert.equal(count(rnn.create(texts)), 404_352n);
  assert.equal(count(rnn.create(texts, { search: true })), 3n * 4n * 4n * 3n);
  for (const task of [treebank, texts, { kind: 'classification', input: [3, 12], outputs: 4 }])
    for (const options of [{}, { layers: 1 }, { tune: true }, { search: true }]) {
      const space = rnn.create(task, options);
      for (const member of Object.values(rnn.handDesigned?.(task, options) ?? {}))
        assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
});
