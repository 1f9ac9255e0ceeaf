/** Small models for tests of targets. */
import { toOnnx } from '../../engine/onnx/lower.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import * as ops from '../../graph/ops.ts';

/** `layers` matrix products of [N, size], the batch open. */
export function chainModel(layers: number, size: number): Uint8Array {
  const g = createGraph();
  const data = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i) / Math.sqrt(size));
  let at = ops.input(g, 'x', [1, size]);
  const initializers: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (let i = 0; i < layers; i++) {
    const weight = ops.input(g, `weight${i}`, [size, size]);
    initializers[`weight${i}`] = { shape: [size, size], data };
    at = ops.relu(g, ops.matmul(g, at, weight));
  }
  return toOnnx(finish(g, { y: at }), { target: 'standard', openBatch: ['x'], initializers, name: 'chain' });
}
