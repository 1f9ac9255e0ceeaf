/** Short names for the nodes that forms are made of. */
import { MICROSOFT, type ModelBuilder } from '../../src/engine/onnx/model.ts';
import type { Shape } from '../../src/graph/ir.ts';

export const reshape = (m: ModelBuilder, x: string, shape: Shape) => m.node('Reshape', [x, m.ints(shape)]);
export const transpose = (m: ModelBuilder, x: string, perm: Shape) => m.node('Transpose', [x], { perm });
export const sum = (m: ModelBuilder, x: string, axes: Shape) => m.node('ReduceSum', [x, m.ints(axes)], { keepdims: 0 });
export const fused = (m: ModelBuilder, a: string, b: string, attributes: Record<string, number>) =>
  m.node('FusedMatMul', [a, b], attributes, { domain: MICROSOFT });
/** A filter for each of c channels and each tap, which picks that tap. */
export function oneHot(m: ModelBuilder, c: number, kernel: readonly [number, number]): string {
  const taps = kernel[0] * kernel[1];
  const hot = new Float32Array(c * taps * taps);
  for (let o = 0; o < c * taps; o++) hot[o * taps + (o % taps)] = 1;
  return m.floats([c * taps, 1, ...kernel], hot);
}
