import { type OpOf, sizeOf } from '../ir.ts';
import { arity, type Definition, notCounted, positive, refuse } from './definition.ts';

/** What comes from outside. The interpreter answers inputs from its feeds and never runs their kernel. */
export const inputDefinition: Definition<OpOf<'input'>> = {
  shape(op, inputs) {
    arity(op, inputs, 0);
    return positive(op, inputs, op.shape);
  },
  dtype: (op) => op.dtype ?? 'float32',
  flops: notCounted,
  gradient: () => [],
  kernel(op) {
    throw new Error(`input "${op.name}" was not fed`);
  },
};

export const constantDefinition: Definition<OpOf<'constant'>> = {
  shape(op, inputs) {
    arity(op, inputs, 0);
    positive(op, inputs, op.shape);
    if (sizeOf(op.shape) !== op.data.length) {
      refuse(op, inputs, `shape [${op.shape.join(',')}] takes ${sizeOf(op.shape)} numbers, found ${op.data.length}`);
    }
    if (op.dtype === 'int32' && !op.data.every((n) => n === (n | 0)))
      refuse(op, inputs, 'int32 has whole numbers of 32 bits');
    return op.shape;
  },
  dtype: (op) => op.dtype ?? 'float32',
  flops: notCounted,
  gradient: () => [],
  kernel: (op) => Float64Array.from(op.data),
};
