import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Objective } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import { agreementsOf } from './agreement.ts';
import type { Trial } from './store/store.ts';
import { newTrial } from './store/transitions.ts';

const objectives: readonly [Objective] = [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }];
const fidelity = (epochs: number) => ({ epochs, data: 1, resolution: 1, width: 1 });

/** A complete trial whose accuracy at each epoch from the first on is given. */
function trial(number: number, values: readonly number[], change: Partial<Trial> = {}): Trial {
  const first = change.curve?.[0]?.step ?? 1;
  const curve = values.map((accuracy, i) => ({ step: first + i, metrics: { accuracy }, seconds: i }));
  const metrics = { accuracy: values.at(-1) ?? 0 };
  const plain = newTrial({ purpose: 'search', trial: number, architecture: { k: number }, fidelity: 0 });
  return { ...plain, state: 'complete', metrics, ...change, curve };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test('one fidelity: half-way through against the end', () => {
  const same = numbers(10).map((i) => trial(i, [0, i / 10, 0, (i + 1) / 20]));
  const [half, ...others] = agreementsOf(same, objectives, [fidelity(4)]);
  assert.deepEqual(half, {
    estimate: 'after 2 of 4 epochs',
    truth: 'after 4 epochs',
    pairs: 10,
    tau: 1,
    interval: [1, 1],
  });
  assert.deepEqual(others, []);
  const opposite = numbers(10).map((i) => trial(i, [0, -i, 0, i]));
  assert.equal(agreementsOf(opposite, objectives, [fidelity(4)])[0]?.tau, -1);
});

test('rising fidelities: what was measured on the way up, through the trials that are continued', () => {
  const fidelities = [fidelity(1), fidelity(2)];
  const trials = numbers(12).flatMap((i) => {
    const random = rng('noise', i).float();
    const start = { kind: 'continue', trial: i } as const;
    const curve = [{ step: 2, metrics: {}, seconds: 0 }];
    const up = trial(100 + i, [i + 6 * random], { fidelity: 1, start, curve, architecture: { k: i } });
    return i < 8 ? [trial(i, [i]), up] : [trial(i, [99])];
  });
  const [first, ...others] = agreementsOf(trials, objectives, fidelities);
  assert.deepEqual(others, []);
  assert.deepEqual([first?.estimate, first?.truth, first?.pairs], ['after 1 of 2 epochs', 'after 2 epochs', 8]);
  const { tau = Number.NaN, interval: [low, high] = [] } = first ?? {};
  assert.ok(low !== undefined && high !== undefined && low < tau && tau < 1 && tau <= high && high <= 1);
});

test('confirmations: the searched values against their means', () => {
  const searched = numbers(6).map((i) => trial(i, [i]));
  const confirmed = numbers(10).map((i) =>
    trial(i, [i % 5 === 4 ? -1 : (i % 5) + (i < 5 ? 0.4 : -0.4)], { purpose: 'confirm', architecture: { k: i % 5 } }),
  );
  const found = agreementsOf([...searched, ...confirmed], objectives, [fidelity(1)]);
  assert.deepEqual(
    found.map(({ estimate, truth, pairs, tau }) => [estimate, truth, pairs, tau]),
    [['one training', 'confirmations', 5, 0.2]],
  );
});

test('costs: what is known before any training, more being better whatever is minimized', () => {
  const trials = numbers(8).map((i) => trial(i, [i], { costs: { params: 10 + i, flops: 5 } }));
  const found = (direction: Objective['direction']) => {
    const objective = { metric: 'accuracy', direction, unit: 'share' } as const;
    return agreementsOf(trials, [objective], [fidelity(1)]).map(({ estimate, truth, tau }) => [estimate, truth, tau]);
  };
  assert.deepEqual(found('maximize'), [['params', 'after 1 epoch', 1]]);
  assert.deepEqual(found('minimize'), [['params', 'after 1 epoch', -1]]);
});

test('too few pairs, or values that are all alike, say nothing', () => {
  assert.deepEqual(
    agreementsOf(
      [1, 2, 3].map((i) => trial(i, [i, i])),
      objectives,
      [fidelity(2)],
    ),
    [],
  );
  assert.deepEqual(
    agreementsOf(
      numbers(9).map((i) => trial(i, [1, i])),
      objectives,
      [fidelity(2)],
    ),
    [],
  );
  assert.deepEqual(agreementsOf([], objectives, [fidelity(2)]), []);
});
