import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { createEngine } from '../../engine/create.ts';
import { nodeRuntime } from '../../engine/runtime/node.node.ts';
import { finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import { interpret } from '../../graph/interpret.ts';
import type { NodeId } from '../../graph/ir.ts';
import { parseArchitecture, resolve, SPACES, supernet } from '../../space/index.ts';
import {
  batchNorm,
  conv,
  globalAvgPool,
  identity,
  linear,
  relu,
  repeat,
  residual,
  sequential,
} from '../../space/tree/builders.ts';
import { referenceEngine } from '../../train/testing/reference-engine.ts';
import { readBatch } from './batch.ts';
import { openNetwork, sumAll } from './context.ts';
import { skipReach } from './counts.ts';
import { freereaScore, rankScores } from './ensemble.ts';
import { normalWeights, torchWeights } from './initial-weights.ts';
import { PROXIES } from './measure.ts';
import { openPrograms } from './programs.ts';
import { DEAD } from './readout.ts';
import { synflowFeeds, synflowGraph, synflowScores } from './synflow.ts';
import { noise } from './testing/chain.ts';
import { zenGraph, zenImages, zenScore } from './zen.ts';

const near = (found: number, wanted: number, relative: number, name = '') =>
  assert.ok(Math.abs(found - wanted) <= relative * Math.abs(wanted), `${name}: ${found} is not ${wanted}`);

const { info } = noise([3, 8, 8], 4, 12);
const space = SPACES['nas-bench-201'].create(info, { cells: 1, channels: 4 });
const stream = (...labels: readonly string[]) => rng('test', ...labels);

test('a path of the supernet scores as its network alone does', async () => {
  const engine = referenceEngine();
  // The interpreter takes its time: images are as small as the two halvings allow.
  const data = noise([3, 4, 4], 4, 12);
  const small = SPACES['nas-bench-201'].create(data.info, { cells: 1, channels: 4 });
  const batch = await readBatch(data, 4, 0);
  const wanted = new Set<string>(PROXIES);
  const on = { info: data.info, resolution: 1 };
  const whole = await openPrograms(engine, { ...on, network: supernet(small), choices: 'switch' }, wanted, batch, 3);
  const paths = [
    '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|',
    // Node 1 leads nowhere.
    '|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|',
    // Nothing reaches the cell's output.
    '|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|',
  ].map((text) => parseArchitecture(small, text));
  const scores = [];
  for (const path of paths) {
    const alone = await openPrograms(engine, { ...on, network: resolve(small, path) }, wanted, batch, 3);
    const [found, expected] = [await whole.measure(path), await alone.measure(path)];
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) near(found[name] ?? Number.NaN, value, 1e-3, name);
    scores.push(found);
    await alone.dispose();
  }
  await whole.dispose();
  const dead = scores[2] ?? {};
  assert.ok(Object.values(dead).every(Number.isFinite));
  assert.deepEqual([dead.synflow, dead.zen], [DEAD, DEAD]);
  for (const name of ['gradNorm', 'snip', 'synflow', 'jacobian', 'zen'])
    assert.ok((dead[name] ?? 0) < (scores[0]?.[name] ?? 0), name);
});

test('SynFlow of a flow that float32 cannot hold is that of float64, also on the engine', async () => {
  const network = sequential(
    conv(8, 1),
    repeat(90, residual(sequential(relu(), conv(8, 3)), identity())),
    globalAvgPool(),
    linear('outputs', { bias: false }),
  );
  const on = { network, info: { ...info, mean: [0, 0, 0], deviation: [1, 1, 1] }, resolution: 1 };
  const scaled = synflowGraph(on);
  const { input, ...weights } = synflowFeeds(info, torchWeights(scaled.parameters, stream));
  const { context } = openNetwork(on, 1, 'infer');
  const { g, layers, output } = context;
  const found = gradients(
    g,
    sumAll(g, output),
    layers.map(({ weight }) => weight),
  );
  const outputs = Object.fromEntries(layers.map(({ path }, i) => [path, found[i] as NodeId]));
  const results = interpret(finish(g, outputs), { ...weights, input });
  let [total, logTotal] = [0, 0];
  for (const { path } of layers) {
    for (const [i, weight] of (weights[path]?.data ?? []).entries()) {
      const gradient = results[path]?.data[i] ?? Number.NaN;
      total += weight * gradient;
      logTotal += weight * Math.log1p(gradient);
    }
  }
  assert.ok(total > 1e40);
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  const program = await engine.compile(scaled.graph);
  const scores = synflowScores(await program.run({ ...weights, input }));
  near(scores.synflow, Math.log(total), 1e-5);
  near(scores.logSynflow, logTotal, 1e-4);
  await program.dispose();
  await engine.dispose();
});

test('Zen-score grows by the logarithm of what batch norm divides by', () => {
  const network = sequential(
    conv(6, 3),
    batchNorm(),
    relu(),
    conv(5, 3),
    batchNorm(),
    globalAvgPool(),
    linear('outputs'),
  );
  const { graph, lowered } = zenGraph({ network, info, resolution: 1 }, 4);
  const [first, second] = zenImages(info, 4, rng('zen test'));
  const scoreWith = (factor: number) => {
    const weights = normalWeights(lowered.parameters, stream);
    const larger = Object.entries(weights).map(([path, { shape, data: values }]) => {
      const factorHere = path === '0/weight' ? factor : 1;
      return [path, { shape, data: values.map((value) => value * factorHere) }] as const;
    });
    const run = (x: typeof first) => {
      const results = Object.entries(interpret(graph, { ...Object.fromEntries(larger), input: x }));
      return Object.fromEntries(
        results.map(([name, { shape, data: values }]) => [name, { shape, data: Float32Array.from(values) }]),
      );
    };
    return zenScore(run(first), run(second));
  };
  near(scoreWith(10) - scoreWith(1), Math.log(10), 1e-3);
});

test('skip connections reach as far as the nodes that they pass by', () => {
  const reach = (text: string) => skipReach(resolve(space, parseArchitecture(space, text)));
  assert.equal(reach('|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|'), 2);
  assert.equal(reach('|skip_connect~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|'), 1);
  assert.equal(reach('|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'), 0);
});

test('ensembles add shares of the largest, and average ranks', () => {
  const sample = [
    { naswot: 200, logSynflow: 10, skipReach: 0 },
    { naswot: 100, logSynflow: 40, skipReach: 2 },
  ];
  const score = freereaScore(sample);
  assert.deepEqual(sample.map(score), [1.25, 2.5]);
  assert.equal(score({ naswot: 200, logSynflow: 80, skipReach: 2 }), 4);
  const scores = [
    { synflow: 1, jacobian: 5, snip: 2 },
    { synflow: 9, jacobian: 6, snip: 2 },
  ];
  assert.deepEqual(rankScores(scores), [3.5 / 3, 5.5 / 3]);
});
