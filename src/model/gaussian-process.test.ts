import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { rng } from '../common/random.ts';
import { fitHyperparameters, gaussianProcess, rowMetric } from './gaussian-process.ts';
import { logExpectedImprovement, lowerTail } from './normal.ts';

const metric = rowMetric([
  [0, 2],
  [2, 3],
]);
const hyper = { lengthscales: [0.5, 2], noise: 0.01 };
const stream = rng('gaussian process');
const points = Array.from({ length: 12 }, () => [stream.float(), stream.float(), stream.float()]);
const targets = points.map(([a = 0, b = 0]) => Math.sin(4 * a) + b);

/** Mean and variance by the textbook, on ml-matrix. */
function reference(query: readonly number[]) {
  const kernel = (a: readonly number[], b: readonly number[]) => {
    const [first, second] = [0, 2].map((start) => {
      const columns = start === 0 ? [0, 1] : [2];
      return columns.reduce((sum, i) => sum + Math.abs((a[i] ?? 0) - (b[i] ?? 0)), 0) / columns.length;
    });
    return Math.exp(-(first ?? 0) / 0.5 - (second ?? 0) / 2);
  };
  const covariance = new Matrix(points.map((a, i) => points.map((b, j) => kernel(a, b) + (i === j ? 0.01 : 0))));
  const cholesky = new CholeskyDecomposition(covariance);
  const y = Matrix.columnVector(targets);
  const k = Matrix.columnVector(points.map((point) => kernel(point, query)));
  const weights = cholesky.solve(y);
  const prior = y.transpose().mmul(weights).get(0, 0) / points.length;
  return {
    mean: k.transpose().mmul(weights).get(0, 0),
    variance: prior * (1 - k.transpose().mmul(cholesky.solve(k)).get(0, 0)),
  };
}

suite('Gaussian process', () => {
  test('mean and variance are those of the textbook, whether points came at once, one by one, or some left again', () => {
    const process = gaussianProcess(metric, hyper);
    for (const point of [...points.slice(0, 5), [9, 9, 9], [8, 8, 8]]) process.add(point);
    process.truncate(5);
    for (const point of points.slice(5)) process.add(point);
    const posterior = process.given(targets);
    for (const query of [[0.1, 0.2, 0.3], [0.9, 0.5, 0], points[3] ?? []]) {
      const [found, expected] = [posterior.predict(query), reference(query)];
      assert.ok(Math.abs(found.mean - expected.mean) < 1e-9);
      assert.ok(Math.abs(found.variance - expected.variance) < 1e-9);
      assert.equal(posterior.mean(query), found.mean);
    }
  });

  test('a point that comes twice does no harm without noise', () => {
    const process = gaussianProcess(metric, { ...hyper, noise: 0 });
    for (const point of [...points, ...points]) process.add(point);
    const { mean, variance } = process.given([...targets, ...targets]).predict([0.5, 0.5, 0.5]);
    assert.ok(Number.isFinite(mean) && variance >= 0);
  });

  test('without points it knows its prior', () => {
    assert.deepEqual(gaussianProcess(metric, hyper).given([]).predict([0, 0, 0]), { mean: 0, variance: 1 });
  });

  test('fitting gives a group without influence a long lengthscale, noisy targets more noise', () => {
    const draw = rng('fit');
    const many = Array.from({ length: 60 }, () => [draw.float(), draw.float(), draw.float()]);
    const smooth = many.map(([a = 0, b = 0]) => 3 * (a + b) - 3);
    const fitted = fitHyperparameters(metric, many, smooth);
    assert.ok((fitted.lengthscales[1] ?? 0) > (fitted.lengthscales[0] ?? 0));
    const noisy = fitHyperparameters(
      metric,
      many,
      smooth.map((value) => value + draw.normal()),
    );
    assert.ok(noisy.noise > fitted.noise);
  });
});

test('the normal distribution is exact in its middle and far out', () => {
  assert.ok(Math.abs(lowerTail(1.959963985) - 0.975) < 1e-7);
  assert.ok(Math.abs(lowerTail(-6) / 9.865876450377e-10 - 1) < 1e-6);
  // Density 0.3989 at 0; scipy: norm.pdf(-2) - 2 * norm.cdf(-2) = 0.00849070.
  assert.ok(Math.abs(Math.exp(logExpectedImprovement(0, 1)) - 0.3989422804) < 1e-7);
  assert.ok(Math.abs(Math.exp(logExpectedImprovement(-4, 2)) - 2 * 0.0084907) < 1e-7);
  const tail = [-10, -19.9, -20.1, -40].map((mean) => logExpectedImprovement(mean, 1));
  assert.ok(tail.every((value, i) => Number.isFinite(value) && value < (tail[i - 1] ?? 0)));
  assert.ok(Math.abs((tail[1] ?? 0) - (tail[2] ?? 0)) < 5);
});
