import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estimator, Inheritance } from '../estimate/estimator.ts';
import { localSearch } from '../strategy/local-search.ts';
import { problemOf, tinySpace } from '../strategy/testing/problems.ts';
import { runStudy } from './run.ts';
import { memoryStore } from './store/memory.ts';
import { fakeEstimator } from './testing/fake.ts';
import { inProcessPool } from './worker/in-process.ts';

test('a trial that inherits gets the checkpoint and the architecture of the trial it names, which the study has kept', async () => {
  const problem = problemOf(tinySpace);
  const strategy = localSearch({ starts: 2, improvement: 'first', warmStart: true });
  const store = memoryStore({ name: 'warm', settings: {}, state: strategy.init(problem) });
  const given: (Inheritance | undefined)[] = [];
  const put: (string | undefined)[] = [];
  const fake = fakeEstimator();
  const estimator: Estimator<unknown> = {
    async estimate(candidate, run) {
      given.push(run.inherit);
      if (run.inherit) await run.artifacts.get(run.inherit.checkpoint);
      const found = await fake.estimate(candidate, run);
      put.push(found.checkpoint);
      return found;
    },
  };
  const workers = inProcessPool({ space: tinySpace, estimator }, store.artifacts);
  await runStudy({ store, strategy, problem, workers, budget: { trials: 15 } });
  const trials = await store.trials('search');
  assert.equal(trials.length, 15);
  assert.ok(trials.every(({ state }) => state === 'complete'));
  for (const { trial, start } of trials) {
    const source = start.kind === 'inherit' ? start.trial : undefined;
    const expected = source === undefined ? undefined : trials[source]?.architecture;
    assert.deepEqual(given[trial]?.architecture, expected);
    assert.equal(given[trial]?.checkpoint, source === undefined ? undefined : put[source]);
  }
  assert.ok(given.filter((one) => one !== undefined).length > 5);
  const kept = trials.filter(({ checkpoint }) => checkpoint !== undefined);
  assert.ok(kept.length < 6, `${kept.length} checkpoints are kept`);
});
