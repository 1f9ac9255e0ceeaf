import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../../common/random.ts';
import { rankSumTest } from '../../common/ranks.ts';
import {
  checkArchitecture,
  choice,
  defineSpace,
  dropout,
  float,
  int,
  linear,
  relu,
  sequential,
} from '../../space/index.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { randomSearch } from '../random.ts';
import type { Outcome, Strategy } from '../strategy.ts';
import { assertBeatsRandom } from '../testing/against-random.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome, tinySpace } from '../testing/problems.ts';
import { parzen } from './parzen.ts';
import { type TpeOptions, tpe } from './tpe.ts';

const options = { initial: 6, gamma: 0.15, candidates: 24, multivariate: true };

/** A choice, a rate of one option only, and a whole number on a logarithmic scale. */
const conditional: Space = defineSpace('conditional', () =>
  sequential(
    choice('kind', { drop: dropout(float('rate', 0, 0.5)), plain: relu() }),
    linear(int('width', 4, 256, { log: true })),
    linear('outputs'),
  ),
).create({ kind: 'classification', input: [4], outputs: 2 });

for (const space of [continuousSpace, conditional, tinySpace]) {
  strategyConformance(() => tpe(options), problemOf(space));
}
strategyConformance(() => tpe({ ...options, multivariate: false }), problemOf(conditional));

/** Best at a rate of 0.1 and a width of 32; half as good without the rate. */
function worth(architecture: Architecture): number {
  const width = Math.abs(Math.log(Number(architecture.width) / 32)) / Math.log(64);
  const rate = architecture.rate === undefined ? 0.5 : Math.abs(Number(architecture.rate) - 0.1);
  return 1 - width - rate;
}

async function best(strategy: Strategy, seed: number): Promise<number> {
  const problem = problemOf(conditional, { seed });
  let [state, found] = [strategy.init(problem), 0];
  for (let trial = 0; trial < 50; trial++) {
    const [asked, proposals] = await strategy.ask(problem, state, trial, 1);
    const told = proposals.map((one): Outcome => {
      return { ...pseudoOutcome(one, trial), metrics: { accuracy: worth(one.architecture) } };
    });
    state = await strategy.tell(problem, asked, told);
    found = Math.max(found, ...told.map(({ metrics }) => metrics.accuracy ?? 0));
  }
  return found;
}

suite('tree-structured Parzen estimator', () => {
  test('a density is high where its architectures are, and draws lie there; members of the space in any case', () => {
    const members = Array.from({ length: 20 }, (_, i) => ({ kind: 'drop', rate: 0.1 + i / 1000, width: 30 + i }));
    for (const multivariate of [true, false]) {
      const density = parzen(conditional, members, { multivariate, spread: 0.1 });
      const near = density.logDensity({ kind: 'drop', rate: 0.11, width: 40 });
      assert.ok(near > density.logDensity({ kind: 'drop', rate: 0.4, width: 40 }) + 1);
      assert.ok(near > density.logDensity({ kind: 'drop', rate: 0.11, width: 250 }) + 1);
      assert.ok(near > density.logDensity({ kind: 'plain', width: 40 }) + 1);
      const stream = rng('draws');
      const drawn = Array.from({ length: 200 }, () => checkArchitecture(conditional, density.draw(stream)));
      const close = drawn.filter(({ rate }) => rate !== undefined && Math.abs(Number(rate) - 0.11) < 0.1);
      assert.ok(close.length > 120, `${close.length} of 200`);
    }
  });

  test('a density integrates to one', () => {
    const members = [
      { kind: 'plain', width: 16 },
      { kind: 'plain', width: 32 },
    ];
    const density = parzen(conditional, members, { multivariate: true, spread: 0.1 });
    const steps = 400;
    let total = 0;
    for (let i = 0; i < steps; i++) {
      const width = 4 * 64 ** ((i + 0.5) / steps);
      total += Math.exp(density.logDensity({ kind: 'plain', width })) / steps;
      for (let j = 0; j < 20; j++)
        total += Math.exp(density.logDensity({ kind: 'drop', rate: j / 40, width })) / steps / 20;
    }
    assert.ok(Math.abs(total - 1) < 0.05, `${total}`);
  });

  test('beats random search where decisions are continuous and depend on others (20 seeds each, 50 trials, p < 0.0001)', async () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const found = await Promise.all(seeds.map((seed) => best(tpe({ ...options, initial: 10 }), seed)));
    const random = await Promise.all(seeds.map((seed) => best(randomSearch(), 1000 + seed)));
    const p = rankSumTest(found, random, 'greater');
    assert.ok(p < 0.0001, `p = ${p}`);
  });

  test('beats random search on NAS-Bench-201', () =>
    assertBeatsRandom(() => tpe({ ...options, initial: 10, candidates: 64 }), { evaluations: 80, seeds: 30 }));

  test('`least`: random architectures up to two more observations, then at least that many members', async () => {
    const problem = problemOf(nasBench201);
    const [, proposals] = await randomSearch().ask(problem, null, 0, 40);
    const asked = async (count: number, changes: Partial<TpeOptions>) => {
      const strategy = tpe({ ...options, ...changes });
      const outcomes = proposals.slice(0, count).map((one, i) => pseudoOutcome(one, i));
      const state = await strategy.tell(problem, strategy.init(problem), outcomes);
      return (await strategy.ask(problem, state, 40, 6))[1].map(({ architecture }) => architecture);
    };
    const least = () => 7;
    const [, uniform] = await randomSearch().ask(problem, null, 40, 6);
    assert.deepEqual(
      await asked(8, { least }),
      uniform.map(({ architecture }) => architecture),
    );
    assert.notDeepEqual(await asked(9, { least }), await asked(8, { least }));
    assert.deepEqual(await asked(40, { least, gamma: 0.01 }), await asked(40, { gamma: 7 / 40 }));
    assert.notDeepEqual(await asked(40, { least, gamma: 0.01 }), await asked(40, { gamma: 0.01 }));
    // Of 9 observations 7 are good and 7 are not.
    assert.notDeepEqual(await asked(9, { least, gamma: 0.01 }), await asked(9, { gamma: 7 / 9 }));
  });

  test('with more observations than the densities take, it continues', async () => {
    const problem = problemOf(nasBench201);
    const strategy = tpe(options);
    const [, proposals] = await randomSearch().ask(problem, null, 0, 1200);
    const state = await strategy.tell(
      problem,
      strategy.init(problem),
      proposals.map((one, i) => pseudoOutcome(one, i)),
    );
    const [, next] = await strategy.ask(problem, state, 1200, 2);
    assert.equal(next.length, 2);
  });
});
