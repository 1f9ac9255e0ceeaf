import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { trainGraphNetworks } from './graph-network.ts';
import type { GraphRow, GraphShape } from './graph-shape.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

/** Two cells of three nodes; the second has an operation in its last node. One number beside. */
const shape: GraphShape = {
  components: [0, 0, 0, 1, 1, 1],
  edges: [
    { from: 0, to: 1 },
    { from: 0, to: 2 },
    { from: 1, to: 2 },
    { from: 3, to: 4 },
    { from: 3, to: 5 },
    { from: 4, to: 5 },
  ],
  sources: [0, 3],
  sinks: [2, 5],
  operations: 2,
  features: 1,
};
const options = { members: 3, hidden: 8, steps: 200, learningRate: 0.02 };

function drawn(label: string, count: number): GraphRow[] {
  const stream = rng('graphs', label);
  return Array.from({ length: count }, () => ({
    edges: Array.from({ length: 6 }, () => stream.int(4)),
    nodes: [1, 1, 1, 1, 1, 2 + stream.int(2)],
    features: [stream.float()],
  }));
}

/** What counts: operation 3 on a path of the first cell from its input to its output. */
function targetOf({ edges }: GraphRow): number {
  const [a = 0, b = 0, c = 0] = Array.from(edges);
  const through = a > 0 && c > 0 ? Number(a === 3) + Number(c === 3) : 0;
  return through + Number(b === 3) - 0.8;
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value / values.length, 0);

suite('graph networks', () => {
  const train = drawn('train', 100);
  const held = drawn('held out', 100);
  const learn = (change: Partial<typeof options> = {}) =>
    trainGraphNetworks(engine, shape, train, train.map(targetOf), rng('start'), { ...options, ...change });

  test('learn what lies on paths from input to output, with more steps better', async () => {
    const errorAfter = async (steps: number) => {
      const networks = await learn({ steps });
      return mean(held.map((row) => (mean(networks.predict(row)) - targetOf(row)) ** 2));
    };
    const [start, some, trained] = [await errorAfter(0), await errorAfter(30), await errorAfter(200)];
    assert.ok(trained < some && some < start, `${start}, ${some}, ${trained}`);
    assert.ok(trained < 0.1, `${trained}`);
  });

  test('predict in plain loops what the program computes: with their predictions as targets it hardly moves', async () => {
    const alone = { ...options, members: 1, steps: 10, learningRate: 0 };
    const first = await trainGraphNetworks(engine, shape, train, train.map(targetOf), rng('start'), alone);
    const own = train.map((row) => first.predict(row)[0] ?? Number.NaN);
    // Where both agree, the gradient vanishes; anywhere else, a step of Adam is as large as its rate.
    const trained = await trainGraphNetworks(engine, shape, train, own, rng('start'), { ...alone, learningRate: 1e-3 });
    const moved = mean(train.map((row, i) => Math.abs((trained.predict(row)[0] ?? Number.NaN) - (own[i] ?? 0))));
    const other = await trainGraphNetworks(engine, shape, train, train.map(targetOf), rng('start'), {
      ...alone,
      learningRate: 1e-3,
    });
    const usual = mean(train.map((row, i) => Math.abs((other.predict(row)[0] ?? Number.NaN) - (own[i] ?? 0))));
    assert.ok(moved < 0.1 * usual, `${moved}, ${usual}`);
  });

  test('dead ends and identities change nothing; the same start gives the same members, no two alike', async () => {
    const [networks, again] = [await learn({ steps: 20 }), await learn({ steps: 20 })];
    const nodes = [1, 1, 1, 1, 1, 2];
    // Node 1 leads nowhere; then: operation 2 before or after an identity.
    const pairs = [
      [
        [3, 2, 0, 2, 2, 2],
        [2, 2, 0, 2, 2, 2],
      ],
      [
        [0, 2, 3, 2, 2, 2],
        [0, 2, 2, 2, 2, 2],
      ],
    ] as const;
    for (const [a, b] of pairs) {
      const [one, other] = [a, b].map((edges) => networks.predict({ edges, nodes, features: [0.5] }));
      assert.deepEqual(one, other);
    }
    const row = held[0] as GraphRow;
    assert.deepEqual(networks.predict(row), again.predict(row));
    assert.equal(new Set(networks.predict(row)).size, options.members);
  });
});
