import { test } from 'node:test';
import type { ConvGeometry, Shape } from '../../../graph/ir.ts';
import * as ops from '../../../graph/ops.ts';
import { four } from '../value.ts';
import { type ConvKind, canConvolve, convInputGrad, convolve, filterLayout } from './conv.ts';
import { assertCase } from './testing/run.ts';
import { convWeightGrad } from './weight-gradient.ts';

const block = 16;
const geometry = (over: Partial<ConvGeometry>): ConvGeometry => ({
  stride: [1, 1],
  dilation: [1, 1],
  pads: [0, 0, 0, 0],
  groups: 1,
  ...over,
});
const square = (stride: number, dilation: number, pad: number, groups = 1) =>
  geometry({ stride: [stride, stride], dilation: [dilation, dilation], pads: [pad, pad, pad, pad], groups });

const CASES: readonly { x: Shape; w: Shape; geometry: ConvGeometry; kind: ConvKind }[] = [
  { x: [2, 16, 5, 6], w: [32, 16, 3, 3], geometry: square(1, 1, 1), kind: 'dense' },
  { x: [2, 32, 16, 16], w: [32, 32, 3, 3], geometry: square(1, 1, 1), kind: 'dense' },
  { x: [2, 16, 16, 32], w: [16, 16, 3, 3], geometry: square(1, 1, 1), kind: 'dense' },
  { x: [3, 16, 16, 32], w: [48, 16, 5, 5], geometry: square(1, 1, 2), kind: 'dense' },
  { x: [2, 64, 8, 8], w: [64, 64, 3, 3], geometry: square(1, 1, 1), kind: 'dense' },
  { x: [2, 16, 8, 8], w: [32, 16, 3, 3], geometry: square(2, 1, 1), kind: 'dense' },
  { x: [2, 32, 16, 16], w: [64, 32, 1, 1], geometry: square(2, 1, 0), kind: 'dense' },
  { x: [2, 32, 7, 7], w: [16, 32, 1, 1], geometry: square(1, 1, 0), kind: 'dense' },
  { x: [2, 64, 7, 7], w: [32, 32, 1, 1], geometry: square(1, 1, 0, 2), kind: 'grouped' },
  { x: [2, 64, 7, 7], w: [32, 32, 3, 3], geometry: square(1, 1, 1, 2), kind: 'grouped' },
  { x: [2, 32, 8, 8], w: [32, 1, 3, 3], geometry: square(1, 1, 1, 32), kind: 'depthwise' },
  { x: [2, 32, 9, 8], w: [32, 1, 3, 3], geometry: square(2, 1, 1, 32), kind: 'depthwise' },
  { x: [2, 32, 8, 8], w: [32, 1, 5, 5], geometry: square(1, 2, 4, 32), kind: 'depthwise' },
  { x: [2, 16, 8, 9], w: [16, 1, 5, 5], geometry: square(2, 2, 4, 16), kind: 'depthwise' },
  { x: [2, 16, 8, 9], w: [16, 1, 5, 5], geometry: square(2, 1, 2, 16), kind: 'depthwise' },
  { x: [2, 16, 8, 8], w: [16, 1, 3, 3], geometry: square(2, 2, 2, 16), kind: 'depthwise' },
  { x: [2, 3, 8, 8], w: [16, 3, 3, 3], geometry: square(1, 1, 1), kind: 'stem' },
];

for (const { x, w, geometry: g, kind } of CASES) {
  const [, , kh, kw] = four(w);
  const layout = filterLayout(kind);
  const name = `${kind} [${x}] by [${w}] stride ${g.stride} dilation ${g.dilation}`;
  const [n, , h, wd] = four(x);
  const out = (size: number, k: number, axis: 0 | 1) =>
    Math.floor((size + g.pads[axis] * 2 - g.dilation[axis] * (k - 1) - 1) / g.stride[axis]) + 1;
  const y = [n, four(w)[0], out(h, kh, 0), out(wd, kw, 1)];
  test(`${name} forward`, async () => {
    if (canConvolve(block, x, w, g) !== kind) throw new Error(`${canConvolve(block, x, w, g)}`);
    await assertCase(
      block,
      {
        inputs: [
          { shape: x, layout: kind === 'stem' ? 'plain' : 'blocked' },
          { shape: w, layout },
          { shape: [four(w)[0]], layout: 'plain' },
          { shape: y, layout: 'blocked' },
        ],
        output: { shape: y, layout: 'blocked' },
        blocked: (b, [x0 = '', filter = '', bias = '', sum = '']) =>
          convolve(b, { x: x0, filter, kernel: [kh, kw], geometry: g, bias, sum, relu: true }),
        reference: (gb, [x0 = 0, filter = 0, bias, sum = 0]) =>
          ops.relu(gb, ops.add(gb, ops.conv(gb, x0, filter, g, bias), sum)),
      },
      kind !== 'stem',
    );
  });
  if (kind !== 'stem')
    test(`${name} input gradient`, () =>
      assertCase(
        block,
        {
          inputs: [
            { shape: y, layout: 'blocked' },
            { shape: w, layout },
            { shape: x, layout: 'blocked' },
          ],
          output: { shape: x, layout: 'blocked' },
          blocked: (b, [dy = '', filter = '', sum = '']) =>
            convInputGrad(b, { dy, dyShape: y, filter, filterShape: w, shape: x, geometry: g, sum }),
          reference: (gb, [dy = 0, filter = 0, sum = 0]) =>
            ops.add(gb, gb.add({ kind: 'convInputGrad', shape: x, ...g }, [dy, filter]), sum),
        },
        true,
      ));
  test(`${name} weight gradient`, () =>
    assertCase(block, {
      inputs: [
        { shape: x, layout: kind === 'stem' ? 'plain' : 'blocked' },
        { shape: y, layout: 'blocked' },
      ],
      output: { shape: w, layout },
      blocked: (b, [x0 = '', dy = '']) =>
        convWeightGrad(b, { x: x0, xShape: x, dy, dyShape: y, shape: w, geometry: g }),
      reference: (gb, [x0 = 0, dy = 0]) => gb.add({ kind: 'convWeightGrad', shape: w, ...g }, [x0, dy]),
    }));
}
