import { toOnnx } from '../engine/onnx/lower.ts';
import { createGraph, finish } from '../graph/builder.ts';
import * as ops from '../graph/ops.ts';

/** A model that any device runs at once: [N, 4] to [N, 4]. */
export function probeModel(): Uint8Array {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, 4]);
  return toOnnx(finish(g, { y: ops.relu(g, x) }), { target: 'standard', openBatch: ['x'], name: 'probe' });
}
