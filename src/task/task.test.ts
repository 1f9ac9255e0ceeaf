import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskOf } from './index.ts';
import { onlyOf, outputShape } from './spec.ts';
import { testTask } from './testing/conformance.ts';

const waves = (count: number) => Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(i * 1.7));

testTask('classification', taskOf({ kind: 'classification' }), {
  data: { name: 'three classes', input: [2], outputs: 3 },
  count: 5,
  raw: { target: Float32Array.of(0, 2, 1, 1, 0) },
  outputs: waves(15),
});

testTask('regression', taskOf({ kind: 'regression' }), {
  data: { name: 'two targets', input: [2], outputs: 2, target: { mean: [10, -4], deviation: [3, 0.5] } },
  count: 5,
  raw: { target: waves(10).map((v) => v + 5) },
  outputs: waves(10),
});

testTask('language-model', taskOf({ kind: 'language-model' }), {
  data: { name: 'three tokens', input: [4], outputs: 3, labels: [...'abc'], tokenLengths: [1, 2, 3] },
  count: 5,
  raw: { next: Int32Array.from({ length: 20 }, (_, i) => (i < 18 ? i % 3 : -1)) },
  outputs: waves(60),
});

testTask('text', taskOf({ kind: 'text' }), {
  data: { name: 'two classes of texts', input: [6], outputs: 2, vocabulary: 9 },
  count: 5,
  raw: { target: Float32Array.of(0, 1, 1, 1, 0) },
  outputs: waves(10),
});

test('perplexity and bits per character are of the loss of all tokens that count', () => {
  const scorer = taskOf({ kind: 'language-model' }).scorer({
    ...{ name: 'two', input: [3], outputs: 2, tokenLengths: [1, 4] },
  });
  // Two samples, three positions: log-probabilities of 1/4 and 3/4, then of 1/2.
  const logits = [Math.log(3), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const outputs = { probabilities: Float32Array.from(logits) };
  scorer.add(outputs, { next: Int32Array.of(0, 1, 1, 1, -1, -1) }, 2, outputs);
  const { loss, perplexity, bitsPerCharacter, accuracy } = scorer.result().metrics;
  const total = -Math.log(3 / 4) + 3 * Math.log(2);
  const close = (a: number | undefined, b: number) => assert.ok(Math.abs((a ?? 0) - b) < 1e-6, `${a}, ${b}`);
  close(loss, total / 4);
  close(perplexity, Math.exp(total / 4));
  close(bitsPerCharacter, total / Math.LN2 / (1 + 4 + 4 + 4));
  close(accuracy, 1 / 4);
});

test('what predict prints is a class with its probabilities, or the values', () => {
  const named = { cat: 0.25, dog: 0.5, owl: 0.25 };
  const [labels, values] = [Object.keys(named), Object.values(named)];
  assert.deepEqual(taskOf({ kind: 'classification' }).decode({ probabilities: values }, labels), {
    class: 'dog',
    probabilities: named,
  });
  assert.deepEqual(taskOf({ kind: 'regression' }).decode({ values }, labels), { values: named });
});

test('a task of a user’s own that does not fit is refused with the place and the rule', () => {
  const tensor = (...shape: number[]) => ({
    shape,
    dtype: 'float32' as const,
    axes: shape.map(() => 'feature' as const),
  });
  const spec = { inputs: {}, targets: {}, outputs: {} };
  for (const [body, message] of [
    [() => outputShape(spec), 'task: has no outputs; must name at least one'],
    [
      () => outputShape({ ...spec, outputs: { a: tensor(2, 4), b: tensor(2, 5) } }),
      'task: has outputs [2,4] and [2,5]; they may differ only in their first axis',
    ],
    [() => onlyOf({ a: 1, b: 2 }), 'task: has the tensors a, b; must have one here'],
    [
      () => taskOf({ kind: 'regression' }).scorer({ name: 'mine', input: [2], outputs: 1 }),
      'data set "mine": is a regression without statistics of its targets; info.target must have mean and deviation',
    ],
  ] as const)
    assert.throws(body, { name: 'UserError', message });
});
