/** Random spaces for property tests: small trees with every kind of choice, names shared between distant places. */
import fc from 'fast-check';
import type { Hyperparameters, Space, Task } from '../../space.ts';
import {
  activation,
  choice,
  conv,
  dagOfNodes,
  dropout,
  float,
  identity,
  int,
  linear,
  pick,
  pickInputs,
  pool,
  repeat,
  residual,
  scoped,
  sequential,
  stack,
} from '../builders.ts';
import { defineSpace } from '../define.ts';
import type { Module } from '../module.ts';

export const TASK: Task = { kind: 'classification', input: [3, 8, 8], outputs: 4 };

/** One name, one domain: so generated trees may use a name as often as they like. */
const LEAVES: readonly Module[] = [
  identity(),
  conv(8, 3),
  conv(pick('width', [8, 16, 24]), pick('kernel', [1, 3])),
  linear(int('units', 4, 6)),
  activation(pick('fn', ['relu', 'gelu'])),
  pool(pick('op', ['max', 'average']), 3),
  conv(int('wide', 1, 3, { log: true }), 1),
];
const CONTINUOUS = [dropout(float('rate', 0, 0.5)), dropout(float('small rate', 0.001, 0.1, { log: true }))];

const CHOICES = [
  { name: 'A', keys: ['x', 'y'] },
  { name: 'B', keys: ['p', 'q', '3'] },
  { name: '0->1', keys: ['none', 'skip connect'] },
] as const;
const TIMES = [2, pick('times', [0, 1, 3]), int('depth', 1, 3), int('deeper', 0, 2)] as const;

/** Trees of at most five levels; `continuous`: with float ranges among the leaves. */
export function moduleArbitrary(continuous: boolean): fc.Arbitrary<Module> {
  const leaf = fc.constantFrom(...LEAVES, ...(continuous ? CONTINUOUS : []));
  const { tree } = fc.letrec<{ tree: Module }>((tie) => {
    const some = (count: number) => fc.array(tie('tree'), { minLength: count, maxLength: count });
    const branch = fc.oneof(
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((children) => sequential(...children)),
      some(2).map(([body, shortcut]) => residual(body as Module, shortcut as Module)),
      fc.constantFrom(...CHOICES).chain(({ name, keys }) => {
        const named = (bodies: readonly Module[]) => keys.map((key, i) => [key, bodies[i] as Module] as const);
        return some(keys.length).map((bodies) => choice(name, Object.fromEntries(named(bodies))));
      }),
      fc.tuple(fc.constantFrom(...TIMES), tie('tree')).map(([times, body]) => repeat(times, body)),
      fc.tuple(fc.constantFrom('s', 't'), tie('tree')).map(([name, body]) => scoped(name, body)),
      some(2).map((cells) => stack(...cells)),
      some(4).map(([older, newer, edge, body]) =>
        dagOfNodes(1, () => ({ edge: () => edge as Module, body: body as Module, from: pickInputs('in of 2', 1) }), {
          entries: [older as Module, newer as Module],
        }),
      ),
      fc.tuple(some(5), fc.boolean(), fc.boolean()).map(([bodies, open, concat]) =>
        dagOfNodes(
          2,
          (to) => ({
            ...(open && to === 2 && { from: pickInputs('in 2', 1) }),
            edge: (from) => bodies[from + to - 1] as Module,
            body: bodies[to + 2] as Module,
          }),
          { output: concat ? 'concat' : 'last' },
        ),
      ),
    );
    return { tree: fc.oneof({ maxDepth: 5 }, { weight: 1, arbitrary: leaf }, { weight: 3, arbitrary: branch }) };
  });
  return tree;
}

const HYPERPARAMETERS: readonly Hyperparameters[] = [
  {},
  { learningRate: 0.1, optimizer: pick('optimizer', ['sgd', 'adam']) },
  { batchSize: pick('batchSize', [32, 64]) },
];

/** Spaces of generated trees, with and without hyperparameters. */
export function spaceArbitrary({ continuous = true } = {}): fc.Arbitrary<Space> {
  return fc
    .tuple(fc.array(moduleArbitrary(continuous), { maxLength: 4, size: 'max' }), fc.constantFrom(...HYPERPARAMETERS))
    .map(([modules, hyperparameters]) => ({ network: sequential(...modules), hyperparameters }))
    .map((built) => defineSpace('generated', () => built).create(TASK));
}
