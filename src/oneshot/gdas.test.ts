import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Rng, rng } from '../common/random.ts';
import type { HostTensor } from '../graph/ir.ts';
import { gateInputs } from '../network/gated.ts';
import type { Architecture } from '../space/space.ts';
import { supernet } from '../space/tree/resolve.ts';
import { freshTensors, type StateParts, trainingGraph } from '../train/program.ts';
import { switchFeeds } from '../train/single-path.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { joinTensors, splitTensors } from '../train/vectors.ts';
import { architectureStep } from './architecture-step.ts';
import { gumbelSample } from './gumbel.ts';
import { ARCHITECTURE_OPTIMIZER } from './mixture-steps.ts';
import { pointSpace } from './testing/space.ts';

/** Not as many of each class. */
const BATCH = 5;
const TEMPERATURE = 0.7;
const { info, train } = blobs();
const on = { network: supernet(pointSpace(info)), info, resolution: 1 } as const;
const KINDS = ['gated', 'gatedSum'] as const;
type Kind = (typeof KINDS)[number];
const steps = {
  gated: architectureStep({ ...on, choices: 'gated' }, 0, BATCH),
  gatedSum: architectureStep({ ...on, choices: 'gatedSum' }, 0, BATCH),
};
const step = steps.gated;
const seeded = (...labels: readonly (string | number)[]) => rng('gdas test', ...labels);
/** Parameters far enough apart that options differ in probability. */
const tensors: Record<string, HostTensor> = {
  ...freshTensors(step, seeded),
  'architecture:2': { shape: [1, 2], data: Float32Array.of(0.4, -0.3) },
  'architecture:3': { shape: [1, 3], data: Float32Array.of(-0.2, 0.5, 0.1) },
};
const ROWS = step.architecture.map(({ path, decisions: [only] }) => {
  const { name: decision = '', options = [] } = only ?? {};
  return { path, decision, options, count: options.length };
});
const SGD = { optimizer: 'sgd', momentum: 0, nesterov: false, clipNorm: 0 } as const;
/** Those of the tensors that a program has. */
const ownOf = ({ parameters, statistics }: StateParts) =>
  Object.fromEntries(
    [...parameters, ...statistics].flatMap(({ path }) => {
      const found = tensors[path];
      return found === undefined ? [] : [[path, found] as const];
    }),
  );

const scalar = (value: number): HostTensor => ({ shape: [], data: Float32Array.of(value) });
const batch = await (async () => {
  const indices = Array.from({ length: BATCH }, (_, i) => i);
  const input = new Float32Array(2 * BATCH);
  const target = new Float32Array(BATCH);
  await train.read(indices, { input, target });
  const targets = new Float32Array(3 * BATCH);
  for (const [i, k] of target.entries()) targets[3 * i + k] = 1;
  const noise = step.randomInputs.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, { shape, data: new Float32Array(size).fill(0.5) }] as const;
  });
  return {
    input: { shape: [BATCH, 2], data: input },
    targets: { shape: [BATCH, 3], data: targets },
    ...Object.fromEntries(noise),
    ...Object.fromEntries(Object.entries(ARCHITECTURE_OPTIMIZER.scalars(0, 1)).map(([k, v]) => [k, scalar(v)])),
  };
})();
const engine = referenceEngine();
const programs = {
  gated: await engine.compile(steps.gated.graph, steps.gated.carries),
  gatedSum: await engine.compile(steps.gatedSum.graph, steps.gatedSum.carries),
};
const feedsOf = { gated: switchFeeds(steps.gated), gatedSum: switchFeeds(steps.gatedSum) };

/** Loss, and the gradient by each architecture parameter: from nothing, Adam's mean is half of it. */
async function run(choices: Architecture, feeds: Readonly<Record<string, HostTensor>>, kind: Kind = 'gated') {
  const { vectors } = steps[kind];
  const state = engine.createState(joinTensors(vectors, tensors));
  const { loss } = await programs[kind].run({ ...batch, ...feedsOf[kind](choices), ...feeds }, state);
  const after = splitTensors(vectors, await state.read());
  const gradients = ROWS.map(({ path }) => Array.from(after[`${path}:mean`]?.data ?? [], (value) => 2 * value));
  return { loss: loss?.data[0] ?? Number.NaN, gradients };
}

const sampled = (random: Rng) => gumbelSample(step.architecture, tensors, TEMPERATURE, random);

/** The shares of a decision's options for this noise, and which is the sampled one. */
function sharesOf(values: ArrayLike<number>, noise: ArrayLike<number>) {
  const scores = Array.from(values, (value, k) => value + (noise[k] ?? Number.NaN));
  const weights = scores.map((score) => Math.exp(score / TEMPERATURE));
  const total = weights.reduce((a, b) => a + b, 0);
  return { shares: weights.map((weight) => weight / total), option: scores.indexOf(Math.max(...scores)) };
}

/** The gradient of the sampled option's share by each parameter of its decision. */
function shareGradient(values: ArrayLike<number>, noise: ArrayLike<number>): { option: number; gradient: number[] } {
  const { shares, option } = sharesOf(values, noise);
  const own = shares[option] ?? Number.NaN;
  return { option, gradient: shares.map((share, k) => (own * (Number(k === option) - share)) / TEMPERATURE) };
}

/** How the loss of a path changes with the factor of a decision's sampled output, by finite differences. */
async function slopeByGate(choices: Architecture, row: number, kind: Kind = 'gated'): Promise<number> {
  const { count } = ROWS[row] ?? { count: 0 };
  const sample = sampled(seeded('any'));
  const delta = 1e-2;
  const at = async (change: number) => {
    const feeds: Record<string, HostTensor> = { ...sample.feeds };
    for (const { count: n, decision, options } of ROWS) {
      const inputs = gateInputs(n);
      const option = options.indexOf(String(choices[decision]));
      const { shares } = sharesOf(tensors[`architecture:${n}`]?.data ?? [], feeds[inputs.noise]?.data ?? []);
      feeds[inputs.sampled] = { shape: [1, n], data: Float32Array.from(options, (_, k) => Number(k === option)) };
      feeds[inputs.rest] = {
        shape: [1],
        data: Float32Array.of(1 - (shares[option] ?? 0) + (n === count ? change : 0)),
      };
    }
    return (await run(choices, feeds, kind)).loss;
  };
  return ((await at(delta)) - (await at(-delta))) / (2 * delta);
}

const close = (a: number, b: number, tolerance: number, place: string) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${place}: ${a}, expected ${b} within ${tolerance}`);

suite('the straight-through Gumbel softmax', () => {
  test('options are sampled with the probabilities that the parameters give them', () => {
    const draws = 4000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++)
      for (const option of Object.values(sampled(seeded('draw', i)).choices))
        counts.set(String(option), (counts.get(String(option)) ?? 0) + 1);
    for (const { path, options } of ROWS) {
      const weights = Array.from(tensors[path]?.data ?? [], Math.exp);
      const total = weights.reduce((a, b) => a + b, 0);
      for (const [k, option] of options.entries()) {
        const share = (weights[k] ?? 0) / total;
        const deviation = Math.sqrt((share * (1 - share)) / draws);
        close((counts.get(option) ?? 0) / draws, share, 4 * deviation, option);
      }
    }
  });

  test('the loss is that of the path alone: the gates are 1', async () => {
    const plain = trainingGraph({ ...on, choices: 'operations' }, { ...SGD, weightDecay: 0 }, BATCH);
    const compiled = await engine.compile(plain.graph, plain.carries);
    const plainFeeds = switchFeeds(plain);
    for (let i = 0; i < 8; i++) {
      const { choices, feeds } = sampled(seeded('path', i));
      const state = engine.createState(joinTensors(plain.vectors, { ...freshTensors(plain, seeded), ...ownOf(plain) }));
      const { loss } = await compiled.run({ ...batch, ...plainFeeds(choices), learningRate: scalar(0) }, state);
      for (const kind of KINDS)
        close((await run(choices, feeds, kind)).loss, loss?.data[0] ?? Number.NaN, 1e-5, `${Object.values(choices)}`);
    }
  });

  for (const kind of KINDS) {
    test(`${kind}: the gradient is the slope of the loss by the gate, times the gradient of the sampled share`, async () => {
      for (let i = 0; i < 8; i++) {
        const { choices, feeds } = sampled(seeded('gradient', i));
        const { gradients } = await run(choices, feeds, kind);
        for (const [row, { path, count }] of ROWS.entries()) {
          const slope = await slopeByGate(choices, row, kind);
          const { gradient } = shareGradient(tensors[path]?.data ?? [], feeds[gateInputs(count).noise]?.data ?? []);
          for (const [k, expected] of gradient.entries())
            close(
              gradients[row]?.[k] ?? Number.NaN,
              slope * expected,
              2e-4,
              `${Object.values(choices)}, ${path}[${k}]`,
            );
        }
      }
    });
  }

  test('the output of `none` has no slope; as if it put out ones, it has one', async () => {
    const choices = { first: 'plain', second: 'none' };
    assert.equal(await slopeByGate(choices, 1, 'gated'), 0);
    assert.ok(Math.abs(await slopeByGate(choices, 1, 'gatedSum')) > 1e-3);
  });

  test('the mean of sampled gradients is their expectation over all paths', async () => {
    // The expectation: over all paths, the slope by the gate times the expected gradient of the share where the option is sampled.
    const draws = 200_000;
    const shareMeans = ROWS.map(({ path, count }) => {
      const random = seeded('expectation', path);
      const values = tensors[path]?.data ?? [];
      const sums = Array.from({ length: count }, () => Array<number>(count).fill(0));
      const hits = Array<number>(count).fill(0);
      for (let i = 0; i < draws; i++) {
        // Gumbel noise as minus the logarithm of an exponential variable, which is how the published code draws it.
        const noise = Array.from({ length: count }, () => -Math.log(-Math.log1p(-random.float()) || 1e-12));
        const { option, gradient } = shareGradient(values, noise);
        hits[option] = (hits[option] ?? 0) + 1 / draws;
        for (const [k, value] of gradient.entries()) {
          const of = sums[option];
          if (of !== undefined) of[k] = (of[k] ?? 0) + value / draws;
        }
      }
      return { sums, hits };
    });
    const [first, second] = ROWS;
    assert.ok(first && second);
    const expected = ROWS.map(({ count }) => Array<number>(count).fill(0));
    for (const [i, a] of first.options.entries()) {
      for (const [j, b] of second.options.entries()) {
        const choices = { [first.decision]: a, [second.decision]: b };
        for (const [row, option, other] of [
          [0, i, j],
          [1, j, i],
        ] as const) {
          const slope = (await slopeByGate(choices, row)) * (shareMeans[1 - row]?.hits[other] ?? Number.NaN);
          for (const [k, value] of (shareMeans[row]?.sums[option] ?? []).entries()) {
            const mine = expected[row];
            if (mine !== undefined) mine[k] = (mine[k] ?? 0) + slope * value;
          }
        }
      }
    }
    const runs = 600;
    const all = [];
    for (let i = 0; i < runs; i++) {
      const { choices, feeds } = sampled(seeded('mean', i));
      all.push((await run(choices, feeds)).gradients);
    }
    for (const [row, values] of expected.entries()) {
      for (const [k, value] of values.entries()) {
        const found = all.map((gradients) => gradients[row]?.[k] ?? Number.NaN);
        const mean = found.reduce((a, b) => a + b, 0) / runs;
        const deviation = Math.sqrt(found.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (runs - 1) / runs);
        assert.ok(deviation < 0.02, `${deviation}`);
        close(mean, value, 4 * deviation, `${ROWS[row]?.path}[${k}]`);
      }
    }
  });
});
