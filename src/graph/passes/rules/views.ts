/** Rules about operators that only arrange numbers: chains of them become one, and computing comes before broadcasting. */
import { type NodeId, sizeOf } from '../../ir.ts';
import { sameShape } from '../../ops/definition.ts';
import { broadcastShape } from '../../ops/strides.ts';
import { broadcastTo, concat, definitionOf, pad, reshape, slice, transpose } from '../../ops.ts';
import type { Rule, Rules } from '../simplify.ts';
import { ofKind, pair } from './operands.ts';

const idleReshape: Rule<'reshape'> = (r, { shape }, [x = -1]) => {
  if (sameShape(r.shape(x), shape)) return x;
  const inner = ofKind(r, x, 'reshape');
  return inner === undefined ? undefined : reshape(r, inner.inputs[0] ?? x, shape);
};

const idleBroadcast: Rule<'broadcastTo'> = (r, { shape }, [x = -1]) => {
  if (sameShape(r.shape(x), shape)) return x;
  const inner = ofKind(r, x, 'broadcastTo');
  return inner === undefined ? undefined : broadcastTo(r, inner.inputs[0] ?? x, shape);
};

const joinedTranspose: Rule<'transpose'> = (r, { perm }, [x = -1]) => {
  if (perm.every((from, to) => from === to)) return x;
  const inner = ofKind(r, x, 'transpose');
  if (inner === undefined) return undefined;
  return transpose(
    r,
    inner.inputs[0] ?? x,
    perm.map((axis) => inner.op.perm[axis] ?? axis),
  );
};

/** A slice of a slice; of a pad, where it keeps to the padded tensor; of a concat, where it keeps to one part. */
const joinedSlice: Rule<'slice'> = (r, { starts, ends }, [x = -1]) => {
  if (sameShape(ends, r.shape(x)) && starts.every((start) => start === 0)) return x;
  const inner = ofKind(r, x, 'slice');
  if (inner !== undefined) {
    const from = inner.op.starts;
    const moved = (positions: readonly number[]) => positions.map((n, axis) => n + (from[axis] ?? 0));
    return slice(r, inner.inputs[0] ?? x, moved(starts), moved(ends));
  }
  const padded = ofKind(r, x, 'pad');
  if (padded !== undefined) {
    const [source = x] = padded.inputs;
    const own = r.shape(source);
    const { before } = padded.op;
    const inside = own.every((n, axis) => {
      const offset = before[axis] ?? 0;
      return (starts[axis] ?? 0) >= offset && (ends[axis] ?? 0) <= offset + n;
    });
    const moved = (positions: readonly number[]) => positions.map((n, axis) => n - (before[axis] ?? 0));
    return inside ? slice(r, source, moved(starts), moved(ends)) : undefined;
  }
  return slicedPart(r, { kind: 'slice', starts, ends }, [x]);
};

const slicedPart: Rule<'slice'> = (r, { starts, ends }, [x = -1]) => {
  const whole = ofKind(r, x, 'concat');
  if (whole === undefined) return undefined;
  const { axis } = whole.op;
  let offset = 0;
  for (const part of whole.inputs) {
    const size = r.shape(part)[axis] ?? 0;
    const [start, end] = [(starts[axis] ?? 0) - offset, (ends[axis] ?? 0) - offset];
    if (start >= 0 && end <= size) return slice(r, part, starts.with(axis, start), ends.with(axis, end));
    offset += size;
  }
  return undefined;
};

const joinedPad: Rule<'pad'> = (r, { before, after }, [x = -1]) => {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const inner = ofKind(r, x, 'pad');
  if (inner === undefined) return undefined;
  const sum = (a: readonly number[], b: readonly number[]) => a.map((n, axis) => n + (b[axis] ?? 0));
  return pad(r, inner.inputs[0] ?? x, sum(before, inner.op.before), sum(after, inner.op.after));
};

/** A concat of concats along one axis; a concat of all parts of a tensor is that tensor. */
const joinedConcat: Rule<'concat'> = (r, { axis }, inputs) => {
  const [first = -1] = inputs;
  if (inputs.length === 1) return first;
  const nested = (id: NodeId) => {
    const inner = r.once(id) ? ofKind(r, id, 'concat') : undefined;
    return inner?.op.axis === axis ? inner.inputs : undefined;
  };
  if (inputs.some((id) => nested(id) !== undefined))
    return concat(
      r,
      inputs.flatMap((id) => nested(id) ?? [id]),
      axis,
    );
  const source = ofKind(r, first, 'slice')?.inputs[0];
  if (source === undefined) return undefined;
  const shape = r.shape(source);
  let offset = 0;
  for (const id of inputs) {
    const part = ofKind(r, id, 'slice');
    if (part === undefined || part.inputs[0] !== source) return undefined;
    const { starts, ends } = part.op;
    if (starts[axis] !== offset) return undefined;
    if (!shape.every((n, other) => other === axis || (starts[other] === 0 && ends[other] === n))) return undefined;
    offset = ends[axis] ?? 0;
  }
  return offset === shape[axis] ? source : undefined;
};

/** A function of a broadcast tensor is computed before the broadcast. */
const unaryFirst: Rule<'unary'> = (r, op, [x = -1]) => {
  const wide = ofKind(r, x, 'broadcastTo');
  return wide === undefined ? undefined : broadcastTo(r, r.add(op, wide.inputs), wide.shape);
};

/** The same for two operands; and none is broadcast where the other one brings the shape about. */
const binaryFirst: Rule<'binary'> = (r, op, inputs) => {
  const operands = pair(inputs);
  const shapes = operands.map(r.shape);
  const shape = broadcastShape(shapes[0] ?? [], shapes[1] ?? []) ?? [];
  for (const i of [0, 1] as const) {
    const wide = ofKind(r, operands[i], 'broadcastTo');
    const [small] = wide?.inputs ?? [];
    if (small === undefined) continue;
    const narrow = operands.with(i, small);
    const own = definitionOf('binary').shape(op, narrow.map(r.shape));
    if (sizeOf(own) < sizeOf(shape) || sameShape(own, shape)) return broadcastTo(r, r.add(op, narrow), shape);
  }
  return undefined;
};

export const viewRules: Rules = {
  reshape: [idleReshape],
  broadcastTo: [idleBroadcast],
  transpose: [joinedTranspose],
  slice: [joinedSlice],
  pad: [joinedPad],
  concat: [joinedConcat],
  unary: [unaryFirst],
  binary: [binaryFirst],
};
