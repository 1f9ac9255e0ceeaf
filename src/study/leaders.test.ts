import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Objective } from '../common/metrics.ts';
import { paretoFront } from '../common/pareto.ts';
import { rng } from '../common/random.ts';
import { createLeaders } from './leaders.ts';
import { contenders } from './ranking.ts';
import type { Trial } from './store/store.ts';
import { newTrial } from './store/transitions.ts';

const ACCURACY: Objective = { metric: 'accuracy', direction: 'maximize', unit: 'share' };
const PARAMS: Objective = { metric: 'params', direction: 'minimize', unit: 'parameters' };

/** Search trials in the order in which they end: few architectures, few values, failures, and fidelities that rise. */
function ended(count: number, seed: number): readonly Trial[] {
  const stream = rng('leaders', seed);
  const trials = Array.from({ length: count }, (_, trial): Trial => {
    const k = stream.int(12);
    const metrics = stream.float() < 0.1 ? {} : { accuracy: stream.int(6) / 10 };
    const state = stream.float() < 0.1 ? 'failed' : stream.float() < 0.1 ? 'paused' : 'complete';
    const fidelity = trial > count / 2 && stream.float() < 0.5 ? 1 : 0;
    const costs = { params: (k * 7) % 5 };
    return { ...newTrial({ purpose: 'search', trial, architecture: { k }, fidelity, costs }), state, metrics };
  });
  return trials.flatMap((_, i) => (i % 3 === 0 ? trials.slice(i, i + 3).toReversed() : []));
}

suite('leaders', () => {
  for (const objectives of [[ACCURACY], [ACCURACY, PARAMS]] as const) {
    test(`say what the contenders of all trials say, with ${objectives.length} objectives`, () => {
      for (let seed = 0; seed < 20; seed++) {
        const leaders = createLeaders(objectives);
        const noted: Trial[] = [];
        for (const trial of ended(60, seed)) {
          leaders.note(trial);
          noted.push(trial);
          const expected = contenders(
            noted.toSorted((a, b) => a.trial - b.trial),
            objectives,
          );
          const best = objectives.length === 1 ? expected.slice(0, 1) : paretoFront(expected, objectives);
          assert.deepEqual(leaders.best(), best);
          for (const count of [1, 3, 100]) assert.deepEqual(leaders.first(count), expected.slice(0, count));
        }
      }
    });
  }

  test('a trial that is noted again replaces its earlier state', () => {
    const leaders = createLeaders([ACCURACY]);
    const [trial] = ended(1, 3) as [Trial];
    const saved = { ...trial, state: 'complete' as const, metrics: { accuracy: 0.5 }, checkpoint: 'saved' };
    leaders.note(saved);
    const { checkpoint: _, ...forgotten } = saved;
    leaders.note(forgotten);
    assert.deepEqual(
      leaders.first(5).map(({ results }) => results),
      [[forgotten]],
    );
  });
});
