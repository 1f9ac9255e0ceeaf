import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownTensors, type ModelMetadata } from './metadata.ts';
import { modelJson } from './model-json.ts';

const metadata: ModelMetadata = {
  ...{
    version: '1.0.0',
    task: 'regression',
    input: [4],
    tensors: knownTensors('regression', [4], 1),
    range: undefined,
    decoding: undefined,
    text: undefined,
    lengths: undefined,
    labels: ['price'],
  },
  encoding: {
    columns: [
      { name: 'size', kind: 'number', missing: 3, offset: 2 },
      { name: 'color', kind: 'category', categories: ['blue', ''], other: true },
    ],
    label: 'price',
    labelOffset: 100,
  },
  ...{ dataset: 'houses', space: 'mlp', architecture: 'depth=1', training: { epochs: 1 } },
};

test('a table has its columns with the features that they fill, and what is added to the output', () => {
  const { preprocessing, inputs, outputs } = modelJson(metadata, 'model.onnx');
  assert.deepEqual(preprocessing, {
    kind: 'table',
    columns: [
      { name: 'size', kind: 'number', missing: 3, offset: 2, feature: 0, width: 1 },
      { name: 'color', kind: 'category', categories: ['blue', ''], other: true, feature: 1, width: 3 },
    ],
    normalization: 'inside the model',
    label: 'price',
    labelOffset: 100,
  });
  assert.deepEqual(inputs, [{ name: 'input', dtype: 'float32', shape: ['N', 4], layout: 'NF' }]);
  assert.deepEqual((outputs as { name: string }[])[0]?.name, 'values');
});

test('an image has its size, resize filter, channels, background, values and range', () => {
  const image: ModelMetadata = {
    ...metadata,
    ...{
      task: 'classification',
      input: [3, 16, 32],
      range: [0, 255],
      tensors: knownTensors('classification', [3, 16, 32], 2),
      encoding: undefined,
      labels: ['a', 'b'],
    },
    decoding: { background: 255, values: [0, 4095] },
  };
  const { preprocessing } = modelJson(image, 'model.onnx');
  const { text, ...rest } = preprocessing as Record<string, unknown>;
  assert.deepEqual(rest, {
    ...{ kind: 'image', width: 32, height: 16, channels: 'RGB', orientation: 'upright, by EXIF', background: 255 },
    ...{ values: [0, 4095], resize: { fit: 'fill', filter: 'lanczos3' }, range: [0, 255] },
    normalization: 'inside the model',
  });
  assert.match(String(text), /transparency filled with white/);
});
