/**
 * Nodes in ONNX Runtime's blocked layout. An activation [N, C, H, W] lies in memory as [N, C/B, H, W, B] and is declared with
 * its logical shape; the block B is 16 with AVX-512, 8 with AVX2. Only the CPU provider has these operators.
 */
import type { Shape } from '../../../graph/ir.ts';
import type { ModelBuilder } from '../model.ts';
import type { Attributes } from '../proto.ts';

/** A value of the ONNX graph. */
export type Name = string;

export interface Blocked {
  readonly model: ModelBuilder;
  readonly block: number;
}

const NCHWC = 'com.microsoft.nchwc';

/** An operator of the blocked layout; equal ones are computed once. Gradients of filters cut the same parts out of images. */
export function nchwc({ model }: Blocked, type: string, inputs: readonly Name[], attributes: Attributes = {}): Name {
  return model.node(type, inputs, attributes, { domain: NCHWC, reuse: true });
}

/** The same memory under another shape; -1 for the axis that grows with an open batch. */
export function view({ model }: Blocked, x: Name, shape: Shape): Name {
  return model.view(x, shape);
}

/** [columns]: `factor` times the sum of the rows of [rows, columns]. As a product: `ReduceSum` takes up to eight times as long. */
export function sumOfRows(b: Blocked, x: Name, rows: number, columns: number, factor = 1): Name {
  const factors = b.model.floats([rows], new Float32Array(rows).fill(factor));
  const sum = b.model.node('MatMul', [factors, view(b, x, [rows, columns])]);
  return b.model.view(sum, [columns], [columns]);
}

/** Transposes `count` tiles of B by B floats: each as an image of B pixels, whose blocks are taken apart. */
export function transposeTiles(b: Blocked, x: Name, count: number): Name {
  const { block } = b;
  return nchwc(b, 'ReorderOutput', [view(b, x, [count, block, 1, block])], { channels: block });
}
