import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import {
  attention,
  conv,
  embedding,
  globalAvgPool,
  linear,
  maxPool,
  positions,
  sequential,
} from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import { taskOf } from '../task/index.ts';
import { trainingBatches } from './batches.ts';
import { batchesByLength, lengthsFor } from './lengths.ts';
import { openTraining, type TrainRequest } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { referenceEngine } from './testing/reference-engine.ts';

const LONGEST = 32;
const info: DatasetInfo = {
  ...{ name: 'texts', kind: 'text', input: [LONGEST], outputs: 2, labels: ['without', 'with'], vocabulary: 6 },
  ...{ mean: [], deviation: [], notes: [], counts: { train: 44, valid: 9, test: 0 } },
};

/** Texts of random tokens, most of them short; class 1 are those with a token 5. */
function texts(count: number, seed: string): Samples & Required<Pick<Samples, 'lengthOf'>> {
  const random = rng(seed);
  const rows = Array.from({ length: count }, () => {
    const length = random.float() < 0.75 ? 1 + random.int(8) : 9 + random.int(LONGEST - 8);
    return Int32Array.from({ length }, () => 1 + random.int(5));
  });
  return {
    count,
    lengthOf: (index) => rows[index]?.length ?? 0,
    async read(indices, { tokens, target }) {
      for (const [k, index] of indices.entries()) {
        tokens?.fill(0, k * LONGEST, (k + 1) * LONGEST).set(rows[index] ?? [], k * LONGEST);
        if (target) target[k] = rows[index]?.includes(5) ? 1 : 0;
      }
    },
  };
}

const all = (samples: Samples) => Array.from({ length: samples.count }, (_, i) => i);
const train = texts(44, 'train');
const spec = taskOf(info).spec(info);
const network = sequential(
  ...[embedding('inputs', 4), positions('learned'), attention(2), conv(4, 3, { stride: 2 })],
  ...[globalAvgPool(), linear('outputs')],
);
const settings = { ...DEFAULT_SETTINGS, optimizer: 'adam', learningRate: 0.01, epochs: 20, batchSize: 4 } as const;

/** The engine, and how long the samples of each run were. */
function watched(): { readonly engine: Engine; readonly lengths: number[] } {
  const engine = referenceEngine();
  const lengths: number[] = [];
  return {
    lengths,
    engine: {
      ...engine,
      async compile(...given) {
        const program = await engine.compile(...given);
        return {
          ...program,
          run(feeds, ...rest) {
            lengths.push(feeds.tokens?.shape[1] ?? 0);
            return program.run(feeds, ...rest);
          },
        };
      },
    },
  };
}

const request = (change: Partial<TrainRequest> = {}): TrainRequest => ({
  ...{ engine: referenceEngine(), network, info, train, valid: texts(9, 'valid'), settings },
  rng: (...labels) => rng('lengths', ...labels),
  ...change,
});

suite('batches of texts of similar lengths', () => {
  test('each length saves a tenth of the positions at least, and the last is that of the data', () => {
    const found = lengthsFor(train, all(train), spec);
    assert.equal(found.lengths.at(-1), LONGEST);
    assert.ok(found.lengths.length > 1 && found.lengths[0] === 8);
    assert.ok(found.meanLength < 0.9 * LONGEST);
    const alike = { ...train, lengthOf: () => LONGEST - 1 };
    assert.deepEqual(lengthsFor(alike, all(train), spec), { lengths: [LONGEST], meanLength: LONGEST });
    const { lengthOf: _, ...silent } = train;
    assert.deepEqual(lengthsFor(silent, all(train), spec), { lengths: [], meanLength: LONGEST });
  });

  test('whole batches have each sample once, cut to a length that all of them fit', () => {
    const order = rng('order').shuffle(all(train));
    const { lengths } = lengthsFor(train, order, spec);
    const batches = batchesByLength(order, train.lengthOf, lengths, 4);
    assert.deepEqual(
      batches.flatMap(({ indices }) => indices).sort((a, b) => a - b),
      all(train),
    );
    for (const { length, indices } of batches) {
      assert.equal(indices.length, 4);
      assert.ok(indices.every((index) => train.lengthOf(index) <= length));
    }
    // The lengths take turns: half of an epoch has half of the short batches, to within one.
    const short = batches.map(({ length }) => (length === 8 ? 1 : 0));
    const sum = (part: readonly number[]) => part.reduce((total, one) => total + one, 0);
    assert.ok(Math.abs(sum(short.slice(0, Math.floor(short.length / 2))) - sum(short) / 2) <= 1);
  });

  test('an epoch trains short texts by short programs, and measures as the program for the longest does', async () => {
    const { engine, lengths } = watched();
    const training = await openTraining(request({ engine }));
    await training.epoch();
    const { length: steps } = lengths.splice(0);
    assert.ok(steps > training.stepsPerEpoch);
    const valid = texts(150, 'measured');
    const short = await training.outputs(valid);
    assert.deepEqual([...new Set(lengths)], trainingBatches(train, info, settings).lengths);
    lengths.splice(0);
    const { lengthOf: _, ...silent } = valid;
    const whole = await training.outputs(silent);
    assert.deepEqual([...new Set(lengths)], [LONGEST]);
    assert.deepEqual(short.truths, whole.truths);
    const [one, other] = [short, whole].map(({ outputs }) => Object.values(outputs)[0] ?? new Float32Array());
    assert.ok(one !== undefined && one.length === 2 * valid.count);
    for (const [i, value] of one.entries()) assert.ok(Math.abs(value - (other?.[i] ?? Number.NaN)) < 1e-6);
    await training.dispose();
  });

  const uncut: Readonly<Record<string, readonly Module[]>> = {
    'a pool whose windows end before the text does': [maxPool(3, { stride: 1, padding: 0 }), globalAvgPool()],
    'a pool that needs more positions': [maxPool(9, { stride: 1, padding: 0 }), globalAvgPool()],
    'a layer whose size follows from the length': [attention(2, { relative: true }), globalAvgPool()],
  };
  for (const [name, body] of Object.entries(uncut))
    test(`${name}: the network always reads the longest samples`, async () => {
      const { engine, lengths } = watched();
      const network = sequential(embedding('inputs', 4), ...body, linear('outputs'));
      const training = await openTraining(request({ engine, network }));
      await training.epoch();
      assert.deepEqual([...new Set(lengths)], [LONGEST]);
      await training.dispose();
    });

  test('a training of too few steps has one program', async () => {
    const { engine, lengths } = watched();
    const training = await openTraining(request({ engine, settings: { ...settings, epochs: 2 } }));
    await training.epoch();
    assert.deepEqual([...new Set(lengths)], [LONGEST]);
    await training.dispose();
  });

  test('a training that is resumed goes on as if it had not been stopped', async () => {
    const whole = await openTraining(request());
    await whole.epoch();
    const checkpoint = await whole.checkpoint();
    await whole.epoch();
    const resumed = await openTraining(request({ checkpoint }));
    await resumed.epoch();
    assert.deepEqual(await resumed.weights(), await whole.weights());
    assert.equal(resumed.history[1]?.loss, whole.history[1]?.loss);
    await Promise.all([whole.dispose(), resumed.dispose()]);
  });
});
