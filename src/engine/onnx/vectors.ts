/**
 * Tensors with one axis that counts: statistics of channels, their scales and shifts. They are handed on as vectors [C] whatever
 * shape the graph gives them, so that its many changes between [C], [1, C, 1, 1] and the like cost no node each.
 */
import type { Node, NodeId, Shape } from '../../graph/ir.ts';
import { sizeOf } from '../../graph/ir.ts';
import { elementwise } from './forms.ts';
import { BINARY, UNARY } from './lowerings/elementwise.ts';
import type { Emitter } from './value.ts';

/** A vector's value, and its name in the shape that the graph gives it, made when it is asked for. */
export interface EmittedVector {
  readonly name: string;
  readonly layout: 'plain';
  readonly vector: string;
}

export interface VectorContext {
  readonly nodes: readonly Node[];
  readonly emitter: Emitter;
  /** Whether the node's size depends on an open batch. */
  readonly open: (id: NodeId) => boolean;
  /** What the node has been made as. */
  readonly made: (id: NodeId) => { readonly name: string; readonly vector?: string };
}

/** The length of a tensor of at least two numbers along one axis; undefined for any other. */
export function vectorLength(shape: Shape): number | undefined {
  const size = sizeOf(shape);
  return size > 1 && shape.includes(size) ? size : undefined;
}

export function emittedVector({ model }: Emitter, vector: string, shape: Shape): EmittedVector {
  const length = sizeOf(shape);
  return {
    vector,
    layout: 'plain',
    name: shape.length === 1 ? vector : model.view(vector, shape, [length]),
  };
}

/** An element-wise operator, or a change of shape, on vectors and single numbers; undefined for anything else. */
export function lowerVector(context: VectorContext, id: NodeId): EmittedVector | undefined {
  const { nodes, emitter, open, made } = context;
  const { model } = emitter;
  const { op, inputs, shape } = nodes[id] as Node;
  const length = vectorLength(shape);
  if (length === undefined || open(id)) return undefined;
  if (op.kind !== 'unary' && op.kind !== 'binary' && op.kind !== 'reshape') return undefined;
  const shapes = inputs.map((from) => nodes[from]?.shape ?? []);
  if (!shapes.every((own) => sizeOf(own) === 1 || vectorLength(own) === length)) return undefined;
  const operands = inputs.map((from, i) => {
    const own = shapes[i] as Shape;
    const value = made(from);
    if (sizeOf(own) === 1) return own.length <= 1 ? value.name : model.view(value.name, []);
    return value.vector ?? (own.length === 1 ? value.name : model.view(value.name, [length], own));
  });
  const [first = ''] = operands;
  if (op.kind === 'reshape') return emittedVector(emitter, first, shape);
  const make = (names: readonly string[]) =>
    op.kind === 'unary' ? UNARY[op.fn](emitter, names[0] ?? '') : model.node(BINARY[op.fn], names);
  const values = operands.map((name, i) => ({ name, shape: sizeOf(shapes[i] as Shape) === 1 ? [] : [length] }));
  return emittedVector(emitter, elementwise(model, make, values, [length]), shape);
}
