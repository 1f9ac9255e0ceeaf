import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { countingSpace } from '../space/testing/counting.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { createStrategy } from '../strategy/index.ts';
import { problemOf, pseudoCosts, tinySpace } from '../strategy/testing/problems.ts';
import { allTried, triedOf, watchFailures } from './exhaustion.ts';
import { runStudy } from './run.ts';
import { memoryStore } from './store/memory.ts';
import type { Trial } from './store/store.ts';
import { newTrial } from './store/transitions.ts';
import { type FakeOptions, fakeBench } from './testing/fake.ts';
import type { TestStudy } from './testing/studies.ts';
import { inProcessPool } from './worker/in-process.ts';

function open({ strategy, problem }: TestStudy, fake?: FakeOptions) {
  const store = memoryStore({ name: 'test', settings: null, state: strategy.init(problem) });
  const run = (trials: number, other = fake) =>
    runStudy({
      ...{ store, strategy, problem, budget: { trials }, now: () => 0 },
      workers: inProcessPool(fakeBench(problem.space, other), store.artifacts),
    });
  return { store, run };
}

suite('a space that is used up', () => {
  for (const name of ['random', 'aging-evolution', 'tpe', 'nsga2', 'local-search'])
    test(`ends a search by ${name}, after each of its 18 architectures was tried`, async () => {
      const problem = problemOf(tinySpace);
      const { store, run } = open({ strategy: createStrategy(name), problem });
      const end = await run(1000);
      const trials = await store.trials('search');
      assert.equal(end.reason, 'exhausted');
      assert.equal(new Set(trials.map(({ architecture }) => architectureKey(architecture))).size, 18);
      assert.deepEqual(allTried(problem, trials), { count: 18, proved: true });
      assert.equal((await run(1000)).trials, trials.length, 'a resumed one has nothing to do either');
    });

  test('without a tree, by its size', async () => {
    const problem = { ...problemOf(tinySpace), space: countingSpace(9) };
    for (const strategy of ['random', 'unique']) {
      const { store, run } = open({ strategy: createStrategy(strategy), problem });
      const { reason } = await run(300);
      const tried = (await store.trials('search')).map(({ architecture }) => Number(architecture.n));
      assert.equal(reason, 'exhausted', strategy);
      assert.equal(new Set(tried).size, 10);
    }
  });

  test('within limits: those that keep them', async () => {
    const least = Array.from({ length: 1000 }, (_, max) => max);
    const membersBelow = (max: number) => {
      const problem = problemOf(tinySpace, { limits: [{ cost: 'params', max }], costs: (one) => pseudoCosts(one) });
      return { problem, tried: triedOf(problem) };
    };
    const max = least.find((bound) => {
      try {
        createStrategy('random').init(membersBelow(bound).problem);
        return true;
      } catch {
        return false;
      }
    });
    const { problem } = membersBelow(max ?? 0);
    const { store, run } = open({ strategy: createStrategy('random'), problem });
    assert.equal((await run(40)).reason, 'exhausted');
    assert.deepEqual(allTried(problem, await store.trials('search')), { count: 1, proved: true });
  });

  test('not before: repetitions of some are no end', () => {
    const problem = problemOf(tinySpace);
    const tried = triedOf(problem);
    const [one] = [
      { architecture: { channels: 4, more: 4, kernel: 1 }, fidelity: 0, start: { kind: 'fresh' } as const },
    ];
    assert.equal(tried.isUsedUp([one]), false);
    tried.note(one);
    assert.equal(tried.isUsedUp([one]), false);
  });
});

suite('a search in which every trial fails', () => {
  const random: TestStudy = { strategy: createStrategy('random'), problem: problemOf(tinySpace) };

  test('ends after five that fail alike; resumed with other settings, it continues', async () => {
    const { store, run } = open(random, { fate: () => 'fails' });
    const end = await run(12);
    assert.deepEqual([end.reason, end.trials, end.best], ['failing', 5, []]);
    assert.deepEqual(await run(12).then(({ reason, trials }) => [reason, trials]), ['failing', 10]);
    assert.equal((await run(12, {})).reason, 'trials');
    assert.equal((await store.trials('search')).filter(({ state }) => state === 'complete').length, 2);
  });

  test('does not end while something works', async () => {
    let done = 0;
    const { run } = open(random, { fate: () => (done++ === 0 ? 'trains' : 'fails') });
    assert.deepEqual(await run(8).then(({ reason, trials }) => [reason, trials]), ['trials', 8]);
  });

  const failed = (trial: number, reason: string): Trial => ({
    ...newTrial({ purpose: 'search', trial, architecture: {}, fidelity: 0 }),
    state: 'failed',
    reason,
  });

  test('reasons that differ in numbers alone are one reason; others are not', () => {
    const memory = watchFailures([]);
    for (let i = 0; i < 5; i++) memory.note(failed(i, `it needs 2${i}.5 MiB of memory`));
    assert.equal(memory.reason(), 'it needs 20.5 MiB of memory');
    const mixed = watchFailures([]);
    for (let i = 0; i < 9; i++) mixed.note(failed(i, i % 2 === 0 ? 'the loss is not finite' : 'it has no layers'));
    assert.equal(mixed.reason(), undefined);
  });
});
