import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { resolve } from '../../tree/resolve.ts';
import { transformer } from '../index.ts';

const language = (vocabulary: number, time: number): Task => ({
  ...{ kind: 'language-model', outputs: vocabulary, vocabulary },
  ...{ input: [time], positions: [time] },
});
const text: Task = { kind: 'text', input: [20], outputs: 6, vocabulary: 100, padded: true };

function costsOf(task: Task, options: Parameters<typeof transformer.create>[1], written: string) {
  const space = transformer.create(task, options);
  return networkCosts(resolve(space, parseArchitecture(space, written)), task);
}

test("nanoGPT's configuration for a CPU has its parameters and multiply-accumulates", () => {
  const [vocabulary, time, width, layers] = [65, 64, 128, 4];
  // Without biases: two layer norms, queries, keys and values, their projection, and two layers of ratio 4.
  const block = 2 * width + 4 * width ** 2 + 2 * 4 * width ** 2;
  const params = vocabulary * width + time * width + layers * block + width;
  assert.equal(params, 804_096);
  const costs = costsOf(language(vocabulary, time), { layers }, 'nanoGPT-CPU');
  assert.equal(costs.params, params);
  const attention = 2 * time ** 2 * width;
  const flops = layers * (time * 12 * width ** 2 + attention) + time * width * vocabulary;
  assert.equal(costs.flops, flops);
});

test('GPT-2 small has the 124,439,808 parameters of the published weights', () => {
  const options = { layers: 12, width: 768, heads: 12, bias: true };
  assert.equal(costsOf(language(50_257, 1024), options, 'GPT-2-small').params, 124_439_808);
});

test('as an encoder, with gated units and norms after each part', () => {
  const [width, ratio, depth] = [16, 2, 2];
  const blocks = [0, 1].map((i) => `block/${i}/span=all, block/${i}/heads=2, block/${i}/ratio=${ratio}`).join(', ');
  const common = `width=${width}, positions=sinusoidal, dropout=0, norm=post, depth=${depth}, activation=swiglu`;
  const { params } = costsOf(text, { width, heads: 2, bias: true }, `${common}, ${blocks}`);
  const attention = 3 * width * (width + 1) + width * (width + 1);
  const gated = 2 * ratio * width * (width + 1) + width * (ratio * width + 1);
  assert.equal(params, 100 * width + depth * (attention + gated + 2 * 2 * width) + 6 * (width + 1));
});

test('the sizes that the docstring names', () => {
  const blocks = Array.from({ length: 6 }, (_, i) => 27n ** BigInt(i + 1)).reduce((sum, one) => sum + one);
  // Widths, positions, dropout, norms, activations, and tied or not.
  assert.equal(count(transformer.create(language(65, 64))), blocks * 4n * 2n * 4n * 2n * 5n * 2n);
  assert.equal(count(transformer.create(text)), blocks * 4n * 2n * 4n * 2n * 5n);
  assert.equal(count(transformer.create(language(65, 64), { search: true, layers: 4 })), 2n * 25n ** 4n);
  // Sequences of numbers that ask for one answer are no language.
  assert.ok(count(transformer.create({ kind: 'classification', input: [3, 12], outputs: 4 })));
});

test('hand-designed members are members, also for supernets and where the training is searched', () => {
  for (const task of [language(65, 64), text])
    for (const options of [{ layers: 1 }, { tune: true }, { search: true }, { search: true, tune: true }]) {
      const space = transformer.create(task, options);
      const members = Object.values(transformer.handDesigned?.(task, options) ?? {});
      assert.ok(members.length > 0);
      for (const member of members)
        assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
});

test('a published name needs its options, and heads must divide widths', () => {
  const space = transformer.create(language(65, 64));
  assert.throws(() => parseArchitecture(space, 'nanoGPT-CPU'), {
    name: 'UserError',
    message:
      'architecture "nanoGPT-CPU": options are layers=6; must be --space-options layers=4,width=128,heads=4,bias=false',
  });
  assert.throws(() => transformer.create(language(65, 64), { width: 100 }), {
    name: 'UserError',
    message: 'space "transformer": option width is 100; must be a multiple of 8, twice the heads (4)',
  });
});
