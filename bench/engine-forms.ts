/**
 * Which ONNX operators a gradient is best made of on the CPU in the portable layout (NCHW, weights as inputs). Prints
 * milliseconds (the least of many runs) and the ratio to the fastest form of the row. The lowerings in
 * src/engine/onnx/ follow this table; docs/engine.md repeats it.
 *
 *   npx node --conditions=netsmith-source bench/engine-forms.ts [threads]
 */

import { rng } from '../src/common/random.ts';
import { createModel, MICROSOFT, type ModelBuilder } from '../src/engine/onnx/model.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { type Shape, sizeOf } from '../src/graph/ir.ts';

const threads = Number(process.argv[2] ?? 2);
const runtime = nodeRuntime();
const random = rng('engine-forms');

type Form = (m: ModelBuilder, inputs: readonly string[]) => string;
interface Case {
  readonly name: string;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  readonly forms: Readonly<Record<string, Form>>;
}

async function measure(test: Case, form: Form): Promise<{ ms: number; data: Float32Array }> {
  const m = createModel('form');
  const names = test.inputs.map((shape, i) => {
    m.input(`x${i}`, shape);
    return `x${i}`;
  });
  m.output('y', test.output, form(m, names));
  const session = await runtime.createSession(m.encode(), { device: 'cpu', threads, optimisation: 'none', keep: [] });
  const filled = (shape: Shape) => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => random.float() - 0.5),
  });
  const feeds = Object.fromEntries(test.inputs.map((shape, i) => [`x${i}`, runtime.wrap(sample(i, shape, filled))]));
  const into = { y: runtime.wrap({ shape: test.output, data: new Float32Array(sizeOf(test.output)) }) };
  let ms = Number.POSITIVE_INFINITY;
  const end = performance.now() + 700;
  for (let i = 0; i < 5 || (performance.now() < end && i < 200); i++) {
    const start = performance.now();
    await session.run(feeds, into);
    ms = Math.min(ms, performance.now() - start);
  }
  await session.dispose();
  return { ms, data: into.y.data as Float32Array };
}

/** The same numbers for every form of one case, so that the results can be compared. */
const samples = new Map<string, { shape: Shape; data: Float32Array }>();
function sample(i: number, shape: Shape, make: (shape: Shape) => { shape: Shape; data: Float32Array }) {
  const key = `${i} ${shape}`;
  const known = samples.get(key) ?? make(shape);
  samples.set(key, known);
  return known;
}

const reshape = (m: ModelBuilder, x: string, shape: Shape) => m.node('Reshape', [x, m.ints(shape)]);
const transpose = (m: ModelBuilder, x: string, perm: Shape) => m.node('Transpose', [x], { perm });
const sum = (m: ModelBuilder, x: string, axes: Shape) => m.node('ReduceSum', [x, m.ints(axes)], { keepdims: 0 });
const fused = (m: ModelBuilder, a: string, b: string, attributes: Record<string, number>) =>
  m.node('FusedMatMul', [a, b], attributes, { domain: MICROSOFT });

interface Setting {
  readonly x: readonly [number, number, number, number];
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly groups: number;
}

function weightGradient({ x: [n, c, h, w], filters: k, kernel, stride, groups }: Setting): Case {
  const pad = (kernel - 1) / 2;
  const [oh, ow] = [Math.ceil(h / stride), Math.ceil(w / stride)];
  const i = c / groups;
  const taps = kernel * kernel;
  const padded: Form = (m, [x]) =>
    pad === 0 ? (x as string) : m.node('Pad', [x as string, m.ints([0, 0, pad, pad, 0, 0, pad, pad])]);
  const slices = (m: ModelBuilder, x: string) => {
    const p = padded(m, [x]);
    return Array.from({ length: taps }, (_, tap) => {
      const [ky, kx] = [Math.floor(tap / kernel), tap % kernel];
      return m.node('Slice', [
        p,
        m.ints([ky, kx]),
        m.ints([ky + (oh - 1) * stride + 1, kx + (ow - 1) * stride + 1]),
        m.ints([2, 3]),
        m.ints([stride, stride]),
      ]);
    });
  };
  const product = (m: ModelBuilder, dy: string, col: string, columns: number) =>
    sum(
      m,
      fused(m, reshape(m, dy, [n, groups, k / groups, oh * ow]), reshape(m, col, [n, groups, columns, oh * ow]), {
        transB: 1,
      }),
      [0],
    );
  const forms: Record<string, Form> = {
    'convolution of transposed tensors': (m, [x, dy]) => {
      const xt = reshape(m, transpose(m, reshape(m, x as string, [n, groups, i, h * w]), [2, 1, 0, 3]), [
        i,
        groups * n,
        h,
        w,
      ]);
      const dyt = transpose(m, dy as string, [1, 0, 2, 3]);
      const y = m.node('Conv', [xt, dyt], {
        group: groups,
        strides: [1, 1],
        dilations: [stride, stride],
        pads: [pad, pad, pad, pad],
      });
      const all = m.node('Slice', [y, m.ints([0, 0]), m.ints([kernel, kernel]), m.ints([2, 3])]);
      return transpose(m, all, [1, 0, 2, 3]);
    },
    'slices, product each, summed': (m, [x, dy]) => {
      const parts = slices(m, x as string).map((s) => reshape(m, product(m, dy as string, s, i), [k, i, 1]));
      return reshape(m, m.node('Concat', parts, { axis: 2 }), [k, i, kernel, kernel]);
    },
    'slices, one product': (m, [x, dy]) => {
      const col = m.node(
        'Concat',
        slices(m, x as string).map((s) => reshape(m, s, [n, groups, 1, i, oh * ow])),
        { axis: 2 },
      );
      const dw = product(m, dy as string, col, taps * i);
      return transpose(m, reshape(m, dw, [k, kernel, kernel, i]), [0, 3, 1, 2]);
    },
    'one-hot convolution, one product': (m, [x, dy]) => {
      const hot = new Float32Array(c * taps * taps);
      for (let o = 0; o < c * taps; o++) hot[o * taps + (o % taps)] = 1;
      const col = m.node('Conv', [x as string, m.floats([c * taps, 1, kernel, kernel], hot)], {
        group: c,
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
      });
      return reshape(m, product(m, dy as string, col, i * taps), [k, i, kernel, kernel]);
    },
  };
  if (i === 1) {
    forms['convolution, a group per image and channel'] = (m, [x, dy]) => {
      const y = m.node(
        'Conv',
        [reshape(m, x as string, [1, n * c, h, w]), reshape(m, dy as string, [n * k, 1, oh, ow])],
        {
          group: n * c,
          dilations: [stride, stride],
          pads: [pad, pad, pad, pad],
        },
      );
      const all = m.node('Slice', [y, m.ints([0, 0]), m.ints([kernel, kernel]), m.ints([2, 3])]);
      return sum(m, reshape(m, all, [n, k, 1, kernel, kernel]), [0]);
    };
  }
  return {
    name: `dW ${kernel}x${kernel}/${stride} groups ${groups} of [${n},${c},${h},${w}] to ${k}`,
    inputs: [
      [n, c, h, w],
      [n, k, oh, ow],
    ],
    output: [k, i, kernel, kernel],
    forms,
  };
}

function inputGradient({ x: [n, c, h, w], filters: k, kernel, stride, groups }: Setting): Case {
  const pad = (kernel - 1) / 2;
  const [oh, ow] = [Math.ceil(h / stride), Math.ceil(w / stride)];
  const flipped = (m: ModelBuilder, filter: string) => {
    const all = -(2 ** 31);
    const turned =
      kernel === 1
        ? filter
        : m.node('Slice', [filter, m.ints([-1, -1]), m.ints([all, all]), m.ints([2, 3]), m.ints([-1, -1])]);
    const grouped = reshape(m, turned, [groups, k / groups, c / groups, kernel * kernel]);
    return reshape(m, transpose(m, grouped, [0, 2, 1, 3]), [c, k / groups, kernel, kernel]);
  };
  const conv = (m: ModelBuilder, dy: string, filter: string, pads: Shape) =>
    m.node('Conv', [dy, flipped(m, filter)], { group: groups, pads });
  const q = kernel - 1 - pad;
  const spread = (m: ModelBuilder, dy: string) => {
    const wide = m.node('Pad', [
      reshape(m, dy, [n, k, oh, 1, ow, 1]),
      m.ints([0, 0, 0, 0, 0, 0, 0, 0, 0, stride - 1, 0, stride - 1]),
    ]);
    return reshape(m, wide, [n, k, oh * stride, ow * stride]);
  };
  return {
    name: `dX ${kernel}x${kernel}/${stride} groups ${groups} of [${n},${c},${h},${w}] to ${k}`,
    inputs: [
      [n, k, oh, ow],
      [k, c / groups, kernel, kernel],
    ],
    output: [n, c, h, w],
    forms: {
      ConvTranspose: (m, [dy, filter]) =>
        m.node('ConvTranspose', [dy as string, filter as string], {
          group: groups,
          strides: [stride, stride],
          pads: [pad, pad, pad, pad],
          output_padding: [stride - 1, stride - 1],
        }),
      'convolution by the flipped filter': (m, [dy, filter]) => {
        if (stride === 1) return conv(m, dy as string, filter as string, [q, q, q, q]);
        const end = h + kernel - 1 - q - oh * stride;
        return conv(m, spread(m, dy as string), filter as string, [q, q, end, end]);
      },
    },
  };
}

/** Pooling by a square window; the padding is what keeps the size at stride 1, none for an even kernel. */
function poolGradients([n, c, h, w]: Setting['x'], kernel: number, stride: number): Case[] {
  const pad = kernel % 2 === 0 ? 0 : (kernel - 1) / 2;
  const taps = kernel * kernel;
  const out = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const [oh, ow] = [out(h), out(w)];
  const window = { strides: [stride, stride], pads: [pad, pad, pad, pad] };
  const transposed = {
    ...window,
    group: c,
    output_padding: [h - ((oh - 1) * stride + kernel - 2 * pad), w - ((ow - 1) * stride + kernel - 2 * pad)],
  };
  const oneHot = (m: ModelBuilder) => {
    const hot = new Float32Array(c * taps * taps);
    for (let o = 0; o < c * taps; o++) hot[o * taps + (o % taps)] = 1;
    return m.floats([c * taps, 1, kernel, kernel], hot);
  };
  const name = `${kernel}x${kernel}/${stride} of [${n},${c},${h},${w}]`;
  const average: Record<string, Form> = {
    ConvTranspose: (m, [dy]) =>
      m.node(
        'ConvTranspose',
        [dy as string, m.floats([c, 1, kernel, kernel], new Float32Array(c * taps).fill(1))],
        transposed,
      ),
  };
  if (stride === 1) {
    average['average pooling of dy'] = (m, [dy]) => {
      const q = kernel - 1 - pad;
      const pooled = m.node('AveragePool', [dy as string], {
        kernel_shape: [kernel, kernel],
        pads: [q, q, q, q],
        count_include_pad: 1,
      });
      return m.node('Mul', [pooled, m.floats([], [taps])]);
    };
  }
  const largest: Record<string, Form> = {
    'MaxPool with indices, ScatterElements': (m, [x, dy]) => {
      const y = m.node('MaxPool', [x as string], { kernel_shape: [kernel, kernel], ...window }, { outputs: 2 });
      const zeros = m.node('ConstantOfShape', [m.ints([n * c * h * w])]);
      const where = reshape(m, `${y}:1`, [-1]);
      const attributes = { axis: 0, reduction: 'add' };
      return reshape(m, m.node('ScatterElements', [zeros, where, reshape(m, dy as string, [-1])], attributes), [
        n,
        c,
        h,
        w,
      ]);
    },
  };
  if (pad === 0) {
    largest['one-hot convolution, ArgMax, ConvTranspose'] = (m, [x, dy]) => {
      const unfolded = reshape(m, m.node('Conv', [x as string, oneHot(m)], { group: c, ...window }), [
        n,
        c,
        taps,
        oh * ow,
      ]);
      const where = m.node('Cast', [m.node('ArgMax', [unfolded], { axis: 2 })], { to: 1 });
      const tap = m.floats(
        [taps, 1],
        Float32Array.from({ length: taps }, (_, i) => i),
      );
      const chosen = m.node('Cast', [m.node('Equal', [where, tap])], { to: 1 });
      const parts = m.node('Mul', [chosen, reshape(m, dy as string, [n, c, 1, oh * ow])]);
      return m.node('ConvTranspose', [reshape(m, parts, [n, c * taps, oh, ow]), oneHot(m)], transposed);
    };
  }
  return [
    { name: `dX of average pooling ${name}`, inputs: [[n, c, oh, ow]], output: [n, c, h, w], forms: average },
    {
      name: `dX of max pooling ${name}`,
      inputs: [
        [n, c, h, w],
        [n, c, oh, ow],
      ],
      output: [n, c, h, w],
      forms: largest,
    },
  ];
}

/** Batch norm's sums. */
function channelMeans([n, c, h, w]: Setting['x']): Case {
  return {
    name: `mean of each channel of [${n},${c},${h},${w}]`,
    inputs: [[n, c, h, w]],
    output: [1, c, 1, 1],
    forms: {
      'ReduceMean over [0, 2, 3]': (m, [x]) => m.node('ReduceMean', [x as string, m.ints([0, 2, 3])]),
      'GlobalAveragePool, then over [0]': (m, [x]) =>
        m.node('ReduceMean', [m.node('GlobalAveragePool', [x as string]), m.ints([0])]),
    },
  };
}

const settings: Setting[] = [
  [64, 16, 32, 32],
  [64, 32, 16, 16],
  [64, 64, 8, 8],
].flatMap(([n, c, h, w]) => {
  const x = [n, c, h, w] as [number, number, number, number];
  const filters = c as number;
  return [
    { x, filters, kernel: 3, stride: 1, groups: 1 },
    { x, filters: 2 * filters, kernel: 3, stride: 2, groups: 1 },
    { x, filters, kernel: 1, stride: 1, groups: 1 },
    { x, filters: 2 * filters, kernel: 1, stride: 2, groups: 1 },
    { x, filters, kernel: 3, stride: 1, groups: filters },
    { x, filters, kernel: 5, stride: 2, groups: filters },
  ];
});
settings.push({ x: [64, 3, 32, 32], filters: 16, kernel: 3, stride: 1, groups: 1 });

const images: Setting['x'][] = [
  [64, 16, 32, 32],
  [64, 32, 16, 16],
  [64, 64, 8, 8],
];
const cases = [
  ...settings.map(weightGradient),
  ...settings.map(inputGradient),
  ...images.flatMap((x) => [...poolGradients(x, 3, 1), ...poolGradients(x, 2, 2), channelMeans(x)]),
];
for (const test of cases) {
  console.log(`\n${test.name}`);
  const rows: { name: string; ms: number; data: Float32Array }[] = [];
  for (const [name, form] of Object.entries(test.forms)) rows.push({ name, ...(await measure(test, form)) });
  const fastest = Math.min(...rows.map((row) => row.ms));
  const first = rows[0]?.data ?? new Float32Array();
  const largest = first.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  for (const { name, ms, data } of rows) {
    const difference = data.reduce((most, v, i) => Math.max(most, Math.abs(v - (first[i] as number))), 0) / largest;
    const warning = difference < 1e-4 ? '' : `  DIFFERS by ${difference.toExponential(1)}`;
    console.log(`  ${name.padEnd(46)} ${ms.toFixed(2).padStart(7)} ms  ${(ms / fastest).toFixed(2)}${warning}`);
  }
}
