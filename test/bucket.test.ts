/** Sequences of several lengths in one bucket: padded to its length; padding is neither learned nor scored. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { rng } from '../src/common/random.ts';
import type { SearchData } from '../src/data/dataset.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { embedding, linear, recurrent, sequential } from '../src/space/tree/builders.ts';
import { classNumberScorer, crossEntropy, PADDING } from '../src/task/class-numbers.ts';
import { scorerOf } from '../src/task/metrics.ts';
import { onlyOf } from '../src/task/spec.ts';
import type { TaskDefinition } from '../src/task/task.ts';
import { exampleOf, testTask } from '../src/task/testing/conformance.ts';
import { evaluateNetwork } from '../src/train/inference.ts';
import { trainNetwork } from '../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { nextToken, steps } from './support/tasks/next-token.ts';

const padded: TaskDefinition = {
  ...nextToken,
  loss: (g, outputs, targets) => crossEntropy(g, onlyOf(outputs), onlyOf(targets), { padded: true }),
  scorer: ({ input: [time = 1], outputs }) => scorerOf(classNumberScorer(outputs, time, { padded: true })),
};

/** Sequence i has `lengthOf(i)` tokens; the rest of the bucket is token 0 with the target PADDING. */
function bucketOf(time: number, lengthOf: (index: number) => number): SearchData {
  const whole = steps(time);
  const cut = (samples: SearchData['train']): SearchData['train'] => ({
    count: samples.count,
    async read(indices, into) {
      await samples.read(indices, into);
      for (const [at, index] of indices.entries()) {
        const [from, to] = [at * time + lengthOf(index), (at + 1) * time];
        into.tokens?.fill(0, from, to);
        into.next?.fill(PADDING, from, to);
      }
    },
  });
  return { ...whole, train: cut(whole.train), valid: cut(whole.valid), task: padded };
}

const lengthOf = (index: number) => 3 + (index % 6);
const network = sequential(embedding('inputs', 8), recurrent('gru', 16), linear('outputs'));
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

testTask('next token in a bucket of lengths', padded, await exampleOf(bucketOf(8, lengthOf)));

test('sequences of three to eight tokens train in a bucket of eight; in a longer bucket the weights score the same', async () => {
  const data = bucketOf(8, lengthOf);
  const settings = { ...DEFAULT_SETTINGS, epochs: 6, batchSize: 8, learningRate: 0.03, warmupEpochs: 0 };
  const request = { engine, network, info: data.info, task: padded, train: data.train, valid: data.valid, settings };
  const training = await trainNetwork({ ...request, rng: (...labels) => rng('bucket', ...labels) });
  const weights = await training.weights();
  const found = training.history.at(-1)?.valid ?? {};
  await training.dispose();
  // The step is known from the second token on: of these lengths, 9 of 11 positions.
  assert.ok((found.accuracy ?? 0) > 0.75, JSON.stringify(found));
  for (const time of [8, 12]) {
    const { info, valid } = bucketOf(time, lengthOf);
    const { metrics } = await evaluateNetwork({ engine, network, info, task: padded, weights, samples: valid });
    assert.equal(metrics.accuracy, found.accuracy, `bucket of ${time}`);
    assert.ok(Math.abs((metrics.loss ?? 9) - (found.loss ?? 0)) < 1e-6, `bucket of ${time}`);
  }
  const { metrics } = await evaluateNetwork({
    engine,
    network,
    info: data.info,
    task: nextToken,
    weights,
    samples: steps(8).valid,
  });
  assert.notEqual(metrics.loss, found.loss, 'whole sequences have more positions');
});

test('a target that is no class is refused unless it is padding', () => {
  const add = (scorer: ReturnType<typeof classNumberScorer>, truth: number) =>
    scorer.add(Float32Array.of(1, 2, 3, 4), Int32Array.of(truth, 1), 1);
  assert.throws(() => add(classNumberScorer(2, 2), PADDING), /target -1 is not a class/);
  assert.throws(() => add(classNumberScorer(2, 2, { padded: true }), -2), /target -2 is not a class/);
  const scorer = classNumberScorer(2, 2, { padded: true });
  add(scorer, PADDING);
  assert.equal(scorer.result().metrics.accuracy, 1);
});
