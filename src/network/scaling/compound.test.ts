import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { SpaceOptions, Task } from '../../space/space.ts';
import { BASELINES, SPACES } from '../../space/spaces/index.ts';
import { parseArchitecture } from '../../space/tree/architecture.ts';
import * as s from '../../space/tree/builders.ts';
import type { Module } from '../../space/tree/module.ts';
import { resolve } from '../../space/tree/resolve.ts';
import { sample } from '../../space/tree/vary.ts';
import { networkCosts } from '../costs.ts';
import { type Coefficients, EFFICIENTNET, scaleNetwork } from './compound.ts';

const images = (side: number): Task => ({ kind: 'classification', input: [3, side, side], outputs: 10 });
const table: Task = { kind: 'classification', input: [13], outputs: 3 };
const tokens: Task = { kind: 'next-token', input: [16], outputs: 30, positions: [16], vocabulary: 30 };
const WITHOUT_IMAGES: Coefficients = { alpha: 1.3, beta: 1.25, gamma: 1 };

function member(name: keyof typeof SPACES, task: Task, seed: number | string, options: SpaceOptions = {}): Module {
  const space = SPACES[name].create(task, options);
  return resolve(space, typeof seed === 'string' ? parseArchitecture(space, seed) : sample(space, rng('scaled', seed)));
}

const layer = s.sequential(
  s.residual(s.sequential(s.layerNorm({ axes: 'channel' }), s.attention(3, { causal: true }))),
  s.residual(s.sequential(s.layerNorm({ axes: 'channel' }), s.linear(96), s.gelu(), s.linear(24))),
);
const transformer = s.sequential(
  ...[s.embedding('inputs', 24), s.positions('learned'), layer, layer, s.linear('outputs')],
);
const perceptron = s.sequential(
  ...[
    s.linear(64),
    s.batchNorm(),
    s.relu(),
    s.linear(32),
    s.batchNorm(),
    s.relu(),
    s.dropout(0.1),
    s.linear('outputs'),
  ],
);

const NETWORKS: readonly (readonly [name: string, task: Task, network: Module, by: Coefficients])[] = [
  ['a random mobilenet', images(32), member('mobilenet', images(32), 0), EFFICIENTNET],
  ['another, of 28x28', images(28), member('mobilenet', images(28), 1), EFFICIENTNET],
  ['a random residual network', images(32), member('residual-cnn', images(32), 1), EFFICIENTNET],
  ['ResNet-8', images(32), resolve(...spread(BASELINES['resnet-8'](images(32)))), EFFICIENTNET],
  ['a chain of convolutions', images(32), member('small-cnn', images(32), 3), EFFICIENTNET],
  [
    // The output adds the first channels of the last vertex to the input.
    'cells of NAS-Bench-101',
    images(32),
    member('nas-bench-101', images(32), 'conv3x3-bn-relu<-0, conv1x1-bn-relu<-1, output<-0+2', {
      cells: 2,
      channels: 16,
    }),
    EFFICIENTNET,
  ],
  [
    'cells of NAS-Bench-201',
    images(32),
    member(
      'nas-bench-201',
      images(32),
      '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|',
      { cells: 2, channels: 8 },
    ),
    EFFICIENTNET,
  ],
  ['cells of DARTS', images(32), member('darts', images(32), 'DARTS_V2', { cells: 6, channels: 8 }), EFFICIENTNET],
  ['modules of Inception', images(28), member('inception', images(28), 2), EFFICIENTNET],
  ['a multilayer perceptron', table, perceptron, WITHOUT_IMAGES],
  ['the default network for tables', table, resolve(...spread(BASELINES.mlp(table))), WITHOUT_IMAGES],
  ['a transformer', tokens, transformer, WITHOUT_IMAGES],
];

function spread({ space, architecture }: ReturnType<(typeof BASELINES)['mlp']>) {
  return [space, architecture] as const;
}

for (const [name, task, network, by] of NETWORKS)
  test(`${name}, scaled: FLOPs keep the target within 10 %`, () => {
    const before = networkCosts(network, task);
    for (const phi of [1, 2, 3.5]) {
      const scaled = scaleNetwork(network, task, by, phi);
      const after = networkCosts(scaled.network, task);
      assert.deepEqual([after.params, after.flops], [scaled.params, scaled.flops]);
      assert.equal(scaled.growth, after.flops / before.flops);
      assert.equal(scaled.target, (by.alpha * by.beta ** 2 * by.gamma ** 2) ** phi);
      const off = scaled.growth / scaled.target - 1;
      assert.ok(Math.abs(off) <= 0.1, `phi ${phi}: ${scaled.growth} for ${scaled.target}, ${scaled.blocks} blocks`);
      assert.ok(after.params > before.params);
    }
  });

test('a stage grows by blocks like its last, in proportion; stem and head do not', () => {
  const conv = (channels: number, stride: number) =>
    s.sequential(s.conv(channels, 3, { stride }), s.batchNorm(), s.relu());
  const network = s.sequential(
    ...[s.conv(8, 3), s.batchNorm(), s.relu(), conv(16, 2), conv(16, 1), conv(32, 2), conv(32, 1), conv(32, 1)],
    ...[s.conv(64, 1), s.batchNorm(), s.relu(), s.globalAvgPool(), s.linear('outputs')],
  );
  const { network: deep, blocks } = scaleNetwork(network, images(32), { alpha: 2, beta: 1, gamma: 1 }, 1);
  const channels = [...JSON.stringify(deep).matchAll(/"channels":(\d+)/gu)].map(([, one]) => Number(one));
  const count = (wanted: number) => channels.filter((one) => one === wanted).length;
  assert.deepEqual([count(8), count(64)], [1, 1]);
  assert.ok(count(16) >= 4 && count(32) >= 5, `${channels}`);
  assert.equal(count(16) + count(32), 5 + blocks);
});

test('a stage of one linear bottleneck grows by bottlenecks with shortcuts, as EfficientNet does', () => {
  const task = images(224);
  const b0 = member('mobilenet', task, 'EfficientNet-B0', { width: 1, depth: 1 });
  const shortcuts = (network: Module) => JSON.stringify(network).match(/"residual"/gu)?.length ?? 0;
  const scaled = scaleNetwork(b0, task, EFFICIENTNET, 1);
  assert.ok(Math.abs(scaled.growth / scaled.target - 1) <= 0.1);
  assert.equal(shortcuts(scaled.network), shortcuts(b0) + scaled.blocks);
  assert.deepEqual(scaled.resolution, [258, 258]);
});

test('coefficients, phi and networks that cannot be scaled are refused', () => {
  const scale = (network: Module, task: Task, by: Partial<Coefficients>, phi = 1) =>
    scaleNetwork(network, task, { ...WITHOUT_IMAGES, ...by }, phi);
  const refused = (message: RegExp, ...args: Parameters<typeof scale>) =>
    assert.throws(() => scale(...args), { name: 'UserError', message });
  refused(/alpha: 0.9; must be a number from 1 to 4/, perceptron, table, { alpha: 0.9 });
  refused(/gamma: 1.1; must be 1: the input is \[13\], not images/, perceptron, table, { gamma: 1.1 });
  refused(/phi: 0; must be above 0 and at most 20/, perceptron, table, {}, 0);
  refused(/no block that can be repeated; alpha must be 1/, s.linear('outputs'), table, {});
});
