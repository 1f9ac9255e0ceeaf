import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Architecture, DecisionValue, SpaceOptions, Task } from '../../space.ts';
import { architectureKey, checkArchitecture, formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { memberOf } from '../../tree/choose.ts';
import { constrained } from '../../tree/constrain.ts';
import { decisions } from '../../tree/decisions.ts';
import { encodeAdjacency } from '../../tree/encode.ts';
import { first, successor } from '../../tree/enumerate.ts';
import { resolve, supernet } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { hierarchical } from '../index.ts';
import { edgeOf, pairsOf } from './hierarchical-motifs.ts';

const task: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const space = hierarchical.create(task, { channels: 8 });
const read = (text: string, of = space) => parseArchitecture(of, text);
const written = (text: string, of = space) => formatArchitecture(of, read(text, of));
const costs = (text: string) => networkCosts(resolve(space, read(text)), task);

test('as in the paper: 6 motifs of 4 nodes and a cell of 5, each pair of nodes with an operation or none', () => {
  const all = decisions(space);
  assert.equal(all.length, 6 * 6 + 10);
  assert.ok(
    all.every(({ domain, when }) => domain.kind === 'values' && domain.values.length === 7 && when.length === 1),
  );
  assert.equal(encodeAdjacency(space, sample(space, rng(1))).length, 46 * 7);
  assert.throws(() => supernet(space), /has no supernet: how wide an operation is depends on the whole graph/);
});

test('random members of all numbers of levels can be built, and are read as they are written', () => {
  const options: readonly SpaceOptions[] = [
    { levels: 2, cellNodes: 6 },
    {},
    { levels: 4, motifs: 3, nodes: 3, cellNodes: 4 },
  ];
  for (const one of options) {
    const hierarchy = hierarchical.create(task, { channels: 4, ...one });
    for (let round = 0; round < 4; round++) {
      const member = sample(hierarchy, rng('hierarchical', round));
      assert.deepEqual(parseArchitecture(hierarchy, formatArchitecture(hierarchy, member)), member);
      assert.ok(networkCosts(resolve(hierarchy, member), task).params > 0);
    }
    const designed = hierarchical.handDesigned?.(task, { channels: 4, ...one }) ?? {};
    for (const member of Object.values(designed)) assert.ok(networkCosts(resolve(hierarchy, member), task).params > 0);
  }
  assert.throws(
    () => hierarchical.create(task, { levels: 5, nodes: 7 }),
    /a cell could have 92610 primitive operations; may have 4096/,
  );
});

test('parameters are those of the primitives in the motifs, times the edges that they stand on', () => {
  const separable = (from: number, to: number) => 9 * from + from * to + 2 * to;
  const stem = 27 * 8 + 16;
  const between = separable(8, 16) + separable(16, 32);
  const fixed = stem + between + 33 * 10;
  const stages = (params: (channels: number) => number) =>
    [8, 16, 32].reduce((sum, channels) => sum + params(channels), 0);
  const one = costs('motif2.1 0->3=sepConv3x3 | cell 0->1=motif2.1 1->4=motif2.1');
  assert.equal(one.params, fixed + stages((c) => 2 * separable(c, c)));
  // Two edges that meet are concatenated and projected by a 1x1 convolution; none contributes nothing.
  const joined = costs('motif2.1 0->3=sepConv3x3 0->1=conv1x1 1->3=maxPool3x3 1->2=none | cell 0->4=motif2.1');
  assert.equal(joined.params, fixed + stages((c) => separable(c, c) + c * c + 2 * c + 2 * c * c + 2 * c));
});

test('edges on no path, and motifs that nothing uses, have no effect', () => {
  const plain = 'motif2.1 0->3=sepConv3x3 | cell 0->4=motif2.1';
  assert.equal(written(plain), plain);
  assert.equal(written('motif2.1 0->3=sepConv3x3 0->1=conv1x1 | motif2.2 0->3=identity | cell 0->4=motif2.1'), plain);
  assert.equal(written('motif2.1 0->3=sepConv3x3 | cell 0->4=motif2.1 1->4=motif2.1 0->2=motif2.3'), plain);
  assert.throws(() => read('motif2.1 0->1=conv1x1 | cell 0->4=motif2.1'), /its cell has no path from input to output/);
});

test('motifs have no numbers of their own: equal ones are one, and isomorphic ones are equal', () => {
  const one = 'motif2.1 0->3=sepConv3x3 | motif2.2 0->3=conv1x1 | cell 0->1=motif2.1 1->4=motif2.2';
  assert.equal(written(one), one);
  assert.equal(written('motif2.4 0->3=sepConv3x3 | motif2.3 0->3=conv1x1 | cell 0->1=motif2.4 1->4=motif2.3'), one);
  const twice = 'motif2.1 0->3=sepConv3x3 | motif2.2 0->3=sepConv3x3 | cell 0->1=motif2.1 1->4=motif2.2';
  assert.equal(written(twice), 'motif2.1 0->3=sepConv3x3 | cell 0->1=motif2.1 1->4=motif2.1');
  const [a, b] = [1, 2].map((inner) =>
    written(
      `motif2.1 0->${inner}=sepConv3x3 ${inner}->3=identity 0->${3 - inner}=conv1x1 ${3 - inner}->3=maxPool3x3 | cell 0->4=motif2.1`,
    ),
  );
  assert.equal(a, b);
});

test('random renumberings of motifs and of their nodes leave the key as it is', () => {
  for (let round = 0; round < 30; round++) {
    const stream = rng('renumbered', round);
    const member = sample(space, stream);
    const order = stream.shuffle([1, 2, 3, 4, 5, 6]);
    const renamed = (label: unknown) =>
      String(label).replace(/^motif2\.(\d)$/u, (_, number: string) => `motif2.${order[Number(number) - 1]}`);
    const changed: Record<string, string> = {};
    for (const [from, to] of pairsOf(5)) changed[edgeOf('cell', from, to)] = renamed(member[edgeOf('cell', from, to)]);
    for (const number of [1, 2, 3, 4, 5, 6]) {
      const at = (from: number, to: number) => String(member[edgeOf(`motif2.${number}`, from, to)]);
      // Nodes 1 and 2 change places where no edge joins them.
      const swap = at(1, 2) === 'none' && stream.int(2) === 0 ? [0, 2, 1, 3] : [0, 1, 2, 3];
      for (const [from, to] of pairsOf(4)) {
        const [a, b] = [swap[from] ?? 0, swap[to] ?? 0];
        changed[edgeOf(`motif2.${order[number - 1]}`, from, to)] = a < b ? at(a, b) : 'none';
      }
    }
    assert.equal(architectureKey(checkArchitecture(space, changed)), architectureKey(member));
  }
});

test('constraints on single edges hold, and motifs keep their numbers there', () => {
  const fixed = constrained(space, {
    fix: { 'motif2.2:0->3': 'identity', 'cell:0->4': 'motif2.2' },
    forbid: ['maxPool3x3'],
  });
  for (let round = 0; round < 8; round++) {
    const member = sample(fixed, rng('fixed', round));
    const text = formatArchitecture(fixed, member);
    assert.match(text, /motif2\.2 .*0->3=identity.*cell .*0->4=motif2\.2/u);
    assert.doesNotMatch(text, /maxPool/u);
    assert.deepEqual(parseArchitecture(fixed, text), member);
    assert.deepEqual(checkArchitecture(fixed, member), member);
  }
  const full = constrained(space, { forbid: ['none'] });
  const member = sample(full, rng('full'));
  assert.ok(Object.values(member).every((label) => label !== 'none'));
  assert.deepEqual(parseArchitecture(full, formatArchitecture(full, member)), member);
  const required = constrained(space, { require: ['depthwiseConv3x3', 'motif2.3'] });
  for (let round = 0; round < 4; round++)
    assert.match(
      formatArchitecture(required, sample(required, rng('required', round))),
      /^(?=.*=depthwiseConv3x3)(?=.*cell.*motif2\.3)/u,
    );
});

test('enumeration meets each network of a small hierarchy once, under constraints, too', () => {
  const whole = hierarchical.create(task, { motifs: 2, nodes: 3, cellNodes: 3, channels: 4 });
  const forbid = ['depthwiseConv3x3', 'sepConv3x3', 'maxPool3x3', 'avgPool3x3'];
  for (const [small, least] of [
    [constrained(whole, { forbid: [...forbid, 'identity'] }), 15],
    [constrained(whole, { forbid, fix: { 'cell:0->1': 'motif2.1', 'cell:0->2': 'none' } }), 50],
  ] as const) {
    const met = new Set<string>();
    for (let one: Architecture | undefined = first(small); one; one = successor(small, one))
      met.add(architectureKey(one));
    // Beside it: what all labelings are, settled.
    const all = new Set<string>();
    const lists = decisions(small).flatMap(({ name, domain }) =>
      domain.kind === 'values' ? [{ name, values: domain.values }] : [],
    );
    const total = lists.reduce((product, { values }) => product * values.length, 1);
    for (let i = 0; i < total; i++) {
      let rest = i;
      const labels: Record<string, DecisionValue> = {};
      for (const { name, values } of lists) {
        labels[name] = values[rest % values.length] ?? 'none';
        rest = Math.floor(rest / values.length);
      }
      const member = memberOf(small, labels);
      if (member !== undefined) all.add(architectureKey(member));
    }
    assert.deepEqual(met, all);
    assert.ok(met.size > least, `${met.size}`);
  }
  assert.ok(first(space));
});

test('a malformed text is refused with its place', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => read(text), { name: 'UserError', message }, text);
  refused('motif3.1 0->1=identity', /part 1 is "motif3\.1"; must be one of motif2\.1, .*, cell/);
  refused('cell 0->4', /an edge of cell is "0->4"; must be MOTIF FROM->TO=OPERATION/);
  refused('cell 4->0=motif2.1', /an edge of cell is "4->0=motif2\.1"; must lead to a later node, at most 4/);
  refused('cell 0->4=conv1x1', /an edge of cell is "conv1x1"; must be one of none, motif2\.1/);
  refused('cell 0->4=motif2.1 0->4=motif2.2', /edge 0->4 of cell is given twice/);
  refused('cell 0->4=motif2.1 | cell 0->1=motif2.1', /"cell" is given twice/);
});
