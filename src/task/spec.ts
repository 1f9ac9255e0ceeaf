import { invalid } from '../common/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import { type DType, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';

/** What an axis of a tensor runs over. */
export type Axis = 'channel' | 'feature' | 'class' | 'height' | 'width' | 'time';

/** A tensor of one sample: plain data. */
export interface TensorSpec {
  /** Without the batch. */
  readonly shape: Shape;
  /** int32 for tokens and class numbers, float32 for all else. */
  readonly dtype: DType;
  /** One for each size of `shape`. */
  readonly axes: readonly Axis[];
  /** For int32: the number of different values, counted from 0. */
  readonly values?: number;
  /**
   * For tokens [T]: token 0 fills the positions behind the last one that a sample has; networks do not read them. For targets [T]: PADDING
   * (-1) fills them, and they do not count.
   */
  readonly padded?: true;
}

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/** What goes into a network and comes out of it, by name: plain JSON. Each name is used for one tensor. */
export interface TaskSpec {
  /** What a sample has, and an exported model takes. */
  readonly inputs: TensorSpecs;
  /** What the network should give for a sample. */
  readonly targets: TensorSpecs;
  /**
   * What an exported model answers with. The network gives them as one tensor, one after another along axis 1: their first
   * axes may differ, all further ones are the same.
   */
  readonly outputs: TensorSpecs;
  /**
   * Whether an exported model takes the states of its recurrent layers as inputs and gives them as outputs. Which states there
   * are depends on the network.
   */
  readonly recurrent?: boolean;
  /**
   * Whether the samples of a part follow one another, each going on where the one before ends. Networks with recurrent layers are then
   * trained and measured in that order, and their states are carried from batch to batch.
   */
  readonly continued?: boolean;
}

/** Values of samples by tensor name, row-major, the batch first. */
export type Arrays = Readonly<Record<string, Float32Array | Int32Array>>;
export type FloatArrays = Readonly<Record<string, Float32Array>>;
/** Nodes of a graph by tensor name. */
export type Nodes = Readonly<Record<string, NodeId>>;

/** Zeros for `count` samples. */
export function allocate(specs: TensorSpecs, count: number): Arrays {
  return mapValues(specs, ({ shape, dtype }) => {
    const length = count * sizeOf(shape);
    return dtype === 'int32' ? new Int32Array(length) : new Float32Array(length);
  });
}

/** The values of `count` samples from sample `first` on; no copies. */
export function rowsOf<A extends Float32Array | Int32Array>(
  arrays: Readonly<Record<string, A>>,
  specs: TensorSpecs,
  first: number,
  count: number,
): Readonly<Record<string, A>> {
  return mapValues(arrays, (array, name) => {
    const size = sizeOf(specs[name]?.shape ?? []);
    return array.subarray(first * size, (first + count) * size) as A;
  });
}

/** The shape of the tensor that a network gives, without the batch. Throws UserError for outputs that do not fit one tensor. */
export function outputShape({ outputs }: TaskSpec): Shape {
  const [first, ...others] = Object.values(outputs);
  if (first === undefined) throw invalid('task', 'has no outputs', 'must name at least one');
  const [, ...positions] = first.shape;
  for (const { shape } of others)
    if (String(shape.slice(1)) !== String(positions))
      throw invalid('task', `has outputs [${first.shape}] and [${shape}]`, 'they may differ only in their first axis');
  return [Object.values(outputs).reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0), ...positions];
}

/** How many different tokens there are, for a task whose input is tokens. */
export function vocabularyOf({ inputs }: TaskSpec): number | undefined {
  return Object.values(inputs).find(({ dtype }) => dtype === 'int32')?.values;
}

/** Whether the tokens of a task end in padding. */
export function isPadded({ inputs }: TaskSpec): boolean {
  return Object.values(inputs).some(({ padded }) => padded === true);
}

/** A network's output [N, ...outputShape] as the outputs that it consists of. */
export function splitOutput(g: GraphBuilder, { outputs }: TaskSpec, output: NodeId): Nodes {
  const entries = Object.entries(outputs);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) return { [only[0]]: output };
  const whole = g.shape(output);
  let from = 0;
  return mapValues(outputs, ({ shape }) => {
    const starts = whole.map((_, axis) => (axis === 1 ? from : 0));
    from += shape[0] ?? 1;
    const ends = whole.map((size, axis) => (axis === 1 ? from : size));
    return ops.slice(g, output, starts, ends);
  });
}

/** The same of the values of `count` samples: a copy, unless there is one output. */
export function splitValues({ outputs }: TaskSpec, values: Float32Array, count: number): FloatArrays {
  const entries = Object.entries(outputs);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) return { [only[0]]: values };
  const row = values.length / count;
  let from = 0;
  return mapValues(outputs, ({ shape }) => {
    const size = sizeOf(shape);
    const own = new Float32Array(count * size);
    for (let n = 0; n < count; n++) own.set(values.subarray(n * row + from, n * row + from + size), n * size);
    from += size;
    return own;
  });
}

/** The only tensor of a task that has one. */
export function onlyOf<T>(tensors: Readonly<Record<string, T>>): T {
  const [first, ...others] = Object.values(tensors);
  if (first === undefined || others.length > 0)
    throw invalid('task', `has the tensors ${Object.keys(tensors).join(', ') || 'none'}`, 'must have one here');
  return first;
}

export function mapValues<T, R>(
  of: Readonly<Record<string, T>>,
  map: (value: T, name: string) => R,
): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, map(value, name)]));
}
