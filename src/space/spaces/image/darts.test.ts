import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { count } from '../../tree/count.ts';
import { decisions } from '../../tree/decisions.ts';
import { derive } from '../../tree/derive.ts';
import { encodeAdjacency, encodeOneHot, encodePath } from '../../tree/encode.ts';
import type { Module } from '../../tree/module.ts';
import { resolve, supernet } from '../../tree/resolve.ts';
import { crossover, mutate, neighbors, sample } from '../../tree/vary.ts';
import { childrenOf } from '../../tree/walk.ts';
import { darts, nasnet } from '../index.ts';
import { DARTS_CELLS } from './published-cells.ts';

const task: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const space = darts.create(task);
const search = darts.create(task, { search: true });
const refuses = (body: () => unknown, message: string) =>
  assert.throws(body, (error: Error) => {
    assert.equal(error.name, 'UserError');
    assert.equal(error.message, message);
    return true;
  });

test('the space of the paper: 180 · 7^8 cells of each kind, 34 decisions shared by all cells of a kind', () => {
  assert.equal(count(space), (180n * 7n ** 8n) ** 2n);
  assert.equal(decisions(space).length, 2 * (14 + 3));
  assert.deepEqual(
    decisions(darts.create(task, { cells: 20, channels: 36 })).map(({ name }) => name),
    decisions(space).map(({ name }) => name),
  );
  assert.equal(decisions(darts.create(task, { dropPath: 0.2 })).length, 34);
});

test('fewer than three cells are refused: all of them would be reductions, and nothing would decide the normal cell', () => {
  for (const one of [darts, nasnet])
    for (const cells of [1, 2])
      assert.throws(() => one.create(task, { cells }), /option cells is .*must be/, `${one.name}, ${cells}`);
  assert.equal(decisions(darts.create(task, { cells: 3 })).length, 34);
});

test('attention is a further operation, over all pixels of at most 256 and by row above; its heads must divide the channels', () => {
  for (const [one, operations] of [
    [darts, 8],
    [nasnet, 9],
  ] as const) {
    const open = one.create(task, { attention: 4, cells: 4 });
    const domains = decisions(open).filter(({ name }) => !name.endsWith('<-') && !name.endsWith('output'));
    for (const { domain } of domains) assert.equal(domain.kind === 'values' && domain.values.length, operations);
    const member = Object.fromEntries(
      Object.entries(sample(open, rng('attention'))).map(([name, value]) => [
        name,
        typeof value === 'string' && !name.endsWith('output') ? 'attention' : value,
      ]),
    );
    assert.deepEqual(parseArchitecture(open, formatArchitecture(open, member)), member);
    const network = resolve(open, member);
    assert.ok(networkCosts(network, task).params > 0);
    const seen = cellsOf(network).map((cell) => JSON.stringify(cell).includes('"rows"'));
    assert.deepEqual(seen, [true, false, false, false]);
  }
  refuses(
    () => darts.create(task, { attention: 3 }),
    'space "darts": option attention is 3; its heads must divide the channels of the first cell, 16',
  );
});

/** The cells of a network, with the stride of the edges from their inputs. */
function cellsOf(network: Module): Extract<Module, { kind: 'dag' }>[] {
  return network.kind === 'dag' ? [network] : childrenOf(network).flatMap(cellsOf);
}

test('cells at a third and at two thirds reduce and double the channels; the one after reads its older input by factorized reduction', () => {
  const cells = cellsOf(supernet(darts.create(task, { cells: 8, channels: 16 })));
  const described = cells.map(({ entries, nodes }) => {
    const strides = [...JSON.stringify(nodes).matchAll(/"stride":(\d)/gu)].map(([, stride]) => Number(stride));
    const [older, newer] = entries;
    const width = newer?.kind === 'sequential' && newer.children[1]?.kind === 'conv' ? newer.children[1].channels : 0;
    return [older?.kind === 'factorizedReduce', Math.max(...strides) === 2, width];
  });
  assert.deepEqual(described, [
    [false, false, 16],
    [false, false, 16],
    [false, true, 32],
    [true, false, 32],
    [false, false, 32],
    [false, true, 64],
    [true, false, 64],
    [false, false, 64],
  ]);
});

test('published genotypes are members, by name, in their notation, and in that of the paper', () => {
  for (const [name, { text: published }] of Object.entries(DARTS_CELLS)) {
    const architecture = parseArchitecture(space, name);
    assert.deepEqual(parseArchitecture(space, published), architecture);
    const text = formatArchitecture(space, architecture);
    assert.deepEqual(parseArchitecture(space, text), architecture);
    const bare = text
      .replace('Genotype(', '')
      .replace(/\)$/u, '')
      .replaceAll(/, (?:normal|reduce)_concat=range\(2, 6\)/gu, '');
    assert.match(bare, /^normal=\[.*\], reduce=\[.*\]$/u);
    assert.deepEqual(parseArchitecture(space, bare.replaceAll(' ', '').replaceAll("'", '"')), architecture);
  }
  assert.equal(
    formatArchitecture(space, parseArchitecture(space, 'DARTS_V2')),
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), " +
      "('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6), " +
      "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), " +
      "('skip_connect', 2), ('max_pool_3x3', 1), ('skip_connect', 2)], reduce_concat=range(2, 6))",
  );
});

test('a genotype that no pattern fits is refused at once, however many ways there are to try', () => {
  const spaces = ' '.repeat(100);
  const list = `normal=[${`('sep_conv_3x3',${spaces}0)${spaces}`.repeat(50)}`;
  for (const text of [`${list}!]`, list, `${list},,]`, 'normal='.repeat(2000)])
    assert.throws(() => parseArchitecture(space, text), /has no normal=\[...\]/);
  assert.throws(() => parseArchitecture(space, 'x'.repeat(30_000)), /has 30000 characters; at most 20000 are read/);
});

test('a malformed genotype is refused with its place', () => {
  const pair = "('skip_connect', 0), ('skip_connect', 1)";
  const cell = `[${Array(4).fill(pair).join(', ')}]`;
  const parse = (text: string) => () => parseArchitecture(space, text);
  const place = (text: string) => `architecture "${text.length > 60 ? `${text.slice(0, 60)}...` : text}"`;
  const only = `normal=${cell}`;
  refuses(
    parse(only),
    `${place(only)}: has no reduce=[...]; must be normal=[('OPERATION', INPUT), ...], reduce=[...], or one of ` +
      Object.keys(DARTS_CELLS).join(', '),
  );
  const short = `normal=[${pair}], reduce=${cell}`;
  refuses(parse(short), `${place(short)}: normal has 2 pairs; must have 8, 2 for each of 4 nodes`);
  const twice = `${only}, reduce=${cell.replace(pair, "('skip_connect', 1), ('skip_connect', 1)")}`;
  refuses(parse(twice), `${place(twice)}: node 2 of reduce reads 1 and 1; must be 2 different nodes below 2`);
  const late = `normal=${cell.replace(pair, "('skip_connect', 0), ('skip_connect', 2)")}, reduce=${cell}`;
  refuses(parse(late), `${place(late)}: node 2 of normal reads 2; must be a node below 2`);
  const some = `${only}, normal_concat=[3, 4, 5], reduce=${cell}`;
  refuses(parse(some), `${place(some)}: normal_concat is [3, 4, 5]; must be all nodes, range(2,6)`);
  assert.throws(
    parse(`${only.replace('skip_connect', 'none')}, reduce=${cell}`),
    /decision "normal\/0->2" is "none"; must be one of max_pool_3x3/u,
  );
});

test('samples, mutations, crossings and neighbors are members, and encodings have one length', () => {
  const [a, b] = [sample(space, rng(1)), sample(space, rng(2))];
  for (const one of [
    a,
    b,
    mutate(space, a, rng(3)),
    crossover(space, a, b, rng(4)),
    ...neighbors(space, a).slice(0, 20),
  ]) {
    assert.deepEqual(parseArchitecture(space, formatArchitecture(space, one)), one);
    // Paths of up to 4 operations from either input; an operation for each of 14 edges; one-hot and 3 + 4 + 5 inputs.
    assert.equal(encodePath(space, one).length, 2 * 2 * (7 + 7 ** 2 + 7 ** 3 + 7 ** 4));
    assert.equal(encodeAdjacency(space, one).length, 2 * 14 * 7);
    assert.equal(encodeOneHot(space, one).length, 2 * (14 * 7 + 3 + 4 + 5));
  }
});

test('the search network decides the same; derived from its weights, each node keeps its two strongest inputs, never none', () => {
  assert.deepEqual(
    decisions(search).map(({ name }) => name),
    decisions(space).map(({ name }) => name),
  );
  const edges = decisions(search).filter(({ domain }) => domain.kind === 'values');
  // None is strongest everywhere; the strength of an edge's best operation rises with the node that it comes from.
  const weights = Object.fromEntries(
    edges.map(({ name }) => {
      const from = Number(/(\d)->/u.exec(name)?.[1]);
      const best = name.startsWith('normal') ? 4 : 2;
      return [name, Array.from({ length: 8 }, (_, k) => (k === 0 ? 0.9 : k === best ? 0.02 + from / 100 : 0.01))];
    }),
  );
  const found = derive(search, weights);
  const normal = (to: number) => [to - 2, to - 1].map((from) => [`normal/${from}->${to}`, 'sep_conv_3x3']);
  assert.deepEqual(
    Object.entries(found).filter(([name]) => name.startsWith('normal') && name.includes('->')),
    [2, 3, 4, 5].flatMap(normal),
  );
  assert.deepEqual([found['reduce/5<-'], found['reduce/4->5']], [[3, 4], 'avg_pool_3x3']);
  assert.deepEqual(parseArchitecture(space, formatArchitecture(search, found)), found);
  const { 'normal/0->2': _, ...missing } = weights;
  assert.throws(() => derive(search, missing), /"normal\/0->2" has no weights/u);
});

test('the search network has batch norm without weights and after pools; the discrete one has neither', () => {
  const text = (network: Module) => JSON.stringify(cellsOf(network));
  assert.ok(!text(supernet(search)).includes('"affine":true') && !text(supernet(space)).includes('"affine":false'));
  const pooled = /"kind":"pool"[^{}]*\},\{"kind":"batchNorm"/u;
  assert.match(text(supernet(search)), pooled);
  assert.doesNotMatch(text(supernet(space)), pooled);
  const dropped = resolve(darts.create(task, { dropPath: 0.2 }), parseArchitecture(space, 'DARTS_V2'));
  const drops = JSON.stringify(dropped).match(/"kind":"dropPath"/gu)?.length ?? 0;
  // Of DARTS_V2's 8 operations a normal cell drops all but 2 identities, a reduction cell all but 3 (and no skip is strided).
  assert.equal(drops, 6 * 6 + 2 * 5);
});

test('what the options cannot be is refused', () => {
  refuses(() => darts.create(task, { cells: 0 }), 'space "darts": option cells is 0; must be at least 3');
  refuses(() => darts.create(task, { dropPath: 1 }), 'space "darts": option dropPath is 1; must be below 1');
  refuses(
    () => darts.create({ ...task, input: [3, 3, 32] }),
    'space "darts": images are 3x32; both sides must be at least 4',
  );
});
