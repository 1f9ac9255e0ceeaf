import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { Hyperparameters, Space } from '../space.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture } from './architecture.ts';
import * as s from './builders.ts';
import { count } from './count.ts';
import { decisions } from './decisions.ts';
import { defineSpace } from './define.ts';
import { derive } from './derive.ts';
import { encodeAdjacency, encodeOneHot, encodePath } from './encode.ts';
import { first, successor } from './enumerate.ts';
import { moduleFromJson, spaceFromJson, spaceToJson } from './json.ts';
import type { Module } from './module.ts';
import { checkRanks } from './ranks.ts';
import { resolve, resolveHyperparameters, scaleWidth, supernet } from './resolve.ts';
import { TASK } from './testing/spaces.ts';
import { mutate, sample } from './vary.ts';

const spaceOf = (network: Module, hyperparameters: Hyperparameters = {}): Space =>
  defineSpace('mine', () => ({ network, hyperparameters })).create(TASK);
const names = (space: Space) => decisions(space).map(({ name }) => name);
const refuses = (body: () => unknown, message: string) =>
  assert.throws(body, (error: Error) => {
    assert.equal(error.name, 'UserError');
    assert.equal(error.message, message);
    return true;
  });

const width = () => s.conv(s.pick('width', [8, 16]), 3);

test('a space puts its name before what its builders refuse, and refuses options that it does not have', () => {
  const mine = defineSpace('mine', (_, { cells }) => s.repeat(cells, s.choice('k', { a: s.relu() })), {
    defaults: { cells: 5, deep: false },
  });
  refuses(() => mine.create(TASK), 'space "mine": choice "k" has 1 option; a choice needs at least 2');
  refuses(
    () => mine.create(TASK, { cell: 1 }),
    'space "mine": unknown option "cell"; did you mean "cells"? It must be one of cells, deep',
  );
  refuses(() => mine.create(TASK, { cells: '1' }), 'space "mine": option cells is "1"; must be a number');
  refuses(() => mine.create(TASK, { deep: 1 }), 'space "mine": option deep is 1; must be true or false');
  refuses(
    () => mine.create({ ...TASK, input: [3, 8, 8, 8] }),
    'space "mine": input is [3,8,8,8]; must be [features], [channels, time] or [channels, height, width]',
  );
});

test('choices of one name are one decision and need one domain', () => {
  assert.deepEqual(names(spaceOf(s.sequential(width(), width()))), ['width']);
  refuses(
    () => spaceOf(s.sequential(width(), s.conv(s.pick('width', [8, 24]), 3))),
    'space "mine": choice "width" has the domains {"kind":"values","values":[8,16]} and ' +
      '{"kind":"values","values":[8,24]}; choices of one name are one decision and need the same domain',
  );
});

test('scopes give each place, and in repeats each repetition, decisions of its own', () => {
  const stage = s.scoped('stage', s.sequential(width(), s.repeat(2, s.scoped('layer', width()))));
  assert.deepEqual(names(spaceOf(s.repeat(2, stage))), [
    'stage/0/width',
    'stage/0/layer/0/width',
    'stage/0/layer/1/width',
    'stage/1/width',
    'stage/1/layer/0/width',
    'stage/1/layer/1/width',
  ]);
  // A repeat inside a scope shares; a scope outside repeats has no index.
  assert.deepEqual(names(spaceOf(s.scoped('head', s.repeat(3, width())))), ['head/width']);
});

test('conditions say when a decision is active, as shortly as they can', () => {
  const conditionsOf = (space: Space, name: string) => decisions(space).find((one) => one.name === name)?.when;
  const nested = spaceOf(
    s.sequential(
      s.choice('outer', { a: s.choice('inner', { x: width(), y: s.relu() }), b: s.identity() }),
      s.repeat(s.int('depth', 1, 3), s.scoped('layer', s.linear(s.pick('units', [4, 8])))),
      s.repeat(s.pick('times', [0, 2]), s.activation(s.pick('fn', ['relu', 'gelu']))),
      s.dagOfNodes(2, (to) =>
        to < 2 ? {} : { from: s.pickInputs('in', 1), edge: (from) => s.scoped(`${from}`, width()) },
      ),
    ),
  );
  assert.deepEqual(conditionsOf(nested, 'width'), [
    [
      { decision: 'outer', is: 'a' },
      { decision: 'inner', is: 'x' },
    ],
  ]);
  assert.deepEqual(conditionsOf(nested, 'layer/0/units'), [[]]);
  assert.deepEqual(conditionsOf(nested, 'layer/2/units'), [[{ decision: 'depth', above: 2 }]]);
  assert.deepEqual(conditionsOf(nested, 'fn'), [[{ decision: 'times', above: 0 }]]);
  assert.deepEqual(conditionsOf(nested, '1/width'), [[{ decision: 'in', includes: 1 }]]);
  // In every option: always.
  assert.deepEqual(conditionsOf(spaceOf(s.choice('k', { a: width(), b: width() })), 'width'), [[]]);
  // In some options: any of these.
  assert.deepEqual(conditionsOf(spaceOf(s.choice('k', { a: width(), b: s.relu(), c: width() })), 'width'), [
    [{ decision: 'k', is: 'a' }],
    [{ decision: 'k', is: 'c' }],
  ]);
});

test('an architecture with an unknown, missing, inactive or impossible decision is refused', () => {
  const space = spaceOf(s.choice('k', { a: width(), b: s.conv(4, s.int('kernel', 1, 3)) }));
  const place = 'architecture of space "mine"';
  const check = (found: unknown) => () => checkArchitecture(space, found);
  refuses(check({ k: 'a', depth: 1 }), `${place}: unknown decision "depth"; must be one of k, width, kernel`);
  refuses(check({ k: 'a' }), `${place}: decision "width" is missing; must be one of 8, 16`);
  refuses(check({ k: 'c' }), `${place}: decision "k" is "c"; must be one of a, b`);
  refuses(check({ k: 'b', kernel: 1.5 }), `${place}: decision "kernel" is 1.5; must be a whole number from 1 to 3`);
  refuses(check({ k: 'a', width: '8' }), `${place}: decision "width" is "8"; must be one of 8, 16`);
  refuses(check({ k: 'a', width: 8, kernel: 1 }), `${place}: decision "kernel" is 1 but inactive; only where k is b`);
  refuses(check([1]), `${place}: is [1]; must be an object of decisions by name`);
});

test('a malformed text is refused with its place', () => {
  const space = spaceOf(s.sequential(width(), s.conv(4, s.int('kernel', 1, 3))));
  const place = 'architecture of space "mine"';
  refuses(() => parseArchitecture(space, 'width=8, kernel'), `${place}: part 2 is "kernel"; must be name=value`);
  refuses(
    () => parseArchitecture(space, 'width=8, width=8'),
    `${place}: decision "width" is given twice; must be given once`,
  );
  refuses(() => parseArchitecture(space, 'width=9'), `${place}: decision "width" is "9"; must be one of 8, 16`);
  refuses(
    () => parseArchitecture(space, 'kernel='),
    `${place}: decision "kernel" is ""; must be a whole number from 1 to 3`,
  );
  assert.throws(() => parseArchitecture(space, '{"width": 8'), /architecture of space "mine": is not valid JSON/u);
  assert.equal(formatArchitecture(space, parseArchitecture(space, ' kernel=2,width = 8 ')), 'width=8, kernel=2');
});

test('choices nested hundreds deep are counted, and what would take forever is not', () => {
  const nest = (depth: number): Module =>
    Array.from({ length: depth }).reduce<Module>(
      (inside, _, i) => s.choice(`c${i}`, { a: inside, b: s.identity(), c: s.relu() }),
      s.dropout(s.pick('rate', [0, 0.5])),
    );
  assert.equal(count(spaceOf(nest(3))), 2n * 3n + 2n);
  assert.equal(count(spaceOf(nest(500))), 2n * 500n + 2n);
  // Every two of forty choices have a decision together: what one takes depends on all others.
  const n = 40;
  const tangled = Array.from({ length: n }, (_, i) => {
    const picks = Array.from({ length: n }, (_, j) => s.pick(`x${Math.min(i, j)}-${Math.max(i, j)}`, [0, 0.5]));
    return s.choice(`c${i}`, { a: s.sequential(...picks.map((rate) => s.dropout(rate))), b: s.identity() });
  });
  assert.equal(count(spaceOf(s.sequential(...tangled))), undefined);
});

test('counting multiplies independent decisions and never enumerates', () => {
  const op = (name: string) =>
    s.choice(name, { a: s.relu(), b: s.identity(), c: s.conv('same', s.pick(`${name}k`, [1, 3])) });
  const cell = s.scoped(
    'cell',
    s.dag(7, (from, to) => op(`${from}->${to}`), { inputs: 2 }),
  );
  // A node with all its j earlier nodes: 4^j; one that picks 2 of j: C(j, 2) · 4^2.
  const size = [3, 4, 5, 6, 7].reduce((product, j) => product * BigInt((j * (j - 1)) / 2) * 16n, 4n * 16n);
  assert.equal(count(spaceOf(s.repeat(3, cell))), size ** 3n);
  assert.equal(count(spaceOf(s.repeat(s.int('depth', 1, 40), s.scoped('l', width())))), 2n ** 41n - 2n);
  assert.equal(count(spaceOf(s.conv(s.int('wide', 1, 1_000_000), 3))), 1_000_000n);
  assert.equal(count(spaceOf(s.relu())), 1n);
  assert.equal(count(spaceOf(s.dropout(s.float('rate', 0, 0.5)))), undefined);
});

test('a continuous space has no order, and a space of one no mutation', () => {
  const continuous = spaceOf(s.dropout(s.float('rate', 0, 0.5)));
  const message =
    'space "mine": decision "rate" is a continuous range; only spaces of lists and whole numbers can be enumerated';
  refuses(() => first(continuous), message);
  refuses(() => successor(continuous, { rate: 0.1 }), message);
  const single = spaceOf(s.relu());
  assert.deepEqual(first(single), {});
  assert.equal(successor(single, {}), undefined);
  refuses(() => mutate(single, {}, rng(1)), 'space "mine": has no decisions; a mutation needs one to change');
});

test('a resolved tree keeps the chosen option under its key, unrolls what differs, and leaves out what is not picked', () => {
  const space = spaceOf(
    s.sequential(
      s.choice('k', { a: width(), b: s.relu() }),
      s.repeat(s.int('depth', 1, 3), s.scoped('layer', width())),
      s.repeat(2, s.choice('k', { a: width(), b: s.relu() })),
      s.dag(2, () => s.identity(), { inputs: 1 }),
    ),
    { learningRate: s.float('rate', 0.001, 0.1, { log: true }), batchSize: 32 },
  );
  const architecture = { k: 'a', width: 8, depth: 2, 'layer/0/width': 16, 'layer/1/width': 8, '2<-': [1], rate: 0.01 };
  const chosen: Module = { kind: 'choice', name: 'k', options: { a: s.conv(8, 3) } };
  assert.deepEqual(
    resolve(space, architecture),
    s.sequential(
      chosen,
      s.sequential(s.conv(16, 3), s.conv(8, 3)),
      s.repeat(2, chosen),
      s.dagOfNodes(2, (to) => ({ from: [to - 1], edge: (from) => (from === to - 1 ? s.identity() : s.zero()) })),
    ),
  );
  assert.deepEqual(resolveHyperparameters(space, architecture), { learningRate: 0.01, batchSize: 32 });
});

test('widths are scaled everywhere but where they follow from the input or the task', () => {
  const network = s.sequential(
    s.repeat(2, s.residual(s.conv(10, 3), s.conv('same', 1))),
    s.factorizedReduce(3),
    s.linear(1),
    s.linear('outputs'),
  );
  assert.deepEqual(
    scaleWidth(network, 0.25),
    s.sequential(
      s.repeat(2, s.residual(s.conv(3, 3), s.conv('same', 1))),
      s.factorizedReduce(1),
      s.linear(1),
      s.linear('outputs'),
    ),
  );
  assert.throws(() => scaleWidth(width(), 0.5), /width "width" is left open/u);
});

test('a stored factorisedReduce, spelled as in older versions, is read as factorizedReduce', () => {
  const old = { kind: 'factorisedReduce', channels: 3, affine: true };
  assert.deepEqual(moduleFromJson({ kind: 'repeat', times: 2, body: old }), s.repeat(2, s.factorizedReduce(3)));
});

test('one-hot: lists by value, inputs by node, ranges scaled, inactive decisions 0', () => {
  const space = spaceOf(
    s.sequential(
      s.choice('k', { a: width(), b: s.relu() }),
      s.dag(2, () => s.identity(), { inputs: 1 }),
      s.dropout(s.float('rate', 0.001, 0.1, { log: true })),
      s.linear(s.int('units', 4, 8)),
    ),
  );
  const encoded = encodeOneHot(space, { k: 'b', '2<-': [1], rate: 0.01, units: 5 });
  assert.deepEqual(
    encoded.map((v) => Math.round(v * 1e6) / 1e6),
    [0, 1, 0, 0, 0, 1, 0.5, 0.25],
  );
});

test('paths and adjacency of a cell with open wiring and operations in its nodes', () => {
  const body = (to: number) => s.choice(`op${to}`, { conv: s.conv('same', 3), pool: s.maxPool(3) });
  const cell = s.dagOfNodes(2, (to) => ({ body: body(to), ...(to === 2 && { from: s.pickInputs('in', 1) }) }));
  const space = spaceOf(s.choice('k', { cell, none: s.identity() }));
  // Bits: conv, pool; conv-conv, conv-pool, pool-conv, pool-pool.
  assert.deepEqual(encodePath(space, { k: 'cell', op1: 'conv', in: [1], op2: 'pool' }), [0, 0, 0, 1, 0, 0]);
  assert.deepEqual(encodePath(space, { k: 'cell', op1: 'conv', in: [0], op2: 'pool' }), [0, 1, 0, 0, 0, 0]);
  assert.deepEqual(encodePath(space, { k: 'none' }), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(encodePath(space, { k: 'cell', op1: 'conv', in: [0], op2: 'pool' }, { longest: 1 }), [0, 1]);
  // Bits: 0->2, 1->2; operation of node 1, of node 2.
  assert.deepEqual(encodeAdjacency(space, { k: 'cell', op1: 'conv', in: [1], op2: 'pool' }), [0, 1, 1, 0, 0, 1]);
  assert.deepEqual(encodeAdjacency(space, { k: 'none' }), [0, 0, 0, 0, 0, 0]);
  refuses(() => encodePath(spaceOf(width()), { width: 8 }), 'space "mine": has no dag; this encoding is of cells');
  const large = spaceOf(
    s.dag(9, (from, to) => s.choice(`${from}->${to}`, { a: s.relu(), b: s.tanh(), c: s.zero(), d: s.gelu() })),
  );
  refuses(
    () => encodePath(large, sample(large, rng(1))),
    'space "mine": its path encoding would have 349524 bits; at most 100000: set longest below 9',
  );
});

test('paths of a cell with two inputs stand apart by the input that they start from', () => {
  const cell = s.dag(2, (from, to) => s.choice(`${from}->${to}`, { a: s.relu(), b: s.tanh() }), {
    entries: [s.identity(), s.identity()],
    inputs: 2,
    output: 'concat',
  });
  const space = spaceOf(s.stack(cell, cell));
  assert.equal(count(space), 2n ** 2n * 3n * 2n ** 2n);
  const architecture = { '0->2': 'a', '1->2': 'b', '3<-': [1, 2], '1->3': 'b', '2->3': 'a' };
  // Each input: a, b; aa, ab, ba, bb.
  assert.deepEqual(encodePath(space, architecture), [1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0]);
  assert.deepEqual(encodeAdjacency(space, architecture), [1, 0, 0, 1, 0, 0, 0, 1, 1, 0]);
});

test('a supernet keeps every choice, under the full name of its decision, and every option at its path', () => {
  const space = spaceOf(
    s.scoped(
      'outer',
      s.repeat(
        2,
        s.scoped(
          'cell',
          s.dag(2, () => s.choice('op', { a: width(), b: s.zero() }), { inputs: 1 }),
        ),
      ),
    ),
  );
  const found = [...JSON.stringify(supernet(space)).matchAll(/"name":"([^"]+)"/gu)].map(([, name]) => name);
  assert.deepEqual([...new Set(found)].toSorted(), names(space).toSorted());
  assert.ok(!JSON.stringify(supernet(space)).includes('"kind":"scope"'));
});

test('deriving: choices take their strongest option, none included where the wiring is fixed, the first of equals', () => {
  const op = (name: string) => s.choice(name, { none: s.zero(), skip: s.identity(), conv: s.conv('same', 3) });
  const fixed = spaceOf(s.dag(2, (from, to) => op(`${from}->${to}`)));
  const weights = { '0->1': [0.5, 0.3, 0.2], '0->2': [0.2, 0.4, 0.4], '1->2': [0.1, 0.2, 0.7] };
  assert.deepEqual(derive(fixed, weights), { '0->1': 'none', '0->2': 'skip', '1->2': 'conv' });
  const picked = spaceOf(s.dag(2, (from, to) => op(`${from}->${to}`), { inputs: 1 }));
  assert.deepEqual(derive(picked, weights), { '0->1': 'skip', '2<-': [1], '1->2': 'conv' });
  // The share of an edge counts where inputs are picked, and nowhere else.
  assert.deepEqual(derive(picked, { ...weights, '2<-': [0.8, 0.2] }), { '0->1': 'skip', '2<-': [0], '0->2': 'skip' });
  assert.deepEqual(derive(picked, { ...weights, '2<-': [0.6, 0.4] }), { '0->1': 'skip', '2<-': [1], '1->2': 'conv' });
  refuses(
    () => derive(picked, { ...weights, '2<-': [1] }),
    'weights of space "mine": decision "2<-" has 1 weights; needs one for each of 2 edges',
  );
  refuses(
    () => derive(fixed, { ...weights, '1->2': [0.5, 0.5] }),
    'weights of space "mine": choice "1->2" has 2 weights; needs one for each option: none, skip, conv',
  );
  refuses(
    () => derive(spaceOf(width()), {}),
    'weights of space "mine": decision "width" has no weights; must be one of 8, 16',
  );
});

test('JSON is refused with the place of what is wrong in it', () => {
  const json = JSON.parse(
    JSON.stringify(
      spaceToJson(
        spaceOf(
          s.sequential(
            width(),
            s.dag(1, () => s.relu()),
          ),
        ),
      ),
    ),
  );
  const broken = (change: (copy: typeof json) => void) => () => {
    const copy = structuredClone(json);
    change(copy);
    spaceFromJson(copy);
  };
  refuses(
    broken((copy) => {
      copy.root.children[0].kernel = -1;
    }),
    'space "mine": root.children[0]: kernel of conv is -1; must be a whole number from 1 to 4,096',
  );
  refuses(
    broken((copy) => {
      copy.root.children[0].channels.values = [8];
    }),
    'space "mine": root.children[0].channels: pick "width" has 1 value; a pick needs at least 2',
  );
  refuses(
    broken((copy) => {
      copy.root.children[1].nodes[0].edges[0].extra = 1;
    }),
    'space "mine": root.children[1].nodes[0].edges[0]: activation has a field "extra"; may have only kind, fn',
  );
  assert.throws(
    broken((copy) => {
      copy.root.children[0].kind = 'convolution';
    }),
    /^UserError: space "mine": root\.children\[0\]: is \{"kind":"convolution".*must be a module, of kind conv, convTranspose/u,
  );
  assert.throws(
    broken((copy) => {
      delete copy.task;
    }),
    /space "mine": task is missing/u,
  );
});

test('a resolved network goes through JSON too', () => {
  const space = spaceOf(s.choice('k', { a: width(), b: s.relu() }));
  const network = resolve(space, { k: 'b' });
  assert.deepEqual(moduleFromJson(JSON.parse(JSON.stringify(network)), 'network', { resolved: true }), network);
});

test('a stored layer norm without axes is over all of them, as it was; sides of windows can be decisions', () => {
  const stored = { kind: 'layerNorm', affine: true, epsilon: 1e-5 };
  assert.deepEqual(moduleFromJson(stored), s.layerNorm());
  assert.throws(() => moduleFromJson({ ...stored, axes: 'none' }), /axes of layerNorm is "none"/u);
  const space = defineSpace('pairs', () =>
    s.sequential(s.conv(4, [1, s.pick('length', [3, 5])]), s.globalAvgPool(), s.linear('outputs')),
  ).create({ kind: 'classification', input: [2, 4, 8], outputs: 2 });
  const read = spaceFromJson(JSON.parse(JSON.stringify(spaceToJson(space))));
  assert.deepEqual(read.root, space.root);
  assert.deepEqual(
    decisions(read).map(({ name }) => name),
    ['length'],
  );
  const network = resolve(read, { length: 5 });
  assert.ok(network.kind === 'sequential' && network.children[0]?.kind === 'conv');
  assert.deepEqual(network.children[0].kernel, [1, 5]);
});

test('ranks: modules for tokens, sequences and images are distinguished before anything is built', () => {
  const head = [s.last(), s.linear('outputs')];
  const words = { input: [16], dtype: 'int32' } as const;
  checkRanks(s.sequential(s.embedding(9, 8), s.attention(2), s.recurrent('gru'), ...head), words);
  checkRanks(s.sequential(s.embedding(9, 8), s.linear('outputs')), { ...words, output: 'sequence' });
  checkRanks(s.sequential(s.conv(8, 3), s.maxPool(2), s.globalAvgPool(), s.linear('outputs')), { input: [3, 64] });
  checkRanks(s.sequential(s.maxPool(2), s.resize(2), s.conv(8, 3)), { input: [3, 8, 8], output: 'image' });
  const declines = (network: Module, ends: Parameters<typeof checkRanks>[1], message: RegExp) =>
    assert.throws(() => checkRanks(network, ends), message);
  declines(s.sequential(s.linear(4), ...head), words, /sequential\[0\]\.linear gets tokens; it needs a vector/u);
  declines(s.sequential(s.relu()), words, /activation gets tokens; it takes no tokens: add embedding\(\)/u);
  declines(s.embedding(9, 8), { input: [3, 8, 8] }, /embedding gets an image; it needs tokens/u);
  declines(s.recurrent('lstm'), { input: [3, 8, 8] }, /recurrent gets an image; it needs sequences/u);
  declines(s.embedding(9, 8), words, /embedding ends in a sequence; a network ends in one number for each output/u);
  declines(
    s.globalAvgPool(),
    { input: [3, 8, 8], output: 'image' },
    /ends in a vector; a network for this task ends in an image/u,
  );
});
