import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measure } from '../measure/measure.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { runStudy } from './run.ts';
import { memoryStore } from './store/memory.ts';
import { fakeBench } from './testing/fake.ts';
import { STUDIES } from './testing/studies.ts';
import { inProcessPool } from './worker/in-process.ts';

const { random } = STUDIES;

/** A latency in milliseconds that takes a moment, and the architectures that it was taken of. */
function latency(value: (call: number) => number = (call) => call + 1) {
  const taken: string[] = [];
  const measure: Measure = {
    metric: { metric: 'latency', direction: 'minimize', unit: 'ms' },
    when: 'device',
    async of({ architecture, network }) {
      assert.equal(typeof network.kind, 'string');
      await new Promise((resolve) => setImmediate(resolve));
      return value(taken.push(architectureKey(architecture)) - 1);
    },
  };
  return { measure, taken };
}

function studyWith(measure: Measure, limits: readonly { cost: string; max: number }[] = []) {
  const objectives = [...random.problem.objectives, measure.metric] as const;
  const problem = { ...random.problem, objectives: [objectives[0], ...objectives.slice(1)] as const };
  const store = memoryStore({ name: 'test', settings: null, state: random.strategy.init(problem) });
  const run = (trials: number) =>
    runStudy({
      ...{ store, strategy: random.strategy, problem, budget: { trials }, measuring: { measures: [measure], limits } },
      workers: inProcessPool(fakeBench(problem.space), store.artifacts),
      confirm: { top: 2 },
    });
  return { store, run };
}

test('a measure that takes time is an objective: taken once for each architecture, and kept in the store', async () => {
  const { measure, taken } = latency();
  const { store, run } = studyWith(measure);
  const end = await run(12);
  await run(20);
  const trials = await store.trials();
  assert.ok(trials.length > 20, 'search trials and confirmations');
  assert.deepEqual(
    taken.toSorted(),
    [...new Set(trials.map((trial) => architectureKey(trial.architecture)))].toSorted(),
  );
  for (const { architecture, costs } of trials)
    assert.equal(costs.latency, taken.indexOf(architectureKey(architecture)) + 1);
  assert.ok(end.best.every(({ metrics }) => Number.isFinite(metrics.latency) && Number.isFinite(metrics.accuracy)));
});

test('what is above the limit of such a measure is not trained, and a measure that fails is the reason of a failed trial', async () => {
  const { measure } = latency((call) => (call === 2 ? Number.NaN : call));
  const { store, run } = studyWith(measure, [{ cost: 'latency', max: 3 }]);
  await run(10);
  for (const { state, costs, reason, curve } of await store.trials('search')) {
    if (costs.latency !== undefined && costs.latency <= 3) assert.equal(state, 'complete');
    else {
      assert.equal(state, 'failed');
      assert.equal(curve.length, 0);
      assert.match(
        reason ?? '',
        /latency is \d+, above the limit 3|measure latency gave NaN, which is not a finite number/,
      );
    }
  }
});
