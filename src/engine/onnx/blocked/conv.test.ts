/** Convolutions in blocked memory, and their gradients, against the interpreter. Channels are given in blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { type ConvGeometry, type Shape, sizeOf } from '../../../graph/ir.ts';
import { isPointwise } from '../../../graph/ops/conv.ts';
import * as ops from '../../../graph/ops.ts';
import { createModel } from '../model.ts';
import { transposeTiles } from './blocked.ts';
import { type ConvKind, canConvolve, convolve, filterLayout } from './conv.ts';
import { convInputGrad } from './input-gradient.ts';
import { assertCase, BLOCK, OPTIONS } from './testing/run.ts';
import { convWeightGrad } from './weight-gradient.ts';

interface ConvCase {
  readonly kind: ConvKind;
  readonly images: number;
  /** Blocks of channels that the convolution reads and gives. */
  readonly blocks: readonly [number, number];
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /** By default what keeps the size at stride 1. */
  readonly pads?: ConvGeometry['pads'];
}

const CASES: readonly ConvCase[] = [
  { kind: 'dense', images: 2, blocks: [1, 2], size: [5, 6], kernel: [3, 3] },
  // One chunk of pixels in a row; several; less than one, so that images share it; columns that are no whole chunk.
  { kind: 'dense', images: 2, blocks: [2, 2], size: [4, 16], kernel: [3, 3] },
  { kind: 'dense', images: 2, blocks: [1, 1], size: [3, 32], kernel: [3, 3] },
  { kind: 'dense', images: 2, blocks: [2, 1], size: [3, 32], kernel: [3, 5] },
  { kind: 'dense', images: 4, blocks: [2, 3], size: [8, 8], kernel: [3, 3] },
  { kind: 'dense', images: 16, blocks: [1, 1], size: [2, 2], kernel: [3, 3] },
  { kind: 'dense', images: 1, blocks: [1, 1], size: [7, 20], kernel: [5, 5], dilation: 2 },
  // So large that several images form a group.
  { kind: 'dense', images: 12, blocks: [8, 8], size: [3, 8], kernel: [3, 1] },
  { kind: 'dense', images: 3, blocks: [2, 1], size: [8, 4], kernel: [3, 3] },
  { kind: 'dense', images: 2, blocks: [1, 2], size: [8, 8], kernel: [3, 3], stride: 2 },
  { kind: 'dense', images: 2, blocks: [1, 1], size: [9, 33], kernel: [7, 7], stride: 2 },
  { kind: 'dense', images: 2, blocks: [2, 1], size: [8, 32], kernel: [3, 3], stride: 2, pads: [0, 0, 1, 1] },
  { kind: 'dense', images: 2, blocks: [1, 1], size: [9, 11], kernel: [3, 3], pads: [0, 2, 1, 0] },
  { kind: 'dense', images: 2, blocks: [2, 4], size: [6, 16], kernel: [1, 1], stride: 2 },
  { kind: 'dense', images: 2, blocks: [2, 1], size: [7, 7], kernel: [1, 1] },
  { kind: 'dense', images: 3, blocks: [2, 4], size: [8, 8], kernel: [1, 1] },
  { kind: 'dense', images: 4, blocks: [8, 8], size: [4, 4], kernel: [1, 1] },
  { kind: 'grouped', images: 2, blocks: [4, 2], size: [7, 8], kernel: [1, 1], groups: 2 },
  { kind: 'grouped', images: 2, blocks: [4, 2], size: [4, 8], kernel: [1, 1], groups: 2 },
  { kind: 'grouped', images: 2, blocks: [4, 2], size: [5, 16], kernel: [3, 3], groups: 2 },
  { kind: 'grouped', images: 2, blocks: [2, 4], size: [5, 16], kernel: [3, 3], groups: 2, stride: 2 },
  { kind: 'depthwise', images: 2, blocks: [2, 2], size: [8, 8], kernel: [3, 3] },
  { kind: 'depthwise', images: 2, blocks: [2, 2], size: [9, 8], kernel: [3, 3], stride: 2 },
  { kind: 'depthwise', images: 2, blocks: [2, 2], size: [8, 8], kernel: [5, 5], dilation: 2 },
  { kind: 'depthwise', images: 1, blocks: [1, 1], size: [8, 9], kernel: [5, 5], dilation: 2, stride: 2 },
  { kind: 'depthwise', images: 2, blocks: [1, 1], size: [8, 9], kernel: [5, 5], stride: 2 },
  { kind: 'depthwise', images: 2, blocks: [1, 1], size: [8, 8], kernel: [3, 3], dilation: 2, stride: 2 },
  { kind: 'depthwise', images: 2, blocks: [1, 1], size: [8, 7], kernel: [1, 1] },
  { kind: 'stem', images: 2, blocks: [0, 1], size: [8, 8], kernel: [3, 3] },
  // Windows that do not reach the last rows and columns; a dilated one.
  { kind: 'stem', images: 2, blocks: [0, 2], size: [9, 12], kernel: [3, 5], stride: 3, pads: [0, 1, 0, 0] },
  { kind: 'stem', images: 2, blocks: [0, 1], size: [8, 9], kernel: [3, 3], dilation: 2 },
  // More images than a block holds, and no whole blocks of them.
  { kind: 'stem', images: 18, blocks: [0, 1], size: [4, 5], kernel: [3, 3] },
  { kind: 'dense', images: 18, blocks: [1, 1], size: [4, 5], kernel: [3, 3] },
  { kind: 'dense', images: 18, blocks: [1, 1], size: [4, 5], kernel: [1, 1] },
  // Pixels under a stride of which the last row and column are left out, and are not.
  { kind: 'dense', images: 18, blocks: [1, 2], size: [6, 9], kernel: [1, 1], stride: 2 },
  { kind: 'dense', images: 2, blocks: [2, 4], size: [7, 8], kernel: [1, 1], stride: 3 },
  { kind: 'grouped', images: 3, blocks: [2, 2], size: [8, 8], kernel: [1, 1], groups: 2, stride: 2 },
  // One block and several of input channels, pixel by pixel; by tiles.
  { kind: 'dense', images: 2, blocks: [3, 2], size: [6, 16], kernel: [3, 3] },
  { kind: 'dense', images: 2, blocks: [4, 1], size: [5, 7], kernel: [3, 3] },
  { kind: 'dense', images: 2, blocks: [2, 1], size: [10, 12], kernel: [3, 3], stride: 3, pads: [0, 1, 0, 0] },
  { kind: 'dense', images: 3, blocks: [1, 2], size: [5, 8], kernel: [1, 1] },
  { kind: 'dense', images: 2, blocks: [4, 2], size: [4, 16], kernel: [3, 5] },
  { kind: 'dense', images: 4, blocks: [4, 1], size: [8, 8], kernel: [3, 3] },
  { kind: 'dense', images: 2, blocks: [4, 2], size: [6, 16], kernel: [3, 3], stride: 2, pads: [0, 0, 1, 1] },
  { kind: 'grouped', images: 2, blocks: [4, 2], size: [5, 7], kernel: [3, 3], groups: 2, stride: 2 },
];

/** The number of channels of the plain input of a stem. */
const COLORS = 3;

function shapesOf({ kind, images, blocks, size, kernel, stride = 1, dilation = 1, pads, groups = 1 }: ConvCase) {
  const same = kernel.map((k) => (dilation * (k - 1)) / 2) as [number, number];
  const channels = kind === 'stem' ? COLORS : blocks[0] * BLOCK;
  const geometry: ConvGeometry = {
    stride: [stride, stride],
    dilation: [dilation, dilation],
    pads: pads ?? [...same, ...same],
    groups: kind === 'depthwise' ? channels : groups,
  };
  const out = (axis: 0 | 1) => {
    const padded = size[axis] + geometry.pads[axis] + geometry.pads[axis === 0 ? 2 : 3];
    return Math.floor((padded - dilation * (kernel[axis] - 1) - 1) / stride) + 1;
  };
  const x: Shape = [images, channels, ...size];
  const w: Shape = [blocks[1] * BLOCK, channels / geometry.groups, ...kernel];
  const y: Shape = [images, blocks[1] * BLOCK, out(0), out(1)];
  return { x, w, y, geometry };
}

for (const testCase of CASES) {
  const { kind, kernel } = testCase;
  const { x, w, y, geometry } = shapesOf(testCase);
  const filter = { shape: w, layout: filterLayout(kind) };
  const image = { shape: x, layout: kind === 'stem' ? 'plain' : 'blocked' } as const;
  const result = { shape: y, layout: 'blocked' } as const;
  const name = `${kind} [${x}] by [${w}] stride ${geometry.stride} dilation ${geometry.dilation} pads ${geometry.pads}`;

  test(`${name}, with bias, sum and relu`, OPTIONS, async () => {
    assert.equal(canConvolve(BLOCK, x, w, geometry), kind);
    const bias = { shape: [w[0] ?? 0], layout: 'plain' } as const;
    const test = {
      inputs: [image, filter, bias, result],
      output: result,
      blocked: (b, [from = '', by = '', shift = '', sum = '']) =>
        convolve(b, { x: from, filter: by, kernel, geometry, bias: shift, sum, relu: true }),
      reference: (g, [from = 0, by = 0, shift, sum = 0]) =>
        ops.relu(g, ops.add(g, ops.conv(g, from, by, geometry, shift), sum)),
    } satisfies Parameters<typeof assertCase>[0];
    await assertCase(test);
    await assertCase(test, true);
  });

  if (kind !== 'stem') {
    test(`${name}: input gradient`, OPTIONS, async () => {
      const test = {
        inputs: [result, filter, image],
        output: image,
        blocked: (b, [dy = '', by = '', sum = '']) =>
          convInputGrad(b, { dy, dyShape: y, filter: by, filterShape: w, shape: x, geometry, sum, relu: true }),
        reference: (g, [dy = 0, by = 0, sum = 0]) =>
          ops.relu(g, ops.add(g, g.add({ kind: 'convInputGrad', shape: x, ...geometry }, [dy, by]), sum)),
      } satisfies Parameters<typeof assertCase>[0];
      await assertCase(test);
      await assertCase(test, true);
    });
  }

  for (const shared of [false, true]) {
    test(`${name}: filter gradient${shared ? ', of a dy that others read as well' : ''}`, OPTIONS, () =>
      assertCase({
        inputs: [image, result],
        output: filter,
        blocked: (b, [from = '', dy = '']) => {
          const dyTiles = () => transposeTiles(b, dy, sizeOf(y) / BLOCK ** 2);
          const gradient = { x: from, xShape: x, dy, dyShape: y, shape: w, geometry };
          return convWeightGrad(b, shared ? { ...gradient, dyTiles } : gradient);
        },
        reference: (g, [from = 0, dy = 0]) => g.add({ kind: 'convWeightGrad', shape: w, ...geometry }, [from, dy]),
      }),
    );
    if (!isPointwise(geometry, w)) break;
  }
}

/** The operators of a filter's gradient, without changes of shape. */
function operatorsOf(gradient: Omit<Parameters<typeof convWeightGrad>[1], 'x' | 'dy'>): readonly unknown[] {
  const model = createModel('gradient');
  convWeightGrad({ model, block: 16 }, { x: 'x', dy: 'dy', ...gradient });
  const nodes = onnxProto.onnx.ModelProto.decode(model.encode()).graph?.node ?? [];
  return nodes.map(({ opType }) => opType).filter((type) => type !== 'Reshape');
}

test('a filter gradient that is computed by pixels reads x and dy as they lie', () => {
  const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;
  const xShape = [4, 16, 28, 28];
  // x with a column of zeros on either side; the convolution; the sum over the images.
  assert.deepEqual(operatorsOf({ xShape, dyShape: xShape, shape: [16, 16, 3, 3], geometry }), [
    'Conv',
    'Conv',
    'MatMul',
  ]);
});

test('of a 1x1 convolution under a stride, the gradient reads those pixels alone that the convolution reads', () => {
  const geometry = { stride: [2, 2], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
  const sizes = { xShape: [4, 16, 32, 32], dyShape: [4, 32, 16, 16], shape: [32, 16, 1, 1] };
  // The pixels; the convolution; the sum over the images.
  assert.deepEqual(operatorsOf({ ...sizes, geometry }), ['Conv', 'Conv', 'MatMul']);
});

test('what the blocked convolution cannot compute', () => {
  const { geometry } = shapesOf({ kind: 'dense', images: 1, blocks: [1, 1], size: [8, 8], kernel: [3, 3] });
  const form = (x: Shape, w: Shape, groups = 1) => canConvolve(16, x, w, { ...geometry, groups });
  assert.equal(form([1, 16, 8, 8], [24, 16, 3, 3]), undefined);
  assert.equal(form([1, 24, 8, 8], [16, 24, 3, 3]), undefined);
  assert.equal(form([1, 3, 8, 8], [20, 3, 3, 3]), undefined);
  assert.equal(form([1, 24, 8, 8], [24, 1, 3, 3], 24), undefined);
  assert.equal(form([1, 32, 8, 8], [64, 1, 3, 3], 32), undefined);
  assert.equal(form([1, 32, 8, 8], [32, 8, 3, 3], 4), undefined);
});
