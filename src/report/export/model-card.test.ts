import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageInfo } from '../testing/trained.ts';
import { modelCard } from './model-card.ts';

const card = {
  file: 'model.onnx',
  info: imageInfo([3, 32, 32], { notes: ['20,000 images | <b>\n# half of them'] }),
  space: 'nas-bench-201',
  architecture: '|nor_conv_3x3~0|+|none~0|skip_connect~1|',
  costs: { params: 1_288_506, flops: 184_000_000, activationBytes: 1 },
  size: 5_000_000,
  parity: { parity: 3.2e-7, samples: 64 },
  validation: { accuracy: 0.9 },
  training: 'Trained for 10 epochs on train + valid.',
  version: '0.1.0',
};

test('a model that was never tested says so, and shows no test figure', () => {
  const text = modelCard(card);
  assert.match(text, /The weights in this file have not been tested/);
  assert.match(text, /\| accuracy \| 90\.00.% \| not measured \|/);
});

test("the file's own test value stands beside the mean over seeds", () => {
  const test = [{ accuracy: 0.87 }, { accuracy: 0.89 }];
  const text = modelCard({ ...card, testOfFile: { accuracy: 0.87 }, test });
  assert.match(text, /\| Metric \| Validation \| Test, this file \| Test, mean of 2 seeds \|/);
  assert.match(text, /\| accuracy \| 90\.00.% \| 87\.00.% \| 88\.00.% ± 1\.41 \|/);
  const untested = modelCard({ ...card, test });
  assert.match(untested, /\| accuracy \| 90\.00.% \| not measured \| 88\.00.% ± 1\.41 \|/);
  assert.match(untested, /The weights in this file have not been tested/);
});

test('one value has no mean and no deviation', () => {
  const text = modelCard({ ...card, testOfFile: { accuracy: 0.87 }, test: [{ accuracy: 0.87 }] });
  assert.match(text, /\| accuracy \| 90\.00.% \| 87\.00.% \|\n/);
  assert.doesNotMatch(text, /mean of|±/);
});

test('says how to call it in Node, browser and Python, and what goes in', () => {
  const text = modelCard(card);
  for (const part of [
    'onnxruntime-node',
    'onnxruntime-web',
    'import numpy',
    '[1, 3, 32, 32]',
    'from 0 to 255',
    'NCHW',
  ]) {
    assert.ok(text.includes(part), part);
  }
});

test('what comes from outside cannot become Markdown of its own', () => {
  const text = modelCard(card);
  assert.doesNotMatch(text, /^# half|<b>/m);
  assert.match(text, /^\| Architecture \| \\\|nor\\_conv\\_3x3\\~0\\\|/m);
});

test('labels and notes with control characters, markup or folders are shown as plain text', () => {
  const hostile = 'a|b\u001b[2J\n# c `d` [e](javascript:f) &lt; \u202e';
  const labels = [hostile, 'x', 'y', 'z'];
  const notes = ['Read "/home/ann/photos/cat.jpg".'];
  const text = modelCard({ ...card, info: { ...card.info, labels, notes } });
  const row = text.split('\n').find((one) => one.startsWith('| Classes |'));
  const escaped = 'a\\|b\\\\u001b\\[2J \\# c \\`d\\` \\[e\\](javascript:f) \\&lt; \\\\u202e';
  assert.equal(row, `| Classes | ${escaped}, x, y, z |`);
  assert.match(text, /^- Read "cat\.jpg"\.$/m);
});

test('a table lists its features', () => {
  const { range: _, ...table } = imageInfo([3], {
    encoding: {
      columns: [
        { name: 'size', kind: 'number', missing: 3 },
        { name: 'color', kind: 'category', categories: ['blue', ''] },
      ],
      label: 'kind',
    },
  });
  const text = modelCard({ ...card, info: table });
  assert.match(text, /\| 0 \| size \| the number; 3 where it is missing \|/);
  assert.match(text, /\| 1 to 2 \| color \| 1 at the category, else 0: blue, \(missing\) \|/);
});
