import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rng, rng } from '../../../common/random.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Architecture, Space } from '../../space.ts';
import { architectureKey, checkArchitecture, formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { first, successor } from '../../tree/enumerate.ts';
import { resolve, scaleWidth, supernet } from '../../tree/resolve.ts';
import { crossover, mutate, neighbors, sample } from '../../tree/vary.ts';
import { graphHash, type LabeledGraph, pruned } from './labeled-graph.ts';
import { decisionsOf, graphOf, nasBench101, widthsOf } from './nas-bench-101.ts';

const task = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;
const space = nasBench101.create(task);
const NAMES = ['conv1x1-bn-relu', 'conv3x3-bn-relu', 'maxpool3x3'];
const refuses = (body: () => unknown, message: RegExp) => assert.throws(body, { name: 'UserError', message });

/** A graph of 2 to 7 vertices, each edge drawn evenly; with a path from input to output. */
function drawnGraph(random: Rng): LabeledGraph {
  for (;;) {
    const inner = random.int(6);
    const graph = {
      operations: Array.from({ length: inner }, () => random.pick(NAMES)),
      reads: Array.from({ length: inner + 1 }, (_, i) =>
        Array.from({ length: i + 1 }, (_, from) => from).filter(() => random.float() < 0.5),
      ),
    };
    if (pruned(graph) !== undefined) return graph;
  }
}

/** Its inner vertices in another order: vertex v becomes places[v]. Undefined where one would then read a later one. */
function relabeled({ operations, reads }: LabeledGraph, places: readonly number[]): LabeledGraph | undefined {
  const output = operations.length + 1;
  const place = (vertex: number) => (vertex === 0 || vertex === output ? vertex : (places[vertex - 1] ?? 0));
  const names = [...operations];
  const rows: (readonly number[])[] = [...reads];
  for (const [i, row] of reads.entries()) {
    const to = place(i + 1);
    if (row.some((from) => place(from) >= to)) return undefined;
    rows[to - 1] = row.map(place).sort((a, b) => a - b);
    if (to < output) names[to - 1] = operations[i] ?? '';
  }
  return { operations: names, reads: rows };
}

const permutations = (items: readonly number[]): number[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((others) => [item, ...others]));
const PLACES = Array.from({ length: 6 }, (_, count) => permutations(Array.from({ length: count }, (_, i) => i + 1)));

/** By brute force: the least of all adjacency matrices with operations, over every numbering of the inner vertices. */
function leastMatrix(graph: LabeledGraph): string {
  const { operations, reads } = pruned(graph) ?? graph;
  const inner = operations.length;
  return (PLACES[inner] ?? [])
    .map((places) => {
      const place = (vertex: number) => (vertex === 0 || vertex === inner + 1 ? vertex : (places[vertex - 1] ?? 0));
      const cells = new Array<string>((inner + 2) ** 2).fill('0');
      for (const [i, row] of reads.entries())
        for (const from of row) cells[place(from) * (inner + 2) + place(i + 1)] = '1';
      const names = places.map((_, p) => NAMES.indexOf(operations[places.indexOf(p + 1)] ?? ''));
      return `${cells.join('')} ${names}`;
    })
    .reduce((least, one) => (one < least ? one : least));
}

test('the hash agrees with a canonical form by brute force on 10,000 pairs, half of them relabeled copies', () => {
  const random = rng('pairs');
  let same = 0;
  for (let pair = 0; pair < 10_000; pair++) {
    const one = drawnGraph(random);
    let other: LabeledGraph | undefined = pair % 2 === 0 ? undefined : drawnGraph(random);
    while (other === undefined) other = relabeled(one, random.pick(PLACES[one.operations.length] ?? []));
    const isSame = leastMatrix(one) === leastMatrix(other);
    assert.equal(graphHash(one) === graphHash(other), isSame, JSON.stringify([one, other]));
    if (pair % 2 === 0) assert.ok(isSame);
    same += Number(isSame);
  }
  assert.ok(same > 5_000 && same < 6_000, `${same} pairs are the same`);
  assert.equal(graphHash({ operations: ['maxpool3x3'], reads: [[], [1]] }), undefined);
});

test('enumeration gives 1, 7, 91 and 2,532 graphs of at most 2, 3, 4 and 5 vertices, each once', () => {
  for (const [vertices, count] of [
    [2, 1],
    [3, 7],
    [4, 91],
    [5, 2_532],
  ] as const) {
    const small = nasBench101.create(task, { vertices });
    const texts = new Set<string>();
    let members = 0;
    for (let one: Architecture | undefined = first(small); one; one = successor(small, one)) {
      members++;
      texts.add(graphHash(graphOf(one)) ?? '');
    }
    assert.deepEqual([members, texts.size, small.membership?.size?.(small)], [count, count, BigInt(count)]);
  }
  assert.equal(space.membership?.size?.(space), 423_624n);
  // Other limits are counted by enumeration: two edges are one path through a vertex.
  const two = nasBench101.create(task, { vertices: 3, edges: 2 });
  assert.equal(two.membership?.size?.(two), 4n);
});

test('isomorphic graphs are one architecture, wherever they come from', () => {
  const random = rng('one architecture');
  for (let i = 0; i < 50; i++) {
    const member = sample(space, random);
    const graph = pruned(graphOf(member)) ?? assert.fail();
    const other = relabeled(graph, random.pick(PLACES[graph.operations.length] ?? [])) ?? graph;
    const raw = decisionsOf(other, 7, 'maxpool3x3');
    assert.equal(architectureKey(checkArchitecture(space, raw)), architectureKey(member));
    assert.deepEqual(resolve(space, raw), resolve(space, member));
    for (const one of [mutate(space, member, random), crossover(space, member, sample(space, random), random)])
      assert.deepEqual(checkArchitecture(space, one), one);
    for (const one of neighbors(space, member)) assert.deepEqual(checkArchitecture(space, one), one);
  }
});

/** The example of the benchmark's README, like an Inception cell: its table says 2,694,282 trainable parameters. */
const MATRIX =
  '[[0,1,1,1,0,1,0],[0,0,0,0,0,0,1],[0,0,0,0,0,0,1],[0,0,0,0,1,0,0],[0,0,0,0,0,0,1],[0,0,0,0,0,0,1],[0,0,0,0,0,0,0]]';
const INCEPTION = `${MATRIX}, ['input', 'conv1x1-bn-relu', 'conv3x3-bn-relu', 'conv3x3-bn-relu', 'conv3x3-bn-relu', 'maxpool3x3', 'output']`;

test("the benchmark's own example has its parameters, by matrix and by text", () => {
  const one = parseArchitecture(space, INCEPTION);
  assert.equal(networkCosts(resolve(space, one), task).params, 2_694_282);
  const text = formatArchitecture(space, one);
  assert.equal(
    text,
    'conv1x1-bn-relu<-0, conv3x3-bn-relu<-0, conv3x3-bn-relu<-0, conv3x3-bn-relu<-2, maxpool3x3<-0, output<-1+3+4+5',
  );
  assert.deepEqual(parseArchitecture(space, text), one);
});

test('channels are divided by the rules of the paper, and networks of another width can be built', () => {
  // 10 channels for the ends 2, 3 and 4: 4, 3 and 3. Vertex 1 has as many as vertex 3, which reads it.
  const graph = { operations: ['maxpool3x3', ...NAMES], reads: [[0], [0], [1, 2], [3], [0, 2, 3, 4]] };
  assert.deepEqual(widthsOf(graph, 10), [0, 3, 4, 3, 3]);
  const narrow = nasBench101.create(task, { cells: 1, channels: 10 });
  const network = resolve(narrow, decisionsOf(graph, 7, 'maxpool3x3'));
  for (const factor of [1, 0.5, 0.75, 1.3]) assert.ok(networkCosts(scaleWidth(network, factor), task).params > 0);
});

test('graphs that are no members, and supernets, are refused with place, value and rule', () => {
  const read =
    (text: string, of: Space = space) =>
    () =>
      parseArchitecture(of, text);
  refuses(read('maxpool3x3<-0, output<-x'), /vertex 2 reads "x"; must be different numbers from 0 to 1, rising/);
  refuses(
    read('pool<-0, output<-1'),
    /vertex 1 is "pool"; must be one of conv1x1-bn-relu, conv3x3-bn-relu, maxpool3x3/,
  );
  refuses(read('maxpool3x3<-0'), /vertex 1 is "maxpool3x3"; the last must be "output"/);
  refuses(read('output'), /vertex 1 is "output"; must be OPERATION<-NUMBERS/);
  refuses(
    read('[[0,1],[1,0]], [input, output]'),
    /row 1, column 0 is "1"; must be 0, or 1 to the right of the diagonal/,
  );
  refuses(read('[[0,1]], [input, output]'), /has 1 rows and 2 operations; must have a square matrix/);
  refuses(read('[0, 1]'), /is no matrix with operations/);
  refuses(read(INCEPTION, nasBench101.create(task, { vertices: 6 })), /has 7 vertices; must have at most 6/);
  const full = {
    operations: Array(5).fill('maxpool3x3'),
    reads: PLACES[5]?.[0]?.concat(6).map((n) => [...Array(n).keys()]),
  };
  refuses(
    () => checkArchitecture(space, decisionsOf(full as LabeledGraph, 7, 'maxpool3x3')),
    /architecture of space "nas-bench-101": its cell has 21 edges; must have a path from input to output, and at most 9/,
  );
  const empty = { ...checkArchitecture(space, parseArchitecture(space, 'output<-0')), '0->6': 'none' };
  refuses(() => checkArchitecture(space, empty), /its cell has no path from input to output; must have a path/);
  refuses(() => supernet(space), /space "nas-bench-101": has no supernet/);
  refuses(() => nasBench101.create({ ...task, input: [3, 30, 32] }), /must be multiples of 4 to be halved twice/);
});
