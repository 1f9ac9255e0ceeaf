import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { Architecture, Space, Task } from '../space.ts';
import { SPACES } from '../spaces/index.ts';
import { searchSpaceConformance } from '../testing/conformance.ts';
import { checkArchitecture, formatArchitecture } from './architecture.ts';
import { conv, float, globalAvgPool, int, linear, pick, repeat, scoped, sequential } from './builders.ts';
import { type Constraints, constrained } from './constrain.ts';
import { count } from './count.ts';
import { decisions } from './decisions.ts';
import { defineSpace, withSpaceOptions } from './define.ts';
import { derive } from './derive.ts';
import { first, successor } from './enumerate.ts';
import { supernet } from './resolve.ts';
import { searchSpaceOf } from './tree-search-space.ts';
import { mutate, neighbors, sample } from './vary.ts';

const task: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const cells = SPACES['nas-bench-201'].create(task);
const darts = SPACES.darts.create(task, { cells: 3, channels: 4 });
/** Layers that exist only where the depth goes that far, and a range. */
const chain = defineSpace('chain', () =>
  sequential(
    repeat(int('depth', 1, 3), scoped('layer', conv(pick('width', [4, 8, 16]), 3))),
    globalAvgPool(),
    linear('outputs'),
  ),
).create(task);

function* members(space: Space): Generator<Architecture> {
  for (let one: Architecture | undefined = first(space); one; one = successor(space, one)) yield one;
}

/** Those of all members that keep a rule. */
const keeping = (space: Space, rule: (architecture: Architecture) => boolean) => [...members(space)].filter(rule);
const refused = (space: Space, constraints: Constraints, message: RegExp) =>
  assert.throws(() => constrained(space, constraints), { name: 'UserError', message });

const CASES: readonly [Space, Constraints, (architecture: Architecture) => boolean][] = [
  [cells, { forbid: ['none'] }, (one) => !Object.values(one).includes('none')],
  [cells, { forbid: ['0->1=none', '2->3=none'] }, (one) => one['0->1'] !== 'none' && one['2->3'] !== 'none'],
  [
    cells,
    { require: ['avg_pool_3x3', 'none'] },
    (one) => Object.values(one).includes('avg_pool_3x3') && Object.values(one).includes('none'),
  ],
  [
    cells,
    { require: ['1->3=none'], fix: { '0->1': 'none' } },
    (one) => one['0->1'] === 'none' && one['1->3'] === 'none',
  ],
  [chain, { fix: { depth: 2 } }, (one) => one.depth === 2],
  [chain, { forbid: ['depth=2'] }, (one) => one.depth !== 2],
  [chain, { require: ['layer/2/width=8'] }, (one) => one['layer/2/width'] === 8],
  [chain, { prefer: ['layer/0/width=4:9'] }, () => true],
];

test('enumeration and count agree with a filter over all members', () => {
  for (const [space, constraints, rule] of CASES) {
    const narrow = constrained(space, constraints);
    const expected = keeping(space, rule);
    assert.deepEqual([...members(narrow)], expected, JSON.stringify(constraints));
    assert.equal(count(narrow), BigInt(expected.length), JSON.stringify(constraints));
    const random = rng('constraints', JSON.stringify(constraints));
    for (let i = 0; i < 20; i++) {
      const one = sample(narrow, random);
      for (const member of [one, mutate(narrow, one, random), ...neighbors(narrow, one)]) assert.ok(rule(member));
    }
  }
});

test('inputs: a node may be fixed or forbidden, and a mixture derives only what is left', () => {
  const fix = { 'normal/3<-': [0, 2] };
  const forbid = ['reduce/4<-=0', 'skip_connect'];
  const narrow = constrained(darts, { fix, forbid });
  const random = rng('inputs');
  for (let i = 0; i < 50; i++) {
    const one = sample(narrow, random);
    assert.deepEqual(one['normal/3<-'], [0, 2]);
    for (const member of [one, mutate(narrow, one, random)]) {
      assert.ok(
        !(member['reduce/4<-'] as readonly number[]).includes(0) && !Object.values(member).includes('skip_connect'),
      );
      assert.deepEqual(checkArchitecture(darts, member), member);
    }
  }
  const options = decisions(narrow).flatMap(({ name, domain }) =>
    domain.kind === 'values' ? [[name, domain.values.map((_, k) => 1 / (k + 1))] as const] : [],
  );
  const derived = derive(narrow, Object.fromEntries(options));
  assert.deepEqual(checkArchitecture(narrow, derived), derived);
  const required = constrained(cells, { require: ['avg_pool_3x3'] });
  const weights = Object.fromEntries(decisions(required).map(({ name }) => [name, [1, 2, 3, 4, 0]]));
  assert.ok(Object.values(derive(required, weights)).includes('avg_pool_3x3'));
  assert.ok(!JSON.stringify(supernet(narrow)).includes('skip_connect'));
  assert.ok(JSON.stringify(supernet(darts)).includes('skip_connect'));
});

test('preferred options are drawn as often as their weights say', () => {
  const narrow = constrained(cells, { prefer: ['nor_conv_3x3:6', '0->1=none:0.5'] });
  const random = rng('prefer');
  const drawn = Array.from({ length: 2000 }, () => sample(narrow, random));
  const share = (name: string, option: string) => drawn.filter((one) => one[name] === option).length / drawn.length;
  assert.ok(Math.abs(share('1->2', 'nor_conv_3x3') - 0.6) < 0.05, `${share('1->2', 'nor_conv_3x3')}`);
  assert.ok(Math.abs(share('0->1', 'none') - 0.5 / 9.5) < 0.03, `${share('0->1', 'none')}`);
});

test('texts, options and constraints go together', () => {
  const narrow = constrained(cells, { forbid: ['none'] });
  const one = sample(narrow, rng('text'));
  assert.equal(formatArchitecture(narrow, one), formatArchitecture(cells, one));
  const smaller = withSpaceOptions(narrow, { cells: 1 });
  assert.equal(smaller?.options.cells, 1);
  assert.equal(smaller && count(smaller), 4096n);
  assert.equal(constrained(cells, {}), cells);
  assert.throws(() => checkArchitecture(narrow, { ...one, '0->1': 'none' }), {
    name: 'UserError',
    message: /decision "0->1" is "none"; must be one of skip_connect, nor_conv_1x1/,
  });
  const required = constrained(cells, { require: ['none'] });
  assert.throws(() => checkArchitecture(required, one), {
    name: 'UserError',
    message: /takes no "none"; it is required/,
  });
});

test('what does not exist, and what leaves nothing, is refused with place, value and rule', () => {
  refused(
    cells,
    { forbid: ['pool'] },
    /--forbid: space "nas-bench-201" has no option "pool"; it must be one of none, skip/,
  );
  refused(cells, { fix: { '0->4': 'none' } }, /--fix: space "nas-bench-201" has no decision "0->4"; did you mean/);
  refused(cells, { fix: { '0->1': 'pool' } }, /--fix: "0->1=pool"; must be one of none, skip_connect/);
  refused(cells, { require: ['0->1=pool'] }, /--require: "0->1=pool"; decision "0->1" must be one of none/);
  refused(cells, { require: ['none'], forbid: ['none'] }, /--require: space "nas-bench-201" has no option "none"/);
  refused(
    cells,
    { require: ['none'], fix: Object.fromEntries(decisions(cells).map(({ name }) => [name, 'skip_connect'])) },
    /--require: space .* has no option "none"/,
  );
  refused(
    cells,
    { fix: { '0->1': 'none' }, forbid: ['none'] },
    /--forbid: "none"; decision "0->1" would have no value left/,
  );
  refused(chain, { fix: { depth: 1, 'layer/2/width': 8 } }, /--fix: "layer\/2\/width=8"; the decision is never open/);
  refused(
    chain,
    { fix: { depth: 1 }, require: ['layer/2/width=8'] },
    /constraints: --require layer\/2\/width=8 --fix depth=1; no architecture/,
  );
  refused(chain, { forbid: ['8'] }, /--forbid: "8"; a number must be given with its decision/);
  refused(cells, { prefer: ['none'] }, /--prefer: "none"; must be OPTION:WEIGHT/);
  refused(cells, { prefer: ['none:0'] }, /--prefer: "none:0"; must be OPTION:WEIGHT with a weight above 0/);
  refused(
    darts,
    { forbid: ['normal/3<-=0', 'normal/3<-=1'] },
    /--forbid: "normal\/3<-=1"; decision "normal\/3<-" would have no value left/,
  );
  const rates = defineSpace('rates', () => ({
    network: linear('outputs'),
    hyperparameters: { learningRate: float('rate', 0.1, 0.2) },
  }));
  refused(
    rates.create({ ...task, input: [4] }),
    { forbid: ['rate=0.1'] },
    /decision "rate" must be a list, or a range of at most 1000 whole/,
  );
});

searchSpaceConformance(
  searchSpaceOf(constrained(cells, { require: ['skip_connect'], forbid: ['none'], prefer: ['avg_pool_3x3:4'] })),
  { samples: 5 },
);
