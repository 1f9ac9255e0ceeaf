/**
 * What constraints cost, exactly: the best test accuracy after 200 epochs that NAS-Bench-201 has under each of them, on its three data
 * sets, as a table in Markdown. All members are enumerated, so nothing depends on a search.
 *
 *     npm run -s bench:constraints
 *
 * Depth is that of the cell, the longest chain of convolutions from its input to its output; a network of D has 6 + 15 D layers with
 * weights on one path (`--max-depth`), which is checked on random members.
 */
import assert from 'node:assert/strict';
import { rng } from '../src/common/random.ts';
import { openNasBench201 } from '../src/estimate/tabular/nas-bench-201.node.ts';
import { costsOf } from '../src/measure/index.ts';
import { openNasBench201Test } from '../src/report/tabular/nas-bench-201-test.node.ts';
import { type Architecture, type Constraints, constrained, first, sample, successor } from '../src/space/index.ts';

const NODES = 4;
const CONVOLUTIONS = ['nor_conv_1x1', 'nor_conv_3x3'];
const LAYERS = { outside: 6, each: 15 };
const CHECKED = 20;

const table = await openNasBench201();
const testOf = await openNasBench201Test(table.space);
const { space, datasets } = table;

/** Members of the space under constraints. */
function* members(constraints: Constraints = {}): Generator<Architecture> {
  const narrow = constrained(space, constraints);
  for (let one: Architecture | undefined = first(narrow); one; one = successor(narrow, one)) yield one;
}

/** Convolutions on the longest chain from the cell's input to its output; undefined where nothing arrives there. */
function depthOf(architecture: Architecture): number | undefined {
  const depths = [0];
  for (let to = 1; to < NODES; to++) {
    const over = depths.map((depth, from) => {
      const operation = String(architecture[`${from}->${to}`]);
      return operation === 'none' ? Number.NEGATIVE_INFINITY : depth + Number(CONVOLUTIONS.includes(operation));
    });
    depths.push(Math.max(...over));
  }
  const depth = depths[NODES - 1] ?? 0;
  return depth < 0 ? undefined : depth;
}

const random = rng('depth of the cell');
for (let i = 0; i < CHECKED; i++) {
  const one = sample(space, random);
  const { depth } = costsOf(space, one, ['depth']);
  if (depthOf(one) !== undefined)
    assert.equal(depth, LAYERS.outside + LAYERS.each * (depthOf(one) ?? 0), JSON.stringify(one));
}

const percent = (share: number) => (100 * share).toFixed(2);
const unconstrained = new Map<string, number>();

function row(name: string, some: Iterable<Architecture>): void {
  const all = [...some];
  const cells = datasets.map((dataset) => {
    let best = 0;
    for (const one of all) best = Math.max(best, testOf(one, dataset) ?? 0);
    const whole = unconstrained.get(dataset) ?? best;
    unconstrained.set(dataset, whole);
    return best === whole ? percent(best) : `${percent(best)} (−${percent(whole - best)})`;
  });
  console.log(`| ${name} | ${all.length.toLocaleString('en-US')} | ${cells.join(' | ')} |`);
}

console.log(`| constraint | architectures | ${datasets.join(' | ')} |`);
console.log(`|---|--:|${datasets.map(() => '--:|').join('')}`);
const everything = [...members()];
row('no constraint', everything);
const operations = ['none', 'skip_connect', 'nor_conv_1x1', 'nor_conv_3x3', 'avg_pool_3x3'];
for (const operation of operations) row(`\`--forbid ${operation}\``, members({ forbid: [operation] }));
for (const operation of operations) row(`\`--require ${operation}\``, members({ require: [operation] }));
for (const cell of [2, 1, 0]) {
  const layers = LAYERS.outside + LAYERS.each * cell;
  row(
    `\`--max-depth ${layers}\``,
    // A cell that passes nothing on keeps every limit.
    everything.filter((one) => (depthOf(one) ?? 0) <= cell),
  );
}
for (const params of [1_000_000, 800_000, 600_000, 400_000, 300_000, 200_000, 150_000, 100_000]) {
  const isWithin = (one: Architecture) => (table.lookup(one, datasets[0])?.costs.params ?? Infinity) <= params;
  row(`\`--max-params ${params.toLocaleString('en-US')}\``, everything.filter(isWithin));
}
