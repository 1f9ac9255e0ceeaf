/** Pooling in blocked memory, and its gradients, against the interpreter. */
import { test } from 'node:test';
import type { PoolGeometry, Shape } from '../../../graph/ir.ts';
import * as ops from '../../../graph/ops.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolScatter } from './pooling.ts';
import { assertCase, BLOCK, OPTIONS } from './testing/run.ts';

const square = (kernel: number, stride: number, pads: PoolGeometry['pads']): PoolGeometry => ({
  kernel: [kernel, kernel],
  stride: [stride, stride],
  pads,
});

const CASES: readonly { readonly size: readonly [number, number]; readonly geometry: PoolGeometry }[] = [
  { size: [6, 5], geometry: square(3, 1, [1, 1, 1, 1]) },
  { size: [8, 6], geometry: square(3, 2, [1, 1, 1, 1]) },
  { size: [7, 9], geometry: square(3, 2, [1, 1, 1, 1]) },
  { size: [8, 6], geometry: square(3, 2, [1, 1, 0, 0]) },
  { size: [1, 1], geometry: square(3, 2, [1, 1, 1, 1]) },
  { size: [4, 6], geometry: square(2, 2, [0, 0, 0, 0]) },
  { size: [6, 4], geometry: { kernel: [3, 2], stride: [1, 2], pads: [1, 0, 1, 0] } },
  // Others go through plain memory, or have columns that no window reads.
  { size: [5, 7], geometry: square(2, 2, [0, 0, 0, 0]) },
  { size: [8, 8], geometry: square(3, 2, [0, 0, 0, 0]) },
  { size: [8, 7], geometry: square(3, 3, [1, 1, 1, 1]) },
  { size: [6, 6], geometry: square(2, 1, [1, 1, 0, 0]) },
];

for (const { size, geometry } of CASES) {
  const x: Shape = [2, 2 * BLOCK, ...size];
  const out = (axis: 0 | 1) => {
    const padded = size[axis] + geometry.pads[axis] + geometry.pads[axis === 0 ? 2 : 3];
    return Math.floor((padded - geometry.kernel[axis]) / geometry.stride[axis]) + 1;
  };
  const y: Shape = [2, 2 * BLOCK, out(0), out(1)];
  const image = { shape: x, layout: 'blocked' } as const;
  const result = { shape: y, layout: 'blocked' } as const;
  const name = `[${x}] by ${geometry.kernel} stride ${geometry.stride} pads ${geometry.pads}`;

  test(`max pooling ${name}`, OPTIONS, () =>
    assertCase(
      {
        inputs: [image],
        output: result,
        blocked: (b, [from = '']) => maxPool(b, from, geometry),
        reference: (g, [from = 0]) => ops.maxPool(g, from, geometry),
      },
      true,
    ),
  );
  for (const [ties, pooledKnown] of [
    [false, false],
    [true, true],
  ] as const) {
    test(`max pooling ${name}: gradient${ties ? ', with ties' : ''}`, OPTIONS, () =>
      assertCase({
        inputs: [{ ...image, ties }, result],
        output: image,
        blocked: (b, [from = '', dy = '']) =>
          maxPoolScatter(b, {
            x: from,
            xShape: x,
            dy,
            dyShape: y,
            geometry,
            ...(pooledKnown && { pooled: maxPool(b, from, geometry) }),
          }),
        reference: (g, [from = 0, dy = 0]) => g.add({ kind: 'maxPoolScatter', ...geometry }, [from, dy]),
      }),
    );
  }
  test(`average pooling ${name}`, OPTIONS, () =>
    assertCase(
      {
        inputs: [image],
        output: result,
        blocked: (b, [from = '']) => avgPool(b, from, geometry),
        reference: (g, [from = 0]) => ops.avgPool(g, from, geometry),
      },
      true,
    ),
  );
  test(`average pooling ${name}: gradient`, OPTIONS, () =>
    assertCase({
      inputs: [result, image],
      output: image,
      blocked: (b, [dy = '', sum = '']) => avgPoolGrad(b, { dy, dyShape: y, shape: x, geometry, sum }),
      reference: (g, [dy = 0, sum = 0]) => ops.add(g, g.add({ kind: 'avgPoolGrad', shape: x, ...geometry }, [dy]), sum),
    }),
  );
}
