import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { Environment, Lanes } from '../environment.ts';
import { doublePole, generalizationStarts, singlePole } from './poles.ts';

/** Steps with forces of `force` newtons, until the episode ends. */
function play(environment: Environment, force: (state: Readonly<Float64Array>, step: number) => number): Lanes {
  const lanes = environment.open(1);
  lanes.reset(0, rng(0));
  for (let step = 0; lanes.terminated[0] === 0 && lanes.truncated[0] === 0; step++) {
    const state = lanes.states?.of(0) ?? new Float64Array();
    lanes.step(Float32Array.of(force(state, step)));
  }
  return lanes;
}

/** A linear law that balances the single pole. */
const steady = ([x = 0, v = 0, angle = 0, turn = 0]: Readonly<Float64Array>) =>
  1.5 * x + 2.5 * v + 40 * angle + 9 * turn;

test('a pole without a force falls to the side that it leans to, as the equations say', () => {
  const lanes = play(singlePole(), () => 0);
  assert.equal(lanes.terminated[0], 1);
  const [, , angle = 0] = lanes.states?.of(0) ?? [];
  assert.ok(angle > 0.628329, `${angle}`);
  assert.equal(lanes.returns[0], (lanes.steps[0] ?? 0) - 1);
  // For small angles: the angle grows as cosh(t w), w^2 = 0.75 g (1 + m / M') / l with the masses of cart and pole.
  const w = Math.sqrt((0.75 * 9.8 * 1.1) / (0.5 * (1.1 - 0.075)));
  const expected = Math.acosh(0.628329 / 0.07) / w / 0.02;
  assert.ok(Math.abs((lanes.steps[0] ?? 0) - expected) < 0.05 * expected, `${lanes.steps[0]} against ${expected}`);
});

test('one step of the double pole is that of the equations, within the error of Runge-Kutta at 0.01 s', () => {
  const lanes = doublePole().open(1);
  const start = [0.1, -0.2, 0.05, 0.3, -0.04, 0.2];
  lanes.states?.begin(0, start);
  lanes.step(Float32Array.of(5));
  const expected = fine(start, 5, 0.02, 2000);
  for (const [i, value] of (lanes.states?.of(0) ?? []).entries())
    assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-5, `state ${i}: ${value} against ${expected[i]}`);
});

/** The equations as Wieland's are printed, in steps of the midpoint method so small that its error does not count. */
function fine(start: readonly number[], force: number, seconds: number, steps: number): number[] {
  let s = [...start];
  const dt = seconds / steps;
  const slopes = ([, v = 0, a = 0, da = 0, b = 0, db = 0]: readonly number[]) => {
    const g = -9.8;
    const poles = [
      { m: 0.1, l: 0.5, a, d: da },
      { m: 0.01, l: 0.05, a: b, d: db },
    ];
    let [numerator, mass] = [force, 1];
    for (const { m, l, a, d } of poles) {
      numerator += m * l * d ** 2 * Math.sin(a) + 0.75 * m * Math.cos(a) * ((2e-6 * d) / (m * l) + g * Math.sin(a));
      mass += m * (1 - 0.75 * Math.cos(a) ** 2);
    }
    const cart = numerator / mass;
    const [first = 0, second = 0] = poles.map(
      ({ m, l, a, d }) => (-3 / (4 * l)) * (cart * Math.cos(a) + g * Math.sin(a) + (2e-6 * d) / (m * l)),
    );
    return [v, cart, da, first, db, second];
  };
  for (let i = 0; i < steps; i++) {
    const half = slopes(s).map((slope, k) => (s[k] ?? 0) + (dt / 2) * slope);
    s = slopes(half).map((slope, k) => (s[k] ?? 0) + dt * slope);
  }
  return s;
}

test('observations are scaled as in the code of the paper, and hide velocities where asked', () => {
  const state = [1.2, 0.5, 0.26, -1, 0.13, 3];
  const seen = (environment: Environment) => {
    const lanes = environment.open(1);
    lanes.states?.begin(0, state.slice(0, environment.state?.length));
    return [...lanes.observations].map((value) => Number(value.toFixed(6)));
  };
  assert.deepEqual(seen(doublePole()), [0.25, 0.25, 0.5, -0.5, 0.25, 1.5]);
  assert.deepEqual(seen(doublePole({ velocities: false })), [0.25, 0.5, 0.25]);
  assert.deepEqual(seen(singlePole({ velocities: false })), [0.25, 0.5]);
});

test("a law that balances the pole for all steps succeeds; Gruau's fitness is higher for the calmer of two", () => {
  const options = { velocities: false, maxSteps: 1000 };
  const calm = play(singlePole(options), steady).episode(0);
  const restless = play(singlePole(options), (state, step) => steady(state) + (step % 2 === 0 ? 4 : -4)).episode(0);
  for (const episode of [calm, restless])
    assert.ok(episode.succeeded && episode.steps === 1000 && episode.return === 1000);
  assert.ok(calm.fitness > restless.fitness && restless.fitness > 0.1, `${calm.fitness}, ${restless.fitness}`);
});

test("Gruau's fitness is a tenth of the steps in thousands up to 100 steps, and looks at the last 100 balanced ones", () => {
  const environment = singlePole({ velocities: false, maxSteps: 1000 });
  const fallen = play(environment, () => 0).episode(0);
  assert.equal(fallen.fitness, (0.1 * (fallen.steps - 1)) / 1000);
  const sums: number[] = [];
  const long = play(environment, (state, step) => {
    if (step > 0) sums.push([...state].reduce((sum, value) => sum + Math.abs(value), 0));
    return step < 300 ? steady(state) : 10;
  });
  const { fitness, steps, succeeded } = long.episode(0);
  assert.equal(succeeded, false);
  // Before each step the state after the one before was noted: the step of the fall is not among them.
  assert.equal(sums.length, steps - 1);
  const last = sums.slice(-100).reduce((sum, value) => sum + value, 0);
  assert.ok(Math.abs(fitness - (0.1 * (steps - 1)) / 1000 - (0.9 * 0.75) / last) < 1e-12);
});

test('there are 625 different starts of the generalization test, within the ranges of the paper', () => {
  const starts = generalizationStarts();
  assert.equal(new Set(starts.map(String)).size, 625);
  const lanes = doublePole({ velocities: false, maxSteps: 1000 }).open(625);
  for (const [i, start] of starts.entries()) lanes.states?.begin(i, start);
  lanes.step(new Float32Array(625));
  assert.equal(lanes.terminated.indexOf(1), -1);
  assert.deepEqual(
    starts[0]?.map((value) => Number(value.toFixed(4))),
    [-1.944, -1.215, -0.0565, -0.1351, 0, 0],
  );
});
