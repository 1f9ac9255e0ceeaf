import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Policy, recordEpisode } from '../../control/episodes.ts';
import { ENVIRONMENTS } from '../../control/index.ts';
import { episodeFigure } from './episode.ts';

const still: Policy = { act: (_, actions) => void actions.fill(0) };

test('an episode of each environment with a picture is drawn: the start, the end, and steps between', () => {
  for (const [name, environment] of Object.entries(ENVIRONMENTS)) {
    const recording = recordEpisode(environment, still);
    const svg = episodeFigure(name, recording);
    if (name === 'xor') {
      assert.equal(svg, undefined);
      continue;
    }
    assert.ok(svg !== undefined, name);
    const steps = [...svg.matchAll(/>step (\d+)</g)].map(([, step]) => Number(step));
    assert.equal(steps[0], 0, name);
    assert.equal(steps.at(-1), recording.rewards.length, name);
    assert.equal(steps.length, Math.min(12, recording.frames.length), name);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/, name);
    assert.match(svg, new RegExp(`aria-label="Episode of ${name}: ${recording.rewards.length} steps, return `));
  }
});

test('the cart is drawn where it is, and the pole to the side that it leans to', () => {
  const episode = { return: 1, steps: 1, terminated: false, fitness: 1, succeeded: false };
  const drawn = (state: readonly number[]) =>
    episodeFigure('cart-pole', { frames: [Float64Array.from(state)], rewards: [], episode }) ?? '';
  const pole = (svg: string) => {
    const [, x1, x2] =
      /<line x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)" y2="[\d.]+" stroke="var\(--accent\)"/.exec(svg) ?? [];
    return [Number(x1), Number(x2)] as const;
  };
  const [foot, top] = pole(drawn([0, 0, 0.2, 0]));
  assert.ok(top > foot);
  const [moved] = pole(drawn([2.4, 0, 0.2, 0]));
  assert.equal(moved, foot + 58);
});
