import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { interpret } from '../graph/interpret.ts';
import type { ArchitectureParameter } from '../network/network.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { ONE_SHOT } from './index.ts';
import { ARCHITECTURE_OPTIMIZER, gradientOf, updateGraph } from './mixture-steps.ts';
import { pointSpace } from './testing/space.ts';

const data = blobs(48, 12);

test('the penalty adds the derivative of the mean log-sum-exp over all decisions, times its weight', () => {
  const parameter = (path: string, rows: number, options: number): ArchitectureParameter => ({
    ...{ path, shape: [rows, options], initializer: { kind: 'constant', value: 0 }, node: 0, when: [] },
    decisions: Array.from({ length: rows }, (_, i) => ({ name: `${path}${i}`, options: Array(options).fill('x') })),
  });
  const architecture = [parameter('pairs', 2, 2), parameter('triples', 1, 3)];
  const values: Readonly<Record<string, readonly number[]>> = { pairs: [0.3, -1, 90, 88], triples: [0, 2, -0.5] };
  const given: Readonly<Record<string, readonly number[]>> = { pairs: [0.1, 0.2, 0.3, 0.4], triples: [1, -1, 0] };
  const { graph } = updateGraph(architecture, { weightDecay: 0, penalty: 'logSumExp' });
  const weight = 7;
  const scalar = (value: number) => ({ shape: [], data: [value] });
  const rates = { ...ARCHITECTURE_OPTIMIZER.scalars(0.1, 1), penalty: weight };
  const feeds = architecture.flatMap(({ path, shape }) => {
    const zeros = { shape, data: new Float32Array((shape[0] ?? 0) * (shape[1] ?? 0)) };
    return [
      [path, { shape, data: values[path] ?? [] }],
      [gradientOf(path), { shape, data: given[path] ?? [] }],
      [`${path}:mean`, zeros],
      [`${path}:square`, zeros],
    ] as const;
  });
  const fed = Object.entries(rates).map(([name, value]) => [name, scalar(value)] as const);
  const result = interpret(graph, Object.fromEntries([...feeds, ...fed]));

  const penalty = (all: Readonly<Record<string, readonly number[]>>) => {
    const rows = [all.pairs?.slice(0, 2), all.pairs?.slice(2), all.triples].map((row = []) => {
      const largest = Math.max(...row);
      return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    });
    return rows.reduce((a, b) => a + b) / rows.length;
  };
  for (const { path } of architecture) {
    const row = values[path] ?? [];
    for (const [k, value] of row.entries()) {
      const shifted = (by: number) => penalty({ ...values, [path]: row.with(k, value + by) });
      const expected = (given[path]?.[k] ?? 0) + (weight * (shifted(1e-5) - shifted(-1e-5))) / 2e-5;
      // The first mean of Adam, with β = 0.5, is half of the gradient.
      const found = 2 * (result[`next:${path}:mean`]?.data[k] ?? Number.NaN);
      assert.ok(Math.abs(found - expected) < 1e-5, `${path} ${k}: ${found}, expected ${expected}`);
    }
  }
});

/** The largest difference between two mixture weights of a choice, after each epoch. */
async function spread(betaDecay: number): Promise<number[]> {
  const training = await ONE_SHOT['beta-darts'].open(
    {
      ...{ engine: referenceEngine(), ...data, space: pointSpace(data.info) },
      settings: { ...DEFAULT_SETTINGS, epochs: 6, batchSize: 8 },
      rng: (...labels) => rng('beta', ...labels),
    },
    { archLearningRate: 0.05, betaDecay },
  );
  await trainUntil(training, 6);
  await training.dispose();
  return training.history.map(({ mixture }) =>
    Math.max(...Object.values(mixture?.weights ?? {}).map((row) => Math.max(...row) - Math.min(...row))),
  );
}

test('its weight rises from 0 in the first epoch, and holds the mixture weights together', async () => {
  const [plain, regular] = [await spread(0), await spread(50)];
  assert.equal(regular[0], plain[0]);
  assert.ok((regular.at(-1) ?? 1) < 0.5 * (plain.at(-1) ?? 0), `${regular}, without ${plain}`);
});
