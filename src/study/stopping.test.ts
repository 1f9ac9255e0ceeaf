import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { forecastFrom } from '../model/learned-curve.ts';
import { forecastCurve } from '../model/learning-curve.ts';
import { type Curve, curveStopping, medianStopping, type StoppingRule } from './stopping.ts';

const EPOCHS = 30;
const accuracy = { metric: 'accuracy', direction: 'maximize', unit: 'share' } as const;
const loss = { metric: 'loss', direction: 'minimize', unit: 'nats' } as const;

/** Learning curves with a schedule that lifts them at the end by an amount no shape foresees; loss is 1 - accuracy. */
function fullCurve(trial: number, seed: number): Curve {
  const stream = rng('curve', seed, trial);
  const [top, rate] = [0.5 + 0.4 * stream.float(), 0.05 + 0.2 * stream.float()];
  const curve = Array.from({ length: EPOCHS }, (_, i) => {
    const lift = 0.04 * (1 - Math.cos((Math.PI * (i + 1)) / EPOCHS));
    const value = top - 0.08 - 0.4 * Math.exp(-rate * (i + 1)) + lift + 0.006 * stream.normal();
    return { step: i + 1, metrics: { accuracy: value, loss: 1 - value }, seconds: i };
  });
  return { trial, fidelity: 0, state: 'complete', curve, costs: {} };
}

const finalOf = ({ curve }: Curve) => curve.at(-1)?.metrics.accuracy ?? 0;

/** Trains one after another under a rule: epochs trained, the best that was completed, and the best there was. */
function train(rule: StoppingRule, seed: number, trials: number) {
  const done: Curve[] = [];
  let epochs = 0;
  for (let trial = 0; trial < trials; trial++) {
    const full = fullCurve(trial, seed);
    let running: Curve = { ...full, state: 'running', curve: [] };
    let state: Curve['state'] = 'complete';
    for (const point of full.curve) {
      epochs++;
      running = { ...running, curve: [...running.curve, point] };
      if (point.step === EPOCHS || rule(running, done) === 'continue') continue;
      state = 'pruned';
      break;
    }
    done.push({ ...running, state });
  }
  const complete = done.filter(({ state }) => state === 'complete').map(finalOf);
  const all = Array.from({ length: trials }, (_, trial) => finalOf(fullCurve(trial, seed)));
  return { share: epochs / (trials * EPOCHS), best: Math.max(...complete), optimum: Math.max(...all) };
}

const learnedRule = curveStopping(accuracy, { epochs: EPOCHS, forecast: forecastCurve, learned: forecastFrom });
const curveRule = (objective: typeof accuracy | typeof loss) =>
  curveStopping(objective, { epochs: EPOCHS, forecast: forecastCurve });

suite('stopping by extrapolated curves', () => {
  test('saves most of the epochs and keeps the best trial nearly always', () => keepsTheBest(curveRule(accuracy)));
  test('learned from ended curves: the same', () => keepsTheBest(learnedRule));

  function keepsTheBest(rule: StoppingRule): void {
    const results = Array.from({ length: 20 }, (_, seed) => train(rule, seed, 40));
    const mean = (of: (result: ReturnType<typeof train>) => number) =>
      results.reduce((sum, result) => sum + of(result), 0) / results.length;
    assert.ok(mean(({ share }) => share) < 0.6, `trained ${mean(({ share }) => share)} of the epochs`);
    assert.ok(mean(({ best, optimum }) => optimum - best) < 0.005);
    assert.ok(results.filter(({ best, optimum }) => best === optimum).length >= 16);
  }

  test('what is to be small is treated the same', () => {
    assert.deepEqual(train(curveRule(loss), 3, 12), train(curveRule(accuracy), 3, 12));
  });

  test('waits for its warm-up and for enough finished trials', () => {
    const losing: Curve = {
      ...fullCurve(0, 0),
      state: 'running',
      curve: Array.from({ length: 12 }, (_, i) => ({ step: i + 1, metrics: { accuracy: 0.1 }, seconds: i })),
    };
    const others = Array.from({ length: 5 }, (_, i) => fullCurve(i + 1, 0));
    const rule = curveRule(accuracy);
    assert.equal(rule(losing, others), 'stop');
    assert.equal(rule(losing, others.slice(1)), 'continue');
    assert.equal(
      rule(
        losing,
        others.map((one) => ({ ...one, state: 'pruned' as const })),
      ),
      'continue',
    );
    assert.equal(rule({ ...losing, curve: losing.curve.slice(0, 2) }, others), 'continue');
  });
});

test('the median rule stops the worse half, and no trial that is the best', () => {
  const rule = medianStopping([accuracy]);
  const results = Array.from({ length: 20 }, (_, seed) => train(rule, seed, 40));
  assert.ok(results.every(({ share }) => share < 0.9));
  assert.ok(results.filter(({ best, optimum }) => optimum - best < 0.02).length >= 16);
});
