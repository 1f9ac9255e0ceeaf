import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hypervolume, nondominatedBoxes } from './hypervolume.ts';
import type { Metrics, Objective } from './metrics.ts';
import { rng } from './random.ts';

const accuracy: Objective = { metric: 'accuracy', direction: 'maximize', unit: 'share' };
const params: Objective = { metric: 'params', direction: 'minimize', unit: 'parameters' };
const flops: Objective = { metric: 'flops', direction: 'minimize', unit: 'multiply-accumulates' };
const worst = { accuracy: 0, params: 10, flops: 100 };
const best = { accuracy: 1, params: 0, flops: 0 };
const items = (...all: Metrics[]) => all.map((metrics) => ({ metrics }));
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

suite('hypervolume', () => {
  test('of a few points, worked by hand', () => {
    const two = [accuracy, params];
    near(hypervolume([], two, worst, best), 0);
    near(hypervolume(items({ accuracy: 0.5, params: 5 }), two, worst, best), 0.25);
    const stairs = items({ accuracy: 0.8, params: 8 }, { accuracy: 0.5, params: 5 }, { accuracy: 0.2, params: 1 });
    near(hypervolume(stairs, two, worst, best), 0.8 * 0.2 + 0.5 * 0.3 + 0.2 * 0.4);
    near(hypervolume([...stairs, ...items({ accuracy: 0.1, params: 9 })], two, worst, best), 0.39);
    near(hypervolume(items({ accuracy: 1, params: 0 }), two, worst, best), 1);
  });

  test('what is beyond the worst, or has no value, counts for nothing', () => {
    near(hypervolume(items({ accuracy: 0.9, params: 11 }, { accuracy: 0.9 }), [accuracy, params], worst, best), 0);
  });

  test('of three objectives, against counting random points', () => {
    const stream = rng('hypervolume');
    const three = [accuracy, params, flops];
    const front = Array.from({ length: 12 }, () => ({
      metrics: { accuracy: stream.float(), params: 10 * stream.float(), flops: 100 * stream.float() },
    }));
    const samples = 20_000;
    let inside = 0;
    for (let i = 0; i < samples; i++) {
      const at = { accuracy: stream.float(), params: 10 * stream.float(), flops: 100 * stream.float() };
      if (front.some(({ metrics: m }) => m.accuracy >= at.accuracy && m.params <= at.params && m.flops <= at.flops))
        inside++;
    }
    assert.ok(Math.abs(hypervolume(front, three, worst, best) - inside / samples) < 0.02);
  });
});

suite('boxes of the space that no vector dominates', () => {
  for (const count of [1, 2, 3, 4]) {
    test(`hold what a new point adds to the hypervolume of ${count} objectives`, () => {
      const stream = rng('boxes', count);
      const objectives = Array.from({ length: count }, (_, k): Objective => {
        return { metric: `m${k}`, direction: 'maximize', unit: '' };
      });
      const draw = () => Array.from({ length: count }, () => stream.float());
      const metricsOf = (point: readonly number[]) => Object.fromEntries(point.map((value, k) => [`m${k}`, value]));
      const all = (value: number) => metricsOf(new Array<number>(count).fill(value));
      const volume = (points: readonly (readonly number[])[]) =>
        hypervolume(items(...points.map(metricsOf)), objectives, all(0.2), all(1)) * 0.8 ** count;
      const front = Array.from({ length: 9 }, draw);
      const boxes = nondominatedBoxes(front, new Array<number>(count).fill(0.2));
      for (let i = 0; i < 20; i++) {
        const point = draw();
        const added = boxes.reduce(
          (sum, { low, high }) =>
            sum +
            point.reduce((product, y, k) => {
              return product * Math.max(0, Math.min(y, high[k] ?? Number.NaN) - (low[k] ?? Number.NaN));
            }, 1),
          0,
        );
        near(added, volume([...front, point]) - volume(front));
      }
    });
  }
});
