import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { taskOf } from '../task/index.ts';
import { orderedBatches, runAhead, trainingBatches } from './batches.ts';
import { concatSamples } from './samples.ts';
import { DEFAULT_SETTINGS, type TrainSettings } from './settings.ts';

const info: DatasetInfo = {
  name: 'numbered',
  kind: 'classification',
  input: [1, 2, 2],
  outputs: 3,
  labels: ['a', 'b', 'c'],
  mean: [0],
  deviation: [1],
  counts: { train: 10, valid: 0, test: 0 },
  notes: [],
};

/** Sample i: four pixels of i + 1, class i mod 3. */
const numbered = (count: number): Samples => ({
  count,
  async read(indices, { input, target }) {
    for (const [at, index] of indices.entries()) {
      input?.fill(index + 1, at * 4, at * 4 + 4);
      if (target) target[at] = index % 3;
    }
  },
});

async function epochOf(count: number, change: Partial<TrainSettings>, label: string, share = 1, index = 0) {
  const batches = trainingBatches(numbered(count), info, { ...DEFAULT_SETTINGS, ...change }, share);
  const epoch = batches.epoch(index, (...labels) => rng(label, ...labels));
  const result: { x: number[]; targets: number[] }[] = [];
  for (let step = 0; step < batches.stepsPerEpoch; step++) {
    const { input: x, targets } = await epoch.prepare();
    assert.ok(x && targets);
    assert.deepEqual(x.shape, [batches.batchSize, 1, 2, 2]);
    result.push({ x: [...x.data], targets: [...targets.data] });
  }
  return result;
}
const firstPixels = (batches: readonly { x: number[] }[]) =>
  batches.flatMap(({ x }) => x.filter((_, i) => i % 4 === 0));

test('an epoch shows whole batches of different samples, in its own order', async () => {
  const one = firstPixels(await epochOf(10, { batchSize: 4 }, 'epoch 0'));
  assert.equal(one.length, 8);
  assert.equal(new Set(one).size, 8);
  assert.deepEqual(firstPixels(await epochOf(10, { batchSize: 4 }, 'epoch 0')), one);
  assert.notDeepEqual(firstPixels(await epochOf(10, { batchSize: 4 }, 'epoch 1')), one);
});

test('with fewer samples than a batch, the batch shrinks', async () => {
  assert.deepEqual(firstPixels(await epochOf(3, { batchSize: 64 }, 'e')).sort(), [1, 2, 3]);
});

test('targets are distributions, label smoothing spreads its share over all classes', async () => {
  const [batch] = await epochOf(1, { labelSmoothing: 0.3 }, 'e');
  for (const [i, expected] of [0.8, 0.1, 0.1].entries()) {
    assert.ok(Math.abs((batch?.targets[i] ?? 0) - expected) < 1e-7);
  }
});

test('mixup mixes inputs and targets alike', async () => {
  const [batch] = await epochOf(2, { mixup: 1, batchSize: 2 }, 'mixed');
  // Sample 0 is 1 and class 0, sample 1 is 2 and class 1: the pixel tells the share of class 1.
  for (const at of [0, 1]) {
    const shareOfOne = (batch?.x[at * 4] ?? 0) - 1;
    assert.ok(Math.abs((batch?.targets[at * 3 + 1] ?? 0) - shareOfOne) < 1e-6);
    assert.ok(Math.abs((batch?.targets[at * 3] ?? 0) - (1 - shareOfOne)) < 1e-6);
  }
});

test('augmentation changes the inputs, repeats with the stream, and leaves the targets alone', async () => {
  const change = { batchSize: 10, cropPadding: 1, flip: true, cutout: 1 };
  const augmented = await epochOf(10, change, 'e');
  assert.deepEqual(await epochOf(10, change, 'e'), augmented);
  const plain = await epochOf(10, { batchSize: 10 }, 'e');
  assert.notDeepEqual(augmented[0]?.x, plain[0]?.x);
  assert.deepEqual(augmented[0]?.targets, plain[0]?.targets);
});

test('a smaller share of the samples is part of a larger one', async () => {
  const used = async (share: number) => new Set(firstPixels(await epochOf(40, { batchSize: 1 }, `${share}`, share)));
  const [quarter, half] = [await used(0.25), await used(0.5)];
  assert.equal(quarter.size, 10);
  assert.equal(half.size, 20);
  assert.ok([...quarter].every((pixel) => half.has(pixel)));
});

test('epochs of a number of samples continue where the last one ended, pass after pass', async () => {
  const all = await Promise.all(
    [0, 1, 2, 3, 4].map((index) => epochOf(10, { batchSize: 1, epochSamples: 4 }, 'q', 1, index)),
  );
  const order = all.flatMap(firstPixels);
  const pass = (values: readonly number[]) => [...new Set(values)].length;
  assert.deepEqual([order.length, pass(order.slice(0, 10)), pass(order.slice(10, 20))], [20, 10, 10]);
  assert.notDeepEqual(order.slice(0, 10), order.slice(10, 20));
});

test('an epoch may have more samples than there are', async () => {
  const order = firstPixels(await epochOf(3, { batchSize: 3, epochSamples: 12 }, 'r'));
  assert.deepEqual([order.length, new Set(order).size], [12, 3]);
});

test('a batch does not change while the next two are prepared', async () => {
  const epoch = trainingBatches(numbered(12), info, { ...DEFAULT_SETTINGS, batchSize: 4 }).epoch(0, rng);
  const first = await epoch.prepare();
  const before = [...(first.input?.data ?? [])];
  await epoch.prepare();
  await epoch.prepare();
  assert.deepEqual([...(first.input?.data ?? [])], before);
});

test('regression targets are standardized', async () => {
  const scale = { mean: [1, 0], deviation: [2, 4] };
  const regression: DatasetInfo = { ...info, kind: 'regression', outputs: 2, input: [1], target: scale };
  const samples: Samples = { count: 1, read: async (_, { target }) => target?.set([5, 8]) };
  const batch = await trainingBatches(samples, regression, DEFAULT_SETTINGS).epoch(0, rng).prepare();
  assert.deepEqual([...(batch.targets?.data ?? [])], [2, 2]);
});

test('reading in order fills the last batch up with zeros', async () => {
  const batches = orderedBatches(numbered(3), taskOf(info).spec(info), 2);
  assert.equal(batches.steps, 2);
  await batches.read(0);
  const last = await batches.read(1);
  assert.deepEqual([...(last.feeds.input?.data ?? [])], [3, 3, 3, 3, 0, 0, 0, 0]);
  assert.deepEqual([...(last.truths.target ?? [])], [2]);
});

test('two parts joined are read as one, in any order', async () => {
  const both = concatSamples(info, numbered(2), numbered(3));
  const [inputs, targets] = [new Float32Array(16), new Float32Array(4)];
  await both.read([4, 0, 2, 1], { input: inputs, target: targets });
  assert.equal(both.count, 5);
  assert.deepEqual(
    [...inputs].filter((_, i) => i % 4 === 0),
    [3, 1, 1, 2],
  );
  assert.deepEqual([...targets], [2, 0, 0, 1]);
});

/** Runs that take a while; `log` says what happened in which order. */
function loggedRuns(
  count: number,
  fails: { readonly prepare?: number; readonly run?: number; readonly take?: number },
) {
  const log: string[] = [];
  let atWork = 0;
  /** One after another, as an engine does them. */
  let last: Promise<unknown> = Promise.resolve();
  const failing = (what: keyof typeof fails, index: number) => {
    if (fails[what] === index) throw new Error(`${what} ${index}`);
  };
  const runs = {
    count,
    async prepare(index: number) {
      log.push(`prepare ${index}, ${atWork} at work`);
      failing('prepare', index);
      return index;
    },
    async run(index: number) {
      atWork++;
      try {
        last = last.then(() => new Promise((resolve) => setTimeout(resolve, 2)));
        await last;
        failing('run', index);
        return index * index;
      } finally {
        atWork--;
      }
    },
    take(result: number, index: number) {
      log.push(`take ${result}`);
      failing('take', index);
    },
  };
  return { log, atWork: () => atWork, done: runAhead(runs) };
}

test('batches are prepared, and runs requested, while others run; no more than there are slots', async () => {
  const { log, done } = loggedRuns(4, {});
  await done;
  assert.deepEqual(
    log.filter((line) => line.startsWith('prepare')),
    ['prepare 0, 0 at work', 'prepare 1, 1 at work', 'prepare 2, 2 at work', 'prepare 3, 2 at work'],
  );
  assert.ok(log.indexOf('take 0') < log.indexOf('prepare 3, 2 at work'));
  assert.deepEqual(
    log.filter((line) => line.startsWith('take')),
    ['take 0', 'take 1', 'take 4', 'take 9'],
  );
});

for (const fails of [{ prepare: 2 }, { run: 1 }, { take: 1 }]) {
  test(`nothing is left running when it ends with an error: ${JSON.stringify(fails)}`, async () => {
    const { atWork, done } = loggedRuns(4, fails);
    const [[what, index] = []] = Object.entries(fails);
    await assert.rejects(done, { message: `${what} ${index}` });
    assert.equal(atWork(), 0);
  });
}
