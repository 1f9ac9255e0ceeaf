import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { pathInputs } from '../network/paths.ts';
import type { Architecture } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { first, successor } from '../space/tree/enumerate.ts';
import { resolve, supernet } from '../space/tree/resolve.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { trainableConformance } from '../train/testing/conformance.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { ONE_SHOT } from './index.ts';
import { droppedPaths, openPathDropoutSupernet, pathCounts } from './path-dropout.ts';
import type { SupernetRequest } from './supernet.ts';
import { cells, pointSpace } from './testing/space.ts';

const data = blobs(48, 12);
const space = pointSpace(data.info);
const request = (seed = 'mine', change: Partial<SupernetRequest> = {}): SupernetRequest => ({
  engine: referenceEngine(),
  ...data,
  space,
  settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 },
  rng: (...labels) => rng('path dropout', seed, ...labels),
  ...change,
});

trainableConformance('path-dropout supernet', {
  valid: data.valid,
  open: ({ seed, ...opening }) => ONE_SHOT['path-dropout'].open(request(seed, opening), {}),
});

test('path-dropout: learns, on the engine as on the interpreter', async () => {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1, layout: 'portable' });
  const losses: number[][] = [];
  for (const on of [engine, referenceEngine()]) {
    const settings = { ...request().settings, epochs: 6, learningRate: 0.03 };
    const training = await openPathDropoutSupernet(request('mine', { engine: on, settings }));
    await trainUntil(training, 6);
    losses.push(training.history.map(({ loss }) => loss));
    await training.dispose();
  }
  await engine.dispose();
  const [found = [], expected = []] = losses;
  assert.ok((found.at(-1) ?? 9) < 0.7 * (found[0] ?? 0), `${found}`);
  for (const [i, loss] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) / loss - 1) < 1e-2, `${found}`);
});

for (const [name, searched, most] of [
  ['choices', space, 6],
  ['cells that pick their inputs', cells.create(data.info, { cells: 2 }), 12],
] as const)
  test(`path-dropout, ${name}: a path measures as its own network with the weights of the same names`, async () => {
    const training = await openPathDropoutSupernet(request('mine', { space: searched }));
    await trainUntil(training, 2);
    const { tensors: weights } = await training.checkpoint();
    const seen = new Set<number>();
    let architecture: Architecture | undefined = first(searched);
    for (let i = 0; i < most && architecture !== undefined; i++) {
      const alone = await evaluateNetwork({
        ...{ engine: referenceEngine(), network: resolve(searched, architecture), weights },
        ...{ info: data.info, samples: data.valid },
      });
      const { metrics } = await training.measurePath(architecture, data.valid);
      for (const [metric, value] of Object.entries(alone.metrics))
        assert.ok(Math.abs((metrics[metric] ?? 9) - value) < 1e-5, `${metric}: ${metrics[metric]}, alone ${value}`);
      seen.add(metrics.loss ?? 0);
      architecture = successor(searched, architecture);
    }
    assert.ok(seen.size >= 4, `${seen.size} different losses`);
    await assert.rejects(training.measurePath({ first: 'sideways' }, data.valid), UserError);
    await training.dispose();
  });

test('path-dropout: options are left out at the rate of their decision, wiring never', () => {
  const inputs = pathInputs(supernet(cells.create(data.info)));
  const random = rng('rates');
  let left = 0;
  for (let i = 0; i < 500; i++) {
    const drawn = droppedPaths(inputs, random, (decision) => (decision === 'cell/0->1' ? 0.25 : 1));
    const [options, wiring] = ['paths:4', 'paths:3'].map((name) => Array.from(drawn[name]?.data ?? []));
    assert.ok(options !== undefined && wiring !== undefined);
    assert.deepEqual(wiring, [1, 1, 1]);
    assert.ok(options.slice(4).every((value) => value === 0));
    left += options.slice(0, 4).reduce((sum, value) => sum + value, 0);
  }
  assert.ok(Math.abs(left / 2000 - 0.75) < 0.04, `${left}`);
});

test('path-dropout: k counts all options that meet in a node, nothing aside', () => {
  const counts = pathCounts(SPACES['nas-bench-201'].create({ ...data.info, input: [3, 8, 8] }));
  assert.deepEqual(
    ['0->1', '0->2', '2->3'].map((name) => counts.get(name)),
    [4, 8, 12],
  );
  assert.deepEqual(
    [...pathCounts(space)],
    [
      ['first', 2],
      ['second', 3],
    ],
  );
});

test('path-dropout: the effective rank and the interference of a few networks are measured after each epoch', async () => {
  const training = await openPathDropoutSupernet(request());
  const [first, second] = [await training.epoch(), await training.epoch()];
  for (const { guards } of [first, second]) {
    const { value = 0, of = 0 } = guards?.effectiveRank ?? {};
    assert.ok(value >= 1 && value <= of, `effective rank ${value} of ${of}`);
    const { pairs = 0, magnitude = 0 } = guards?.interference ?? {};
    assert.ok(pairs >= 2 && magnitude > 0, `interference of ${pairs} pairs: ${magnitude}`);
  }
  assert.notDeepEqual(second.guards, first.guards);
  await training.dispose();
});

test('path-dropout: at rate 0 nothing is left out, and the rate grows with the steps', async () => {
  const losses = async (dropRate: number, epochs: number) => {
    const settings = { ...request().settings, epochs, schedule: 'constant' as const, warmupEpochs: 0 };
    const training = await openPathDropoutSupernet(request('mine', { settings }), { dropRate, validationPaths: 1 });
    const found: number[] = [];
    const { loss } = await training.epoch();
    found.push(loss, (await training.epoch()).loss);
    await training.dispose();
    return found;
  };
  const [never, always] = [await losses(0, 2), await losses(0.9, 2)];
  assert.notDeepEqual(always, never);
  // Over very many epochs the rate is still nearly 0 in the first two.
  assert.deepEqual(await losses(0.9, 100_000), await losses(0, 100_000));
  await assert.rejects(
    ONE_SHOT['path-dropout'].open(request(), { dropRate: 1 }),
    /one-shot method "path-dropout": option dropRate is 1; must be/u,
  );
});
