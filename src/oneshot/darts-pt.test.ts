import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { choicesAfter, openDartsPtSupernet } from './darts-pt.ts';
import { cells, pointSpace } from './testing/space.ts';

const data = blobs(48, 12);
const request = (epochs: number, space = pointSpace(data.info)) => ({
  engine: referenceEngine(),
  ...{ ...data, space },
  settings: { ...DEFAULT_SETTINGS, epochs, batchSize: 8, learningRate: 0.03 },
  rng: (...labels: readonly (string | number)[]) => rng('darts-pt', ...labels),
});

test('choices are made evenly from the first selecting epoch to the last one', () => {
  const after = (epochs: number, selectFrom: number, choices: number) =>
    Array.from({ length: epochs }, (_, i) => choicesAfter(i + 1, { epochs, selectFrom, choices }));
  assert.deepEqual(after(8, 0.5, 5), [0, 0, 0, 1, 2, 3, 4, 5]);
  assert.deepEqual(after(4, 0.5, 8), [0, 3, 6, 8]);
  assert.deepEqual(after(3, 1, 8), [0, 0, 8]);
  assert.deepEqual(after(1, 0.5, 8), [8]);
  assert.deepEqual(after(12, 0, 4), [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]);
  assert.deepEqual(new Set(after(30, 0, 28)).size, 9, 'eight rounds, and none before the first of them');
});

test('all options weigh the same until a choice is made, and the genotype is there once all are', async () => {
  const training = await openDartsPtSupernet(request(3), { selectFrom: 1, perturbSamples: 12, order: 'random' });
  await trainUntil(training, 3);
  const [last, ...before] = training.history.toReversed();
  for (const { mixture } of before) assert.equal(mixture, undefined);
  for (const row of Object.values(last?.mixture?.weights ?? {})) assert.deepEqual(row.toSorted().at(-1), 1);
  const genotype = last?.mixture?.genotype ?? {};
  checkArchitecture(pointSpace(data.info), genotype);
  await training.dispose();
});

test('an option that the loss needs is kept: zero is not, where the others carry all there is', async () => {
  const training = await openDartsPtSupernet(request(6), { selectFrom: 1, perturbSamples: 12, order: 'random' });
  await trainUntil(training, 6);
  const genotype = training.history.at(-1)?.mixture?.genotype ?? {};
  for (const option of Object.values(genotype)) assert.notEqual(option, 'none', JSON.stringify(genotype));
  await training.dispose();
});

test('in the order of certainty every choice is made, one in each round, and a resumed search makes the same ones', async () => {
  const settings = { selectFrom: 0, perturbSamples: 12, order: 'certain' } as const;
  const whole = await openDartsPtSupernet(request(6), settings);
  await trainUntil(whole, 3);
  const checkpoint = await whole.checkpoint();
  await trainUntil(whole, 6);
  const found = whole.history.at(-1)?.mixture;
  for (const row of Object.values(found?.weights ?? {})) assert.deepEqual(row.toSorted().at(-1), 1);
  const resumed = await openDartsPtSupernet({ ...request(6), checkpoint }, settings);
  await trainUntil(resumed, 6);
  assert.deepEqual(resumed.history.at(-1)?.mixture, found);
  await Promise.all([whole.dispose(), resumed.dispose()]);
});

test('where wiring is open, no node keeps an edge without an operation', async () => {
  const space = cells.create(data.info);
  const training = await openDartsPtSupernet(request(2, space));
  await trainUntil(training, 2);
  const genotype = training.history.at(-1)?.mixture?.genotype ?? {};
  checkArchitecture(space, genotype);
  assert.ok(!Object.entries(genotype).some(([name, option]) => name.includes('->') && option === 'none'));
  await training.dispose();
});
