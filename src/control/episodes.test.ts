import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluatePolicy, type Policy, recordEpisode } from './episodes.ts';
import { ENVIRONMENTS } from './index.ts';

/** Pushes the cart to where the pole leans. */
const leaning: Policy = {
  act(observations, actions) {
    for (let lane = 0; lane < actions.length; lane++) {
      const [angle = 0, turn = 0] = observations.subarray(4 * lane + 2, 4 * lane + 4);
      actions[lane] = angle + 0.3 * turn > 0 ? 1 : 0;
    }
  },
};

test('an evaluation is the same over one lane and over many, and of the episodes that its labels name', () => {
  const environment = ENVIRONMENTS['cart-pole'];
  const left: Policy = { act: (_, actions) => void actions.fill(0) };
  const one = evaluatePolicy(environment, left, { episodes: 10, lanes: 1 });
  assert.deepEqual(evaluatePolicy(environment, left, { episodes: 10, lanes: 4 }), one);
  assert.equal(one.episodes.length, 10);
  const returns = one.episodes.map((episode) => episode.return);
  assert.equal(one.meanReturn, returns.reduce((sum, value) => sum + value) / 10);
  assert.equal(one.meanSteps, one.meanReturn);
  assert.equal(one.successRate, 0);
  const others = evaluatePolicy(environment, left, { episodes: 10, labels: ['training'] });
  assert.notDeepEqual(others.episodes, one.episodes);
});

test('a policy that balances the pole succeeds in every episode', () => {
  const { meanReturn, successRate, deviation } = evaluatePolicy(ENVIRONMENTS['cart-pole'], leaning, { episodes: 20 });
  assert.deepEqual([meanReturn, successRate, deviation], [500, 1, 0]);
});

test('a policy with a memory is told when the next episode of a lane begins', () => {
  const begun: number[] = [];
  const right: Policy = { act: (_, actions) => void actions.fill(1), begin: (lane) => void begun.push(lane) };
  evaluatePolicy(ENVIRONMENTS['cart-pole'], right, { episodes: 6, lanes: 2 });
  assert.equal(begun.length, 6);
  assert.deepEqual(begun.slice(0, 2), [0, 1]);
});

test('a recording has the start and each step, and is that of the evaluation', () => {
  const environment = ENVIRONMENTS['cart-pole'];
  const { frames, rewards, episode } = recordEpisode(environment, leaning, ['evaluation', 3]);
  assert.deepEqual(episode, evaluatePolicy(environment, leaning, { episodes: 4 }).episodes[3]);
  assert.equal(frames.length, episode.steps + 1);
  assert.equal(rewards.length, episode.steps);
  assert.ok(frames[0]?.every((value) => Math.abs(value) <= 0.05));
  assert.notDeepEqual(frames[1], frames[0]);
});
