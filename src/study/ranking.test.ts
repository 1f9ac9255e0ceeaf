import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Objective } from '../common/metrics.ts';
import { paretoFront, rank } from '../common/pareto.ts';
import { unlikeFirst } from './confirm.ts';
import { bestOf, contenders, coverageOf } from './ranking.ts';
import { medianStopping } from './stopping.ts';
import type { Trial } from './store/store.ts';
import { newTrial } from './store/transitions.ts';

const accuracy: Objective = { metric: 'accuracy', direction: 'maximize', unit: 'share' };
const params: Objective = { metric: 'params', direction: 'minimize', unit: 'parameters' };

interface Given extends Partial<Trial> {
  readonly k: number;
  readonly accuracy?: number;
}

const trial = (number: number, { k, accuracy, ...rest }: Given): Trial => ({
  ...newTrial({ purpose: 'search', trial: number, architecture: { k }, fidelity: 0 }),
  state: 'complete',
  metrics: accuracy === undefined ? {} : { accuracy },
  ...rest,
});

suite('best', () => {
  test('the mean over a repeated architecture counts', () => {
    const trials = [
      trial(0, { k: 1, accuracy: 0.9 }),
      trial(1, { k: 2, accuracy: 0.8 }),
      trial(2, { k: 1, accuracy: 0.6 }),
    ];
    assert.deepEqual(
      contenders(trials, [accuracy]).map((c) => [c.trial, c.metrics.accuracy]),
      [
        [1, 0.8],
        [0, 0.75],
      ],
    );
    assert.equal(bestOf(trials, { objectives: [accuracy] })[0]?.trial, 1);
  });

  test('only results of the highest fidelity that was completed count', () => {
    const low = trial(0, { k: 1, accuracy: 0.9 });
    const high = trial(1, { k: 2, accuracy: 0.5, fidelity: 1 });
    const cut = trial(2, { k: 3, accuracy: 0.99, fidelity: 2, state: 'pruned' });
    assert.deepEqual(
      bestOf([low, high, cut], { objectives: [accuracy] }).map(({ trial }) => trial),
      [1],
    );
  });

  test('what was confirmed wins over what was not, while the confirmation is up to date', () => {
    const searched = [
      trial(0, { k: 1, accuracy: 0.9 }),
      trial(1, { k: 2, accuracy: 0.88 }),
      trial(2, { k: 3, accuracy: 0.87 }),
    ];
    const confirmed = [
      trial(0, { k: 1, accuracy: 0.7, purpose: 'confirm', repeats: 0 }),
      trial(1, { k: 2, accuracy: 0.8, purpose: 'confirm', repeats: 1 }),
    ];
    assert.equal(bestOf([...searched, ...confirmed], { objectives: [accuracy] })[0]?.trial, 1);
    const newer = trial(3, { k: 4, accuracy: 0.95 });
    assert.equal(bestOf([...searched, newer, ...confirmed], { objectives: [accuracy] })[0]?.trial, 3);
  });

  test('trainings that confirm count alone, and estimates do not compete with them', () => {
    const problem = { objectives: [accuracy], confirmation: { epochs: 5, data: 1, resolution: 1, width: 1 } };
    const searched = [trial(0, { k: 1, accuracy: 0.5 }), trial(1, { k: 2, accuracy: 0.4 })];
    const confirmed = [
      trial(0, { k: 1, accuracy: 0.7, purpose: 'confirm', repeats: 0 }),
      trial(1, { k: 2, accuracy: 0.8, purpose: 'confirm', repeats: 1 }),
    ];
    const newer = trial(2, { k: 3, accuracy: 0.95 });
    for (const trials of [searched, [...searched, newer]])
      assert.deepEqual(
        bestOf([...trials, ...confirmed], problem).map(({ trial, metrics }) => [trial, metrics.accuracy]),
        [[1, 0.8]],
      );
    assert.equal(bestOf(searched, problem)[0]?.trial, 0);
  });

  test('estimates without training: those confirmed are unlike one another, and the best of the others where these are too few', () => {
    const of = (text: string) => ({
      architecture: Object.fromEntries([...text].map((value, i) => [`d${i}`, value])),
      text,
    });
    const best = ['aaaa', 'aaab', 'aabb', 'abbb', 'bbbb', 'cccc'].map(of);
    const chosen = (count: number) => unlikeFirst(best, count).map(({ text }) => text);
    assert.deepEqual(chosen(2), ['aaaa', 'aabb']);
    assert.deepEqual(chosen(4), ['aaaa', 'aabb', 'bbbb', 'cccc']);
    assert.deepEqual(chosen(5), ['aaaa', 'aaab', 'aabb', 'bbbb', 'cccc']);
    assert.deepEqual(chosen(9), ['aaaa', 'aaab', 'aabb', 'abbb', 'bbbb', 'cccc']);
  });

  test('an architecture whose confirmation failed does not win over those that were confirmed', () => {
    const searched = [trial(0, { k: 1, accuracy: 0.9 }), trial(1, { k: 2, accuracy: 0.88 })];
    const broken = trial(0, { k: 1, purpose: 'confirm', repeats: 0, state: 'failed' });
    const confirmed = trial(1, { k: 2, accuracy: 0.8, purpose: 'confirm', repeats: 1 });
    assert.equal(bestOf([...searched, broken, confirmed], { objectives: [accuracy] })[0]?.trial, 1);
    assert.equal(
      bestOf([...searched, { ...broken, state: 'running' }, confirmed], { objectives: [accuracy] })[0]?.trial,
      0,
    );
    const allBroken = [broken, trial(1, { k: 2, purpose: 'confirm', repeats: 1, state: 'failed' })];
    assert.equal(bestOf([...searched, ...allBroken], { objectives: [accuracy] })[0]?.trial, 0);
  });

  test('of several objectives, the front is of what was confirmed, while the confirmation is up to date', () => {
    const of = (trials: readonly Trial[]) =>
      bestOf(trials, { objectives: [accuracy, params] })
        .map(({ trial }) => trial)
        .sort();
    const searched = [
      trial(0, { k: 1, accuracy: 0.9, costs: { params: 30 }, endedAt: 1 }),
      trial(1, { k: 2, accuracy: 0.7, costs: { params: 10 }, endedAt: 2 }),
      trial(2, { k: 3, accuracy: 0.85, costs: { params: 25 }, endedAt: 3 }), // On the front, but behind its ends.
    ];
    const confirmation = { purpose: 'confirm', startedAt: 4 } as const;
    const confirmed = [
      trial(0, { k: 1, accuracy: 0.8, costs: { params: 30 }, repeats: 0, ...confirmation }),
      trial(1, { k: 2, accuracy: 0.65, costs: { params: 10 }, repeats: 1, ...confirmation }),
    ];
    assert.deepEqual(of(searched), [0, 1, 2]);
    assert.deepEqual(of([...searched, ...confirmed]), [0, 1]);
    assert.deepEqual(of([...searched, ...confirmed.map((c) => ({ ...c, state: 'failed' as const }))]), [0, 1, 2]);
    const waiting = trial(2, { k: 3, state: 'waiting', repeats: 2, purpose: 'confirm' });
    assert.deepEqual(of([...searched, ...confirmed, waiting]), [0, 1, 2]);
    const newer = trial(3, { k: 4, accuracy: 0.8, costs: { params: 15 }, endedAt: 5 });
    assert.deepEqual(of([...searched, newer, ...confirmed]), [0, 1, 2, 3]);
  });

  test('nothing completed: nothing is best', () => {
    assert.deepEqual(bestOf([trial(0, { k: 1, state: 'failed' })], { objectives: [accuracy] }), []);
    assert.deepEqual(bestOf([], { objectives: [accuracy, params] }), []);
  });

  test('costs may be objectives', () => {
    const trials = [
      trial(0, { k: 1, accuracy: 0.9, costs: { params: 30 } }),
      trial(1, { k: 2, accuracy: 0.8, costs: { params: 20 } }),
      trial(2, { k: 3, accuracy: 0.7, costs: { params: 25 } }),
    ];
    assert.deepEqual(
      bestOf(trials, { objectives: [accuracy, params] })
        .map(({ trial }) => trial)
        .sort(),
      [0, 1],
    );
  });
});

test('of architectures with the same mean the smallest is best, whatever the last digits say', () => {
  const of = (k: number, size: number, ...values: readonly [number, number]) => [
    trial(k, { k, accuracy: values[0], costs: { params: size } }),
    trial(k, { k, accuracy: values[1], costs: { params: size }, purpose: 'confirm', repeats: k }),
  ];
  const trials = [...of(0, 300, 356 / 360, 355 / 360), ...of(1, 100, 358 / 360, 353 / 360), ...of(2, 1, 0.9, 0.9)];
  assert.equal(bestOf(trials, { objectives: [accuracy] })[0]?.trial, 1);
  assert.equal(bestOf(trials.toReversed(), { objectives: [accuracy] })[0]?.trial, 1);
});

test('of several objectives the best by the first comes first, however crowded the front; it leads those to confirm', () => {
  const of = (k: number, accuracy: number, size: number) => trial(k, { k, accuracy, costs: { params: size } });
  // The small one is an end of the front too, and is older.
  const trials = [of(0, 0.825, 5), of(1, 0.9, 20), of(2, 0.97, 25), of(3, 1, 30)];
  assert.deepEqual(
    bestOf(trials, { objectives: [accuracy, params] }).map(({ trial }) => trial),
    [3, 2, 1, 0],
  );
  assert.equal(contenders(trials, [accuracy, params])[0]?.trial, 3);
  assert.equal(bestOf(trials, { objectives: [params, accuracy] })[0]?.trial, 0);
});

suite('Pareto', () => {
  const point = (accuracy: number, params: number) => ({ metrics: { accuracy, params } });

  test('the front are those that nothing dominates, equals together', () => {
    const [a, b, c, d] = [point(0.9, 10), point(0.9, 10), point(0.8, 5), point(0.8, 6)];
    assert.deepEqual(paretoFront([a, b, c, d], [accuracy, params]), [a, b, c]);
  });

  test('ranks front by front, and the ends of a front before its crowd', () => {
    const front = [point(0.5, 1), point(0.6, 2), point(0.62, 2.1), point(0.9, 10)];
    const behind = point(0.4, 20);
    const ranked = rank([behind, ...front], [accuracy, params]);
    assert.deepEqual(new Set(ranked.slice(0, 2)), new Set([front[0], front[3]]));
    assert.equal(ranked.at(-1), behind);
  });

  test('a missing value is worse than any', () => {
    const [known, unknown] = [point(0.1, 1), { metrics: {} }];
    assert.deepEqual(rank([unknown, known], [accuracy]), [known, unknown]);
    assert.deepEqual(paretoFront([unknown, known], [accuracy, params]), [known]);
  });
});

test('coverage: what the front dominates of the box between the worst and the best values', () => {
  const of = (k: number, accuracy: number, size: number) => trial(k, { k, accuracy, costs: { params: size } });
  const trials = [of(0, 0.5, 10), of(1, 0.7, 20), of(2, 0.9, 30), of(3, 0.5, 30)];
  const coverage = coverageOf(trials, [accuracy, params]);
  assert.deepEqual(
    [coverage?.worst, coverage?.best],
    [
      { accuracy: 0.5, params: 30 },
      { accuracy: 0.9, params: 10 },
    ],
  );
  assert.ok(Math.abs((coverage?.hypervolume ?? 0) - 0.25) < 1e-9);
  assert.deepEqual(
    coverage?.history.map(({ trial }) => trial),
    [1],
  );
  const stated = coverageOf(trials, [accuracy, params], { accuracy: 0, params: 60 });
  const covered = [0.5 * 50, 0.5 * 50 + 0.2 * 40, 0.5 * 50 + 0.2 * 40 + 0.2 * 30].map((area) => area / (0.9 * 50));
  assert.deepEqual(
    stated?.history.map(({ complete }) => complete),
    [1, 2, 3],
  );
  for (const [i, share] of covered.entries())
    assert.ok(Math.abs((stated?.history[i]?.hypervolume ?? 0) - share) < 1e-9);
  assert.equal(coverageOf(trials, [accuracy]), undefined);
  assert.equal(coverageOf([], [accuracy, params]), undefined);
});

suite('median stopping', () => {
  const curve = (number: number, ...values: number[]): Trial =>
    trial(number, {
      k: number,
      curve: values.map((accuracy, i) => ({ step: i + 1, metrics: { accuracy }, seconds: 1 })),
    });
  const others = [0.5, 0.6, 0.7].map((value, i) => curve(i, value, value));
  const rule = medianStopping([accuracy], { warmup: 1, trials: 3 });

  test('stops a trial whose best is below the median of the others, and no other', () => {
    assert.equal(rule(curve(9, 0.3, 0.4), others), 'stop');
    assert.equal(rule(curve(9, 0.65, 0.2), others), 'continue');
  });

  test('waits for the warm-up and for enough other trials', () => {
    assert.equal(rule(curve(9, 0.1), others), 'continue');
    assert.equal(rule(curve(9, 0.1, 0.1), others.slice(1)), 'continue');
    assert.equal(rule(curve(9, 0.1, 0.1, 0.1), others), 'continue');
  });

  test('with several objectives, stops a trial that more than half of the others are ahead of by fronts', () => {
    const both = medianStopping([accuracy, params], { warmup: 1, trials: 3 });
    const sized = (number: number, value: number, size: number): Trial => ({
      ...curve(number, value, value),
      costs: { params: size },
    });
    const three = [sized(0, 0.5, 10), sized(1, 0.6, 20), sized(2, 0.7, 30)];
    assert.equal(both(sized(9, 0.4, 5), three), 'continue', 'the smallest is on the front');
    assert.equal(both(sized(9, 0.4, 15), three), 'stop', 'all three are on the front before it');
    assert.equal(both(sized(9, 0.65, 25), three), 'continue', 'nothing dominates it');
    assert.equal(both(sized(9, 0.4, 15), [...three.slice(0, 2), sized(2, 0.3, 30), sized(3, 0.3, 40)]), 'continue');
  });
});
