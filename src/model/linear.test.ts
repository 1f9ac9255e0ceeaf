import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { lbfgs } from './lbfgs.ts';
import { fitLinear, type LinearModel, predictLinear } from './linear.ts';
import { fitRidge } from './ridge.ts';

const stream = rng('linear');
const rows = Array.from({ length: 200 }, () => Array.from({ length: 4 }, () => stream.normal()));
const table = { rows: 200, columns: 4, data: Float32Array.from(rows.flat()) };

function last(models: Iterable<LinearModel>): LinearModel {
  const found = [...models].at(-1);
  assert.ok(found);
  return found;
}

suite('linear models', () => {
  test('L-BFGS finds the minimum of a narrow valley (Rosenbrock 1960)', () => {
    const point = Float64Array.of(-1.2, 1);
    let iterations = 0;
    for (const _ of lbfgs(([x = 0, y = 0], gradient) => {
      gradient[0] = -2 * (1 - x) - 400 * x * (y - x * x);
      gradient[1] = 200 * (y - x * x);
      return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    }, point))
      iterations++;
    assert.ok(iterations < 100);
    assert.ok(Math.hypot((point[0] ?? 0) - 1, (point[1] ?? 0) - 1) < 1e-4, `${point}`);
  });

  test('least squares with a penalty are those of ridge regression in closed form', () => {
    const targets = rows.map(([a = 0, b = 0]) => 3 * a - b + 2 + 0.1 * stream.normal());
    const expected = fitRidge(rows, targets, 20);
    // There the squared errors are summed, here half of them are averaged.
    const request = { table, targets, loss: 'squared-error', outputs: 1, penalty: 20 / 200 } as const;
    const found = predictLinear(last(fitLinear(request)), table);
    for (const [i, row] of rows.entries()) assert.ok(Math.abs((found[i] ?? 0) - expected(row)) < 0.02, `row ${i}`);
  });

  test('logistic regression ends where the gradient is zero', () => {
    const targets = rows.map(([a = 0, b = 0]) =>
      a + 0.5 * stream.normal() > 0.7 ? 2 : b + stream.normal() > 0 ? 1 : 0,
    );
    const penalty = 0.01;
    const model = last(fitLinear({ table, targets, loss: 'log-loss', outputs: 3, penalty }));
    const logits = predictLinear(model, table);
    for (let k = 0; k < 3; k++) {
      const slopes = [0, 0, 0, 0, 0];
      for (const [i, row] of rows.entries()) {
        const own = [...logits.subarray(3 * i, 3 * i + 3)].map(Math.exp);
        const share = (own[k] ?? 0) / own.reduce((sum, e) => sum + e, 0);
        const error = (share - Number(targets[i] === k)) / 200;
        for (const [f, x] of [...row, 1].entries()) slopes[f] = (slopes[f] ?? 0) + error * x;
      }
      for (const [f, slope] of slopes.entries()) {
        const whole = slope + (f < 4 ? penalty * (model.weights[4 * k + f] ?? 0) : 0);
        assert.ok(Math.abs(whole) < 1e-4, `class ${k}, feature ${f}: ${whole}`);
      }
    }
  });
});
