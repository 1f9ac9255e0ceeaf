/** What the lowerings of all families share. */
import type { Op, Shape } from '../../graph/ir.ts';
import { MICROSOFT, type ModelBuilder } from './model.ts';

/**
 * standard: any ONNX runtime understands it. cpu: ONNX Runtime's own operators may be used where they are faster. webgpu:
 * standard operators, around what its WebGPU provider lacks or gets wrong.
 */
export type Target = 'cpu' | 'webgpu' | 'standard';

/** ONNX's number of the type float32, for `Cast`. */
export const FLOAT = 1;

/** A tensor of the ONNX graph. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  /** The axis whose size is (a multiple of) the batch, where that is left open until a run. */
  readonly batchAxis: number | undefined;
}

/** What a matrix product with a summand computes: product · (a × b) + summand · c. */
export interface Factor {
  readonly product: number;
  /** 1 but for a number by which the result is multiplied, summand and all. */
  readonly summand: number;
}

/** What is to be lowered: an operator, its operands, and the shape that it gives. */
export interface Site<O extends Op> extends Omit<Value, 'name'> {
  readonly op: O;
  readonly inputs: readonly Value[];
  /** Of a matrix product: what it is multiplied by as it is made; undefined: by 1. */
  readonly factor?: Factor | undefined;
}

export interface Emitter {
  readonly model: ModelBuilder;
  readonly target: Target;
}

/** Adds the ONNX nodes of one operator and returns the name of the result. */
export type Lowering<O extends Op> = (emitter: Emitter, site: Site<O>) => string;

/** The i-th operand; graph/ has checked how many there are. */
export function operand(inputs: readonly Value[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new RangeError(`an operator lacks its operand ${index}`);
  return value;
}

/** [N, C, H, W] of an image, or [O, I, kH, kW] of a filter: graph/ has checked the rank. */
export function four(shape: Shape): readonly [number, number, number, number] {
  return shape as readonly [number, number, number, number];
}

/** Shapes inside ONNX leave an open batch to be worked out (-1), so that no size of it is written into the model. */
export function openShape(shape: Shape, batchAxis: number | undefined): Shape {
  return shape.map((n, axis) => (axis === batchAxis ? -1 : n));
}

export function reshape({ model }: Emitter, x: string, shape: Shape, batchAxis: number | undefined): string {
  return model.view(x, openShape(shape, batchAxis));
}

/** op(a)·op(b) over the last two axes, for operands of three axes or more. */
export function batchedProduct(
  { model, target }: Emitter,
  a: Pick<Value, 'name' | 'shape'>,
  b: Pick<Value, 'name' | 'shape'>,
  transposeA: boolean,
  transposeB: boolean,
  factor?: number,
): string {
  if (target === 'cpu' && (transposeA || transposeB || factor !== undefined)) {
    const alpha = factor === undefined ? {} : { alpha: { float: factor } };
    const attributes = { transA: Number(transposeA), transB: Number(transposeB), ...alpha };
    return model.node('FusedMatMul', [a.name, b.name], attributes, { domain: MICROSOFT });
  }
  const turned = ({ name, shape }: Pick<Value, 'name' | 'shape'>, turn: boolean) => {
    if (!turn) return name;
    const last = shape.length - 1;
    const perm = [...shape.keys()].map((axis) => (axis === last ? last - 1 : axis === last - 1 ? last : axis));
    return model.node('Transpose', [name], { perm });
  };
  return model.node('MatMul', [turned(a, transposeA), turned(b, transposeB)]);
}
