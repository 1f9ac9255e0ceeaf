import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { interpret } from '../graph/interpret.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import {
  type ControllerShape,
  type ControllerTraining,
  controllerStep,
  type Episode,
  freshController,
  logProbabilitiesOf,
  trainController,
  unroll,
} from './controller.ts';
import { packFloats, unpackFloats } from './floats.ts';

const shape: ControllerShape = { sizes: [3, 2, 4], hidden: 8 };
const start = freshController(shape, rng('controller'));
/** Weights far from zero, so that nothing is linear by accident. */
const bold = { ...start, weights: start.weights.map((weight) => 8 * weight) };
const episodes: Episode[] = [
  { told: [2, 1, 3], chosen: [2, 1, 3], advantage: 1 },
  { told: [0, undefined, 0], chosen: [0, undefined, 0], advantage: -0.5 },
  { told: [1, undefined, 2], chosen: [1, 0, 2], advantage: 0.25 },
];
const training: ControllerTraining = { algorithm: 'reinforce', learningRate: 0.02, entropy: 0.1, clip: 0.2, epochs: 1 };
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The loss of REINFORCE as the docstring has it, by the sampling path. */
function expectedLoss(weights: Float32Array): number {
  const each = episodes.map((episode) => {
    const logs = sum(logProbabilitiesOf(shape, weights, episode));
    let disorder = 0;
    unroll(shape, weights, (decision, logProbabilities) => {
      if (episode.chosen[decision] !== undefined) disorder -= sum([...logProbabilities].map((p) => Math.exp(p) * p));
      return episode.told[decision];
    });
    return -episode.advantage * logs - training.entropy * disorder;
  });
  return sum(each) / episodes.length;
}

suite('recurrent controller', () => {
  test('probabilities of each decision add up to 1', () => {
    unroll(shape, bold.weights, (decision, logProbabilities) => {
      assert.equal(logProbabilities.length, shape.sizes[decision]);
      assert.ok(Math.abs(sum([...logProbabilities].map(Math.exp)) - 1) < 1e-9);
      return 0;
    });
  });

  test('a decision depends on those before it, and on none after', () => {
    const of = (told: readonly number[]) => logProbabilitiesOf(shape, bold.weights, { told, chosen: [0, 0, 0] });
    const [a, b, c] = [of([0, 0, 0]), of([1, 0, 0]), of([0, 0, 3])];
    assert.equal(a[0], b[0]);
    assert.notEqual(a[1], b[1]);
    assert.notEqual(a[2], b[2]);
    assert.deepEqual(a, c);
  });

  test('the graph of the update computes the loss of the sampling path, and its gradient is that of finite differences', async () => {
    // One step of Adam from nothing moves each weight by the learning rate, against the sign of its gradient.
    const after = await trainController(referenceEngine(), shape, bold, episodes, training);
    const moved = after.weights.map((weight, i) => weight - (bold.weights[i] ?? 0));
    const delta = 1e-2;
    let compared = 0;
    for (let i = 0; i < bold.weights.length; i += 7) {
      const at = (change: number) =>
        expectedLoss(bold.weights.map((weight, j) => (j === i ? weight + change : weight)));
      const slope = (at(delta) - at(-delta)) / (2 * delta);
      if (Math.abs(slope) < 1e-3) continue;
      compared++;
      assert.equal(Math.sign(moved[i] ?? 0), -Math.sign(slope), `weight ${i}, slope ${slope}`);
      assert.ok(Math.abs(Math.abs((after.mean[i] ?? 0) / 0.1) / Math.abs(slope) - 1) < 0.05, `weight ${i}`);
    }
    assert.ok(compared > 20);
  });

  test('REINFORCE follows the gradient of the log-probability, which is that of finite differences', async () => {
    for (const episode of episodes) {
      const only = [{ ...episode, advantage: 1 }];
      const after = await trainController(referenceEngine(), shape, bold, only, { ...training, entropy: 0 });
      const delta = 2 ** -8;
      const at = (i: number, change: number) => {
        const weights = bold.weights.map((weight, j) => (j === i ? weight + change : weight));
        return { moved: weights[i] ?? Number.NaN, value: sum(logProbabilitiesOf(shape, weights, episode)) };
      };
      let [difference, norm] = [0, 0];
      for (let i = 0; i < bold.weights.length; i += 3) {
        const [more, less] = [at(i, delta), at(i, -delta)];
        const slope = (more.value - less.value) / (more.moved - less.moved);
        // From nothing, Adam's mean is a tenth of the gradient of the loss.
        difference += ((after.mean[i] ?? Number.NaN) / -0.1 - slope) ** 2;
        norm += slope ** 2;
      }
      assert.ok(norm > 0.1 && Math.sqrt(difference / norm) < 1e-3, `${Math.sqrt(difference / norm)} of ${norm}`);
    }
  });

  test('the loss that the graph puts out is the one described', () => {
    const graph = controllerStep(shape, 1, training);
    assert.deepEqual(Object.keys(graph.outputs).sort(), ['loss', 'next:mean', 'next:square', 'next:weights']);
    const [episode] = episodes;
    const scalar = { shape: [], data: [0] };
    const oneHot = (length: number, ones: readonly number[]) =>
      Array.from({ length }, (_, i) => Number(ones.includes(i)));
    const { loss } = interpret(graph, {
      weights: { shape: [bold.weights.length], data: bold.weights },
      mean: { shape: [bold.weights.length], data: start.mean },
      square: { shape: [bold.weights.length], data: start.square },
      told: { shape: [3, 10], data: oneHot(30, [9, 10 + 2, 20 + 3 + 1]) },
      chosen: { shape: [3, 1, 9], data: oneHot(27, [2, 9 + 3 + 1, 18 + 5 + 3]) },
      advantage: { shape: [1, 1], data: [1] },
      ...{ stepSize: scalar, correction: scalar },
    });
    const before = { ...training, entropy: 0 };
    assert.ok(before && episode);
    const logs = sum(logProbabilitiesOf(shape, bold.weights, episode));
    let disorder = 0;
    unroll(shape, bold.weights, (decision, p) => {
      disorder -= sum([...p].map((one) => Math.exp(one) * one));
      return episode.told[decision];
    });
    assert.ok(Math.abs((loss?.data[0] ?? 0) - (-logs - training.entropy * disorder)) < 1e-6);
  });

  for (const algorithm of ['reinforce', 'ppo'] as const) {
    test(`${algorithm}: what was rewarded becomes likelier, what was punished less likely`, async () => {
      const engine = referenceEngine();
      const how: ControllerTraining = { ...training, algorithm, entropy: 0, epochs: 3 };
      const after = await trainController(engine, shape, start, episodes, how);
      assert.equal(after.steps, 3);
      const gain = (episode: Episode) =>
        sum(logProbabilitiesOf(shape, after.weights, episode)) - sum(logProbabilitiesOf(shape, start.weights, episode));
      const [best, worst] = episodes;
      assert.ok(best && worst && gain(best) > 0 && gain(worst) < 0);
    });
  }

  test('PPO: a choice whose probability has moved far enough moves no further', async () => {
    const how: ControllerTraining = { ...training, algorithm: 'ppo', entropy: 0, learningRate: 0.001, epochs: 200 };
    const only = episodes.slice(0, 1);
    const ratios = async (change: Partial<ControllerTraining>) => {
      const after = await trainController(referenceEngine(), shape, start, only, { ...how, ...change });
      const [now, old] = [after.weights, start.weights].map((w) => logProbabilitiesOf(shape, w, only[0] as Episode));
      return (now ?? []).map((value, t) => Math.exp(value - (old?.[t] ?? 0)));
    };
    // Adam's momentum carries it a little over the edge.
    for (const ratio of await ratios({})) assert.ok(ratio > 1.1 && ratio < 1.7, `${ratio}`);
    assert.ok(Math.max(...(await ratios({ clip: 0.9 }))) > 1.8);
  });

  test('an engine does what the reference does', async () => {
    const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
    try {
      const how: ControllerTraining = { ...training, algorithm: 'ppo', epochs: 4 };
      const ours = await trainController(engine, shape, bold, episodes, how);
      const reference = await trainController(referenceEngine(), shape, bold, episodes, how);
      const apart = ours.weights.map((weight, i) => Math.abs(weight - (reference.weights[i] ?? Number.NaN)));
      const far = [...apart].filter((one) => !(one < 1e-3)).length;
      assert.ok(far < 0.01 * apart.length, `${far} of ${apart.length} weights differ`); // Where a gradient is nearly 0, Adam's step has any sign.
    } finally {
      await engine.dispose();
    }
  });

  test('numbers survive being packed', () => {
    const values = Float32Array.of(0, -1.5, 3.4e38, 1e-40, Math.fround(0.1));
    assert.deepEqual(unpackFloats(packFloats(values)), values);
    assert.equal(packFloats(Float32Array.of(1)), 'AACAPw==');
  });
});
