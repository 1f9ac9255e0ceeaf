/** Gradients on the CPU in the portable layout: NCHW, weights as inputs. */
import type { ModelBuilder } from '../../src/engine/onnx/model.ts';
import type { Shape } from '../../src/graph/ir.ts';
import type { Case, Family, Form, Size } from './measure.ts';
import { fused, oneHot, reshape, sum, transpose } from './nodes.ts';

/** Forms that the engine takes. */
const ONE_HOT = 'unfolded by a one-hot convolution, one product';
const SLICES = 'slices, a product each';
const GROUPS = 'a group for each image and channel';
const FLIPPED = 'convolution by the flipped filter';
const TRANSPOSED = '`ConvTranspose`';
const POOLED = '`AveragePool` of dy';
const INDICES = 'indices, `ScatterElements`';
const MEAN = '`ReduceMean`';

/** A convolution of an image of some size: square, with padding that keeps the size at stride 1. */
interface Setting {
  readonly kernel: number;
  readonly stride: number;
  /** Output over input channels. */
  readonly widening: number;
  readonly depthwise: boolean;
}

function geometryOf([n, c, h, w]: Size, { kernel, stride, widening, depthwise }: Setting) {
  const pad = (kernel - 1) / 2;
  const groups = depthwise ? c : 1;
  return {
    ...{ n, c, h, w, pad, groups, kernel, stride, filters: c * widening, inner: c / groups, taps: kernel * kernel },
    ...{ oh: Math.ceil(h / stride), ow: Math.ceil(w / stride), pads: [pad, pad, pad, pad] },
  };
}

function filterGradient(size: Size, setting: Setting): Case {
  const { n, c, h, w, pad, groups, kernel, stride, filters, inner, taps, oh, ow, pads } = geometryOf(size, setting);
  const slices = (m: ModelBuilder, x: string) => {
    const padded = pad === 0 ? x : m.node('Pad', [x, m.ints([0, 0, pad, pad, 0, 0, pad, pad])]);
    return Array.from({ length: taps }, (_, tap) => {
      const [ky, kx] = [Math.floor(tap / kernel), tap % kernel];
      const ends = [ky + (oh - 1) * stride + 1, kx + (ow - 1) * stride + 1];
      return m.node('Slice', [padded, m.ints([ky, kx]), m.ints(ends), m.ints([2, 3]), m.ints([stride, stride])]);
    });
  };
  const product = (m: ModelBuilder, dy: string, unfolded: string, columns: number) => {
    const rows = reshape(m, dy, [n, groups, filters / groups, oh * ow]);
    return sum(m, fused(m, rows, reshape(m, unfolded, [n, groups, columns, oh * ow]), { transB: 1 }), [0]);
  };
  const all: Record<string, Form> = {
    'convolution of transposed tensors': (m, [x = '', dy = '']) => {
      const turned = transpose(m, reshape(m, x, [n, groups, inner, h * w]), [2, 1, 0, 3]);
      const attributes = { group: groups, strides: [1, 1], dilations: [stride, stride], pads };
      const image = reshape(m, turned, [inner, groups * n, h, w]);
      const y = m.node('Conv', [image, transpose(m, dy, [1, 0, 2, 3])], attributes);
      return transpose(m, m.node('Slice', [y, m.ints([0, 0]), m.ints([kernel, kernel]), m.ints([2, 3])]), [1, 0, 2, 3]);
    },
    [SLICES]: (m, [x = '', dy = '']) => {
      const parts = slices(m, x).map((s) => reshape(m, product(m, dy, s, inner), [filters, inner, 1]));
      return reshape(m, m.node('Concat', parts, { axis: 2 }), [filters, inner, kernel, kernel]);
    },
    'slices joined, one product': (m, [x = '', dy = '']) => {
      const views = slices(m, x).map((s) => reshape(m, s, [n, groups, 1, inner, oh * ow]));
      const dw = product(m, dy, m.node('Concat', views, { axis: 2 }), taps * inner);
      return transpose(m, reshape(m, dw, [filters, kernel, kernel, inner]), [0, 3, 1, 2]);
    },
    [ONE_HOT]: (m, [x = '', dy = '']) => {
      const attributes = { group: c, strides: [stride, stride], pads };
      const unfolded = m.node('Conv', [x, oneHot(m, c, [kernel, kernel])], attributes);
      return reshape(m, product(m, dy, unfolded, inner * taps), [filters, inner, kernel, kernel]);
    },
    [GROUPS]: (m, [x = '', dy = '']) => {
      const [image, by] = [reshape(m, x, [1, n * c, h, w]), reshape(m, dy, [n * filters, 1, oh, ow])];
      const y = m.node('Conv', [image, by], { group: n * c, dilations: [stride, stride], pads });
      const kept = m.node('Slice', [y, m.ints([0, 0]), m.ints([kernel, kernel]), m.ints([2, 3])]);
      return sum(m, reshape(m, kept, [n, filters, 1, kernel, kernel]), [0]);
    },
  };
  const forms = Object.fromEntries(Object.entries(all).filter(([name]) => inner === 1 || name !== GROUPS));
  const inputs = [
    [n, c, h, w],
    [n, filters, oh, ow],
  ];
  return { inputs, output: [filters, inner, kernel, kernel], forms };
}

function inputGradient(size: Size, setting: Setting): Case {
  const { n, c, h, w, pad, groups, kernel, stride, filters, inner, oh, ow, pads } = geometryOf(size, setting);
  const flipped = (m: ModelBuilder, filter: string) => {
    const start = -(2 ** 31);
    const ends = [m.ints([-1, -1]), m.ints([start, start]), m.ints([2, 3]), m.ints([-1, -1])];
    const turned = kernel === 1 ? filter : m.node('Slice', [filter, ...ends]);
    const grouped = reshape(m, turned, [groups, filters / groups, inner, kernel * kernel]);
    return reshape(m, transpose(m, grouped, [0, 2, 1, 3]), [c, filters / groups, kernel, kernel]);
  };
  const spread = (m: ModelBuilder, dy: string) => {
    const apart = reshape(m, dy, [n, filters, oh, 1, ow, 1]);
    const wide = m.node('Pad', [apart, m.ints([0, 0, 0, 0, 0, 0, 0, 0, 0, stride - 1, 0, stride - 1])]);
    return reshape(m, wide, [n, filters, oh * stride, ow * stride]);
  };
  const before = kernel - 1 - pad;
  const after = h + kernel - 1 - before - oh * stride;
  const name = stride === 1 ? FLIPPED : 'zeros put in, then flipped';
  const forms: Record<string, Form> = {
    [TRANSPOSED]: (m, [dy = '', filter = '']) => {
      const more = { output_padding: [stride - 1, stride - 1] };
      return m.node('ConvTranspose', [dy, filter], { group: groups, strides: [stride, stride], pads, ...more });
    },
    [name]: (m, [dy = '', filter = '']) =>
      m.node('Conv', [stride === 1 ? dy : spread(m, dy), flipped(m, filter)], {
        group: groups,
        pads: [before, before, after, after],
      }),
  };
  const inputs = [
    [n, filters, oh, ow],
    [filters, inner, kernel, kernel],
  ];
  return { inputs, output: [n, c, h, w], forms };
}

/** Pooling by a square window; the padding is what keeps the size at stride 1, none for an even kernel. */
function poolGeometry([, , h, w]: Size, kernel: number, stride: number) {
  const pad = kernel % 2 === 0 ? 0 : (kernel - 1) / 2;
  const out = (length: number) => Math.floor((length + 2 * pad - kernel) / stride) + 1;
  const [oh, ow] = [out(h), out(w)];
  const rest = (length: number, count: number) => length - ((count - 1) * stride + kernel - 2 * pad);
  const window = { strides: [stride, stride], pads: [pad, pad, pad, pad] };
  return { oh, ow, pad, window, transposed: { ...window, output_padding: [rest(h, oh), rest(w, ow)] } };
}

function averagePoolGradient(size: Size, kernel: number, stride: number): Case {
  const [n, c, h, w] = size;
  const { oh, ow, pad, transposed } = poolGeometry(size, kernel, stride);
  const taps = kernel * kernel;
  const forms: Record<string, Form> = {
    [TRANSPOSED]: (m, [dy = '']) =>
      m.node('ConvTranspose', [dy, m.floats([c, 1, kernel, kernel], new Float32Array(c * taps).fill(1 / taps))], {
        ...transposed,
        group: c,
      }),
  };
  if (stride === 1) {
    forms[POOLED] = (m, [dy = '']) => {
      const q = kernel - 1 - pad;
      return m.node('AveragePool', [dy], { kernel_shape: [kernel, kernel], pads: [q, q, q, q], count_include_pad: 1 });
    };
  }
  return { inputs: [[n, c, oh, ow]], output: [n, c, h, w], forms };
}

function maxPoolGradient(size: Size, kernel: number, stride: number): Case {
  const [n, c, h, w] = size;
  const { oh, ow, pad, window, transposed } = poolGeometry(size, kernel, stride);
  const taps = kernel * kernel;
  const forms: Record<string, Form> = {
    [INDICES]: (m, [x = '', dy = '']) => {
      const y = m.node('MaxPool', [x], { kernel_shape: [kernel, kernel], ...window }, { outputs: 2 });
      const zeros = m.node('ConstantOfShape', [m.ints([n * c * h * w])]);
      const operands = [zeros, reshape(m, `${y}:1`, [-1]), reshape(m, dy, [-1])];
      return reshape(m, m.node('ScatterElements', operands, { axis: 0, reduction: 'add' }), [n, c, h, w]);
    },
  };
  if (pad === 0) {
    forms['`ArgMax` of the unfolded'] = (m, [x = '', dy = '']) => {
      const hot = oneHot(m, c, [kernel, kernel]);
      const unfolded = reshape(m, m.node('Conv', [x, hot], { group: c, ...window }), [n, c, taps, oh * ow]);
      const where = m.node('Cast', [m.node('ArgMax', [unfolded], { axis: 2 })], { to: 1 });
      const tap = m.floats([taps, 1], [...Array(taps).keys()]);
      const chosen = m.node('Cast', [m.node('Equal', [where, tap])], { to: 1 });
      const parts = m.node('Mul', [chosen, reshape(m, dy, [n, c, 1, oh * ow])]);
      return m.node('ConvTranspose', [reshape(m, parts, [n, c * taps, oh, ow]), hot], { ...transposed, group: c });
    };
  }
  const inputs = [
    [n, c, h, w],
    [n, c, oh, ow],
  ];
  return { inputs, output: [n, c, h, w], forms };
}

const channelMeans = ([n, c, h, w]: Size): Case => ({
  inputs: [[n, c, h, w]] satisfies Shape[],
  output: [1, c, 1, 1],
  forms: {
    [MEAN]: (m, [x = '']) => m.node('ReduceMean', [x, m.ints([0, 2, 3])]),
    '`GlobalAveragePool` first': (m, [x = '']) => m.node('ReduceMean', [m.node('GlobalAveragePool', [x]), m.ints([0])]),
  },
});

const dense = (kernel: number, stride: number): Setting => ({ kernel, stride, widening: stride, depthwise: false });
const depthwise = (kernel: number, stride: number): Setting => ({ kernel, stride, widening: 1, depthwise: true });

function family(table: string, taken: string): (title: string, at: (size: Size) => Case) => Family {
  return (title, at) => ({ table, title, taken: [taken], at });
}
const filter = (taken: string) => family('filter gradient', taken);
const input = (taken: string) => family('input gradient', taken);
const other = (taken: string) => family('pools and channels', taken);

export const PORTABLE: readonly Family[] = [
  filter(ONE_HOT)('3x3', (size) => filterGradient(size, dense(3, 1))),
  filter(ONE_HOT)('3x3 stride 2 to 2C', (size) => filterGradient(size, dense(3, 2))),
  // Nothing is cut at a kernel of 1: the engine takes x as it is.
  filter(SLICES)('1x1', (size) => filterGradient(size, dense(1, 1))),
  filter(ONE_HOT)('depthwise 3x3', (size) => filterGradient(size, depthwise(3, 1))),
  filter(GROUPS)('depthwise 5x5', (size) => filterGradient(size, depthwise(5, 1))),
  input(FLIPPED)('3x3', (size) => inputGradient(size, dense(3, 1))),
  input(TRANSPOSED)('3x3 stride 2 to 2C', (size) => inputGradient(size, dense(3, 2))),
  input(FLIPPED)('depthwise 3x3', (size) => inputGradient(size, depthwise(3, 1))),
  other(POOLED)('average pool 3x3, gradient of full windows', (size) => averagePoolGradient(size, 3, 1)),
  other(INDICES)('max pool 3x3, gradient', (size) => maxPoolGradient(size, 3, 1)),
  other(INDICES)('max pool 2x2 stride 2, gradient', (size) => maxPoolGradient(size, 2, 2)),
  other(MEAN)('mean of each channel', channelMeans),
];
