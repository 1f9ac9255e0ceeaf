import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { forecastFrom } from './learned-curve.ts';

/** Curves whose rise to the end depends on how fast they rise at the beginning: no mean of all tells it. */
function curveOf(seed: number): { step: number; value: number }[] {
  const stream = rng('learned curve', seed);
  const [top, rate] = [0.5 + 0.4 * stream.float(), 0.05 + 0.25 * stream.float()];
  return Array.from({ length: 30 }, (_, i) => ({
    step: i + 1,
    value: top - 0.4 * Math.exp(-rate * (i + 1)) + 0.003 * stream.normal(),
  }));
}

suite('learned learning curves', () => {
  const ended = Array.from({ length: 30 }, (_, seed) => curveOf(seed));
  const cases = Array.from({ length: 60 }, (_, i) => {
    const curve = curveOf(1000 + i);
    const points = curve.slice(0, 10);
    return { points, final: curve.at(-1)?.value ?? Number.NaN, forecast: forecastFrom(points, ended) };
  });
  const rms = (errors: readonly number[]) => Math.hypot(...errors) / Math.sqrt(errors.length);

  test('say the end better than the last value and the mean rise', () => {
    const rises = ended.map((curve) => (curve.at(-1)?.value ?? 0) - (curve[9]?.value ?? 0));
    const rise = rises.reduce((sum, one) => sum + one / rises.length, 0);
    const simple = rms(cases.map(({ points, final }) => final - (points.at(-1)?.value ?? 0) - rise));
    const found = rms(cases.map(({ forecast, final }) => final - forecast.mean));
    assert.ok(found < 0.8 * simple, `${found}, ${simple}`);
  });

  test('the 90 % interval holds what comes about as often as it says', () => {
    const inside = cases.filter(({ forecast, final }) => {
      const above = forecast.above(final);
      return above > 0.05 && above < 0.95;
    });
    assert.ok(inside.length >= 47 && inside.length <= 60, `${inside.length} of 60`);
  });

  test('from three curves that agree there is a forecast, and it is not sure', () => {
    const alike = [1, 2, 3].map(() => [1, 2, 3, 4].map((step) => ({ step, value: step / 10 })));
    const { mean, deviation } = forecastFrom(
      [1, 2].map((step) => ({ step, value: step / 10 })),
      alike,
    );
    assert.ok(Math.abs(mean - 0.4) < 1e-9 && deviation > 0, `${mean} ± ${deviation}`);
  });
});
