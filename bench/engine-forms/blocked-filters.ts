/** The filter's gradient in the blocked layout. */

import { type Blocked, nchwc, transposeTiles, view } from '../../src/engine/onnx/blocked/blocked.ts';
import { filterLayout } from '../../src/engine/onnx/blocked/conv.ts';
import { filterToBlocked, toPlain } from '../../src/engine/onnx/blocked/layout.ts';
import { partOf } from '../../src/engine/onnx/blocked/shift.ts';
import { convWeightGrad } from '../../src/engine/onnx/blocked/weight-gradient.ts';
import { lowerConvWeightGrad } from '../../src/engine/onnx/lowerings/convolution.ts';
import type { ModelBuilder } from '../../src/engine/onnx/model.ts';
import type { ConvGeometry, Shape } from '../../src/graph/ir.ts';
import type { Case, Family, Form, Size } from './measure.ts';
import { fused, oneHot, reshape, sum } from './nodes.ts';

export interface Setting {
  readonly kernel: number;
  readonly stride?: number;
  readonly dilation?: number;
  /** Output over input channels, 1 by default; 0 for a depthwise convolution. */
  readonly widening?: number;
}

/** Shapes of x, dy and the filter, and the geometry: padding keeps the size at stride 1. */
export function shapesOf([n, c, h, w]: Size, { kernel, stride = 1, dilation = 1, widening = 1 }: Setting) {
  const pad = (dilation * (kernel - 1)) / 2;
  const groups = widening === 0 ? c : 1;
  const filters = c * Math.max(1, widening);
  const geometry: ConvGeometry = {
    stride: [stride, stride],
    dilation: [dilation, dilation],
    pads: [pad, pad, pad, pad],
    groups,
  };
  const x: Shape = [n, c, h, w];
  const dy: Shape = [n, filters, Math.ceil(h / stride), Math.ceil(w / stride)];
  return { x, dy, filter: [filters, c / groups, kernel, kernel] satisfies Shape, geometry };
}

const PLAIN = 'plain';
const TAKEN = 'pixels as input channels';
const GROUPS = 'a group for each image and channel';
const WIDENED = 'the same of a widened x';

function filterGradient(block: number, size: Size, setting: Setting, more: Readonly<Record<string, Form>> = {}): Case {
  const { x: xShape, dy: dyShape, filter: shape, geometry } = shapesOf(size, setting);
  const depthwise = setting.widening === 0;
  const forms: Record<string, Form> = {
    [PLAIN]: (m, [x = '', dy = '']) => {
      const b = { model: m, block };
      const plain = (name: string, of: Shape) => ({ name: toPlain(b, name, of), shape: of, batchAxis: undefined });
      const site = { inputs: [plain(x, xShape), plain(dy, dyShape)], shape, batchAxis: undefined };
      const op = { kind: 'convWeightGrad', shape, ...geometry } as const;
      const dw = lowerConvWeightGrad({ model: m, target: 'cpu' }, { op, ...site });
      return filterToBlocked(b, dw, shape, filterLayout(depthwise ? 'depthwise' : 'dense'));
    },
    ...more,
    [depthwise ? WIDENED : TAKEN]: (m, [x = '', dy = '']) =>
      convWeightGrad({ model: m, block }, { x, xShape, dy, dyShape, shape, geometry }),
  };
  return { inputs: [xShape, dyShape], output: shape, forms };
}

/** Forms of the gradient of a dense 3x3 filter, from C to C channels. */
function threeByThree(block: number, [n, c, h, w]: Size): Readonly<Record<string, Form>> {
  const [q, p] = [c / block, h * w];
  const shifted = (b: Blocked, v: string, axis: 'rows' | 'columns') =>
    [-1, 0, 1].map((offset) => partOf(b, v, [n, c, h, w], axis, { offset, step: 1, count: axis === 'rows' ? h : w }));
  const ordered = (b: Blocked, dw: string) => filterToBlocked(b, dw, [c, c, 3, 3], 'filter');
  const forms: Record<string, Form> = {
    'shifts, nine products': (m, [x = '', dy = '']) => {
      const b = { model: m, block };
      const xs = shifted(b, x, 'columns').map((v) => view(b, v, [n, 1, q, p, block]));
      const dys = shifted(b, dy, 'rows').map((v) => view(b, v, [n, q, 1, p, block]));
      // dy shifted by -1 meets row 2 of the filter
      const taps = [2, 1, 0].flatMap((ky) => [0, 1, 2].map((kx) => [dys[ky] ?? '', xs[kx] ?? ''] as const));
      const parts = taps.map(([d, v]) =>
        view(b, sum(m, fused(m, v, d, { transA: 1 }), [0]), [q * q, 1, block * block]),
      );
      return m.node('Concat', parts, { axis: 1 });
    },
    'unfolded by rows and columns, one product': (m, [x = '', dy = '']) => {
      const b = { model: m, block };
      const unfolded = (v: string, kernel: [number, number]) => {
        const pads = [kernel[0] >> 1, kernel[1] >> 1, kernel[0] >> 1, kernel[1] >> 1];
        const wide = m.node('Conv', [toPlain(b, v, [n, c, h, w]), oneHot(m, c, kernel)], { group: c, pads });
        return reshape(m, wide, [n, 3 * c, p]);
      };
      const dw = sum(m, fused(m, unfolded(dy, [3, 1]), unfolded(x, [1, 3]), { transB: 1 }), [0]);
      const turned = m.node('Gather', [reshape(m, dw, [c, 3, c, 3]), m.ints([2, 1, 0])], { axis: 1 });
      return ordered(b, m.node('Transpose', [turned], { perm: [0, 2, 1, 3] }));
    },
  };
  if (w < block) return forms;
  const across = w / block;
  const tiles = (b: Blocked, x: string) => {
    const rows = view(b, x, [n, q, h * across, block * block]);
    const together = q === 1 ? rows : b.model.node('Transpose', [rows], { perm: [0, 2, 1, 3] });
    return view(b, transposeTiles(b, together, (n * q * p) / block), [1, n * block, h, across * c]);
  };
  const convolution = (b: Blocked, image: string, by: string, filters: number) => {
    const y = nchwc(b, 'Conv', [image, view(b, by, [n * filters, block, h, across])], {
      kernel_shape: [h, across],
      dilations: [1, c],
      pads: [1, 0, 1, 0],
      group: n,
    });
    return sum(b.model, view(b, y, [n, filters * 3 * c]), [0]);
  };
  const dyShifts = (b: Blocked, dy: string) => shifted(b, dy, 'columns').reverse();
  return {
    ...forms,
    'pixels as input channels, always by columns': (m, [x = '', dy = '']) => {
      const b = { model: m, block };
      const image = tiles(b, x);
      const parts = dyShifts(b, dy).map((v) => view(b, convolution(b, image, v, c), [q, 3, 1, q, block * block]));
      return m.node('Transpose', [m.node('Concat', parts, { axis: 2 })], { perm: [0, 3, 1, 2, 4] });
    },
    'always at once': (m, [x = '', dy = '']) => {
      const b = { model: m, block };
      const all = convolution(b, tiles(b, x), m.node('Concat', dyShifts(b, dy), { axis: 1 }), 3 * c);
      return m.node('Transpose', [view(b, all, [3, q, 3, q, block * block])], { perm: [1, 3, 2, 0, 4] });
    },
  };
}

function pointwise(block: number, [n, c, h, w]: Size): Readonly<Record<string, Form>> {
  const q = c / block;
  return {
    'a product for each image and pair of blocks': (m, [x = '', dy = '']) => {
      const b = { model: m, block };
      const [xs, dys] = [view(b, x, [n, 1, q, h * w, block]), view(b, dy, [n, q, 1, h * w, block])];
      return sum(m, fused(m, xs, dys, { transA: 1 }), [0]);
    },
  };
}

/** Without widening: two of three columns of the result reach into the padding. */
function groups(block: number, size: Size, setting: Setting): Readonly<Record<string, Form>> {
  const { x: xShape, dy: dyShape, geometry } = shapesOf(size, setting);
  const [n, c, h, w] = size;
  const { kernel } = setting;
  return {
    [GROUPS]: (m: ModelBuilder, [x = '', dy = '']) => {
      const b = { model: m, block };
      const [, , oh = 0, ow = 0] = dyShape;
      const y = nchwc(b, 'Conv', [view(b, x, [1, n * c, h, w]), view(b, dy, [n * c, 1, oh, ow])], {
        kernel_shape: [oh, ow],
        strides: geometry.dilation,
        dilations: geometry.stride,
        pads: geometry.pads,
        group: (xShape[0] ?? 0) * c,
      });
      return sum(m, view(b, y, [n, (c / block) * kernel * kernel * block]), [0]);
    },
  };
}

export function filterGradientFamilies(block: number): readonly Family[] {
  const family = (title: string, setting: Setting, more?: (size: Size) => Readonly<Record<string, Form>>): Family => ({
    table: 'filter gradient',
    title,
    taken: [setting.widening === 0 ? WIDENED : TAKEN],
    at: (size) => filterGradient(block, size, setting, more?.(size)),
  });
  const depthwise = (title: string, setting: Setting) =>
    family(title, { ...setting, widening: 0 }, (size) => groups(block, size, { ...setting, widening: 0 }));
  return [
    family('3x3', { kernel: 3 }, (size) => threeByThree(block, size)),
    family('3x3 to 3C', { kernel: 3, widening: 3 }),
    family('3x3 stride 2 to 2C', { kernel: 3, stride: 2, widening: 2 }),
    family('1x1', { kernel: 1 }, (size) => pointwise(block, size)),
    family('5x5', { kernel: 5 }),
    depthwise('depthwise 3x3', { kernel: 3 }),
    depthwise('depthwise 5x5', { kernel: 5 }),
    depthwise('depthwise 5x5 dilation 2', { kernel: 5, dilation: 2 }),
  ];
}
