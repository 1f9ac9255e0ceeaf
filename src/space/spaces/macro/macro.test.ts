import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Architecture, Task } from '../../space.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { constrained } from '../../tree/constrain.ts';
import { count } from '../../tree/count.ts';
import { encodeAdjacency, encodeOneHot } from '../../tree/encode.ts';
import { first, successor } from '../../tree/enumerate.ts';
import { resolve } from '../../tree/resolve.ts';
import { sample } from '../../tree/vary.ts';
import { macro } from '../index.ts';

const images = (side: number, channels = 1): Task => ({
  kind: 'classification',
  input: [channels, side, side],
  outputs: 10,
});
const digits = images(8);
const sequences: Task = { kind: 'classification', input: [3, 12], outputs: 4 };
const tokens: Task = { kind: 'classification', input: [12], vocabulary: 20, outputs: 4 };
const table: Task = { kind: 'regression', input: [5], outputs: 1, quantiles: [[-1, 0, 1], [], [-2, 2], [], []] };
const space = macro.create(digits);
const END = '| halving1=early, activation=relu, pool=average, head=none, dropout=0';
const costs = (text: string, of = space) => networkCosts(resolve(of, parseArchitecture(of, text)), of.task);

test('random members of every task can be built, are read as they are written, and have encodings of one length', () => {
  for (const task of [digits, images(96, 3), sequences, tokens, table]) {
    const one = macro.create(task);
    const lengths = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const member = sample(one, rng('macro', round));
      assert.deepEqual(parseArchitecture(one, formatArchitecture(one, member)), member);
      assert.ok(networkCosts(resolve(one, member), task).params > 0);
      lengths.add(`${encodeOneHot(one, member).length} ${encodeAdjacency(one, member).length}`);
    }
    assert.equal(lengths.size, 1);
    for (const [name, member] of Object.entries(macro.handDesigned?.(task, { tune: true }) ?? {}))
      assert.ok(networkCosts(resolve(macro.create(task, { tune: true }), member), task).params > 0, name);
  }
});

test('parameters and FLOPs are those of the layers and of what brings their inputs together', () => {
  const stem = 9 * 16 + 2 * 16;
  const classifier = (width: number) => (width + 1) * 10;
  const conv = (from: number, to: number, kernel = 3) => kernel ** 2 * from * to + 2 * to;
  // Halved before the first layer, so widths are 32 at once.
  const chain = costs(`conv3x3:1<-0, dense:1<-1, sepConv5x5:0.5<-2 ${END}`);
  assert.equal(chain.params, stem + conv(16, 32) + conv(32, 32, 1) + 25 * 32 + 32 * 16 + 2 * 16 + classifier(16));
  const [pixels, all] = [16, 64];
  const macs = all * 9 * 16 + pixels * (9 * 16 * 32 + 32 * 32 + 25 * 32 + 32 * 16) + 16 * 10;
  // A bias counts once an output, batch norm nothing.
  assert.equal(chain.flops, macs + 10);

  // The third layer adds the stem, brought to its width, and the layer before it.
  const sum = costs(`conv3x3:1<-0, conv3x3:1<-1, conv3x3:1<-0+2 ${END}`);
  assert.equal(sum.params, stem + conv(16, 32) + 2 * conv(32, 32) + conv(16, 32, 1) + classifier(32));
  // Or it concatenates them: a bottleneck precedes convolutions of more than twice their width.
  const joined = costs(`conv3x3:1<-0, conv3x3:1<-1, conv3x3:1<-0&2 ${END}`);
  assert.equal(joined.params, stem + conv(16, 32) + conv(32, 32) + conv(48, 32) + classifier(32));
  const narrow = costs(`conv3x3:1<-0, conv3x3:1<-1, conv3x3:0.5<-0&2 ${END}`);
  assert.equal(narrow.params, stem + conv(16, 32) + conv(32, 32) + conv(48, 16, 1) + conv(16, 16) + classifier(16));
  // What no layer reads reaches the classifier.
  const loose = costs(`conv3x3:1<-0, conv3x3:1<-0, conv3x3:1<-0 ${END}`);
  assert.equal(loose.params, stem + 3 * conv(16, 32) + classifier(96));
});

test('a halving is pooled once for all that read across it', () => {
  const { layers } = costs(
    `conv3x3:1<-0, conv3x3:1<-0+1, conv3x3:1<-0+1+2, conv3x3:1<-0+1+3, conv3x3:1<-0+1+4 ${END.replace('early', 'late')}`,
  );
  const pools = layers.filter(({ kind }) => kind === 'pool').map(({ output }) => output.slice(1));
  assert.deepEqual(pools, [
    [4, 4],
    [4, 4],
    [4, 4],
  ]);
});

test('recurrent layers read the rows of an image; attention reads all pixels of a small one, and rows of a large one', () => {
  const kinds = (side: number) => {
    const one = macro.create(images(side));
    const end = side === 8 ? END : END.replace('halving1=early', 'halving1=late, halving2=late');
    const { layers } = costs(`attention:1<-0, gru:1<-1, attention:1<-2 ${end}`, one);
    return layers
      .filter(({ kind }) => kind === 'recurrent' || kind === 'attention')
      .map(({ kind, output }) => [kind, ...output]);
  };
  assert.deepEqual(kinds(8), [
    ['attention', 32, 4, 4],
    ['recurrent', 32, 4],
    ['attention', 32, 4, 4],
  ]);
  // The first layer has 32x32 pixels, the others 16x16.
  assert.deepEqual(kinds(32), [
    ['attention', 16, 32],
    ['recurrent', 32, 16],
    ['attention', 32, 16, 16],
  ]);
});

test('what has no effect is settled: networks that are alike are one architecture', () => {
  const base = parseArchitecture(space, `conv3x3:1<-0, gru:1<-1, dense:2<-2 ${END}`);
  const same = (changed: Record<string, string>) =>
    assert.deepEqual(checkArchitecture(space, { ...base, ...changed }), base, JSON.stringify(changed));
  same({ combine2: 'concat' });
  same({ '1->2': 'none' });
  same({ '2->3': 'none', combine3: 'concat' });
  // Of 3 layers, a third is one: early is before the first, middle before the second, late before the third.
  assert.notDeepEqual(checkArchitecture(space, { ...base, halving1: 'middle' }), base);
  const two = macro.create(images(32));
  const text = `conv3x3:1<-0, gru:1<-1, dense:2<-2 | halving1=middle, halving2=early, activation=relu, pool=average, head=none, dropout=0`;
  const member = parseArchitecture(two, text);
  // A sixth and a third of three layers are one layer.
  assert.deepEqual(checkArchitecture(two, { ...member, halving1: 'late' }), member);
});

test('constraints hold, and what cannot be read is refused', () => {
  const small = constrained(space, { forbid: ['attention', 'gru', '0->3=read'], fix: { layers: '4', '1->4': 'read' } });
  for (let round = 0; round < 10; round++) {
    const text = formatArchitecture(small, sample(small, rng('constrained', round)));
    assert.match(text, /^[^,]+, [^,]+, \w+:[\d.]+<-[12]([+&]2)?, \w+:[\d.]+<-(0[+&])?1/u);
    assert.doesNotMatch(text, /attention|gru/u);
  }

  const both = constrained(space, { require: ['attention', 'concat'] });
  for (let round = 0; round < 5; round++)
    assert.match(formatArchitecture(both, sample(both, rng('required', round))), /^(?=.*attention)(?=.*&)/u);
  assert.throws(() => constrained(space, { forbid: ['read'], fix: { layers: '3' } }), {
    name: 'UserError',
    message: /no architecture of space "macro" was found/,
  });
});

test('the size counts what is alike once, under constraints, too: as enumeration does', () => {
  const few = ['kind', 'width'].flatMap((what) =>
    [1, 2, 3].map((layer) => [`${what}${layer}`, what === 'kind' ? 'gru' : 1]),
  );
  const others = { activation: 'relu', pool: 'max', head: 'none', dropout: 0 };
  const fix = { ...Object.fromEntries(few), ...others, layers: '3' };
  for (const forbid of [[], ['0->3=read'], ['1->2=none', '2->3=none'], ['concat']]) {
    const small = constrained(macro.create(images(32)), { fix, forbid });
    let members = 0n;
    for (let one: Architecture | undefined = first(small); one; one = successor(small, one)) members++;
    assert.equal(count(small), members, forbid.join());
  }
  // Halvings after 0 or 1, and after 2 or 3 of 3 layers; 4 wirings of the second layer and 11 of the third.
  assert.equal(count(constrained(macro.create(images(32)), { fix })), 4n * 4n * 11n);
  assert.ok(first(macro.create(images(32))));
  assert.equal(count(macro.create(digits, { tune: true })), undefined);
  assert.equal(Number(count(macro.create(images(32)))).toPrecision(2), '1.2e+26');
});

test('a malformed text and a task with answers at positions are refused', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => parseArchitecture(space, text), { name: 'UserError', message }, text);
  refused('conv3x3', /layer 1 is "conv3x3"; must be KIND:WIDTH<-NUMBERS/);
  refused(`conv3x3:1<-0, conv7x7:1<-0, dense:1<-1 ${END}`, /layer 2 is "conv7x7"; must be one of conv3x3/);
  refused(`conv3x3:1<-0, dense:1<-2, dense:1<-1 ${END}`, /layer 2 reads "2"; must be different numbers below 2/);
  refused(
    `conv3x3:1<-0, dense:1<-1, dense:1<-0+1&2 ${END}`,
    /layer 3 reads "0\+1&2"; must be joined by \+ \(added\) or/,
  );
  refused(`conv3x3:1<-0, dense:3<-1, dense:1<-1 ${END}`, /decision "width2" is 3; must be one of 0\.5, 1, 2/);
  refused(`conv3x3:1<-0 ${END}`, /decision "layers" is "1"/);
  refused(`conv3x3:1<-0 | early`, /"early" stands behind the bar; must be DECISION=VALUE/);
  assert.throws(() => macro.create({ ...sequences, positions: [12] }), {
    name: 'UserError',
    message: /the task asks for an answer at each position/,
  });
});

test('a table has dense layers of its own widths', () => {
  const one = macro.create(table);
  const text = 'dense:32<-0, dense:64<-0&1 | bins=8, activation=relu, dropout=0';
  // Two intervals of the first number, and one of the third.
  const features = 5 + 2 + 1;
  const { params } = costs(text, one);
  const layer = (from: number, to: number) => (from + 1) * to + 2 * to;
  assert.equal(params, layer(features, 32) + layer(features + 32, 64) + 64 + 1);
  const member: Architecture = parseArchitecture(one, text);
  assert.equal(member.layers, '2');
});
