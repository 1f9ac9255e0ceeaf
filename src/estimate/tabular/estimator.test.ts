import assert from 'node:assert/strict';
import { test } from 'node:test';
import { first } from '../../space/index.ts';
import { agingEvolution } from '../../strategy/evolution/aging-evolution.ts';
import { runStudy } from '../../study/run.ts';
import { simulate, tabularProblem } from '../../study/simulate.ts';
import { memoryStore } from '../../study/store/memory.ts';
import { inProcessPool } from '../../study/worker/in-process.ts';
import { lookConformance } from '../testing/conformance.ts';
import { simulatedClock, tabularEstimator } from './estimator.ts';
import { openNasBench201 } from './nas-bench-201.node.ts';

lookConformance('tabular', async () => {
  const table = await openNasBench201();
  const { space } = table;
  const architecture = first(space);
  return {
    estimator: tabularEstimator(table, 'cifar-10'),
    candidate: { space, architecture },
    failing: { space, architecture: { ...architecture, '0->1': 'conv_5x5' } },
    reason: /table "nas-bench-201" has no such architecture/,
  };
});

test('a study on a table, its clock simulated, makes the trials of the simulation', async () => {
  const table = await openNasBench201();
  const problem = tabularProblem(table, 'cifar-10', 5);
  const strategy = agingEvolution({ population: 5, sample: 3 });
  const clock = simulatedClock(3000);
  const store = memoryStore({ name: 'table', settings: null, state: strategy.init(problem) });
  const bench = { space: table.space, estimator: tabularEstimator(table, 'cifar-10', clock) };
  const workers = inProcessPool(bench, store.artifacts);
  const budget = { seconds: 3000 };
  const end = await runStudy({ store, strategy, problem, workers, budget, now: clock.now });
  const simulated = await simulate({ strategy, problem, table, dataset: 'cifar-10', budget });
  const trials = await store.trials('search');
  assert.equal(end.reason, 'time');
  // The trial that runs into the end of the budget waits in a study, and is left out in a simulation.
  assert.equal(trials.length, simulated.trials.length + 1);
  assert.deepEqual([trials.at(-1)?.state, trials.at(-1)?.metrics], ['waiting', {}]);
  for (const { trial, architecture, metrics } of simulated.trials) {
    assert.deepEqual(trials[trial]?.architecture, architecture);
    assert.equal(trials[trial]?.metrics.accuracy, metrics.accuracy);
  }
  assert.ok(Math.abs((await store.clock()).searchSeconds - 3000) < 1e-3);
});
