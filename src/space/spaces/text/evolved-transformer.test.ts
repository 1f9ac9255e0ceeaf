import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { resolve } from '../../tree/resolve.ts';
import { evolvedTransformer } from '../index.ts';

const language: Task = {
  ...{ kind: 'language-model', outputs: 65, vocabulary: 65 },
  ...{ input: [64], positions: [64] },
};
const texts: Task = { kind: 'text', input: [12], outputs: 3, vocabulary: 10, padded: true };

const WIDTH = 16;
const dense = (from: number, to: number) => (from + 1) * to;
const norm = 2 * WIDTH;
const attention = dense(WIDTH, 3 * WIDTH) + dense(WIDTH, WIDTH);
const wide = dense(WIDTH, 4 * WIDTH);
const separable = (from: number, to: number, kernel: number) => kernel * from + dense(from, to);

function costsOf(name: string) {
  const space = evolvedTransformer.create(language, { width: WIDTH, heads: 2, layers: 3 });
  return networkCosts(resolve(space, parseArchitecture(space, name)), language).params;
}

test("the cells of the paper have their layers' parameters", () => {
  const around = 65 * WIDTH + norm;
  const encoder =
    norm +
    dense(WIDTH, 2 * WIDTH) +
    (norm + wide + 3 * WIDTH * (WIDTH / 2) + WIDTH / 2 + 4 * norm + separable(4 * WIDTH, WIDTH / 2, 9)) +
    (norm + attention) +
    (norm + wide + dense(4 * WIDTH, WIDTH));
  assert.equal(costsOf('ET-encoder'), around + 3 * encoder);
  const decoder =
    norm +
    attention +
    (norm +
      separable(WIDTH, 2 * WIDTH, 11) +
      separable(WIDTH, WIDTH / 2, 7) +
      4 * norm +
      separable(4 * WIDTH, WIDTH, 7)) +
    (norm + attention) +
    (norm + wide + dense(4 * WIDTH, WIDTH));
  assert.equal(costsOf('ET-decoder'), around + 3 * decoder);
});

test('hand-designed members are members, and heads must divide the width', () => {
  for (const task of [language, texts])
    for (const options of [{}, { tune: true }]) {
      const space = evolvedTransformer.create(task, options);
      for (const member of Object.values(evolvedTransformer.handDesigned?.(task, options) ?? {}))
        assert.deepEqual(parseArchitecture(space, formatArchitecture(space, member)), member);
    }
  assert.throws(() => evolvedTransformer.create(texts, { width: 100 }), {
    name: 'UserError',
    message: 'space "evolved-transformer": option width is 100; must be a multiple of 8, twice the heads (4)',
  });
});

test('the size that the docstring names', () => {
  // Two branches of which 6 of 10 operations have an activation, or the right one is none; norms, combinations, and what follows.
  const branches = 10n * 11n + (10n * 11n - 4n * 5n);
  const part = 2n * 2n * 4n * branches;
  assert.equal(count(evolvedTransformer.create(language)), part ** 4n * 2n * 2n);
});
