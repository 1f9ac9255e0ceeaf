/**
 * The tensor IR: a flat list of nodes in topological order, each with one output. Data only; what an operator means (its
 * shape rule, FLOPs, gradient and reference kernel) stands in `ops/`, one file per family.
 *
 * Images are [N, C, H, W], features [N, F], convolution weights [O, I/groups, kH, kW], linear weights [O, I].
 */

export type Shape = readonly number[];
/** The number format of a tensor: int32 for indices and tokens, float32 for all else. The reference interpreter computes in float64. */
export type DType = 'float32' | 'int32';
/** Index of a node in its graph. */
export type NodeId = number;

export type UnaryFunction =
  | 'relu'
  | 'sigmoid'
  | 'tanh'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'erf'
  | 'neg'
  | 'abs'
  /** 1 where x > 0, else 0; its gradient is zero. */
  | 'step'
  /** All zeros of the same shape; its gradient is zero. */
  | 'zerosLike'
  /** The same value; its gradient is zero. */
  | 'stopGradient';
/** Operands broadcast as in NumPy. At a tie, each operand of max and min gets half the gradient, as in PyTorch. */
export type BinaryFunction = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min';

/** The geometry of a two-dimensional window. Pads are [top, left, bottom, right]. */
export interface Window {
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}
export interface ConvGeometry extends Window {
  readonly groups: number;
}
/** A pooling window; dilation is 1. The output size rounds down. */
export interface PoolGeometry {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

export type Op =
  /** Fed from outside at each run. A name stands once in a graph. */
  | { readonly kind: 'input'; readonly name: string; readonly shape: Shape; readonly dtype?: 'int32' }
  /** Row-major data; of length 1 for a scalar (shape []) */
  | { readonly kind: 'constant'; readonly shape: Shape; readonly data: readonly number[]; readonly dtype?: 'int32' }
  /** int32 to float32. */
  | { readonly kind: 'cast' }
  | { readonly kind: 'unary'; readonly fn: UnaryFunction }
  /** min(max(x, low), high); the gradient passes where low < x < high. */
  | { readonly kind: 'clip'; readonly low: number; readonly high: number }
  | { readonly kind: 'binary'; readonly fn: BinaryFunction }
  /** Axes rise and are not negative. max: the gradient is shared evenly among equal elements. */
  | {
      readonly kind: 'reduce';
      readonly fn: 'sum' | 'mean' | 'max';
      readonly axes: readonly number[];
      readonly keepDims: boolean;
    }
  /** log(softmax(x)) along an axis. */
  | { readonly kind: 'logSoftmax'; readonly axis: number }
  /** 1 where it holds, else 0, in float32, of two tensors of one number format; they broadcast as in NumPy. The gradient is zero. */
  | { readonly kind: 'compare'; readonly fn: 'equal' | 'less' }
  /** (mask, a, b) -> a where the mask is 1, b where it is 0; the three broadcast as in NumPy. */
  | { readonly kind: 'where' }
  /** (table [rows, ...], indices int32) -> the rows: [...shape of the indices, ...shape of a row]. Indices are 0 to rows - 1. */
  | { readonly kind: 'gather' }
  /** (values, indices int32) -> [rows, ...]: the sum of the values at each index; the gradient of gather by its table. */
  | { readonly kind: 'scatterAdd'; readonly rows: number }
  | { readonly kind: 'broadcastTo'; readonly shape: Shape }
  | { readonly kind: 'reshape'; readonly shape: Shape }
  | { readonly kind: 'transpose'; readonly perm: readonly number[] }
  /** One start and end (exclusive) for each axis. */
  | { readonly kind: 'slice'; readonly starts: readonly number[]; readonly ends: readonly number[] }
  /** Zeros before and after, for each axis. */
  | { readonly kind: 'pad'; readonly before: readonly number[]; readonly after: readonly number[] }
  | { readonly kind: 'concat'; readonly axis: number }
  /**
   * (index, a0, a1, ...) -> the option of that number, all of one shape: a switch. index [] is a whole number from 0, below
   * the number of options.
   */
  | { readonly kind: 'select' }
  /** (a, b, bias?) -> op(a)·op(b) + bias; the last two axes multiply, the leading ones are equal. bias: [columns]. */
  | { readonly kind: 'matmul'; readonly transposeA: boolean; readonly transposeB: boolean }
  /** (x, w, bias?) */
  | ({ readonly kind: 'conv' } & ConvGeometry)
  /** (dy, w) -> dx of the given shape [N, C, H, W]: the gradient of conv by x. */
  | ({ readonly kind: 'convInputGrad'; readonly shape: Shape } & ConvGeometry)
  /** (x, dy) -> dw of the given shape: the gradient of conv by w. */
  | ({ readonly kind: 'convWeightGrad'; readonly shape: Shape } & ConvGeometry)
  | ({ readonly kind: 'maxPool' } & PoolGeometry)
  /** (x, dy) -> dx: each dy goes to the first largest element of its window. */
  | ({ readonly kind: 'maxPoolScatter' } & PoolGeometry)
  /** (x, v) -> v at the first largest element of each window of x; the gradient of maxPoolScatter by dy. */
  | ({ readonly kind: 'maxPoolGather' } & PoolGeometry)
  /** Padding is not counted. */
  | ({ readonly kind: 'avgPool' } & PoolGeometry)
  /** (dy) -> dx of the given shape. */
  | ({ readonly kind: 'avgPoolGrad'; readonly shape: Shape } & PoolGeometry);

export type OpKind = Op['kind'];
export type OpOf<K extends OpKind> = Extract<Op, { readonly kind: K }>;

export interface Node {
  readonly op: Op;
  readonly inputs: readonly NodeId[];
  readonly shape: Shape;
  readonly dtype: DType;
  /** Where in the module tree it comes from, e.g. `3/1/0->1/conv3/1`; '' outside any module. */
  readonly path: string;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly outputs: Readonly<Record<string, NodeId>>;
}

/** A tensor on the host, row-major. The reference interpreter uses float64, everything else float32. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Indices or tokens on the host, row-major. */
export interface IntTensor {
  readonly shape: Shape;
  readonly data: Int32Array;
}

/** The number of elements of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}
