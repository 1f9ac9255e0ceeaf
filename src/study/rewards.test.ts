import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createStrategy, STRATEGIES } from '../strategy/index.ts';
import type { Problem } from '../strategy/strategy.ts';
import { strategyConformance } from '../strategy/testing/conformance.ts';
import { RISING } from '../strategy/testing/problems.ts';
import { runStudy } from './run.ts';
import { memoryStore } from './store/memory.ts';
import type { Store } from './store/store.ts';
import { createStudyStore, openStudyStore } from './study.node.ts';
import { essence } from './testing/studies.ts';
import { isSolved, xorEstimator, xorProblem, xorSpace } from './testing/xor.ts';
import { inProcessPool } from './worker/in-process.ts';

const root = mkdtempSync(join(tmpdir(), 'netsmith-rewards-'));
after(() => rmSync(root, { recursive: true, force: true }));

const AGING = ['aging-evolution', { population: 30, sample: 8 }] as const;
type Named = readonly [name: string, options?: Readonly<Record<string, unknown>>];

const newStore = ([name, options]: Named, seed: number): Store =>
  memoryStore({ name, settings: null, state: createStrategy(name, options).init(xorProblem({ seed })) });

/** A study of growing networks, scored by a function. */
async function search(store: Store, [name, options]: Named, seed: number, trials: number) {
  const workers = inProcessPool({ space: xorSpace, estimator: xorEstimator() }, store.artifacts);
  const strategy = createStrategy(name, options);
  const { best } = await runStudy({ store, strategy, problem: xorProblem({ seed }), workers, budget: { trials } });
  assert.equal(best.length, 1);
  return best[0] ?? assert.fail();
}

suite('a task with rewards and no samples: XOR by a growing network', () => {
  for (const strategy of [AGING, ['evolution', { population: 30 }]] as const) {
    test(`${strategy[0]} solves it`, async () => {
      for (const seed of [1, 2]) {
        const { architecture, metrics } = await search(newStore(strategy, seed), strategy, seed, 700);
        assert.ok(isSolved(architecture), `seed ${seed}: ${metrics.reward}`);
        assert.ok(xorSpace.check(architecture).hidden.length > 0);
      }
    });
  }

  test('random search is better than guessing, which needs a hidden node', async () => {
    for (const seed of [0, 1]) {
      const { architecture, metrics } = await search(newStore(['random'], seed), ['random'], seed, 1500);
      assert.ok((metrics.reward ?? 0) > 0.55, `seed ${seed}: ${metrics.reward}`);
      assert.ok(xorSpace.check(architecture).hidden.length > 0);
    }
  });

  test('a study in a folder, continued twice, has the trials of an uninterrupted one', async () => {
    const dir = join(root, 'study');
    const state = createStrategy(...AGING).init(xorProblem());
    for (const trials of [7, 40, 90]) {
      const store =
        trials === 7
          ? await createStudyStore(dir, { name: 'xor', settings: null, state })
          : await openStudyStore(dir, 'write');
      await search(store, AGING, 1, trials);
      await store.close();
    }
    const whole = newStore(AGING, 1);
    await search(whole, AGING, 1, 90);
    const store = await openStudyStore(dir, 'read');
    assert.deepEqual(await essence(store), await essence(whole));
    const [first] = await store.trials();
    assert.deepEqual(xorSpace.check(first?.architecture), first?.architecture);
    await store.close();
  });
});

suite('strategies on a space without decisions', () => {
  const all = Object.values(STRATEGIES).filter((definition) => !('needsGenome' in definition));
  const any = all.filter((definition) => !('needsTree' in definition));

  test('those that model single decisions refuse it in one sentence that names all others', () => {
    const names = any.map(({ name }) => name).join(', ');
    assert.match(names, /^random, aging-evolution, evolution, nsga2, /);
    const refused = all.filter((definition) => !any.includes(definition));
    assert.ok(refused.length >= 9);
    for (const { name } of refused)
      assert.throws(() => createStrategy(name).init(xorProblem()), {
        name: 'UserError',
        message: `strategy "${name}": space "xor" has no decisions; strategies that need none: ${names}`,
      });
    const docs = readFileSync(new URL('../../docs/spaces.md', import.meta.url), 'utf8').split(
      'These work with every space',
    )[1];
    for (const { name } of any) assert.ok(docs?.includes(`\`${name}\``), `docs/spaces.md does not name ${name}`);
    // A wrapper needs a tree if the wrapped strategy does.
    assert.throws(
      () => createStrategy('unique', { inner: 'tpe' }).init(xorProblem()),
      /strategy "tpe": space "xor" has no/,
    );
  });

  for (const { name } of any) strategyConformance(() => createStrategy(name), xorProblem(rising(name)));
});

/** Several fidelities, where a strategy wants them. */
function rising(name: string): Partial<Problem> {
  const wants = ['successive-halving', 'hyperband', 'asha'].includes(name);
  const objectives: Problem['objectives'] = [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }];
  return { objectives, ...(wants && { fidelities: RISING }) };
}
