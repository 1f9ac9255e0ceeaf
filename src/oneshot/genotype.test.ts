import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SPACES } from '../space/spaces/index.ts';
import { choice, identity, linear, sequential, zero } from '../space/tree/builders.ts';
import { decisions } from '../space/tree/decisions.ts';
import { defineSpace } from '../space/tree/define.ts';
import { derive } from '../space/tree/derive.ts';
import { blobs } from '../train/testing/blobs.ts';
import { deriveCapped } from './genotype.ts';

const { info } = blobs();
const images = { ...info, input: [3, 8, 8], mean: [0, 0, 0], deviation: [1, 1, 1] };

test('a cap of skip connections takes them from the edges where they are weakest', () => {
  const space = SPACES['nas-bench-201'].create(images, { cells: 1, channels: 2 });
  const names = ['0->1', '0->2', '1->2', '0->3', '1->3', '2->3'];
  // none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3
  const weights = Object.fromEntries(names.map((name, i) => [name, [0.1, 0.3 + i / 100, 0.1, 0.2, 0.1]]));
  const derived = (cap: number) => space.text?.format(deriveCapped(space, cap)(weights));
  const skips = (cap: number) => names.filter((name) => deriveCapped(space, cap)(weights)[name] === 'skip_connect');
  assert.deepEqual(skips(6), names);
  assert.deepEqual(skips(2), ['1->3', '2->3']);
  assert.equal(
    derived(0),
    '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|',
  );
});

test('each cell of darts has its own count, and edges are picked again', () => {
  const space = SPACES.darts.create(images, { cells: 3, channels: 2, search: true });
  const options = 8;
  const row = (skip: number) => Array.from({ length: options }, (_, k) => (k === 3 ? skip : k === 4 ? 0.2 : 0.05));
  const edges = [2, 3, 4, 5].flatMap((to) => Array.from({ length: to }, (_, from) => `${from}->${to}`));
  // In normal cells skip connections are strongest on the later edges, in reduction cells nowhere.
  const weights = Object.fromEntries([
    ...edges.map((edge, i) => [`normal/${edge}`, row(0.4 + i / 1000)] as const),
    ...edges.map((edge) => [`reduce/${edge}`, row(0)] as const),
  ]);
  const skipsOf = (found: Readonly<Record<string, unknown>>, cell: string) =>
    Object.entries(found).filter(([name, value]) => name.startsWith(cell) && value === 'skip_connect').length;
  assert.equal(skipsOf(derive(space, weights), 'normal'), 8);
  const capped = deriveCapped(space, 2)(weights);
  assert.deepEqual([skipsOf(capped, 'normal'), skipsOf(capped, 'reduce')], [2, 0]);
  assert.equal(Object.keys(capped).length, Object.keys(derive(space, weights)).length);
});

test('where nothing but a skip connection can be taken, it stays', () => {
  const space = defineSpace('skips', () =>
    sequential(
      linear(2),
      choice('a', { one: identity(), two: identity() }),
      choice('b', { none: zero(), skip: identity() }),
      linear('outputs'),
    ),
  ).create(info);
  assert.deepEqual(deriveCapped(space, 0)({ a: [0.4, 0.6], b: [0.3, 0.7] }), { a: 'one', b: 'none' });
});

test('capped in normal cells alone, the reduction cell of darts keeps all of its skip connections', () => {
  const space = SPACES.darts.create(images, { search: true, cells: 3 });
  const rows = decisions(space)
    .filter(({ domain }) => domain.kind === 'values')
    .map(({ name }, i): [string, number[]] => {
      // A skip is strongest on all edges, the more so the earlier the edge stands; of the rest, 5x5 is.
      const skip = 0.5 - i / 1000;
      return [name, [0.9, 0, 0, skip, 0.1, 0.2, 0, 0]];
    });
  const weights = Object.fromEntries(rows);
  const skipsIn = (found: ReturnType<typeof derive>, cell: string) =>
    Object.entries(found).filter(([name, value]) => name.startsWith(cell) && value === 'skip_connect').length;
  const normal = (cap: number) => deriveCapped(space, cap, 'normal')(weights);
  const free = derive(space, weights);
  assert.deepEqual([skipsIn(free, 'normal'), skipsIn(free, 'reduce')], [8, 8]);
  assert.deepEqual(normal(8), free);
  const capped = normal(2);
  assert.deepEqual([skipsIn(capped, 'normal'), skipsIn(capped, 'reduce')], [2, 8]);
  // The first two edges of the cell have the strongest skips.
  assert.deepEqual(
    [capped['normal/0->2'], capped['normal/1->2'], capped['normal/3<-']],
    ['skip_connect', 'skip_connect', [0, 1]],
  );
  assert.equal(capped['normal/0->3'], 'sep_conv_5x5');
  const none = normal(0);
  assert.equal(skipsIn(none, 'normal'), 0);
});
