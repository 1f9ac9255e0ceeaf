import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { networkCosts } from '../network/costs.ts';
import { exportOnnx } from '../report/export/onnx.ts';
import { imageInfo, trainedWeights } from '../report/testing/trained.ts';
import { BASELINES, type Module, nasBench201, resolve, type Space } from '../space/index.ts';
import * as s from '../space/tree/builders.ts';
import { costsOf, MEASURES, subjectOf } from './index.ts';

const info = imageInfo([3, 16, 16]);
const task = { kind: info.kind, input: info.input, outputs: info.outputs };
const cells = nasBench201.create(task);

/** A cell of one operation on all its edges but those given. */
function cell(all: string, others: Readonly<Record<number, string>> = {}) {
  const names = Object.keys(firstOf(cells));
  return Object.fromEntries(names.map((name, i) => [name, others[i] ?? all]));
}
function firstOf(space: Space) {
  return space.text?.parse('|none~0|+|none~0|none~1|+|none~0|none~1|none~2|') ?? assert.fail();
}
function spaceOf(root: Module): Space {
  return { name: 'fixed', task, options: {}, root, hyperparameters: {} };
}

suite('static measures', () => {
  test('params, flops and activationBytes are those of networkCosts', () => {
    const architecture = cell('nor_conv_3x3');
    const { params, flops, activationBytes } = networkCosts(resolve(cells, architecture), task);
    assert.deepEqual(costsOf(cells, architecture), { params, flops, activationBytes });
    assert.deepEqual(Object.keys(costsOf(cells, architecture, ['depth', 'accuracy'])), [
      ...['params', 'flops', 'activationBytes'],
      'depth',
    ]);
  });

  test('depth counts the weights on the longest path, parallel ones once', () => {
    const body = s.sequential(s.conv(4, 3), s.batchNorm(), s.activation('relu'), s.conv('same', 3));
    const root = s.sequential(s.residual(body, s.conv(4, 1)), s.globalPool('average'), s.linear('outputs'));
    assert.equal(costsOf(spaceOf(root), {}, ['depth']).depth, 3);
    const past = s.residual(s.sequential(s.conv(8, 3), s.conv(8, 3), s.zero()), s.conv(8, 3));
    assert.equal(costsOf(spaceOf(s.sequential(past, s.flatten(), s.linear('outputs'))), {}, ['depth']).depth, 2);
  });

  test('descriptionLength: one who repeats is shorter, by Laplace’s rule', () => {
    const [same, mixed] = [cell('nor_conv_3x3'), cell('nor_conv_3x3', { 2: 'skip_connect', 4: 'avg_pool_3x3' })];
    const of = (architecture: typeof same) =>
      costsOf(cells, architecture, ['descriptionLength']).descriptionLength ?? 0;
    // Five operations: 5/1 · 6/2 · 7/3 · 8/4 · 9/5 · 10/6.
    const byHand = [5 / 1, 6 / 2, 7 / 3, 8 / 4, 9 / 5, 10 / 6].reduce((sum, one) => sum + Math.log2(one), 0);
    assert.ok(Math.abs(of(same) - byHand) < 1e-9, `${of(same)} is ${byHand}`);
    assert.ok(of(mixed) > of(same));
  });

  test('distinctOperations: widths aside, kernels and kinds apart', () => {
    const conv = (channels: number, kernel: number) => s.conv(channels, kernel);
    const root = s.sequential(conv(4, 3), conv(8, 3), conv(8, 1), s.identity(), s.flatten(), s.linear('outputs'));
    assert.equal(costsOf(spaceOf(root), {}, ['distinctOperations']).distinctOperations, 3);
  });

  test('modelBytes is within a tenth of what an export writes', () => {
    const resnet = BASELINES['resnet-20'](task);
    for (const [space, architecture] of [
      [cells, cell('nor_conv_3x3')],
      [cells, cell('skip_connect', { 0: 'avg_pool_3x3' })],
      // The convolution is read by edges of zeros alone: the file does not have it.
      [cells, cell('none', { 0: 'nor_conv_3x3', 3: 'skip_connect' })],
      [resnet.space, resnet.architecture],
    ] as const) {
      const { network } = subjectOf(space, architecture);
      const about = { version: '0.0.0', space: space.name, architecture: '', training: {} };
      const { length } = exportOnnx({ network, info, weights: trainedWeights(network, info), about });
      const { modelBytes = 0 } = costsOf(space, architecture, ['modelBytes']);
      assert.ok(Math.abs(modelBytes / length - 1) < 0.1, `${space.name}: ${modelBytes} for ${length}`);
    }
  });

  test('each is named by its key', () => {
    for (const [name, { metric, when }] of Object.entries(MEASURES))
      assert.deepEqual([metric.metric, when], [name, 'static']);
  });
});
