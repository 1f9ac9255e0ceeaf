/**
 * Writes what plain onnxruntime-node makes of an exported model, for onnxruntime_check.py: raw inputs, outputs, classes.
 * The inputs are random in the model's own range. The file is used by its metadata alone.
 *
 *     npx node --conditions=netsmith-source bench/parity/dump.ts model.onnx dump.json
 *     python bench/parity/onnxruntime_check.py model.onnx dump.json
 *
 * With one argument, a folder, it first makes models there itself and dumps each, `NAME.onnx` and `NAME.json`: one trained
 * on digits, with real samples, and others of every family of layers with random weights.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { rng } from '../../src/common/random.ts';
import type { DatasetInfo } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import type { HostTensor } from '../../src/graph/ir.ts';
import { sizeOf } from '../../src/graph/ir.ts';
import { exportOnnx, modelMetadata, modelProperties } from '../../src/report/export/onnx.ts';
import { checkParity } from '../../src/report/export/parity.ts';
import { imageInfo, rawSamples, trainedWeights } from '../../src/report/testing/trained.ts';
import * as s from '../../src/space/index.ts';
import { openTraining } from '../../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../../src/train/settings.ts';
import { answerHelp } from '../support/flags.ts';

answerHelp();
const SAMPLES = 32;

async function dump(model: string, json: string, samples?: HostTensor): Promise<void> {
  const bytes = readFileSync(model);
  const { input, range, labels, task } = modelMetadata(`model "${model}"`, bytes);
  const properties = modelProperties(`model "${model}"`, bytes);
  const { shape, data: inputs } = samples ?? rawSamples({ input, ...(range !== undefined && { range }) }, SAMPLES);
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const results = await session.run({
    [properties['netsmith.input.name'] ?? '']: new Tensor('float32', inputs, shape),
  });
  const values = [...((results[properties['netsmith.output.name'] ?? ''] as Tensor).data as Float32Array)];
  const outputs = Array.from({ length: shape[0] ?? 0 }, (_, i) =>
    values.slice(i * labels.length, (i + 1) * labels.length),
  );
  const classes = task === 'classification' ? outputs.map((row) => labels[row.indexOf(Math.max(...row))]) : undefined;
  writeFileSync(json, JSON.stringify({ inputs: [...inputs], outputs, classes }));
  await session.release();
}

/** Models with random weights and statistics: between them, every family of layers. */
function models(): Record<string, { network: s.Module; info: DatasetInfo }> {
  const image = imageInfo([3, 16, 16]);
  const { range: _, ...table } = imageInfo([5], {
    kind: 'regression',
    outputs: 2,
    labels: ['a', 'b'],
    target: { mean: [100, -3], deviation: [20, 0.5] },
  });
  const cell = s.nasBench201.create(image, { cells: 1, channels: 8 });
  const text = '|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|';
  return {
    'nas-bench-201': { network: s.resolve(cell, s.parseArchitecture(cell, text)), info: image },
    mobile: {
      info: image,
      network: s.sequential(
        s.conv(8, 3, { stride: 2 }),
        s.batchNorm(),
        s.activation('hardSwish'),
        s.residual(s.sequential(s.separableConv(5), s.squeezeExcite(0.25))),
        s.factorizedReduce(12),
        s.activation('silu'),
        s.dilatedConv(3),
        s.maxPool(3, { stride: 2 }),
        s.layerNorm(),
        s.activation('gelu'),
        s.globalMaxPool(),
        s.linear('outputs'),
      ),
    },
    table: {
      network: s.sequential(s.linear(16), s.batchNorm(), s.activation('tanh'), s.linear('outputs')),
      info: table,
    },
  };
}

/** A small network after two epochs on digits, and samples that it was not trained on. */
async function digits(): Promise<{ model: Uint8Array; samples: HostTensor }> {
  const { search } = await openDataset({ name: 'digits', seed: 1, validShare: 0.25 });
  const { info } = search;
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 2 });
  const network = s.sequential(s.convBnRelu(3, 16), s.convBnRelu(3, 16, 2), s.flatten(), s.linear('outputs'));
  const settings = { ...DEFAULT_SETTINGS, epochs: 2 };
  const seeded = (...labels: readonly (string | number)[]) => rng(1, ...labels);
  const training = await openTraining({
    engine,
    network,
    info,
    train: search.train,
    valid: search.valid,
    settings,
    rng: seeded,
  });
  for (let epoch = 0; epoch < settings.epochs; epoch++) await training.epoch();
  const weights = await training.weights();
  await training.dispose();
  const about = { version: '0.1.0', space: 'parity', architecture: 'digits', training: { epochs: settings.epochs } };
  const model = exportOnnx({ network, info, weights, about });
  await checkParity({ engine, network, info, weights, model, samples: search.valid });
  const samples = new Float32Array(256 * sizeOf(info.input));
  await search.valid.read([...new Array(256).keys()], { input: samples });
  return { model, samples: { shape: [256, ...info.input], data: samples } };
}

const [first, second] = process.argv.slice(2);
if (first === undefined) throw new Error('usage: dump.ts MODEL.onnx DUMP.json, or dump.ts FOLDER');
if (second !== undefined) await dump(first, second);
else {
  mkdirSync(first, { recursive: true });
  const { model, samples } = await digits();
  writeFileSync(join(first, 'digits.onnx'), model);
  await dump(join(first, 'digits.onnx'), join(first, 'digits.json'), samples);
  process.stdout.write(`${join(first, 'digits')}\n`);
  for (const [name, { network, info }] of Object.entries(models())) {
    const about = { version: '0.1.0', space: 'parity', architecture: name, training: {} };
    const weights = trainedWeights(network, info);
    writeFileSync(join(first, `${name}.onnx`), exportOnnx({ network, info, weights, about }));
    await dump(join(first, `${name}.onnx`), join(first, `${name}.json`));
    process.stdout.write(`${join(first, name)}\n`);
  }
}
