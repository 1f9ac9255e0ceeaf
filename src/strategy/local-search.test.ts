import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deepFreeze } from '../common/json.ts';
import { formatArchitecture, neighbors } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import { localSearch } from './local-search.ts';
import type { Outcome, Problem } from './strategy.ts';
import { assertBeatsRandom } from './testing/against-random.ts';
import { strategyConformance } from './testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome, tinySpace } from './testing/problems.ts';

const tiny = problemOf(tinySpace);
const text = (architecture: Architecture) => formatArchitecture(tinySpace, architecture);
/** Larger is better, in every decision: one optimum. */
const hill = ({ channels, more, kernel }: Architecture) => Number(channels) * 100 + Number(more) * 10 + Number(kernel);
/** The same, and a second optimum that no neighbor leads to. */
const peak = (architecture: Architecture) =>
  architecture.channels === 4 && architecture.more === 4 && architecture.kernel === 1 ? 9000 : hill(architecture);

/** The architectures in the order asked for, one at a time. */
async function climb(
  strategy: ReturnType<typeof localSearch>,
  problem: Problem,
  trials: number,
  value: (architecture: Architecture) => number | undefined,
): Promise<Architecture[]> {
  const asked: Architecture[] = [];
  let state = strategy.init(problem);
  for (let trial = 0; trial < trials; trial++) {
    const [next, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
    assert.ok(proposal);
    asked.push(proposal.architecture);
    const accuracy = value(proposal.architecture);
    const told: Outcome =
      accuracy === undefined
        ? { ...pseudoOutcome(proposal, trial), state: 'failed', metrics: {} }
        : { ...pseudoOutcome(proposal, trial), metrics: { accuracy } };
    state = await strategy.tell(problem, deepFreeze(next), [told]);
  }
  return asked;
}

strategyConformance(() => localSearch({ starts: 1, improvement: 'best' }), problemOf(nasBench201));
strategyConformance(() => localSearch({ starts: 3, improvement: 'first' }), problemOf(continuousSpace));
strategyConformance(() => localSearch({ starts: 2, improvement: 'first' }), tiny);

suite('local search', () => {
  test('with warmStart, neighbors inherit from where the climb stands, and its checkpoint is kept', async () => {
    const strategy = localSearch({ starts: 2, improvement: 'first', warmStart: true });
    let state = strategy.init(tiny);
    let inherited = 0;
    for (let trial = 0; trial < 25; trial++) {
      const kept = strategy.continuable?.(state) ?? [];
      const [next, [proposal]] = await strategy.ask(tiny, deepFreeze(state), trial, 1);
      assert.ok(proposal);
      if (proposal.start.kind === 'inherit') {
        inherited++;
        assert.ok(kept.includes(proposal.start.trial));
        assert.equal(proposal.start.trial, next.current?.trial);
        const around = neighbors(tinySpace, next.current?.architecture ?? {}).map(text);
        assert.ok(around.includes(text(proposal.architecture)));
      }
      const accuracy = hill(proposal.architecture);
      state = await strategy.tell(tiny, deepFreeze(next), [
        { ...pseudoOutcome(proposal, trial), metrics: { accuracy } },
      ]);
    }
    assert.ok(inherited > 5, `${inherited} of 25 inherit`);
  });

  for (const improvement of ['first', 'best'] as const) {
    test(`${improvement}: climbs to the optimum, and measures nothing twice on the way`, async () => {
      const asked = await climb(localSearch({ starts: 1, improvement }), tiny, 12, hill);
      const best = asked.findIndex((one) => hill(one) === 1685);
      assert.ok(best >= 0);
      assert.equal(new Set(asked.slice(0, best + 1).map(text)).size, best + 1);
    });
  }

  test('best: all neighbors are looked at before it goes to the best of them', async () => {
    const asked = await climb(localSearch({ starts: 1, improvement: 'best' }), tiny, 7, hill);
    const [start = {}, ...looked] = asked;
    const around = neighbors(tinySpace, start);
    assert.equal(around.length, 5);
    assert.deepEqual(looked.slice(0, 5).map(text).sort(), around.map(text).sort());
    const best = looked.slice(0, 5).reduce((a, b) => (hill(b) > hill(a) ? b : a));
    assert.ok(
      hill(best) < hill(start) ||
        neighbors(tinySpace, best)
          .map(text)
          .includes(text(asked[6] ?? {})),
    );
  });

  test('first: moves to a better neighbor at once', async () => {
    const strategy = localSearch({ starts: 1, improvement: 'first' });
    let value = 0;
    const asked = await climb(strategy, problemOf(nasBench201), 20, () => value++); // Each is better than the one before.
    for (const [i, one] of asked.entries()) {
      const before = asked[i - 1];
      if (before) assert.equal(Object.keys(one).filter((name) => one[name] !== before[name]).length, 1);
    }
  });

  test('restarts elsewhere at an optimum, until it has found the other', async () => {
    const asked = await climb(localSearch({ starts: 1, improvement: 'first' }), tiny, 150, peak);
    assert.ok(asked.some((one) => peak(one) === 1685));
    assert.ok(asked.some((one) => peak(one) === 9000));
  });

  test('a failed neighbor is looked at once and never climbed to', async () => {
    const value = (one: Architecture) => (one.channels === 16 ? undefined : hill(one));
    const asked = await climb(localSearch({ starts: 2, improvement: 'first' }), tiny, 30, value);
    const best = asked.findIndex((one) => one.channels === 8 && one.more === 8 && one.kernel === 5);
    assert.ok(best >= 0);
  });

  test('starts at the best of its random architectures', async () => {
    const strategy = localSearch({ starts: 6, improvement: 'best' });
    const asked = await climb(
      strategy,
      problemOf(nasBench201),
      7,
      (one) => Object.values(one).filter((v) => v === 'none').length,
    );
    const nones = (one: Architecture) => Object.values(one).filter((v) => v === 'none').length;
    const most = Math.max(...asked.slice(0, 6).map(nones));
    const around = asked
      .slice(0, 6)
      .filter((one) => nones(one) === most)
      .flatMap((one) => neighbors(nasBench201, one));
    assert.ok(around.some((one) => JSON.stringify(one) === JSON.stringify(asked[6])));
  });

  test('with results that are always some trials late it still climbs', async () => {
    for (const improvement of ['first', 'best'] as const) {
      const strategy = localSearch({ starts: 3, improvement });
      const problem = problemOf(nasBench201);
      const value = (one: Architecture) => Object.values(one).filter((v) => v === 'nor_conv_3x3').length;
      const late: Outcome[] = [];
      let [state, best] = [strategy.init(problem), 0];
      for (let trial = 0; trial < 200; trial++) {
        const [next, [proposal]] = await strategy.ask(problem, deepFreeze(state), trial, 1);
        assert.ok(proposal);
        const accuracy = value(proposal.architecture);
        best = Math.max(best, accuracy);
        late.push({ ...pseudoOutcome(proposal, trial), metrics: { accuracy } });
        state = await strategy.tell(problem, deepFreeze(next), late.length > 4 ? late.splice(0, 1) : []);
      }
      assert.equal(best, 6);
    }
  });

  test('beats random search on NAS-Bench-201', () =>
    assertBeatsRandom(() => localSearch({ starts: 10, improvement: 'first' })));
});
