import assert from 'node:assert/strict';
import { test } from 'node:test';
import { determinant, Matrix } from 'ml-matrix';
import { rng } from '../../common/random.ts';
import { activation, choice, linear, pick, relu, sequential } from '../../space/tree/builders.ts';
import { defineSpace } from '../../space/tree/define.ts';
import { resolve } from '../../space/tree/resolve.ts';
import { referenceEngine } from '../../train/testing/reference-engine.ts';
import { artifactsInMemory } from '../conformance.node.ts';
import { lookConformance } from '../testing/conformance.ts';
import { readBatch } from './batch.ts';
import { openNetwork } from './context.ts';
import { type ProxyEstimatorOptions, proxyEstimator } from './estimator.ts';
import { normalWeights, torchWeights } from './initial-weights.ts';
import { openProxies, PROXIES } from './measure.ts';
import {
  type Chain,
  flat,
  hiddenOf,
  lossOf,
  noise,
  numericGradient,
  outputOf,
  type Rows,
  softmax,
  unflat,
} from './testing/chain.ts';
import { zenImages } from './zen.ts';

const SAMPLES = 5;
const data = noise([6], 3, 40);
const { info } = data;
const task = { kind: 'classification', input: info.input, outputs: info.outputs } as const;
/** Its width is open, so there is no supernet of switches. */
const chainSpace = defineSpace('chain', () =>
  sequential(linear(pick('units', [9, 7]), { bias: false }), relu(), linear('outputs', { bias: false })),
).create(task);
const architecture = { units: 9 };
const on = { network: resolve(chainSpace, architecture), info, resolution: 1 };

const rowsOf = (values: ArrayLike<number>, width: number): Rows =>
  Array.from({ length: values.length / width }, (_, i) => Array.from(values).slice(i * width, (i + 1) * width));
/** Rows are rectangular: there is a number wherever these tests look for one. */
const at = (values: ArrayLike<number> | undefined, i: number): number => values?.[i] ?? Number.NaN;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function chainOf(make: typeof torchWeights, change: (weight: number) => number = (weight) => weight): Chain {
  const { parameters } = openNetwork(on, SAMPLES, 'train').lowered;
  const weights = make(parameters, (...labels) => rng('proxies', 0, ...labels));
  const rows = (path: string) => {
    const { shape = [], data: values = new Float32Array() } = weights[path] ?? {};
    return rowsOf(values, shape[1] ?? 1).map((row) => row.map(change));
  };
  return { first: rows('0/weight'), second: rows('2/weight') };
}

async function setUp() {
  const engine = referenceEngine();
  const proxies = openProxies(chainSpace, { engine, data, batchSize: SAMPLES });
  const scores = await proxies.measure(architecture);
  const batch = await readBatch(data, SAMPLES, 0);
  const x = rowsOf(batch.feeds.input?.data ?? [], 6).map((row) =>
    row.map((value, i) => (value - at(info.mean, i)) / at(info.deviation, i)),
  );
  return { scores, x, targets: rowsOf(batch.feeds.targets?.data ?? [], 3), chain: chainOf(torchWeights) };
}

const near = (found: number | undefined, wanted: number, relative = 1e-4) =>
  assert.ok(
    found !== undefined && Math.abs(found - wanted) <= relative * Math.abs(wanted),
    `${found} is not ${wanted}`,
  );

test('gradient norm, SNIP and GraSP are what finite differences of the loss give', async () => {
  const { scores, x, targets, chain } = await setUp();
  const weights = flat(chain);
  const gradientAt = (at: readonly number[]) => numericGradient((w) => lossOf(unflat(w, chain), x, targets), at);
  const gradient = gradientAt(weights);
  const parts = unflat(gradient, chain);
  const norm = (rows: Rows) => Math.hypot(...rows.flat());
  near(scores.gradNorm, norm(parts.first) + norm(parts.second));
  near(scores.snip, sum(weights.map((weight, i) => Math.abs(weight * at(gradient, i)))));
  const step = 1e-3;
  const [ahead, behind] = [1, -1].map((sign) => gradientAt(weights.map((w, i) => w + sign * step * at(gradient, i))));
  const product = weights.map((_, i) => (at(ahead, i) - at(behind, i)) / (2 * step));
  near(scores.grasp, -sum(weights.map((weight, i) => weight * at(product, i))), 1e-3);
});

test('Fisher is half the mean square of activation times gradient, for each weight of a channel', async () => {
  const { scores, x, targets, chain } = await setUp();
  const hidden = hiddenOf(chain, x);
  const outputs = outputOf(chain, x);
  const byOutput = outputs.map((row, n) => softmax(row).map((share, k) => (share - at(targets[n], k)) / SAMPLES));
  const byHidden = hidden.map((row, n) =>
    row.map((value, j) => (value > 0 ? sum(chain.second.map((unit, k) => at(unit, j) * at(byOutput[n], k))) : 0)),
  );
  const layer = (values: Rows, gradients: Rows, fanIn: number) =>
    (fanIn / 2 / SAMPLES) * sum(values.flatMap((row, n) => row.map((value, j) => (value * at(gradients[n], j)) ** 2)));
  near(scores.fisher, layer(hidden, byHidden, 6) + layer(outputs, byOutput, 9));
});

test('Jacobian covariance is of the gradients by normalized inputs', async () => {
  const { scores, x, chain } = await setUp();
  const total = (row: readonly number[]) => sum(outputOf(chain, [row]).flat());
  const rows = x.map((row) => numericGradient(total, row));
  const centered = rows.map((row) => row.map((value) => value - sum(row) / row.length));
  const unit = new Matrix(centered.map((row) => row.map((value) => value / Math.hypot(...row))));
  const correlation = unit.mmul(unit.transpose());
  // Eigenvalues as roots: the score is a sum over them, so compare by the determinant and trace of functions of the matrix.
  const k = 1e-5;
  const shifted = correlation.add(Matrix.eye(SAMPLES).mul(k));
  const logs = Math.log(determinant(shifted));
  const minors = Array.from({ length: SAMPLES }, (_, i) => {
    const others = Array.from({ length: SAMPLES }, (_, j) => j).filter((j) => j !== i);
    return determinant(shifted.selection(others, others)) / determinant(shifted);
  });
  near(scores.jacobian, -(logs + sum(minors)), 1e-3);
});

test('NASWOT is the log determinant of how far codes agree', async () => {
  const { scores, x, chain } = await setUp();
  const codes = hiddenOf(chain, x).map((row) => row.map((value) => value > 0));
  const agreement = codes.map((a) => codes.map((b) => a.filter((bit, i) => bit === b[i]).length));
  const wanted = determinant(new Matrix(agreement));
  assert.ok(wanted > 1);
  near(scores.naswot, Math.log(wanted));
});

test('NASWOT reads other activations by the sign of what goes into them', async () => {
  const { scores } = await setUp();
  for (const fn of ['silu', 'gelu', 'tanh', 'sigmoid', 'hardSwish', 'relu6', 'hardSigmoid'] as const) {
    const space = defineSpace('other', () =>
      sequential(linear(pick('units', [9, 7]), { bias: false }), activation(fn), linear('outputs', { bias: false })),
    ).create(task);
    const proxies = openProxies(space, { engine: referenceEngine(), data, batchSize: SAMPLES, proxies: ['naswot'] });
    assert.equal((await proxies.measure(architecture)).naswot, scores.naswot, fn);
  }
});

test('SynFlow is the flow of ones through absolute weights, as a logarithm', async () => {
  const { scores } = await setUp();
  const { first, second } = chainOf(torchWeights, Math.abs);
  const hidden = first.map(sum);
  const flow = sum(second.map((unit) => sum(unit.map((weight, j) => weight * at(hidden, j)))));
  near(scores.synflow, Math.log(2 * flow)); // Each layer's share is the whole flow.
  const byFirst = first.map((_, j) => sum(second.map((unit) => at(unit, j))));
  const logarithmic =
    sum(first.flatMap((row, j) => row.map((weight) => weight * Math.log1p(at(byFirst, j))))) +
    sum(second.flatMap((unit) => unit.map((weight, j) => weight * Math.log1p(at(hidden, j)))));
  near(scores.logSynflow, logarithmic);
});

test('Zen-score is the distance of the features of two images', async () => {
  const { scores } = await setUp();
  const chain = chainOf(normalWeights);
  const [first, second] = zenImages(info, SAMPLES, rng('proxies', 0, 'zen')).map((image) =>
    hiddenOf(chain, rowsOf(image.data, 6))
      .flat()
      .map((value) => Math.max(0, value)),
  );
  const distance = sum((first ?? []).map((value, i) => Math.abs(value - at(second, i))));
  near(scores.zen, Math.log(distance / SAMPLES), 1e-3);
});

test('scores depend on the seed alone', async () => {
  const measure = async (seed: number, proxies = PROXIES) => {
    const opened = openProxies(chainSpace, { engine: referenceEngine(), data, batchSize: SAMPLES, seed, proxies });
    return opened.measure(architecture);
  };
  const first = await measure(1);
  assert.deepEqual(Object.keys(first), PROXIES);
  assert.deepEqual(await measure(1), first);
  const other = await measure(2);
  for (const name of ['gradNorm', 'snip', 'grasp', 'fisher', 'jacobian', 'synflow', 'zen'] as const)
    assert.notEqual(other[name], first[name], name);
  // What else is asked for changes nothing.
  assert.deepEqual(await measure(1, ['snip', 'zen']), { snip: first.snip, zen: first.zen });
});

test('speed is steps per second by the clock; with a time, freerea is weighed by the steps that fit', async () => {
  let seconds = 0;
  const engine = referenceEngine();
  /** Every run of a program that keeps a state, as a training step does, takes two seconds. */
  const slow: typeof engine = {
    ...engine,
    async compile(graph, carries) {
      const program = await engine.compile(graph, carries);
      const takes = Object.keys(carries ?? {}).length > 0 ? 2 : 0;
      return {
        ...program,
        run: async (feeds, state) => {
          seconds += takes;
          return program.run(feeds, state);
        },
      };
    },
  };
  const scoresOf = async (options: Partial<ProxyEstimatorOptions>) => {
    const estimator = proxyEstimator({ ...{ engine: slow, data, batchSize: SAMPLES, proxies: [] }, ...options });
    const artifacts = artifactsInMemory();
    const fidelity = { epochs: 1, data: 1, resolution: 1, width: 1 };
    const { metrics } = await estimator.estimate(
      { space: chainSpace, architecture },
      {
        ...{ trial: 0, fidelity, fullFidelity: fidelity, artifacts, signal: new AbortController().signal },
        rng: (...labels) => rng('speed', ...labels),
        report: async () => 'continue',
      },
    );
    await estimator.dispose();
    return metrics;
  };
  const now = () => 1000 * seconds;
  near((await scoresOf({ proxies: ['speed'], now })).speed, 0.5);
  const plain = await scoresOf({ freereaSample: 3, now });
  assert.equal(plain.speed, undefined);
  const timed = await scoresOf({ freereaSample: 3, trainSeconds: 2000, now });
  // 1,000 steps fit: two thirds of the score.
  near(timed.speed, 0.5);
  near(timed.freerea, ((plain.freerea ?? 0) * 2) / 3);
});

const endings = defineSpace('endings', () =>
  sequential(linear(7), relu(), choice('end', { right: linear('outputs'), wrong: linear(5) })),
).create(task);

lookConformance('proxies', async () => {
  const estimator = proxyEstimator({ engine: referenceEngine(), data, batchSize: SAMPLES, freereaSample: 3 });
  return {
    estimator,
    candidate: { space: endings, architecture: { end: 'right' } },
    failing: { space: endings, architecture: { end: 'wrong' } },
    reason: /^network: its output is \[1,5\]/,
    dispose: () => estimator.dispose(),
  };
});
