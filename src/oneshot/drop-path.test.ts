import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Engine } from '../engine/engine.ts';
import type { Graph } from '../graph/ir.ts';
import { cellNetwork, operationsOf } from '../space/spaces/image/cell-skeleton.ts';
import { choice, dag, dropPath, identity, linear, relu, sequential, tanh, zero } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { inputsOf } from '../train/forward.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { ONE_SHOT } from './index.ts';

const data = blobs(16, 8);
const EPOCHS = 3;

/** An engine that notes what each program with a loss is fed as progress. */
function watching() {
  const fed: number[] = [];
  const plain = referenceEngine();
  const engine: Engine = {
    ...plain,
    async compile(graph: Graph, ...more) {
      const program = await plain.compile(graph, ...more);
      const isWatched = inputsOf(graph).has('progress') && graph.outputs.loss !== undefined;
      return {
        ...program,
        run(feeds, ...others) {
          if (isWatched) fed.push(feeds.progress?.data[0] ?? Number.NaN);
          return program.run(feeds, ...others);
        },
      };
    },
  };
  return { engine, fed };
}

const growing = dropPath(0.4, { growing: true });
const dropped = defineSpace('dropped', () =>
  sequential(
    linear(4),
    choice('first', { skip: identity(), relu: sequential(relu(), growing), tanh: sequential(tanh(), growing) }),
    sequential(linear(4), growing),
    linear('outputs'),
  ),
).create(data.info);

const OPTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  enas: { hidden: 4, controllerSteps: 1, aggregate: 1, candidates: 1 },
  'pc-darts': { partialChannels: 2, warmupShare: 0 },
  'p-darts': { operations2: 2, operations3: 2, warmupShare: 0 },
};

for (const [name, method] of Object.entries(ONE_SHOT))
  test(`${name}: drop path that grows is fed the share of the epochs that are done`, async () => {
    const { engine, fed } = watching();
    const supernet = await method.open(
      {
        ...{ engine, ...data, space: dropped },
        settings: { ...DEFAULT_SETTINGS, epochs: EPOCHS, batchSize: 4 },
        rng: (...labels) => rng('drop path', ...labels),
      },
      OPTIONS[name] ?? {},
    );
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      fed.length = 0;
      const { loss } = await supernet.epoch();
      assert.ok(Number.isFinite(loss));
      // Each stage of p-darts begins with fresh weights, and has one epoch here. Guards look at the network without drop path.
      const expected = name === 'p-darts' ? 0 : Math.fround(epoch / EPOCHS);
      assert.ok(fed.length > 0);
      assert.ok(fed.includes(expected), `epoch ${epoch + 1}: ${fed}`);
      assert.deepEqual(
        fed.filter((value) => value !== expected && value !== 0),
        [],
      );
    }
    await supernet.dispose();
  });

/** A single reduction cell of two nodes, made as the cells of darts are. */
const oneCell = defineSpace('one-cell', (task) => {
  const options = { channels: 2, cells: 1, search: true, dropPath: 0.2, auxiliary: 0, attention: 1 };
  return cellNetwork(task, options, (entries, { reduction }) =>
    dag(
      2,
      (from, to) => {
        const stride = reduction && from < entries.length ? 2 : 1;
        const operations = operationsOf(['max_pool_3x3', 'skip_connect', 'sep_conv_3x3'], stride, options);
        return choice(`${from}->${to}`, { none: zero(stride), ...operations });
      },
      { entries, inputs: 2, output: 'concat' },
    ),
  );
});

for (const name of ['darts', 'gdas', 'single-path'] as const)
  test(`${name} trains cells as the search form of darts has them with drop path and attention`, async () => {
    const images = { ...data.info, input: [1, 4, 4], mean: [0], deviation: [1] };
    const space = oneCell.create(images);
    const train = { count: 2, read: async () => undefined };
    const { engine, fed } = watching();
    const supernet = await ONE_SHOT[name].open(
      {
        ...{ engine, info: images, train, valid: train, space },
        settings: { ...DEFAULT_SETTINGS, epochs: 2, batchSize: 2 },
        rng: (...labels) => rng('drop path', ...labels),
      },
      name === 'darts' ? {} : { recalibrate: 1 },
    );
    assert.ok(Number.isFinite((await supernet.epoch()).loss));
    assert.ok(Number.isFinite((await supernet.epoch()).loss));
    assert.ok(fed.includes(0.5));
    await supernet.dispose();
  });
