/** Input gradients, pooling, and what is done to whole channels, in the blocked layout. */
import { type Blocked, nchwc, sumOfRows, transposeTiles, view } from '../../src/engine/onnx/blocked/blocked.ts';
import { affine, channelDot, channelMean } from '../../src/engine/onnx/blocked/channels.ts';
import { filterLayout } from '../../src/engine/onnx/blocked/conv.ts';
import { convInputGrad } from '../../src/engine/onnx/blocked/input-gradient.ts';
import { filterToPlain, toBlocked, toPlain } from '../../src/engine/onnx/blocked/layout.ts';
import { avgPoolGrad, maxPoolScatter } from '../../src/engine/onnx/blocked/pooling.ts';
import { interleave, partOf } from '../../src/engine/onnx/blocked/shift.ts';
import { lowerConvInputGrad } from '../../src/engine/onnx/lowerings/convolution.ts';
import { mask } from '../../src/engine/onnx/lowerings/elementwise.ts';
import { lowerAvgPoolGrad, lowerMaxPoolScatter } from '../../src/engine/onnx/lowerings/pooling.ts';
import type { ModelBuilder } from '../../src/engine/onnx/model.ts';
import type { PoolGeometry, Shape } from '../../src/graph/ir.ts';
import { type Setting, shapesOf } from './blocked-filters.ts';
import type { Case, Family, Form, Size } from './measure.ts';
import { sum } from './nodes.ts';

const PLAIN = 'plain';
const PHASES = 'by phases';
const ZEROS = 'zeros put in, then flipped';
const MASKS = 'masks by rows, then columns';

function inputGradient(block: number, size: Size, setting: Setting): Case {
  const { x: shape, dy: dyShape, filter: filterShape, geometry } = shapesOf(size, setting);
  const [n, c, h, w] = size;
  const layout = filterLayout(setting.widening === 0 ? 'depthwise' : 'dense');
  const { stride } = geometry;
  const forms: Record<string, Form> = {
    [PLAIN]: (m, [dy = '', filter = '']) => {
      const b = { model: m, block };
      const inputs = [
        { name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined },
        { name: filterToPlain(b, filter, filterShape, layout), shape: filterShape, batchAxis: undefined },
      ];
      const op = { kind: 'convInputGrad', shape, ...geometry } as const;
      const site = { op, inputs, shape, batchAxis: undefined };
      return toBlocked(b, lowerConvInputGrad({ model: m, target: 'cpu' }, site));
    },
    [ZEROS]: (m, [dy = '', filter = '']) => {
      const b = { model: m, block };
      const [, o = 0, oh = 0, ow = 0] = dyShape;
      const wide = interleave(b, [dy, undefined], [n, o, oh, ow], 'columns');
      const zeros = interleave(b, [wide, undefined], [n, o, oh, 2 * ow], 'rows');
      const spread = { dy: zeros, dyShape: [n, o, 2 * oh, 2 * ow], filter, filterShape, shape };
      return convInputGrad(b, { ...spread, geometry: { ...geometry, stride: [1, 1] } });
    },
    [PHASES]: (m, [dy = '', filter = '']) =>
      convInputGrad({ model: m, block }, { dy, dyShape, filter, filterShape, shape, geometry }),
  };
  if (stride[0] === 1) delete forms[ZEROS];
  return { inputs: [dyShape, filterShape], output: [n, c, h, w], forms };
}

function poolGeometry([n, c, h, w]: Size, kernel: number, stride: number) {
  const pad = kernel % 2 === 0 ? 0 : (kernel - 1) / 2;
  const out = (length: number) => Math.floor((length + 2 * pad - kernel) / stride) + 1;
  const geometry: PoolGeometry = { kernel: [kernel, kernel], stride: [stride, stride], pads: [pad, pad, pad, pad] };
  return { geometry, x: [n, c, h, w] satisfies Shape, dy: [n, c, out(h), out(w)] satisfies Shape };
}

function averagePoolGradient(block: number, size: Size, kernel: number, stride: number): Case {
  const { geometry, x: shape, dy: dyShape } = poolGeometry(size, kernel, stride);
  return {
    inputs: [dyShape],
    output: shape,
    forms: {
      [PLAIN]: (m, [dy = '']) => {
        const b = { model: m, block };
        const inputs = [{ name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined }];
        const op = { kind: 'avgPoolGrad', shape, ...geometry } as const;
        const site = { op, inputs, shape, batchAxis: undefined };
        return toBlocked(b, lowerAvgPoolGrad({ model: m, target: 'cpu' }, site));
      },
      [PHASES]: (m, [dy = '']) => avgPoolGrad({ model: m, block }, { dy, dyShape, shape, geometry }),
    },
  };
}

function maxPoolGradient(block: number, size: Size, kernel: number, stride: number): Case {
  const { geometry, x: xShape, dy: dyShape } = poolGeometry(size, kernel, stride);
  return {
    inputs: [xShape, dyShape],
    output: xShape,
    forms: {
      [PLAIN]: (m, [x = '', dy = '']) => {
        const b = { model: m, block };
        const plain = (name: string, shape: Shape) => ({ name: toPlain(b, name, shape), shape, batchAxis: undefined });
        const op = { kind: 'maxPoolScatter', ...geometry } as const;
        const site = { op, inputs: [plain(x, xShape), plain(dy, dyShape)], shape: xShape, batchAxis: undefined };
        return toBlocked(b, lowerMaxPoolScatter({ model: m, target: 'cpu' }, site));
      },
      [MASKS]: (m, [x = '', dy = '']) => maxPoolScatter({ model: m, block }, { x, xShape, dy, dyShape, geometry }),
    },
  };
}

/** dy where r is positive, else 0. */
function reluGradient(shape: Size): Case {
  const times = (m: ModelBuilder, dy: string, by: string) => m.node('Mul', [dy, by]);
  return {
    inputs: [shape, shape],
    output: shape,
    forms: {
      '`Greater`, `Where`': (m, [r = '', dy = '']) =>
        m.node('Where', [m.node('Greater', [r, m.floats([], [0])]), dy, m.floats([], [0])]),
      '`Greater`, `Cast`, `Mul`': (m, [r = '', dy = '']) =>
        times(m, dy, m.node('Cast', [m.node('Greater', [r, m.floats([], [0])])], { to: 1 })),
      '`Mul`, `Clip`, `Mul`': (m, [r = '', dy = '']) => {
        const steep = m.node('Mul', [r, m.floats([], [1e30])]);
        return times(m, dy, m.node('Clip', [steep, m.floats([], [0]), m.floats([], [1])]));
      },
      '`HardSigmoid`, `Mul`': (m, [r = '', dy = '']) => times(m, dy, mask({ model: m }, r)),
    },
  };
}

/** A tensor as it lies in memory, for operators that know no blocks. */
const lying = (b: Blocked, x: string, [n, c, h, w]: Size) => view(b, x, [n, c / b.block, h, w, b.block]);
const alongChannels = (b: Blocked, v: string, [, c]: Size) => view(b, v, [1, c / b.block, 1, 1, b.block]);

const scaleAndShift = (block: number, size: Size): Case => ({
  inputs: [size, [size[1]], [size[1]]],
  output: size,
  forms: {
    '`Mul`, `Add`': (m, [x = '', scale = '', bias = '']) => {
      const b = { model: m, block };
      const scaled = m.node('Mul', [lying(b, x, size), alongChannels(b, scale, size)]);
      return view(b, m.node('Add', [scaled, alongChannels(b, bias, size)]), size);
    },
    '1x1 depthwise `Conv`': (m, [x = '', scale = '', bias = '']) =>
      affine({ model: m, block }, { x, shape: size, scale, bias }),
  },
});

const dotOfChannels = (block: number, size: Size): Case => ({
  inputs: [size, size],
  output: [size[1]],
  forms: {
    '`Mul`, `ReduceSum`': (m, [x = '', y = '']) => {
      const b = { model: m, block };
      return view(b, sum(m, lying(b, m.node('Mul', [x, y]), size), [0, 2, 3]), [size[1]]);
    },
    '`Conv` of a group for each': (m, [x = '', y = '']) => channelDot({ model: m, block }, x, y, size),
  },
});

const meanOfChannels = (block: number, size: Size): Case => ({
  inputs: [size],
  output: [size[1]],
  forms: {
    '`ReduceMean`': (m, [x = '']) => {
      const b = { model: m, block };
      const mean = m.node('ReduceMean', [lying(b, x, size), m.ints([0, 2, 3])], { keepdims: 0 });
      return view(b, mean, [size[1]]);
    },
    '`GlobalAveragePool` first': (m, [x = '']) => channelMean({ model: m, block }, x, size),
  },
});

/** Of results of convolutions whose groups are images. */
const sumOfImages = ([n, c]: Size): Case => ({
  inputs: [[n, 3 * c * c]],
  output: [3 * c * c],
  forms: {
    '`ReduceSum`': (m, [x = '']) => m.node('ReduceSum', [x, m.ints([0])], { keepdims: 0 }),
    'product with ones': (m, [x = '']) => sumOfRows({ model: m, block: 1 }, x, n, 3 * c * c),
  },
});

/** To compare with: what one pass over an image takes. */
function passes(block: number, size: Size): Case {
  const [n, c, h, w] = size;
  const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1] };
  const form =
    (pass: (b: Blocked, x: string) => string): Form =>
    (m, [x = '']) =>
      view({ model: m, block }, pass({ model: m, block }, x), [n * c * h * w]);
  return {
    inputs: [size],
    output: [n * c * h * w],
    differ: true,
    forms: {
      '`Relu`': form(({ model }, x) => model.node('Relu', [x])),
      '`HardSigmoid`': form(mask),
      '`Mul`': form(({ model }, x) => model.node('Mul', [x, x])),
      '`ReorderInput`': form(toBlocked),
      '`ReorderOutput`': form((b, x) => toPlain(b, x, size)),
      'tiles transposed': form((b, x) => transposeTiles(b, x, (n * c * h * w) / block ** 2)),
      'one column to the right': form((b, x) => partOf(b, x, size, 'columns', { offset: -1, step: 1, count: w })),
      '`MaxPool` 3x3': form((b, x) => nchwc(b, 'MaxPool', [x], window)),
    },
  };
}

export function blockedFamilies(block: number): readonly Family[] {
  const family = (table: string, taken: readonly string[], title: string, at: (size: Size) => Case): Family => ({
    ...{ table, taken, title, at },
  });
  const gradient = (title: string, setting: Setting) =>
    family('input gradient', [PHASES], title, (size) => inputGradient(block, size, setting));
  const average = (title: string, kernel: number, stride: number) =>
    family('pools', [PHASES], `average pool ${title}`, (size) => averagePoolGradient(block, size, kernel, stride));
  const largest = (title: string, kernel: number, stride: number) =>
    family('pools', [MASKS], `max pool ${title}`, (size) => maxPoolGradient(block, size, kernel, stride));
  const other = (title: string, taken: string, at: (block: number, size: Size) => Case) =>
    family('element by element, and channels', [taken], title, (size) => at(block, size));
  return [
    gradient('3x3', { kernel: 3 }),
    gradient('3x3 stride 2 to 2C', { kernel: 3, stride: 2, widening: 2 }),
    gradient('1x1 stride 2', { kernel: 1, stride: 2 }),
    gradient('depthwise 3x3 stride 2', { kernel: 3, stride: 2, widening: 0 }),
    gradient('depthwise 5x5 stride 2', { kernel: 5, stride: 2, widening: 0 }),
    gradient('depthwise 5x5 stride 2 dilation 2', { kernel: 5, stride: 2, dilation: 2, widening: 0 }),
    average('3x3', 3, 1),
    average('3x3 stride 2', 3, 2),
    average('2x2 stride 2', 2, 2),
    largest('3x3', 3, 1),
    largest('3x3 stride 2', 3, 2),
    largest('2x2 stride 2', 2, 2),
    other('gradient of ReLU', '`HardSigmoid`, `Mul`', (_, size) => reluGradient(size)),
    other('scale and bias', '1x1 depthwise `Conv`', scaleAndShift),
    other('dot product of each channel', '`Conv` of a group for each', dotOfChannels),
    other('mean of each channel', '`GlobalAveragePool` first', meanOfChannels),
    other('sum of N results [C, 3, C]', 'product with ones', (_, size) => sumOfImages(size)),
    family('element by element, and channels', [], 'one pass', (size) => passes(block, size)),
  ];
}
