import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Architecture, SpaceOptions, Task } from '../../space.ts';
import { searchSpaceOf } from '../../tree/tree-search-space.ts';
import { layerGenomes } from './layer-genomes.ts';

const images: Task = { kind: 'classification', input: [3, 8, 8], outputs: 10 };
const spaceOf = (options: SpaceOptions = {}, task = images) => searchSpaceOf(layerGenomes.create(task, options));
const space = spaceOf();

/** The moves on genes, which this space has. */
function movesOf(of = space) {
  assert.ok(of.genome);
  return of.genome;
}

/** The first layer of all members: it has split the connection from the stem to the end. */
const FIRST = space.format(space.sample(rng('first'))).split('=')[0] ?? '';
const member = (text: string) => space.parse(text.replaceAll('A', FIRST));
const costsOf = (text: string) => networkCosts(space.build?.(member(text)) ?? { kind: 'identity' }, images);

const STEM = 9 * 3 * 16 + 2 * 16;
const classifier = (channels: number) => (channels + 1) * 10;
const conv = (from: number, to: number, kernel = 3) => kernel ** 2 * from * to + 2 * to;

test('the network has the layers on enabled ways; what meets is pooled and projected to be added', () => {
  assert.equal(costsOf('A=conv3x3*2:relu in>A A>out').params, STEM + conv(16, 32) + classifier(32));
  // A disabled connection, and a layer that leads nowhere, have no part in it.
  assert.equal(costsOf('A=conv3x3*2:relu in>A A>out! in>out').params, STEM + classifier(16));
  // 32 channels are the most: the stem is projected to them.
  const residual = costsOf('A=conv3x3*2:relu in>A A>out in>out');
  assert.equal(residual.params, STEM + conv(16, 32) + conv(16, 32, 1) + classifier(32));
  // 4x4 pixels are the fewest: the stem is pooled to them.
  const pooled = costsOf('A=maxPool in>A A>out in>out');
  assert.equal(pooled.params, STEM + classifier(16));
  assert.deepEqual(
    pooled.layers.filter(({ kind }) => kind === 'pool').map(({ output }) => output),
    [
      [16, 4, 4],
      [16, 4, 4],
    ],
  );
  assert.ok(pooled.flops < residual.flops);
});

test('a table has linear layers, whose inputs are brought to one width', () => {
  const rows: Task = { kind: 'regression', input: [5], outputs: 1 };
  const table = spaceOf({}, rows);
  const network = table.build?.(table.parse(`${FIRST}=dense*32:relu in>${FIRST} ${FIRST}>out in>out`));
  const dense = 5 * 32 + 32 + 2 * 32;
  assert.equal(networkCosts(network ?? { kind: 'identity' }, rows).params, 2 * dense + 33);
});

test('equal changes have equal numbers, so children of different parents align', () => {
  const moves = movesOf();
  const [one, other] = [member('A=conv3x3*1:relu in>A A>out'), member('A=dense*8:gelu in>A A>out')];
  assert.deepEqual(moves.align(one, other), { genes: 2, disjoint: 0, excess: 0, difference: 1 });
  const [grown, again] = [moves.addNode(one, rng(1)), moves.addNode(other, rng(1))];
  assert.ok(grown && again);
  const { disjoint, excess, genes } = moves.align(grown, again);
  assert.deepEqual([genes, disjoint + excess], [4, 0]);
  const { genes: most, ...alignment } = moves.align(grown, other);
  assert.deepEqual([most, alignment.disjoint + alignment.excess], [4, 2]);
  const wider = member('A=conv3x3*2:relu in>A A>out');
  assert.equal(moves.align(one, wider).difference, 0.5);
});

test('a child has the structure of the better parent, settings of either, and a way through the network', () => {
  const moves = movesOf();
  const rates = { disabled: 1, averaging: 0 };
  const better = member('A=conv3x3*1:relu in>A A>out');
  const other = moves.addNode(member('A=dense*8:gelu in>A A>out'), rng(1));
  assert.ok(other);
  const texts = new Set<string>();
  for (let i = 0; i < 20; i++) texts.add(space.format(moves.cross(better, other, rates, rng('child', i))));
  // `other` has disabled one of the two connections: without it there would be no network.
  assert.deepEqual(
    [...texts].toSorted(),
    ['A=conv3x3*1:relu in>A A>out', 'A=dense*8:gelu in>A A>out'].map((text) => space.format(member(text))).toSorted(),
  );
});

test('networks grow up to the limit of layers, and a setting of one layer changes at a time', () => {
  const few = spaceOf({ layers: 3 });
  const moves = movesOf(few);
  let now: Architecture = few.sample(rng('grow'));
  for (let i = 0; i < 40; i++) now = few.mutate(now, rng('grow', i));
  assert.match(few.format(now), /^\S+=\S+ \S+=\S+ \S+=\S+ in>/u);
  assert.equal(moves.addNode(now, rng('more')), undefined);
  const before = few.format(now).split(' ');
  const changed = few.format(moves.perturb(now, { power: 1, replaced: 0 }, rng('change'))).split(' ');
  assert.equal(changed.filter((part, i) => part !== before[i]).length, 1);
});

test('a network without layers has one after a mutation', () => {
  assert.match(space.format(space.mutate(member('in>out'), rng('first'))), /=.* in>out! in>/u);
});

test('random members have up to startLayers layers', () => {
  const random = spaceOf({ start: 'random', startLayers: 4 });
  const counts = Array.from({ length: 60 }, (_, i) => random.format(random.sample(rng(i))).split('=').length - 1);
  assert.deepEqual([...new Set(counts)].toSorted(), [1, 2, 3, 4]);
});

test('what is no member is refused with its place', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => member(text), { name: 'UserError', message }, text);
  refused('A=conv3x3*1:relu in>A A>out in', /part 4 is "in"; must be LAYER=KIND\*WIDTH:ACTIVATION/);
  refused('A=conv7x7*1:relu in>A A>out', /layers\[0\] is .*; its kind must be one of conv3x3, .*avgPool/);
  refused('A=conv3x3*3:relu in>A A>out', /its width must be one of 0\.5, 1, 2, 4, 8/);
  refused('A=maxPool*1:relu in>A A>out', /a pooling has no width and no activation/);
  refused('A=conv3x3*1:relu in>A A>out!', /no enabled connections lead from in to out/);
  refused('A=conv3x3*1:relu in>A A>out out>A', /must not leave an output/);
  refused('A=conv3x3*1:relu in>A A>A A>out', /connections that form a cycle/);
  refused('in>out zz>out', /connections\[1\] is .*; must lead from a node/);
  assert.throws(() => spaceOf({ start: 'random', layers: 3 }), /option startLayers is 8; must be at most layers, 3/);
  assert.throws(() => spaceOf({}, { ...images, positions: [8, 8] }), /an answer at each position/);
});
