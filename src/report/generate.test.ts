import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetInfo } from '../data/dataset.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import * as s from '../space/tree/builders.ts';
import type { Module } from '../space/tree/module.ts';
import { exportOnnx, readModel } from './export/onnx.ts';
import { openModel } from './exported-model.ts';
import { generateText } from './generate.ts';
import { trainedWeights } from './testing/trained.ts';

const VOCABULARY = ['<unk>', ...'abcdefg '];
const info = (length: number): DatasetInfo => ({
  ...{ name: 'letters', kind: 'language-model', input: [length], outputs: VOCABULARY.length, labels: VOCABULARY },
  ...{ mean: [], deviation: [], counts: { train: 1, valid: 1, test: 1 }, notes: [] },
  text: { tokenizer: { kind: 'characters', vocabulary: VOCABULARY } },
});
const about = { version: '0.0.0', space: 'test', architecture: '', training: {} };
const rnn = s.sequential(s.embedding('inputs', 8), s.recurrent('lstm', 12), s.linear('outputs'));
const transformer = s.sequential(
  s.embedding('inputs', 8),
  s.positions('sinusoidal'),
  s.residual(s.attention(2, { causal: true })),
  s.linear('outputs'),
);

async function withModel<T>(network: Module, length: number, use: (model: Parameters<typeof generateText>[0]) => T) {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
  const data = info(length);
  const bytes = exportOnnx({ network, info: data, weights: trainedWeights(network, data, 3), about });
  const model = await openModel(engine, 'model', readModel('model', bytes));
  try {
    return await use(model);
  } finally {
    await model.dispose();
    await engine.dispose();
  }
}

const PROMPT = 'a bad cab faded a cabbage';

test('a recurrent model carries its state over windows: any length of them gives the same text', async () => {
  const of = (length: number) =>
    withModel(rnn, length, (model) => generateText(model, PROMPT, { tokens: 20, temperature: 0.7 }));
  const long = await of(64);
  assert.equal(long.text.length, 20);
  for (const length of [3, 5, 8]) assert.deepEqual(await of(length), long);
});

test('a transformer reads the last tokens that fit; what stands before them changes nothing', async () => {
  await withModel(transformer, 6, async (model) => {
    const options = { tokens: 12, seed: 3, temperature: 4 };
    const { text } = await generateText(model, PROMPT, options);
    assert.equal((await generateText(model, PROMPT.slice(-6), options)).text, text);
    assert.notEqual((await generateText(model, PROMPT.slice(-3), options)).text, text);
  });
});

test('the seed decides what is drawn; temperature 0 and one token to draw from take the likeliest', async () => {
  await withModel(rnn, 8, async (model) => {
    const of = async (options: object) => (await generateText(model, PROMPT, { tokens: 30, ...options })).text;
    assert.equal(await of({ seed: 5 }), await of({ seed: 5 }));
    assert.notEqual(await of({ seed: 5 }), await of({ seed: 6 }));
    assert.equal(await of({ temperature: 0 }), await of({ topK: 1, seed: 9 }));
  });
});

test('a prompt that cannot be read and options that cannot be are refused', async () => {
  await withModel(rnn, 8, async (model) => {
    const refused = (prompt: string, options: object, message: RegExp) =>
      assert.rejects(generateText(model, prompt, options), { name: 'UserError', message });
    await refused('', {}, /--prompt.*at least one token/);
    await refused('ab\u{1f600}', {}, /--prompt: has "\u{1f600}"; must consist of characters/u);
    await refused('a\ud800', {}, /lone surrogate/);
    await refused('a', { tokens: 0 }, /--length: 0/);
    await refused('a', { topK: 1.5 }, /--top-k: 1\.5/);
    await refused('a', { temperature: Number.NaN }, /--temperature: NaN/);
    const { metadata, answer } = model;
    const other = { answer, metadata: { ...metadata, task: 'text' } };
    await assert.rejects(generateText(other, 'a'), { name: 'UserError', message: /must be a language model/ });
  });
});
