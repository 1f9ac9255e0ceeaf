import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { forecastCurve } from './learning-curve.ts';

/** Curves of the field that are not on the ensemble's grid; x in epochs. Parameters u, v in [0, 1). */
const FIELD: readonly ((u: number, v: number) => (x: number) => number)[] = [
  (u, v) => (x) => 0.9 - 0.2 * v - 0.5 * x ** -(0.4 + u), // pow3
  (u, v) => (x) => 0.8 + 0.1 * v - 0.6 * Math.exp(-(0.03 + 0.2 * u) * x), // exp3
  (u, v) => (x) => Math.exp(-0.1 - 0.2 * v - (0.6 + u) / x), // vapor pressure without its logarithm
  (u, v) => (x) => (0.75 + 0.2 * v) / (1 + (x / (2 + 6 * u)) ** -1.1), // Hill3
];

const curve = (id: number, steps: number, noise: number) => {
  const stream = rng('learning curve', id);
  const truth = stream.pick(FIELD)(stream.float(), stream.float());
  const points = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    value: truth(i + 1) + noise * stream.normal(),
  }));
  return { points, truth };
};

suite('extrapolated learning curves', () => {
  test('90 % intervals hold most of what comes, from little and from half of the curve', () => {
    for (const steps of [3, 10, 20]) {
      let inside = 0;
      for (let id = 0; id < 300; id++) {
        const { points, truth } = curve(id, steps, 0.01);
        const forecast = forecastCurve(points, 40, 0.6);
        const chance = forecast.above(truth(40) + 0.01 * rng('final', id).normal());
        if (chance > 0.05 && chance < 0.95) inside++;
      }
      assert.ok(inside / 300 > 0.76, `${inside / 3} % from ${steps} epochs`);
    }
  });

  test('errors fall as the curve is seen, and so does what the forecast says of them', () => {
    const of = (steps: number) => {
      const all = Array.from({ length: 100 }, (_, id) => {
        const { points, truth } = curve(id, steps, 0.005);
        const { mean, deviation } = forecastCurve(points, 40, 0.6);
        return { error: Math.abs(mean - truth(40)), deviation };
      });
      const average = (key: 'error' | 'deviation') => all.reduce((sum, one) => sum + one[key], 0) / all.length;
      return [average('error'), average('deviation')] as const;
    };
    const [early, late] = [of(5), of(30)];
    assert.ok(late[0] < 0.3 * early[0] && late[0] < 0.02, `${early} ${late}`);
    assert.ok(late[1] < 0.3 * early[1], `${early} ${late}`);
  });

  test('is better than the last value, and than the best of a line', () => {
    const errors = Array.from({ length: 100 }, (_, id) => {
      const { points, truth } = curve(id, 12, 0.005);
      const forecast = Math.abs(forecastCurve(points, 40, 0.6).mean - truth(40));
      return { forecast, last: Math.abs((points.at(-1)?.value ?? 0) - truth(40)) };
    });
    const sum = (key: 'forecast' | 'last') => errors.reduce((total, one) => total + one[key], 0);
    assert.ok(sum('forecast') < 0.6 * sum('last'), `${sum('forecast')} against ${sum('last')}`);
  });

  test('one point is enough for a forecast of little certainty; order does not matter; any unit will do', () => {
    const one = forecastCurve([{ step: 1, value: 0.3 }], 40, 0.6);
    assert.ok(one.deviation > 0.1 && one.above(0.3) > 0.5 && one.above(2) < 0.05);
    const { points } = curve(7, 10, 0.01);
    const forecast = forecastCurve(points, 40, 0.6);
    assert.ok(Math.abs(forecastCurve(points.toReversed(), 40, 0.6).mean - forecast.mean) < 1e-9);
    const scaled = points.map(({ step, value }) => ({ step, value: 1000 * value - 300 }));
    const big = forecastCurve(scaled, 40, 600);
    assert.ok(Math.abs(big.mean - (1000 * forecast.mean - 300)) < 1e-6);
    assert.ok(Math.abs(big.above(500) - forecast.above(0.8)) < 1e-9);
  });
});
