import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DatasetInfo } from '../../data/dataset.ts';
import * as s from '../../space/tree/builders.ts';
import type { Module } from '../../space/tree/module.ts';
import { imageInfo, trainedWeights } from '../testing/trained.ts';
import { exportOnnx, readModel } from './onnx.ts';

const about = { version: '0.0.0', space: 'test', architecture: 'a=1', training: {} };
const info: DatasetInfo = { ...imageInfo([6]), kind: 'text', vocabulary: 5, mean: [], deviation: [] };

const classifier = (...body: Module[]) =>
  s.sequential(s.embedding('inputs', 4), ...body, s.globalAvgPool(), s.linear('outputs'));
const attending = classifier(s.positions('learned'), s.attention(2, { window: 3 }));

function exported(network: Module) {
  return exportOnnx({ network, info, weights: trainedWeights(network, info), about });
}

test('any ONNX Runtime reads texts of all lengths, each as if it were filled up', async () => {
  const session = await InferenceSession.create(exported(attending), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const run = async (tokens: readonly number[]) => {
    const fed = new Tensor('int32', Int32Array.from([...tokens, ...tokens]), [2, tokens.length]);
    const { probabilities } = await session.run({ tokens: fed });
    assert.ok(probabilities?.data instanceof Float32Array);
    return [...probabilities.data];
  };
  const whole = await run([3, 1, 2, 0, 0, 0]);
  for (const tokens of [
    [3, 1, 2],
    [3, 1, 2, 0, 0],
  ])
    for (const [i, value] of (await run(tokens)).entries()) assert.ok(Math.abs(value - (whole[i] ?? 9)) < 1e-6);
  assert.equal((await run([4])).length, whole.length);
  await session.release();
});

test('what depends on the length in another way keeps it', () => {
  for (const [network, lengths] of [
    [attending, [1, 6]],
    [classifier(s.recurrent('gru')), undefined],
    [classifier(s.attention(2, { relative: true })), undefined],
    [classifier(s.conv('same', 3, { stride: 2 })), undefined],
  ] as const)
    assert.deepEqual(readModel('model', exported(network)).metadata.lengths, lengths);
});

test('a file whose lengths are not those of its graph is refused', () => {
  const model = onnxProto.onnx.ModelProto.decode(exported(attending));
  const entry = model.metadataProps.find(({ key }) => key === 'netsmith.lengths');
  assert.ok(entry);
  for (const [value, message] of [
    ['[1,7]', /metadata "netsmith.lengths" is \[1,7\]; it must be up to the length of the model's inputs/],
    ['[6,1]', /metadata "netsmith.lengths" is \[6,1\]; it must be two whole sizes, the smaller one first/],
  ] as const) {
    entry.value = value;
    const damaged = onnxProto.onnx.ModelProto.encode(model).finish();
    assert.throws(() => readModel('model', damaged), { name: 'UserError', message });
  }
  model.metadataProps = model.metadataProps.filter(({ key }) => key !== 'netsmith.lengths');
  const fixed = onnxProto.onnx.ModelProto.encode(model).finish();
  assert.throws(
    () => readModel('model', fixed),
    /has another input than its metadata says, which is "tokens" \[N, 6\]/,
  );
});
