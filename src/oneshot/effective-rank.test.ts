import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { choice, identity, linear, sequential, zero } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { effectiveRank } from './effective-rank.ts';
import { ONE_SHOT } from './index.ts';

const matrix = (...rows: number[][]) => ({
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
});
const near = (value: number | undefined, expected: number) =>
  assert.ok(Math.abs((value ?? Number.NaN) - expected) < 1e-6, `${value}, not ${expected}`);

test('the effective rank is the exponential of the entropy of the singular values', () => {
  near(effectiveRank(matrix([2, 0], [0, 2], [0, 0]))?.value, 2);
  near(effectiveRank(matrix([1, 2, 3, 4], [2, 4, 6, 8]))?.value, 1);
  // Singular values 3 and 1.
  const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
  const wide = matrix([2, 1, 0], [1, 2, 0]);
  near(effectiveRank(wide)?.value, Math.exp(entropy));
  near(effectiveRank(matrix([2, 1], [1, 2], [0, 0]))?.value, Math.exp(entropy));
  assert.equal(effectiveRank(wide)?.of, 2);
  assert.equal(effectiveRank(matrix([0, 0], [0, 0])), undefined);
  assert.equal(effectiveRank(matrix([Number.NaN, 1])), undefined);
});

/** The first record of a supernet whose features have `units` dimensions. */
async function recordOf(units: number) {
  const data = blobs(48, 24);
  const space = defineSpace('narrow', () =>
    sequential(
      linear(units),
      choice('only', { skip: identity(), none: zero(), affine: linear(units) }),
      linear(8),
      linear('outputs'),
    ),
  ).create(data.info);
  const training = await ONE_SHOT.darts.open(
    {
      ...{ engine: referenceEngine(), ...data, space },
      settings: { ...DEFAULT_SETTINGS, epochs: 1, batchSize: 8 },
      rng: (...labels) => rng('rank', ...labels),
    },
    {},
  );
  const { guards } = await training.epoch();
  await training.dispose();
  return guards?.effectiveRank;
}

test('a mixture supernet records the effective rank of what its classifier reads', async () => {
  const [one, two] = [await recordOf(1), await recordOf(2)];
  assert.deepEqual([one?.of, two?.of], [8, 8]);
  // The features are an affine function of these numbers; the constant adds a dimension, whose share is small.
  assert.ok((one?.value ?? 0) >= 1 && (one?.value ?? 9) < 1.2, `${one?.value}`);
  assert.ok((two?.value ?? 0) > 1.2 && (two?.value ?? 9) < 3, `${two?.value}`);
});
