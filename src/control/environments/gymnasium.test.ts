import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Environment } from '../environment.ts';
import { ENVIRONMENTS } from '../index.ts';

/** What bench/parity/control.ts has kept of Gymnasium's trajectories. */
interface Trajectory {
  readonly start: readonly number[];
  /** A digit for each discrete action, 64ths of continuous ones. */
  readonly actions: string | readonly number[];
  /** By the number of steps taken. */
  readonly states: Readonly<Record<string, readonly number[]>>;
  readonly return: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

interface Kept {
  readonly gymnasium: string;
  readonly runs: Readonly<Record<string, readonly Trajectory[]>>;
}

const { gymnasium, runs }: Kept = JSON.parse(
  readFileSync(new URL('../testing/gymnasium.json', import.meta.url), 'utf8'),
);

function follow(environment: Environment, episode: Trajectory, place: string): number {
  const lanes = environment.open(1);
  lanes.states?.begin(0, episode.start);
  const actions = [...episode.actions].map((action) => (typeof action === 'string' ? Number(action) : action / 64));
  for (const [i, action] of actions.entries()) {
    assert.equal(lanes.terminated[0], 0, `${place}: ended before step ${i + 1}`);
    lanes.step(Float32Array.of(action));
    for (const [k, value] of (episode.states[i + 1] ?? []).entries())
      assert.ok(Math.abs((lanes.states?.of(0)[k] ?? Number.NaN) - value) < 1e-6, `${place}: state ${k}, step ${i + 1}`);
  }
  assert.equal(lanes.terminated[0], Number(episode.terminated), `${place}: terminated`);
  assert.equal(lanes.truncated[0], Number(episode.truncated), `${place}: truncated`);
  assert.ok(Math.abs((lanes.returns[0] ?? Number.NaN) - episode.return) < 1e-6, `${place}: return`);
  return actions.length;
}

const NAMES = ['cart-pole', 'acrobot', 'mountain-car', 'mountain-car-continuous', 'pendulum'] as const;

for (const name of NAMES) {
  test(`${name} takes the steps of Gymnasium ${gymnasium}, within 1e-6 over 2,000 of them`, () => {
    const episodes = [`${name} random`, `${name} driven`].flatMap((key) => runs[key] ?? []);
    const steps = episodes.map((episode, i) => follow(ENVIRONMENTS[name], episode, `episode ${i}`));
    assert.equal(
      steps.reduce((sum, count) => sum + count, 0),
      2000,
    );
  });
}
