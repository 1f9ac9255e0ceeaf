import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph } from '../builder.ts';
import { count, evaluate } from '../testing/evaluate.ts';
import { broadcastTo, concat, constant, input, pad, reshape, slice, transpose } from './construct.ts';

describe('operators that move elements', () => {
  it('transpose: axis i of the result is axis perm[i]', () => {
    const { shape, data } = evaluate((g) => transpose(g, constant(g, count(6), [1, 2, 3]), [2, 0, 1]));
    assert.deepEqual(
      [shape, data],
      [
        [3, 1, 2],
        [0, 3, 1, 4, 2, 5],
      ],
    );
  });

  it('broadcastTo repeats along new axes and axes of size 1', () => {
    const { data } = evaluate((g) => broadcastTo(g, constant(g, [1, 2], [2, 1]), [2, 2, 2]));
    assert.deepEqual(data, [1, 1, 2, 2, 1, 1, 2, 2]);
  });

  it('slice takes a block, pad puts zeros around one', () => {
    const block = evaluate((g) => slice(g, constant(g, count(12), [3, 4]), [1, 1], [3, 3]));
    assert.deepEqual(block, { shape: [2, 2], data: [5, 6, 9, 10] });
    const padded = evaluate((g) => pad(g, constant(g, [1, 2], [1, 2]), [1, 0], [0, 1]));
    assert.deepEqual(padded, { shape: [2, 3], data: [0, 0, 0, 1, 2, 0] });
  });

  it('concat joins along an inner axis', () => {
    const { shape, data } = evaluate((g) =>
      concat(g, [constant(g, [0, 1], [2, 1]), constant(g, [2, 3, 4, 5], [2, 2])], -1),
    );
    assert.deepEqual(
      [shape, data],
      [
        [2, 3],
        [0, 2, 3, 1, 4, 5],
      ],
    );
  });
});

describe('what does nothing adds no node', () => {
  const g = createGraph();
  const x = input(g, 'x', [2, 3]);
  it('reshape, broadcastTo, transpose, slice, pad and concat return their operand', () => {
    const same = [reshape(g, x, [2, 3]), broadcastTo(g, x, [2, 3]), transpose(g, x, [0, 1])];
    same.push(slice(g, x, [0, 0], [2, 3]), pad(g, x, [0, 0], [0, 0]), concat(g, [x], 0));
    assert.deepEqual(same, [x, x, x, x, x, x]);
    assert.equal(g.nodes.length, 1);
  });
});

describe('shape rules name operator, shapes and rule', () => {
  const g = createGraph();
  const x = input(g, 'x', [2, 3]);
  const y = input(g, 'y', [3, 2]);
  const refused: readonly (readonly [string, () => unknown, string])[] = [
    ['reshape', () => reshape(g, x, [4]), 'reshape of [2,3]: the number of elements stays, but [4] has 4'],
    [
      'reshape to a size below 1',
      () => reshape(g, x, [6, -1]),
      'reshape of [2,3]: sizes are whole and at least 1, found [6,-1]',
    ],
    [
      'broadcastTo',
      () => broadcastTo(g, x, [2, 4]),
      'broadcastTo of [2,3]: aligned at the last axis, sizes equal those of [2,4] or are 1',
    ],
    ['transpose', () => transpose(g, x, [0, 0]), 'transpose of [2,3]: perm is an order of 0 to 1, found [0,0]'],
    [
      'slice',
      () => slice(g, x, [0, 1], [2, 4]),
      'slice of [2,3]: each axis has 0 <= start < end <= size, found [0,1] to [2,4]',
    ],
    [
      'pad',
      () => pad(g, x, [-1, 0], [0, 0]),
      'pad of [2,3]: each axis has a whole number of zeros before and after, found [-1,0] and [0,0]',
    ],
    ['concat', () => concat(g, [x, y], 0), 'concat of [2,3], [3,2]: sizes are equal on all axes but 0'],
    ['concat along no axis', () => concat(g, [x, x], 2), 'concat of [2,3], [2,3]: has no axis 2'],
    ['constant', () => constant(g, [1, 2, 3], [2]), 'constant: shape [2] takes 2 numbers, found 3'],
    ['input', () => input(g, 'z', [0, 3]), 'input: sizes are whole and at least 1, found [0,3]'],
  ];
  for (const [name, build, message] of refused) it(name, () => assert.throws(build, { message }));
});
