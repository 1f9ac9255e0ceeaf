/** `predict` trusts nothing in a model file: it is refused with its name, or answers as it should. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import onnxProto from 'onnx-proto';
import sharp from 'sharp';
import { rng } from '../src/common/random.ts';
import type { DatasetInfo } from '../src/data/dataset.ts';
import { createEngine } from '../src/engine/create.ts';
import type { Engine } from '../src/engine/engine.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { exportOnnx, readModel } from '../src/report/export/onnx.ts';
import { sealModel } from '../src/report/export/seal.node.ts';
import { predictFiles } from '../src/report/predict.node.ts';
import { imageInfo, trainedWeights } from '../src/report/testing/trained.ts';
import { resolve, sample } from '../src/space/index.ts';
import type { SpaceDefinition } from '../src/space/space.ts';
import { BASELINES, SPACES } from '../src/space/spaces/index.ts';
import { exampleTask } from '../src/space/testing/example-task.ts';
import * as s from '../src/space/tree/builders.ts';
import type { Module } from '../src/space/tree/module.ts';
import { damageModel, forgeModel } from './support/damage-model.ts';
import { netsmith, refusedIn } from './support/netsmith.ts';

let dir = '';
let engine: Engine;
let image = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'netsmith-damaged-'));
  engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  image = join(dir, 'image.png');
  await sharp({ create: { width: 9, height: 7, channels: 3, background: '#ac3' } })
    .png()
    .toFile(image);
});
after(async () => {
  await engine.dispose();
  await rm(dir, { recursive: true, force: true });
});

const info = imageInfo([3, 6, 6]);
const network = s.sequential(
  s.conv(4, 3),
  s.batchNorm(),
  s.relu(),
  s.maxPool(2, { stride: 2 }),
  s.conv(4, 3, { bias: true }),
  s.activation('silu'),
  s.flatten(),
  s.linear('outputs'),
);
const about = { version: '0.0.0', space: 'test', architecture: 'a=1', training: {} };
const exported = (of: Module = network, data: DatasetInfo = info) =>
  exportOnnx({ network: of, info: data, weights: trainedWeights(of, data), about });

/** The result of predict: the answers, or the message of a UserError; anything else fails. */
async function outcome(bytes: Uint8Array): Promise<readonly unknown[] | string> {
  const file = join(dir, 'model.onnx');
  await writeFile(file, bytes);
  try {
    return (await predictFiles(engine, file, [image])).predictions;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'UserError') throw error;
    assert.ok(error.message.includes(file), error.message);
    assert.doesNotMatch(error.message, /onnxruntime|protobuf|\.cc:|\n/i);
    return error.message;
  }
}

test('200 accidents to a file: refused, or the same answers', async () => {
  const model = sealModel(exported());
  const expected = await outcome(model);
  assert.ok(Array.isArray(expected) && 'class' in expected[0]);
  let refused = 0;
  for (let round = 0; round < 200; round++) {
    const found = await outcome(damageModel(model, rng('accident', round)));
    if (typeof found === 'string') refused++;
    else assert.deepEqual(found, expected, `round ${round}`);
  }
  assert.ok(refused > 180, `${refused} of 200 were refused`);
});

test('a seal whose key is damaged is still a seal: one byte of the key and one before it', async () => {
  const model = sealModel(exported());
  const key = Buffer.from(model).lastIndexOf('netsmith.sha256');
  for (let at = key; at < key + 'netsmith.sha256'.length; at++) {
    const damaged = model.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const weight = key >> 1;
    damaged[weight] = (damaged[weight] ?? 0) ^ 1;
    assert.equal(typeof (await outcome(damaged)), 'string', `byte ${at}`);
  }
});

test('200 forgeries of metadata and graph: refused, or an answer within the rules', async () => {
  const model = exported();
  const messages = new Set<string>();
  for (let round = 0; round < 200; round++) {
    const found = await outcome(forgeModel(model, rng('forgery', round)));
    if (typeof found === 'string') messages.add(found);
    else assert.match(JSON.stringify(found), /"class":|"error":|"values":/, `round ${round}`);
    assert.doesNotMatch(JSON.stringify(found), /null/, `round ${round}`);
  }
  assert.ok(messages.size > 20, [...messages].join('\n'));
});

test('what every space exports passes the checks', () => {
  const task = { kind: 'classification', input: [3, 16, 16], outputs: 4 } as const;
  const data = imageInfo([3, 16, 16]);
  const ofImages = Object.entries<SpaceDefinition>(SPACES).filter(([, space]) => exampleTask(space, task) === task);
  const members: Module[] = ofImages.flatMap(([name, { create }]) => {
    const space = create(task, {});
    return [0, 1].map((round) => resolve(space, sample(space, rng('exported', name, round))));
  });
  const { 'mean-of-embeddings': _, lstm: __, 'nano-gpt': ___, ...baselines } = BASELINES;
  for (const create of Object.values(baselines)) {
    const { space, architecture } = create(task);
    members.push(resolve(space, architecture));
  }
  for (const member of members) assert.ok(readModel('model', exported(member, data)).batch >= 1);
});

test('a model is refused in one sentence that says what is wrong', async () => {
  const { ModelProto, TensorProto } = onnxProto.onnx;
  const edited = async (edit: (model: onnxProto.onnx.ModelProto) => void) => {
    const model = ModelProto.decode(exported());
    edit(model);
    return outcome(ModelProto.encode(model).finish());
  };
  const withText = (key: string, value: string) =>
    edited((model) => {
      for (const prop of model.metadataProps) if (prop.key === key) prop.value = value;
    });
  const nameless = await edited((model) => {
    model.metadataProps = [];
  });
  assert.match(`${nameless}`, /was not exported by Netsmith/);
  assert.match(`${await withText('netsmith.output.labels', '["a","b"]')}`, /its graph has another output than/);
  assert.match(`${await withText('netsmith.output.labels', '["a","a","b","c"]')}`, /list of at most 100000 different/);
  assert.match(`${await withText('netsmith.input.shape', '["N",3,7,6]')}`, /its graph has another input than/);
  assert.match(`${await withText('netsmith.input.range', '[0,1e999]')}`, /finite numbers/);
  assert.match(`${await withText('netsmith.task', 'regression')}`, /"netsmith\.output\.name" is probabilities/);
  assert.match(`${await withText('netsmith.training', '['.repeat(5000))}`, /is nested too deeply/);
  const external = await edited(({ graph }) => {
    const [weight] = graph?.initializer ?? [];
    if (weight) Object.assign(weight, { dataLocation: TensorProto.DataLocation.EXTERNAL, rawData: new Uint8Array() });
    if (weight) weight.externalData = [{ key: 'location', value: '/etc/passwd' }];
  });
  assert.match(`${external}`, /weights in another file, which is not read/);
  const foreign = await edited(({ graph }) => {
    const [node] = graph?.node ?? [];
    if (node) node.opType = 'Loop';
  });
  assert.match(`${foreign}`, /an operator that no export of Netsmith has/);
  const huge = await edited(({ graph }) => {
    const name = graph?.node?.at(-1)?.output?.[0] ?? '';
    const shape = { name: 'shape', dataType: TensorProto.DataType.INT64, dims: [3] };
    const rawData = new Uint8Array(BigInt64Array.of(60_000n, 60_000n, 1n).buffer);
    graph?.initializer?.push({ ...shape, rawData });
    graph?.node?.push({ opType: 'Expand', input: [name, 'shape'], output: ['much'] });
  });
  assert.match(`${huge}`, /a value of an impossible size/);
  const notFinite = await edited(({ graph }) => {
    for (const weight of graph?.initializer ?? [])
      if (weight.dataType === TensorProto.DataType.FLOAT) weight.rawData = weight.rawData?.map(() => 0xff) ?? null;
  });
  assert.deepEqual(notFinite, [{ file: image, error: 'the model answers with numbers that are not finite' }]);
});

test('the command says so without a stack, and exits with 2', async () => {
  const file = join(dir, 'bad.onnx');
  await writeFile(file, exported().slice(0, 3000));
  await refusedIn(dir, /^netsmith: model ".*bad\.onnx": .*\n$/, 'predict', file, image);
  await refusedIn(dir, /^netsmith: Model file not found: nowhere\.onnx\n$/, 'predict', 'nowhere.onnx', image);
  await refusedIn(dir, /it is not a file/, 'predict', dir, image);
  const { code } = await netsmith('predict', file, image, '--json');
  assert.equal(code, 2);
});
