import type { BinaryFunction, OpOf, UnaryFunction } from '../../../graph/ir.ts';
import { elementwise } from '../forms.ts';
import { type Emitter, FLOAT, type Lowering, operand } from '../value.ts';

type Unary = (emitter: Emitter, x: string) => string;

const simple =
  (type: string): Unary =>
  ({ model }, x) =>
    model.node(type, [x]);

export const UNARY = {
  relu: simple('Relu'),
  sigmoid: simple('Sigmoid'),
  tanh: simple('Tanh'),
  exp: simple('Exp'),
  log: simple('Log'),
  sqrt: simple('Sqrt'),
  erf: simple('Erf'),
  neg: simple('Neg'),
  abs: simple('Abs'),
  step: (emitter, x) => {
    const { model, target } = emitter;
    if (target === 'cpu') return mask(emitter, x);
    return model.node('Cast', [model.node('Greater', [x, model.floats([], [0])])], { to: FLOAT });
  },
  // Not x - x, which is NaN where x is not finite.
  zerosLike: ({ model }, x) => model.node('ConstantOfShape', [model.node('Shape', [x])]),
  stopGradient: (_, x) => x,
} as const satisfies Record<UnaryFunction, Unary>;

/** 1 where x > 0, else 0; of subnormal x it may make something between the two. */
export function mask({ model }: Pick<Emitter, 'model'>, x: string): string {
  return model.node('HardSigmoid', [x], { alpha: { float: 3e38 }, beta: { float: 0 } });
}

export const BINARY = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  max: 'Max',
  min: 'Min',
} as const satisfies Record<BinaryFunction, string>;

export const lowerUnary: Lowering<OpOf<'unary'>> = (emitter, { op, inputs }) =>
  UNARY[op.fn](emitter, operand(inputs, 0).name);

export const lowerBinary: Lowering<OpOf<'binary'>> = ({ model }, { op, inputs, shape }) => {
  const make = (names: readonly string[]) => model.node(BINARY[op.fn], names);
  if (inputs.some(({ batchAxis }) => batchAxis !== undefined)) return make(inputs.map(({ name }) => name));
  return elementwise(model, make, inputs, shape);
};

export const lowerClip: Lowering<OpOf<'clip'>> = ({ model }, { op, inputs }) =>
  model.node('Clip', [operand(inputs, 0).name, model.floats([], [op.low]), model.floats([], [op.high])]);

/** Of two tensors of one number format; ONNX answers with booleans. */
export const lowerCompare: Lowering<OpOf<'compare'>> = ({ model }, { op, inputs }) => {
  const names = inputs.map(({ name }) => name);
  return model.node('Cast', [model.node(op.fn === 'equal' ? 'Equal' : 'Less', names)], { to: FLOAT });
};

export const lowerWhere: Lowering<OpOf<'where'>> = ({ model }, { inputs }) => {
  const [mask = '', a = '', b = ''] = inputs.map(({ name }) => name);
  return model.node('Where', [model.node('Greater', [mask, model.floats([], [0.5])]), a, b]);
};
