import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { resolve } from '../../tree/resolve.ts';
import { textCnn } from '../index.ts';

const trec: Task = { kind: 'text', input: [40], outputs: 6, vocabulary: 9592, padded: true };

test("Kim's network has its parameters", () => {
  const space = textCnn.create(trec, { embedding: 300, filters: 100 });
  const { params } = networkCosts(resolve(space, parseArchitecture(space, 'Kim2014')), trec);
  assert.equal(params, 9592 * 300 + (3 + 4 + 5) * 300 * 100 + 3 * 100 + (3 * 100 + 1) * 6);
});

test('blocks before the filters, and the mean beside the maximum', () => {
  const space = textCnn.create(trec, { embedding: 8, filters: 6 });
  const written =
    'embedding=8, tokenDropout=0.1, inputDropout=0.2, depth=2, activation=gelu, widths=w234, pool=both, filters=12, dropout=0.1';
  const { params } = networkCosts(resolve(space, parseArchitecture(space, written)), trec);
  const block = 2 * (2 * 8 + 3 * 8 * 8);
  const filters = (2 + 3 + 4) * 8 * 12 + 3 * 12;
  assert.equal(params, 9592 * 8 + 2 * block + filters + (2 * 3 * 12 + 1) * 6);
});

test('the sizes that the docstring names, and hand-designed members', () => {
  assert.equal(count(textCnn.create(trec)), 15_552n);
  for (const task of [trec, { kind: 'classification', input: [3, 12], outputs: 4 }])
    for (const options of [{}, { tune: true }]) {
      const space = textCnn.create(task, options);
      for (const member of Object.values(textCnn.handDesigned?.(task, options) ?? {}))
        assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
});
