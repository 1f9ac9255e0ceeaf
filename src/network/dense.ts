import type { NodeId } from '../graph/ir.ts';
import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { toMultiple } from '../space/tree/widths.ts';
import { closed, isSequence, type Lower, type Lowering, type ModuleOf, sequenceShape } from './lowering.ts';
import type { Role } from './network.ts';

export const lowerLinear: Lower<'linear'> = (l, module, x) => {
  const [, features, ...rest] = l.g.shape(x);
  if (features === undefined || rest.length > 1) {
    throw l.error(
      `input is [${l.g.shape(x)}]`,
      'it needs features, [N, F], or sequences, [N, C, T]: flatten or pool first',
    );
  }
  const units = unitsOf(l, module, features);
  const role = module.units === 'outputs' ? 'outputs' : undefined;
  if (isSequence(l, x)) return eachPosition(l, '', x, units, module.bias, role);
  const initializer = { kind: 'glorotUniform', fanIn: features, fanOut: units } as const;
  const weight = l.parameter('weight', [units, features], initializer, role);
  if (!module.bias) return ops.matmul(l.g, x, weight, { transposeB: true });
  const bias = l.parameter('bias', [units], { kind: 'constant', value: 0 }, role);
  return ops.matmul(l.g, x, weight, { transposeB: true, bias });
};

function unitsOf({ outputs }: Lowering, { units, multiple }: ModuleOf<'linear'>, incoming: number): number {
  if (units === 'outputs') return outputs;
  return units === 'same' ? toMultiple(incoming * closed(multiple), 1) : closed(units);
}

/**
 * A linear layer at each position: [N, C, T] -> [N, units, T]. Its weight is [units, C], as of a linear layer of features, so that
 * the two can share it.
 */
export function eachPosition(l: Lowering, name: string, x: NodeId, units: number, bias: boolean, role?: Role): NodeId {
  const [, c] = sequenceShape(l, x);
  const weight = l.parameter(`${name}weight`, [units, c], { kind: 'glorotUniform', fanIn: c, fanOut: units }, role);
  const added = bias ? l.parameter(`${name}bias`, [units], { kind: 'constant', value: 0 }, role) : undefined;
  return pointwise(l, x, weight, added);
}

/** weight [O, C] · x [N, C, T] + bias [O] -> [N, O, T]: one product for the positions of all samples. */
export function pointwise(l: Lowering, x: NodeId, weight: NodeId, bias?: NodeId): NodeId {
  const { g } = l;
  const [n, c, t] = sequenceShape(l, x);
  const [units = 1] = g.shape(weight);
  const rows = ops.reshape(g, ops.transpose(g, x, [0, 2, 1]), [n * t, c]);
  const product = ops.matmul(g, rows, weight, { transposeB: true, ...(bias !== undefined && { bias }) });
  return ops.transpose(g, ops.reshape(g, product, [n, t, units]), [0, 2, 1]);
}

export const lowerFirstChannels: Lower<'firstChannels'> = (l, module, x) => {
  const shape = l.g.shape(x);
  const [wanted, found = 0] = [closed(module.channels), shape[1]];
  const along = (value: number) => shape.map((_, axis) => (axis === 1 ? value : 0));
  if (found < wanted) return ops.pad(l.g, x, along(0), along(wanted - found));
  return ops.slice(l.g, x, along(0), shape.with(1, wanted));
};

export const lowerFlatten: Lower<'flatten'> = (l, _module, x) => {
  const shape = l.g.shape(x);
  return shape.length === 2 ? x : ops.reshape(l.g, x, [shape[0] ?? 1, sizeOf(shape.slice(1))]);
};
