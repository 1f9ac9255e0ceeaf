import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { kendall } from '../../common/correlation.ts';
import { rng } from '../../common/random.ts';
import { createEngine } from '../../engine/create.ts';
import { nodeRuntime } from '../../engine/runtime/node.node.ts';
import { first, sample, smallCnn } from '../../space/index.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { float } from '../../space/tree/builders.ts';
import { defineSpace } from '../../space/tree/define.ts';
import { openNasBench201 } from '../tabular/nas-bench-201.node.ts';
import { lookConformance } from '../testing/conformance.ts';
import { type Known, type PredictorOptions, predictorEstimator, trainPredictor } from './predictor.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());
const tools = { engine: async () => engine };
const table = await openNasBench201();

function drawn(space: Space, count: number, label: string, value: (architecture: Architecture) => number): Known[] {
  return Array.from({ length: count }, (_, i) => {
    const architecture = sample(space, rng(label, i));
    return { architecture, value: value(architecture) };
  });
}

const accuracy = (architecture: Architecture) => table.lookup(architecture, 'cifar-10')?.metrics.accuracy ?? 0;
const known = drawn(table.space, 120, 'known', accuracy);
const unseen = drawn(table.space, 150, 'unseen', accuracy);

lookConformance('predictor', async () => ({
  estimator: predictorEstimator(
    await trainPredictor(table.space, known, { model: 'forest', features: 'one-hot' }, rng('predictor')),
    'accuracy',
  ),
  candidate: { space: table.space, architecture: first(table.space) },
  failing: { space: table.space, architecture: { ...first(table.space), '0->1': 'conv_5x5' } },
  reason: /"0->1" is "conv_5x5"/,
}));

/** Least Kendall tau on architectures that were not trained on; what is found lies some 0.05 above. */
const LEAST = { 'one-hot': 0.42, path: 0.42, graph: 0.45 } as const;

suite('predictors', () => {
  for (const features of ['one-hot', 'path', 'graph'] as const) {
    for (const model of ['gaussian-process', 'forest', 'mlp-ensemble'] as const) {
      test(`${model} on ${features} features: ranks architectures of NAS-Bench-201 that it has not seen`, async () => {
        const predict = await trainPredictor(table.space, known, { model, features }, rng('predictor'), tools);
        const found = unseen.map(({ architecture }) => predict(architecture));
        const truth = unseen.map(({ value }) => value);
        const tau = kendall(
          found.map(({ mean }) => mean),
          truth,
        );
        assert.ok(tau > LEAST[features], `tau ${tau}`);
        // It knows where it errs: errors are larger in the half of larger deviations.
        const errors = found.map(({ mean, variance }, i) => ({ error: Math.abs(mean - (truth[i] ?? 0)), variance }));
        const half = errors.toSorted((a, b) => a.variance - b.variance).slice(0, errors.length / 2);
        const mean = (some: typeof errors) => some.reduce((sum, { error }) => sum + error / some.length, 0);
        assert.ok(mean(half) < mean(errors), `${mean(half)} ${mean(errors)}`);
      });
    }
  }

  test('graph-network: ranks architectures of NAS-Bench-201 better than the others do', async () => {
    const networks: PredictorOptions = { model: 'graph-network', features: 'graph' };
    const predict = await trainPredictor(table.space, known, networks, rng('predictor'), tools);
    const tau = kendall(
      unseen.map(({ architecture }) => predict(architecture).mean),
      unseen.map(({ value }) => value),
    );
    assert.ok(tau > 0.62, `tau ${tau}`);
    assert.ok(unseen.every(({ architecture }) => predict(architecture).variance > 0));
    await assert.rejects(
      trainPredictor(table.space, known, { ...networks, features: 'path' }, rng('predictor'), tools),
      /features=path; model=graph-network reads the graph/,
    );
  });

  const options: PredictorOptions = { model: 'forest', features: 'graph' };

  test('spaces without cells, and with ranges: their decisions and their networks are the features', async () => {
    const space = defineSpace('tuned', (task) => ({
      network: smallCnn.create(task).root,
      hyperparameters: { learningRate: float('rate', 1e-4, 1, { log: true }) },
    })).create({ kind: 'classification', input: [1, 8, 8], outputs: 10 });
    const value = (architecture: Architecture) =>
      Number(architecture.depth1) - Math.abs(Math.log10(Number(architecture.rate)) + 2);
    for (const features of ['one-hot', 'path', 'graph'] as const) {
      for (const model of ['gaussian-process', 'forest'] as const) {
        const some = drawn(space, 80, 'tuned', value);
        const predict = await trainPredictor(space, some, { model, features }, rng('predictor'));
        const others = drawn(space, 60, 'other', value);
        const predicted = others.map(({ architecture }) => predict(architecture).mean);
        const tau = kendall(
          predicted,
          others.map((one) => one.value),
        );
        assert.ok(tau > 0.5, `${model}, ${features}: tau ${tau}`);
      }
    }
  });

  test('too little to learn from, or no engine for networks, is refused', async () => {
    const alike = known.map(({ architecture }) => ({ architecture, value: 0.5 }));
    await assert.rejects(
      trainPredictor(table.space, alike, options, rng(1)),
      /predictor: 120 values are known, all equal; it needs at least two different values/,
    );
    await assert.rejects(
      trainPredictor(table.space, known, { model: 'mlp-ensemble', features: 'path' }, rng(1)),
      /mlp-ensemble has no engine/,
    );
  });
});
