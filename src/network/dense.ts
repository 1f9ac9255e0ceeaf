import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { closed, type Lower } from './lowering.ts';

export const lowerLinear: Lower<'linear'> = (l, module, x) => {
  const [, features, ...rest] = l.g.shape(x);
  if (features === undefined || rest.length > 0) {
    throw l.error(`input is [${l.g.shape(x)}]`, 'it needs features, [N, F]: flatten or pool first');
  }
  const units = module.units === 'outputs' ? l.outputs : closed(module.units);
  const weight = l.parameter('weight', [units, features], { kind: 'glorotUniform', fanIn: features, fanOut: units });
  if (!module.bias) return ops.matmul(l.g, x, weight, { transposeB: true });
  const bias = l.parameter('bias', [units], { kind: 'constant', value: 0 });
  return ops.matmul(l.g, x, weight, { transposeB: true, bias });
};

export const lowerFlatten: Lower<'flatten'> = (l, _module, x) => {
  const shape = l.g.shape(x);
  return shape.length === 2 ? x : ops.reshape(l.g, x, [shape[0] ?? 1, sizeOf(shape.slice(1))]);
};
