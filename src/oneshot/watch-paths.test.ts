import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { Engine, State } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import { choice, linear, relu, sequential } from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import type { Module } from '../space/tree/module.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { ONE_SHOT } from './index.ts';
import { watchedPaths } from './watch-paths.ts';

const data = blobs(48, 24);
const METHODS = {
  'single-path': {},
  gdas: {},
  enas: { hidden: 4, controllerSteps: 1, aggregate: 1, candidates: 1 },
};
const NAMES = ['single-path', 'gdas', 'enas'] as const;

/** The guards of the first epoch, and the states that there were. */
async function firstEpoch(
  name: (typeof NAMES)[number],
  module: () => Module,
  more: Readonly<Record<string, number>> = {},
) {
  const states: { readonly given: Readonly<Record<string, HostTensor>>; readonly state: State; isOpen: boolean }[] = [];
  const plain = referenceEngine();
  const engine: Engine = {
    ...plain,
    createState(given) {
      const state = plain.createState(given);
      const one = { given, state, isOpen: true };
      states.push(one);
      const dispose = state.dispose.bind(state);
      state.dispose = () => {
        one.isOpen = false;
        dispose();
      };
      return state;
    },
  };
  const training = await ONE_SHOT[name].open(
    {
      ...{ engine, ...data, space: defineSpace('paths', module).create(data.info) },
      settings: { ...DEFAULT_SETTINGS, epochs: 2, batchSize: 8 },
      rng: (...labels) => rng('paths', ...labels),
    },
    { ...METHODS[name], ...more },
  );
  const { guards } = await training.epoch();
  const [main, ...copies] = states;
  const entries = await main?.state.read();
  await training.dispose();
  return { guards, entries, copies };
}

const block = (units: number) => sequential(linear(units), relu());
const network = (units: number) => sequential(block(units), linear('outputs'));

test('paths without a common weight do not interfere', async () => {
  const { guards } = await firstEpoch('single-path', () => choice('whole', { small: network(4), large: network(6) }));
  assert.deepEqual(guards?.interference, { pairs: 2, change: 0, magnitude: 0 });
});

for (const name of NAMES)
  test(`${name}: a step on a path moves the loss of others, and leaves the supernet as it is`, async () => {
    const shared = () =>
      sequential(linear(6), choice('block', { small: block(6), other: block(6) }), linear('outputs'));
    const { guards, entries, copies } = await firstEpoch(name, shared);
    const { pairs = 0, change = Number.NaN, magnitude = 0 } = guards?.interference ?? {};
    assert.equal(pairs, 2);
    assert.ok(magnitude > 0 && Math.abs(change) <= magnitude, `${change}, ${magnitude}`);
    const opened = copies.filter(({ given }) => Object.keys(given).length > 0);
    assert.ok(opened.length >= 2);
    const same = opened.filter(({ given }) => JSON.stringify(given) === JSON.stringify(entries));
    assert.deepEqual([same.length, opened.some(({ isOpen }) => isOpen)], [2, false]);
    const { value = 0, of = 0 } = guards?.effectiveRank ?? {};
    assert.equal(of, 6);
    assert.ok(value > 1 && value < 6, `${value}`);
  });

test('where no statistics are computed again, there is no effective rank of paths', async () => {
  const { guards } = await firstEpoch('single-path', () => choice('whole', { small: network(4), large: network(6) }), {
    recalibrate: 0,
  });
  assert.equal(guards?.effectiveRank, undefined);
});

test('the paths that are watched take 5 % of the steps of an epoch, and are at least two', () => {
  assert.deepEqual([1, 100, 120, 150, 1000].map(watchedPaths), [2, 2, 3, 3, 4]);
});
