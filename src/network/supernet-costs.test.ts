import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Space } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { choice, conv, globalAvgPool, identity, linear, relu, sequential } from '../space/tree/builders.ts';
import { constrained } from '../space/tree/constrain.ts';
import { allHold } from '../space/tree/decisions.ts';
import { defineSpace } from '../space/tree/define.ts';
import { resolve } from '../space/tree/resolve.ts';
import { sample } from '../space/tree/vary.ts';
import { networkCosts } from './costs.ts';
import { supernetCosts } from './supernet-costs.ts';

const task = { kind: 'classification', input: [3, 8, 8], outputs: 10 };

/** Choices inside the options of others, and one decision in two places. */
const nested = defineSpace('nested', () => {
  const inner = (name: string) => choice(name, { small: conv(4, 1), large: conv(4, 3), none: identity() });
  return sequential(
    conv(4, 3),
    choice('outer', { one: sequential(inner('a'), relu()), two: sequential(inner('b'), inner('b')), skip: identity() }),
    choice('last', { one: inner('a'), plain: conv(4, 5) }),
    globalAvgPool(),
    linear('outputs'),
  );
});

const spaces: Readonly<Record<string, Space>> = {
  nested: nested.create(task),
  'nas-bench-201': SPACES['nas-bench-201'].create(task, { cells: 1, channels: 4, search: true }),
  // What is behind nothing but options that put out nothing, no network computes; supernets derive no such cells.
  darts: constrained(SPACES.darts.create(task, { cells: 3, channels: 4, search: true }), { forbid: ['none'] }),
};

for (const [name, space] of Object.entries(spaces))
  test(`${name}: the costs of each network are those of the parts of the supernet that it has`, () => {
    const parts = supernetCosts(space);
    for (let i = 0; i < 20; i++) {
      const architecture = sample(space, rng('supernet costs', name, i));
      const own = parts.filter(({ when }) => allHold(when, architecture));
      const sum = (cost: 'params' | 'flops') => own.reduce((total, part) => total + part[cost], 0);
      const { params, flops } = networkCosts(resolve(space, architecture), space.task);
      assert.deepEqual({ params: sum('params'), flops: sum('flops') }, { params, flops }, JSON.stringify(architecture));
    }
  });
