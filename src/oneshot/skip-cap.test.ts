import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SPACES } from '../space/spaces/index.ts';
import { decisions } from '../space/tree/decisions.ts';
import { derive } from '../space/tree/derive.ts';
import { deriveWithSkips } from './skip-cap.ts';

const IMAGE = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;

test('a normal cell keeps its strongest skips, as many as are allowed, and picks its inputs again; other cells keep all', () => {
  const space = SPACES.darts.create(IMAGE, { search: true, cells: 3 });
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
  const free = derive(space, weights);
  assert.deepEqual([skipsIn(free, 'normal'), skipsIn(free, 'reduce')], [8, 8]);
  assert.deepEqual(deriveWithSkips(space, weights, 8), free);
  const capped = deriveWithSkips(space, weights, 2);
  assert.deepEqual([skipsIn(capped, 'normal'), skipsIn(capped, 'reduce')], [2, 8]);
  // The first two edges of the cell have the strongest skips.
  assert.deepEqual(
    [capped['normal/0->2'], capped['normal/1->2'], capped['normal/3<-']],
    ['skip_connect', 'skip_connect', [0, 1]],
  );
  assert.equal(capped['normal/0->3'], 'sep_conv_5x5');
  const none = deriveWithSkips(space, weights, 0);
  assert.equal(skipsIn(none, 'normal'), 0);
});

test('a skip that a choice has nothing beside stays', () => {
  const space = SPACES['nas-bench-201'].create(IMAGE);
  const only = (weight: number) => [1 - weight, weight, 0, 0, 0];
  const weights = Object.fromEntries(decisions(space).map(({ name }) => [name, only(0.9)]));
  assert.deepEqual(deriveWithSkips(space, weights, 2), derive(space, weights));
  const freed = deriveWithSkips(space, { ...weights, '0->1': [0.1, 0.6, 0, 0.3, 0] }, 2);
  assert.deepEqual([freed['0->1'], freed['0->2']], ['nor_conv_3x3', 'skip_connect']);
});
