import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DatasetInfo } from '../../data/dataset.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { MODULE_CASES } from '../../network/testing/cases.ts';
import * as s from '../../space/tree/builders.ts';
import { residualReduce } from '../../space/tree/composites.ts';
import type { Module } from '../../space/tree/module.ts';
import { expectedOutputs, imageInfo, rawSamples, trainedWeights } from '../testing/trained.ts';
import { exportOnnx, modelMetadata, modelProperties, readModel } from './onnx.ts';
import { relativeDifference } from './parity.ts';

const about = { version: '0.0.0', space: 'test', architecture: 'a=1', training: { epochs: 3 } };

function exported(network: Module, info: DatasetInfo, weights = trainedWeights(network, info)) {
  const model = exportOnnx({ network, info, weights, about });
  const { graph, opsetImport } = onnxProto.onnx.ModelProto.decode(model);
  return { model, weights, opsets: opsetImport, nodes: (graph?.node ?? []).map((node) => node.opType) };
}

/** Runs the file in plain onnxruntime-node, told nothing but what its metadata says. */
async function runPlain(model: Uint8Array, x: HostTensor): Promise<number[][]> {
  const properties = modelProperties('model', model);
  const session = await InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  try {
    const input = new Tensor('float32', x.data, x.shape);
    const results = await session.run({ [properties['netsmith.input.name'] as string]: input });
    const output = results[properties['netsmith.output.name'] as string] as Tensor;
    assert.equal(output.dims[0], x.shape[0]);
    const width = output.dims[1] as number;
    const data = [...(output.data as Float32Array)];
    return Array.from({ length: data.length / width }, (_, i) => data.slice(i * width, (i + 1) * width));
  } finally {
    await session.release();
  }
}

async function agrees(network: Module, info: DatasetInfo): Promise<ReturnType<typeof exported>> {
  const made = exported(network, info);
  for (const batch of [1, 7]) {
    const x = rawSamples(info, batch, batch);
    const [found, expected] = [await runPlain(made.model, x), expectedOutputs(network, info, made.weights, x)];
    const difference = relativeDifference(found.flat(), expected.flat());
    assert.ok(difference < 1e-5, `batch ${batch}: relative difference ${difference}`);
    const classes = (rows: number[][]) => rows.map((row) => row.indexOf(Math.max(...row)));
    if (info.kind === 'classification') assert.deepEqual(classes(found), classes(expected));
  }
  assert.deepEqual(
    made.opsets.map(({ domain }) => domain),
    [''],
    'standard operators only',
  );
  const { metadata, batch } = readModel('model', made.model);
  assert.deepEqual(metadata.input, info.input);
  assert.ok(batch >= 1, 'what is exported passes the checks of what is read');
  return made;
}

const classifier = (...body: Module[]) => s.sequential(...body, s.flatten(), s.linear('outputs'));

/** What today's tasks give: features and images of float32. */
const ofTasks = MODULE_CASES.filter(
  ({ input, tokens, state }) => input.length !== 2 && tokens === undefined && state === undefined,
);

for (const { name, module, input, quantiles } of ofTasks) {
  test(`exported like trained, batch 1 and 7: ${name}`, async () => {
    await agrees(classifier(module), imageInfo(input, { ...(quantiles && { quantiles }) }));
  });
}

const MAPS = ['Mul', 'Div', 'Sub', 'Sqrt', 'BatchNormalization'];
/** Nodes beside the normalization of the input (one product, one sum). */
const maps = (nodes: readonly (string | null | undefined)[]) =>
  nodes.filter((type) => MAPS.includes(type ?? '')).length - 1;

const bn = s.batchNorm();
const input = [3, 6, 6];
for (const [place, network] of Object.entries({
  'after a convolution': classifier(s.conv(4, 3), bn, s.relu()),
  'after a convolution with bias': classifier(s.conv(4, 3, { bias: true }), bn, s.relu()),
  'after a strided convolution with groups': classifier(s.conv(6, 3, { stride: 2, groups: 3 }), bn),
  'after a depthwise convolution': classifier(s.conv('same', 3, { groups: 'depthwise' }), bn),
  'after a linear layer': s.sequential(s.flatten(), s.linear(5), bn, s.relu(), s.linear('outputs')),
  'after a linear layer without bias': s.sequential(s.flatten(), s.linear(5, { bias: false }), bn, s.linear('outputs')),
  'twice after a convolution': classifier(s.conv(4, 3), bn, bn),
  'not affine, after a convolution': classifier(s.conv(4, 3), s.batchNorm({ affine: false })),
  'in both ways of a residual': classifier(s.conv(4, 3), bn, residualReduce(8)),
  'after a convolution that others read too': classifier(s.conv(4, 3), s.residual(bn)),
  'read by a residual twice': classifier(s.conv(4, 3), bn, s.residual(s.conv('same', 3))),
})) {
  test(`batch norm ${place} costs nothing in the export`, async () => {
    const { nodes } = await agrees(network, imageInfo(input));
    assert.equal(maps(nodes), 0, nodes.join(' '));
  });
}

for (const [place, network] of Object.entries({
  'before a convolution': classifier(s.relu(), bn, s.conv(4, 3)),
  'after a pool': classifier(s.maxPool(3), bn),
  'after a sum': classifier(s.residual(s.conv('same', 3)), bn, s.relu()),
  'after an activation': classifier(s.conv(4, 3), s.relu(), bn),
})) {
  test(`batch norm ${place} is one product and one sum`, async () => {
    const { nodes } = await agrees(network, imageInfo(input));
    assert.equal(maps(nodes), 1, nodes.join(' '));
  });
}

test('a convolution with a padded input keeps the normalization before it: padding stays zero after it', async () => {
  const { nodes } = await agrees(classifier(s.conv(4, 5), s.relu()), imageInfo(input));
  assert.equal(nodes[0], 'Mul');
});

test('parts that no sample changes have a row for each sample', async () => {
  const edges = (from: number, to: number) => (to === 2 && from === 0 ? s.conv('same', 3) : s.zero());
  const cell = s.dag(2, edges, { output: 'concat' });
  await agrees(classifier(cell), imageInfo(input));
  const dead = s.dag(1, () => s.zero());
  await agrees(classifier(dead), imageInfo(input));
  await agrees(classifier(dead, s.conv(4, 3), bn), imageInfo(input));
});

test('a regression answers in the units of its targets', async () => {
  const info = imageInfo([5], {
    kind: 'regression',
    outputs: 2,
    labels: ['price', 'age'],
    target: { mean: [200_000, 40], deviation: [80_000, 9] },
  });
  const { range: _, ...table } = info;
  const network = s.sequential(s.linear(8), bn, s.relu(), s.linear('outputs'));
  const { nodes } = await agrees(network, table);
  assert.deepEqual(nodes, ['Mul', 'Add', 'Gemm', 'Relu', 'Gemm']);
});

test('metadata says everything that is needed to use the file', () => {
  const info = imageInfo([3, 6, 6]);
  const { model } = exported(classifier(s.conv(2, 3)), info);
  assert.deepEqual(modelProperties('model', model), {
    'netsmith.version': '0.0.0',
    'netsmith.task': 'classification',
    'netsmith.input.name': 'input',
    'netsmith.input.shape': '["N",3,6,6]',
    'netsmith.input.layout': 'NCHW',
    'netsmith.input.format': 'float32',
    'netsmith.input.channels': 'RGB',
    'netsmith.input.image':
      'rotated according to EXIF, transparency filled with black, resized to the input size (aspect ratio not kept)',
    'netsmith.input.range': '[0,255]',
    'netsmith.output.name': 'probabilities',
    'netsmith.output.labels': '["ant","bee","cat","dog"]',
    'netsmith.dataset': 'test images',
    'netsmith.space': 'test',
    'netsmith.architecture': 'a=1',
    'netsmith.training': '{"epochs":3}',
  });
  assert.deepEqual(modelMetadata('model', model).input, [3, 6, 6]);
});

test('a model that Netsmith did not export is refused, by name', () => {
  assert.throws(
    () => modelMetadata('file "a.onnx"', Uint8Array.of(1, 2, 3)),
    /file "a\.onnx": .*must be an undamaged ONNX file/,
  );
  const foreign = onnxProto.onnx.ModelProto.encode({ irVersion: 8, graph: { name: 'g' } }).finish();
  assert.throws(() => modelMetadata('file "b.onnx"', foreign), /file "b\.onnx": .*exported by Netsmith/);
});

test('a file that takes features that are not there is refused', () => {
  const quantiles = [[-1, 0, 1], [], []];
  const { model } = exported(s.sequential(s.piecewiseLinear(2), s.linear('outputs')), imageInfo([3], { quantiles }));
  readModel('model', model);
  const { ModelProto, TensorProto } = onnxProto.onnx;
  const proto = ModelProto.decode(model);
  const indices = proto.graph?.initializer?.find(({ dataType }) => dataType === TensorProto.DataType.INT32);
  assert.ok(indices?.rawData);
  indices.rawData = Uint8Array.from(indices.rawData).fill(3, 0, 1);
  assert.throws(() => readModel('model', ModelProto.encode(proto).finish()), /takes rows that are not there/);
});

test('a missing weight is named', () => {
  const [network, info] = [classifier(s.conv(2, 3)), imageInfo([3, 6, 6])];
  const { '0/weight': _, ...others } = trainedWeights(network, info);
  assert.throws(() => exportOnnx({ network, info, weights: others, about }), /weight "0\/weight": is missing/);
});
