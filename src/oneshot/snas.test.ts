import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { interpret } from '../graph/interpret.ts';
import { initialize } from '../network/initialize.ts';
import { noiseOf } from '../network/mixture.ts';
import { activation, choice, linear, sequential } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { supernet } from '../space/tree/resolve.ts';
import { trainingBatches } from '../train/batches.ts';
import { forwardGraph } from '../train/forward.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { joinTensors } from '../train/vectors.ts';
import { gradientGraph, gradientOf } from './mixture-steps.ts';

const BATCH = 4;
const { info, train } = blobs(8, 4);
const block = (units: number) => sequential(linear(units), activation('tanh'), linear(2));
const space = defineSpace('pair', () =>
  sequential(choice('only', { narrow: block(1), wide: block(3) }), linear('outputs')),
).create(info);
const on = { network: supernet(space), info, resolution: 1, choices: 'concrete' } as const;
const PATH = 'architecture:2';
const VALUES = [0.4, -0.3];

for (const temperature of [1, 0.3]) {
  test(`snas at temperature ${temperature}: the mean of sampled gradients is the derivative of the expected loss`, async () => {
    const { graph, architecture, randomInputs, trained } = gradientGraph(on, BATCH, 'both');
    assert.deepEqual(
      [architecture.map(({ path }) => path), randomInputs.map(({ name }) => name)],
      [[PATH], [noiseOf(PATH)]],
    );
    const { parameters } = forwardGraph(on, BATCH);
    const weights = joinTensors(
      trained,
      initialize(parameters, (...labels) => rng('snas', ...labels)),
    );
    const settings = { ...DEFAULT_SETTINGS, batchSize: BATCH };
    const batch = await trainingBatches(train, info, settings)
      .epoch(0, (...labels) => rng('snas', ...labels))
      .prepare();
    const fixed = { ...weights, ...batch, temperature: { shape: [], data: [temperature] } };
    const run = (values: readonly number[], noise: readonly number[]) => {
      const shape = [1, 2];
      const own = { [PATH]: { shape, data: values }, [noiseOf(PATH)]: { shape, data: noise } };
      const result = interpret(graph, { ...fixed, ...own });
      return {
        loss: result.loss?.data[0] ?? Number.NaN,
        slope: result[`next:${gradientOf(PATH)}`]?.data[0] ?? Number.NaN,
      };
    };

    // Only the difference of the two Gumbel numbers counts, which is logistic: one is held at 0, the other takes its quantiles.
    const QUANTILES = 400;
    const expected = (values: readonly number[]) => {
      let sum = 0;
      for (let i = 0; i < QUANTILES; i++) {
        const q = (i + 0.5) / QUANTILES;
        sum += run(values, [Math.exp(-(1 - q) / q), Math.exp(-1)]).loss;
      }
      return sum / QUANTILES;
    };
    const [first = 0, second = 0] = VALUES;
    const h = 0.05;
    const derivative = (expected([first + h, second]) - expected([first - h, second])) / (2 * h);

    const random = rng('snas noise', temperature);
    const slopes = Array.from({ length: 4000 }, () => run(VALUES, [random.float(), random.float()]).slope);
    const mean = slopes.reduce((a, b) => a + b) / slopes.length;
    const variance = slopes.reduce((sum, slope) => sum + (slope - mean) ** 2, 0) / (slopes.length - 1);
    const error = Math.sqrt(variance / slopes.length);
    assert.ok(error < 0.05 * Math.abs(derivative), `${mean} ± ${error}`);
    assert.ok(Math.abs(mean - derivative) < 4 * error, `${mean} ± ${error}, exact ${derivative}`);
    // The gradient of the mixture, without noise, is another one.
    const plain = run(VALUES, [Math.exp(-1), Math.exp(-1)]).slope;
    assert.ok(Math.abs(plain - derivative) > 4 * error, `${plain}, exact ${derivative} ± ${error}`);
  });
}

test('a random number of 0 leaves everything finite', () => {
  const { graph, trained } = gradientGraph(on, BATCH, 'both');
  const { parameters } = forwardGraph(on, BATCH);
  const weights = joinTensors(
    trained,
    initialize(parameters, (...labels) => rng('snas', ...labels)),
  );
  const result = interpret(graph, {
    ...weights,
    temperature: { shape: [], data: [0.1] },
    input: { shape: [BATCH, 2], data: new Float32Array(2 * BATCH).fill(1) },
    targets: { shape: [BATCH, 3], data: new Float32Array(3 * BATCH).fill(1 / 3) },
    [PATH]: { shape: [1, 2], data: VALUES },
    [noiseOf(PATH)]: { shape: [1, 2], data: [0, 1 - 2 ** -24] },
  });
  for (const [name, { data }] of Object.entries(result)) assert.ok([...data].every(Number.isFinite), name);
});
