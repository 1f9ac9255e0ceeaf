/** Maps and sums of channels in blocked memory against the interpreter, and layouts against each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ops from '../../../graph/ops.ts';
import { mask } from '../lowerings/elementwise.ts';
import { affine, channelDot, channelMean, gated } from './channels.ts';
import { filterToBlocked, filterToPlain, permute, toBlocked, toPlain } from './layout.ts';
import { assertCase, BLOCK, OPTIONS } from './testing/run.ts';

const C = 2 * BLOCK;
const image = { shape: [3, C, 5, 4], layout: 'blocked' } as const;
const vector = { shape: [C], layout: 'plain' } as const;
const perChannel = { shape: [1, C, 1, 1], layout: 'plain' } as const;

test('a scale, bias and sum of each channel, and relu', OPTIONS, async () => {
  const test = {
    inputs: [image, perChannel, vector, image],
    output: image,
    blocked: (b, [x = '', scale = '', bias = '', sum = '']) =>
      affine(b, { x, shape: image.shape, scale, bias, sum, relu: true }),
    reference: (g, [x = 0, scale = 0, bias = 0, sum = 0]) => {
      const shifted = ops.add(g, ops.mul(g, x, scale), ops.reshape(g, bias, [1, C, 1, 1]));
      return ops.relu(g, ops.add(g, shifted, sum));
    },
  } satisfies Parameters<typeof assertCase>[0];
  await assertCase(test);
});

test('the dot product and the mean of each channel', OPTIONS, async () => {
  await assertCase({
    inputs: [image, image],
    output: vector,
    blocked: (b, [x = '', y = '']) => channelDot(b, x, y, image.shape),
    reference: (g, [x = 0, y = 0]) => ops.reduceSum(g, ops.mul(g, x, y), [0, 2, 3]),
  });
  await assertCase({
    inputs: [image],
    output: vector,
    blocked: (b, [x = '']) => channelMean(b, x, image.shape),
    reference: (g, [x = 0]) => ops.reduceMean(g, x, [0, 2, 3]),
  });
});

test('half the dot product, and twice the mean, of each channel', OPTIONS, async () => {
  await assertCase({
    inputs: [image, image],
    output: vector,
    blocked: (b, [x = '', y = '']) => channelDot(b, x, y, image.shape, 0.5),
    reference: (g, [x = 0, y = 0]) => ops.scale(g, ops.reduceSum(g, ops.mul(g, x, y), [0, 2, 3]), 0.5),
  });
  await assertCase({
    inputs: [image],
    output: vector,
    blocked: (b, [x = '']) => channelMean(b, x, image.shape, 2),
    reference: (g, [x = 0]) => ops.scale(g, ops.reduceMean(g, x, [0, 2, 3]), 2),
  });
});

test('a number for each image and channel', OPTIONS, () =>
  assertCase({
    inputs: [image, { shape: [3, C, 1, 1], layout: 'plain' }],
    output: image,
    blocked: (b, [x = '', factors = '']) => gated(b, x, factors, image.shape),
    reference: (g, [x = 0, factors = 0]) => ops.mul(g, x, factors),
  }),
);

test('where x is positive', OPTIONS, () =>
  assertCase({
    inputs: [{ ...image, ties: true }],
    output: image,
    blocked: (b, [x = '']) => mask(b, x),
    reference: (g, [x = 0]) => ops.unary(g, 'step', x),
    tolerance: 1e-12,
  }),
);

test('layouts in the graph are those on the host', OPTIONS, async () => {
  const same = { reference: (_: unknown, [x = 0]: readonly number[]) => x, tolerance: 1e-12 };
  const { shape } = image;
  const plain = { shape, layout: 'plain' } as const;
  await assertCase({ inputs: [plain], output: image, blocked: (b, [x = '']) => toBlocked(b, x), ...same });
  await assertCase({ inputs: [image], output: plain, blocked: (b, [x = '']) => toPlain(b, x, shape), ...same });
  for (const [layout, inner] of [
    ['filter', 3 * BLOCK],
    ['outer', 1],
    ['outer', 3],
  ] as const) {
    const filter = { shape: [2 * BLOCK, inner, 3, 2], layout } as const;
    const unblocked = { shape: filter.shape, layout: 'plain' } as const;
    await assertCase({
      inputs: [unblocked],
      output: filter,
      blocked: (b, [w = '']) => filterToBlocked(b, w, filter.shape, layout),
      ...same,
    });
    await assertCase({
      inputs: [filter],
      output: unblocked,
      blocked: (b, [w = '']) => filterToPlain(b, w, filter.shape, layout),
      ...same,
    });
  }
});

test('blocked memory of a small image', () => {
  const plain = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
  const blocked = permute(plain, [1, 4, 1, 2], 'blocked', 2, 'to blocked');
  // [N, C/2, H, W, 2]: channels 0 and 1 of pixel 0, of pixel 1; then channels 2 and 3
  assert.deepEqual([...blocked], [0, 2, 1, 3, 4, 6, 5, 7]);
  assert.deepEqual(permute(blocked, [1, 4, 1, 2], 'blocked', 2, 'to plain'), plain);
});
