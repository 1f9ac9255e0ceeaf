import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { RecurrentNode } from '../space/tree/module.ts';
import { AFTER, BEFORE, CELL_INPUT, computationOrder, statesOf } from '../space/tree/recurrent-graph.ts';
import { closed, type Lower, sequenceShape } from './lowering.ts';
import { productOverTime, type States, unroll } from './unroll.ts';

/** PyTorch's. */
const LEAKY_SLOPE = 0.01;

/** The products with x are one each for all steps. Parameters start in ±1/√units, as in the code of NAS-Bench-NLP. */
export const lowerRecurrentGraph: Lower<'recurrentGraph'> = (l, module, x) => {
  const { g } = l;
  const [, c] = sequenceShape(l, x);
  const units = closed(module.units);
  const initializer = { kind: 'uniform', limit: 1 / Math.sqrt(units) } as const;
  const nodes = computationOrder(module.nodes);
  if (nodes === undefined) throw l.error('its nodes read one another in a circle', 'must be a dag');
  /** Of each linear node: its bias, and for each input the weight of a state, or the product with x at each step. */
  const linears = new Map(
    nodes.flatMap(({ name, op, from }) => {
      if (op !== 'linear') return [];
      const inputs = from.map((one, k) => {
        const isInput = one === CELL_INPUT;
        const weight = l.parameter(`${name}/${k}/weight`, [units, isInput ? c : units], initializer);
        return isInput ? { at: productOverTime(l, x, weight) } : { weight };
      });
      return [[name, { inputs, bias: l.parameter(`${name}/bias`, [units], initializer) }] as const];
    }),
  );
  const states = Array.from({ length: statesOf(nodes) }, (_, k) => `hidden${k === 0 ? '' : k}`);
  const [first = 'hidden', ...others] = states;

  return unroll(l, x, { units, states: [first, ...others] }, (time, before) => {
    const values = new Map<string, NodeId>(before.map((state, k) => [`${BEFORE}${k}`, state]));
    const valueNamed = (name: string): NodeId => {
      const value = values.get(name);
      if (value === undefined) throw l.error(`"${name}" is read`, 'must be x, a state or a node');
      return value;
    };
    for (const { name, op, from } of nodes) {
      const linear = linears.get(name);
      if (linear === undefined) {
        values.set(name, COMBINATIONS[op as Exclude<RecurrentNode['op'], 'linear'>](g, from.map(valueNamed)));
        continue;
      }
      const terms = linear.inputs.map((input, k) =>
        'at' in input ? input.at(time) : ops.matmul(g, valueNamed(from[k] ?? ''), input.weight, { transposeB: true }),
      );
      values.set(name, ops.add(g, addAll(g, terms), ops.reshape(g, linear.bias, [1, units])));
    }
    return before.map((_, k) => valueNamed(`${AFTER}${k}`)) as readonly NodeId[] as States;
  });
};

const addAll = (g: GraphBuilder, values: readonly NodeId[]) => values.reduce((a, b) => ops.add(g, a, b));

const COMBINATIONS: Readonly<
  Record<Exclude<RecurrentNode['op'], 'linear'>, (g: GraphBuilder, values: readonly NodeId[]) => NodeId>
> = {
  sum: addAll,
  product: (g, values) => values.reduce((a, b) => ops.mul(g, a, b)),
  /** b + gate · (a − b) */
  blend: (g, [gate = 0, a = 0, b = 0]) => ops.add(g, b, ops.mul(g, gate, ops.sub(g, a, b))),
  tanh: (g, [x = 0]) => ops.tanh(g, x),
  sigmoid: (g, [x = 0]) => ops.sigmoid(g, x),
  /** max(x, 0) + slope · min(x, 0) */
  leakyRelu: (g, [x = 0]) =>
    ops.sub(g, ops.relu(g, x), ops.mul(g, ops.relu(g, ops.neg(g, x)), ops.constant(g, LEAKY_SLOPE))),
};
