import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { layoutsUnderTest, testLayouts } from '../engine/testing/layouts.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { interpret } from '../graph/interpret.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { lowerNetwork } from '../network/lower.ts';
import { SPACES } from '../space/spaces/index.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { constrained } from '../space/tree/constrain.ts';
import { derive } from '../space/tree/derive.ts';
import type { Module } from '../space/tree/module.ts';
import { supernet } from '../space/tree/resolve.ts';
import { sgd } from '../train/optimizers.ts';
import { freshTensors } from '../train/program.ts';
import { joinTensors, splitTensors } from '../train/vectors.ts';
import { ARCHITECTURE_OPTIMIZER, gradientOf, optionWeights, supernetSteps } from './mixture-steps.ts';

const BATCH = 2;
const info: DatasetInfo = {
  name: 'noise',
  kind: 'classification',
  input: [3, 8, 8],
  outputs: 3,
  labels: ['a', 'b', 'c'],
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  counts: { train: 4, valid: 0, test: 0 },
  notes: [],
};
// A normal cell, and two of stride 2: of every operation with stride 1 and 2, and of both ways in.
const CELLS = 3;
/** Every operation at both entries of a cell and between its first nodes; of the other edges, which say the same again, one operation. */
const FEW = {
  fix: Object.fromEntries(
    ['normal', 'reduce'].flatMap((cell) =>
      ['0->3', '1->3', '0->4', '1->4', '2->4', '3->4', '0->5', '1->5', '2->5', '3->5', '4->5'].map((edge) => [
        `${cell}/${edge}`,
        'skip_connect',
      ]),
    ),
  ),
};
const settings = { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0, clipNorm: 0 } as const;
const seeded = (...labels: readonly string[]) => rng('supernet test', ...labels);

function batch(): Record<string, HostTensor> {
  const random = seeded('batch');
  const x = { shape: [BATCH, ...info.input], data: new Float32Array(BATCH * sizeOf(info.input)) };
  for (let i = 0; i < x.data.length; i++) x.data[i] = random.normal();
  return { input: x, targets: { shape: [BATCH, 3], data: Float32Array.of(1, 0, 0, 0, 0, 1) } };
}

const scalars = (values: Readonly<Record<string, number>>): Record<string, HostTensor> =>
  Object.fromEntries(Object.entries(values).map(([name, v]) => [name, { shape: [], data: Float32Array.of(v) }]));

/** Loss and gradients by the interpreter, from the lowered graph, without any pass. */
function reference(network: Module, state: Readonly<Record<string, HostTensor>>): (name: string) => ArrayLike<number> {
  const g = createGraph();
  const x = ops.input(g, 'input', [BATCH, ...info.input]);
  const lowered = lowerNetwork(g, network, x, { outputs: 3, mode: 'train', choices: 'mixture' });
  const targets = ops.input(g, 'targets', [BATCH, 3]);
  const agreement = ops.mul(g, targets, ops.logSoftmax(g, lowered.output));
  const loss = ops.neg(g, ops.reduceMean(g, ops.reduceSum(g, agreement, [1]), [0]));
  const wanted = [...lowered.parameters, ...lowered.architecture];
  const found = gradients(
    g,
    loss,
    wanted.map(({ node }) => node),
  );
  const outputs = Object.fromEntries(wanted.map(({ path }, i) => [path, found[i] ?? loss]));
  const result = interpret(finish(g, { loss, ...outputs }), { ...state, ...batch() });
  return (name) => result[name]?.data ?? [];
}

const normOf = (lists: readonly ArrayLike<number>[]) =>
  Math.hypot(...lists.map((values) => Math.hypot(...Array.from(values))));

/** |a - b| / |b| of lists of numbers taken together. */
function relativeError(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  const differences = b.map((values, i) => Float64Array.from(values, (v, k) => (a[i]?.[k] ?? Number.NaN) - v));
  return normOf(differences) / normOf(b);
}

const NAME = 'the steps of a mixture supernet: gradients as the interpreter has them, a falling loss, an architecture';
testLayouts(await layoutsUnderTest(), NAME, async ({ engine, channels }) => {
  const options = { channels, cells: CELLS };
  const space = constrained(SPACES.darts.create(info, { ...options, search: true }), FEW);
  const network = supernet(space);
  const on = { network, info, resolution: 1 };
  const steps = supernetSteps(on, settings, { weightDecay: 0, alsoWeightGradients: true }, BATCH);
  const initial = freshTensors(steps.state, seeded);
  const expected = reference(network, initial);
  const zeros = steps.scratch.map(
    ({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const,
  );
  const state = engine.createState({ ...joinTensors(steps.state.vectors, initial), ...Object.fromEntries(zeros) });
  const read = async () => splitTensors(steps.state.vectors, await state.read());
  const weightStep = await engine.compile(steps.weightStep.graph, steps.weightStep.carries);
  const archGradient = await engine.compile(steps.archGradient.graph, steps.archGradient.carries);
  const archUpdate = await engine.compile(steps.archUpdate.graph, steps.archUpdate.carries);
  const search = async (rate: number, step: number) => {
    const returned = await archGradient.run(batch(), state);
    await archUpdate.run(scalars(ARCHITECTURE_OPTIMIZER.scalars(rate, step)), state);
    return returned;
  };
  const train = (rate: number, step: number) =>
    weightStep.run({ ...batch(), ...scalars(sgd.scalars(rate, step)) }, state);

  const { loss } = await search(0, 1);
  const trained = await train(0, 1);
  const after = await read();
  const paths = steps.weightStep.parameters.map(({ path }) => path);
  const gradients = splitTensors(
    steps.archGradient.trained,
    Object.fromEntries(steps.archGradient.trained.map(({ name }) => [name, after[gradientOf(name)] as HostTensor])),
  );
  const errors = {
    archLoss: relativeError([loss?.data ?? []], [expected('loss')]),
    weightLoss: relativeError([trained.loss?.data ?? []], [expected('loss')]),
    weightGradients: relativeError(
      paths.map((path) => gradients[path]?.data ?? []),
      paths.map(expected),
    ),
    // From zero, the momentum of a first step is the gradient, and Adam's mean half of it.
    weights: relativeError(
      paths.map((path) => after[`${path}:momentum`]?.data ?? []),
      paths.map(expected),
    ),
    architecture: relativeError(
      [(after['architecture:8:mean']?.data ?? new Float32Array()).map((v) => 2 * v)],
      [expected('architecture:8')],
    ),
  };
  // In the blocked layout, the rounding of the forward pass alone (1.5e-5 of the loss) makes 2e-3 of the weights' gradients.
  for (const [name, error] of Object.entries(errors)) assert.ok(error < 3e-3, `${name}: ${error}`);

  let last = Number.NaN;
  for (let step = 2; step <= 7; step++) {
    await search(0.01, step);
    last = (await train(0.02, step)).loss?.data[0] ?? Number.NaN;
  }
  assert.ok(last < 0.5 * (expected('loss')[0] as number), `${last}, from ${expected('loss')[0]}`);
  await weightStep.dispose();
  await archGradient.dispose();
  await archUpdate.dispose();

  const { architecture } = steps.weightStep;
  const shares = optionWeights(architecture, await read());
  assert.notDeepEqual(shares, optionWeights(architecture, initial));
  const found = derive(space, shares);
  assert.deepEqual(checkArchitecture(SPACES.darts.create(info, options), found), found);
});

test('the shares of options are the softmax of their row', () => {
  const decisions = ['a', 'b'].map((name) => ({ name, options: ['x', 'y'] }));
  const parameter = {
    path: 'p',
    shape: [2, 2],
    initializer: { kind: 'constant', value: 0 },
    node: 0,
    when: [],
    decisions,
  } as const;
  const data = Float32Array.of(0, Math.log(3), 100, 100);
  const { a, b } = optionWeights([parameter], { p: { shape: [2, 2], data } });
  assert.ok(
    relativeError(
      [a ?? [], b ?? []],
      [
        [0.25, 0.75],
        [0.5, 0.5],
      ],
    ) < 1e-6,
  );
});
