import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph } from '../builder.ts';
import { flopsOf, totalFlops } from '../flops.ts';
import { interpret } from '../interpret.ts';
import type { ConvGeometry, Shape } from '../ir.ts';
import { CASES } from '../testing/cases.ts';
import { caseGraph, relativeError } from '../testing/check.ts';
import { evaluate } from '../testing/evaluate.ts';
import { constant, conv, input, matmul, relu } from './construct.ts';
import type { Tensor } from './definition.ts';

const plain: ConvGeometry = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 };

/** Convolution written down as its definition says, one output at a time, padding read as zero. */
function directConv(x: Tensor, w: Tensor, shape: Shape, { stride, dilation, pads, groups }: ConvGeometry): number[] {
  const [, c, h, width] = x.shape as [number, number, number, number];
  const [o, i, kh, kw] = w.shape as [number, number, number, number];
  const [n, , oh, ow] = shape as [number, number, number, number];
  const pixel = (b: number, ch: number, row: number, column: number) =>
    row < 0 || column < 0 || row >= h || column >= width ? 0 : x.data[((b * c + ch) * h + row) * width + column];
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let f = 0; f < o; f++)
      for (let oy = 0; oy < oh; oy++)
        for (let ox = 0; ox < ow; ox++) {
          let sum = 0;
          for (let ch = 0; ch < i; ch++)
            for (let ky = 0; ky < kh; ky++)
              for (let kx = 0; kx < kw; kx++) {
                const [row, column] = [
                  oy * stride[0] - pads[0] + ky * dilation[0],
                  ox * stride[1] - pads[1] + kx * dilation[1],
                ];
                const value = pixel(b, Math.floor(f / (o / groups)) * i + ch, row, column);
                sum += (value ?? 0) * (w.data[((f * i + ch) * kh + ky) * kw + kx] ?? 0);
              }
          y.push(sum);
        }
  return y;
}

describe('conv', () => {
  for (const testCase of CASES.filter(({ name, feeds }) => name.startsWith('conv ') && feeds.bias === undefined)) {
    it(`${testCase.name} is what its definition says`, () => {
      const graph = caseGraph(testCase);
      const { y } = interpret(graph, testCase.feeds);
      const op = graph.nodes.map((node) => node.op).find(({ kind }) => kind === 'conv');
      const { x, w } = testCase.feeds;
      assert.ok(x && w && y && op?.kind === 'conv');
      assert.ok(relativeError(y.data, directConv(x, w, y.shape, op)) < 1e-12);
    });
  }

  it('adds the bias of each filter', () => {
    const { data } = evaluate((g) =>
      conv(g, constant(g, [1, 2], [2, 1, 1, 1]), constant(g, [1, 10], [2, 1, 1, 1]), plain, constant(g, [100, 200])),
    );
    assert.deepEqual(data, [101, 210, 102, 220]);
  });

  it('refuses what does not fit, naming shapes and rule', () => {
    const g = createGraph();
    const x = input(g, 'x', [1, 4, 5, 5]);
    const w = (name: string, shape: Shape) => input(g, name, shape);
    const refuses = (filters: number, geometry: Partial<ConvGeometry>, message: string | RegExp) =>
      assert.throws(() => conv(g, x, filters, { ...plain, ...geometry }), { message });
    refuses(w('a', [2, 3, 3, 3]), {}, 'conv of [1,4,5,5], [2,3,3,3]: 4 channels are 1 groups of 4, the filters read 3');
    refuses(w('b', [3, 2, 3, 3]), { groups: 2 }, /3 filters are not divisible into 2 groups/);
    refuses(w('c', [2, 4, 7, 7]), {}, /the kernel fits into the padded input, output \[-1,-1\]/);
    refuses(w('d', [2, 4, 3, 3]), { stride: [0, 1] }, /stride, dilation and groups are at least 1, found \[0,1\]/);
    refuses(w('e', [2, 4, 3, 3]), { pads: [-1, 0, 0, 0] }, /pads are whole and not negative/);
    refuses(w('f', [2, 4]), {}, /x is \[N, C, H, W\] and w is/);
  });

  it('gradient operators refuse a dy that the convolution would not give', () => {
    const g = createGraph();
    const [x, w, dy] = [input(g, 'x', [1, 2, 5, 5]), input(g, 'w', [3, 2, 3, 3]), input(g, 'dy', [1, 3, 5, 5])];
    assert.throws(() => g.add({ kind: 'convInputGrad', shape: [1, 2, 5, 5], ...plain }, [dy, w]), {
      message: 'convInputGrad of [1,3,5,5], [3,2,3,3]: a conv of [1,2,5,5] gives [1,3,3,3], dy is [1,3,5,5]',
    });
    assert.throws(() => g.add({ kind: 'convWeightGrad', shape: [3, 2, 3, 3], ...plain }, [x, dy]), /dy is \[1,3,5,5\]/);
  });
});

describe('matmul', () => {
  it('multiplies batches and adds the bias to each row', () => {
    const { shape, data } = evaluate((g) =>
      matmul(g, constant(g, [1, 2, 3, 4], [2, 1, 2]), constant(g, [1, 0, 0, 1, 1, 1, 1, 1], [2, 2, 2]), {
        bias: constant(g, [10, 20]),
      }),
    );
    assert.deepEqual(
      [shape, data],
      [
        [2, 1, 2],
        [11, 22, 17, 27],
      ],
    );
  });

  it('refuses operands that do not meet', () => {
    const g = createGraph();
    const [a, b, bias] = [input(g, 'a', [2, 3]), input(g, 'b', [2, 3]), input(g, 'bias', [3])];
    assert.throws(() => matmul(g, a, b), /matmul of \[2,3\], \[2,3\]: .* 3 columns meet 2 rows/);
    assert.throws(() => matmul(g, a, b, { transposeB: true, bias }), /the bias is \[2\]/);
    assert.throws(() => matmul(g, a, bias), /both have at least two axes/);
  });
});

describe('FLOPs', () => {
  it('are multiply-accumulates of convolutions and products, a bias once an output', () => {
    const g = createGraph();
    const x = input(g, 'x', [1, 4, 8, 8]);
    const y = conv(g, x, input(g, 'w', [6, 2, 3, 3]), { ...plain, groups: 2, pads: [1, 1, 1, 1] });
    assert.equal(flopsOf(g.nodes, y), 6 * 64 * 2 * 9);
    const biased = conv(g, relu(g, y), input(g, 'v', [5, 6, 1, 1]), plain, input(g, 'b', [5]));
    assert.equal(flopsOf(g.nodes, biased), 5 * 64 * 6 + 5 * 64);
    const features = input(g, 'features', [2, 7]);
    const logits = matmul(g, features, input(g, 'linear', [3, 7]), { transposeB: true, bias: input(g, 'c', [3]) });
    assert.equal(flopsOf(g.nodes, logits), 2 * 3 * 7 + 2 * 3);
    assert.equal(totalFlops(g.nodes), 6912 + 2240 + 48);
  });

  it('of both gradients of a convolution are those of the convolution', () => {
    for (const testCase of CASES.filter(({ name, feeds }) => name.startsWith('conv ') && feeds.bias === undefined)) {
      const [, short] = testCase.name.split(/^conv /);
      const flops = [testCase.name, `convInputGrad ${short}`, `convWeightGrad ${short}`].map((name) =>
        totalFlops(CASES.filter((other) => other.name === name).flatMap((other) => caseGraph(other).nodes)),
      );
      assert.ok(
        flops.every((n) => n > 0 && n === flops[0]),
        `${testCase.name}: ${flops}`,
      );
    }
  });
});
