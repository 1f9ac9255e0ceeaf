import type { OpOf } from '../ir.ts';
import { constant, select } from './construct.ts';
import { at, type Definition, notCounted, refuse, sameShape } from './definition.ts';

/**
 * A switch. The reference computes every option; the engine only the chosen one, with all that is needed for it alone
 * (passes/switches.ts). The gradient by an option is the upstream one where it was chosen, else zero: a switch again.
 */
export const selectDefinition: Definition<OpOf<'select'>> = {
  shape(op, inputs) {
    const [index, first, ...others] = inputs;
    if (index === undefined || index.length > 0 || first === undefined || others.length === 0) {
      return refuse(op, inputs, 'takes an index of shape [] and at least 2 options');
    }
    return others.every((shape) => sameShape(shape, first)) ? first : refuse(op, inputs, 'options have one shape');
  },
  flops: notCounted,
  differentiable: (_op, input) => input > 0,
  gradient(g, { inputs, upstream, wants }) {
    const options = inputs.slice(1);
    const zero = constant(g, 0, g.shape(upstream));
    const only = (option: number) => options.map((_, k) => (k === option ? upstream : zero));
    return inputs.map((_, i) => (wants(i) ? select(g, at(inputs, 0), only(i - 1)) : undefined));
  },
  kernel(_op, inputs) {
    const index = at(inputs, 0).data[0] ?? Number.NaN;
    return at(inputs.slice(1), Math.round(index)).data;
  },
};
