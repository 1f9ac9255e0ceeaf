import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import type { Lanes } from '../environment.ts';
import { breakout } from './breakout.ts';

const PICTURE = ['=', 'o', '.', '#'];

/** The image as ten lines of text. */
function picture({ observations }: Lanes): string[] {
  return Array.from({ length: 10 }, (_, row) =>
    Array.from({ length: 10 }, (_, column) => {
      const channel = [1, 0, 3, 2].find((one) => observations[one * 100 + row * 10 + column] === 1);
      return channel === undefined ? ' ' : PICTURE[channel];
    }).join(''),
  );
}

/** Follows the ball; the paddle is as fast as the ball. */
function follow({ observations }: Lanes): number {
  const paddle = observations.subarray(90, 100).indexOf(1);
  const ball = observations.subarray(100, 200).indexOf(1) % 10;
  return ball < paddle ? 1 : ball > paddle ? 2 : 0;
}

test('a new game has three rows of bricks, and the ball comes down from one of two sides', () => {
  const lanes = breakout.open(1);
  const starts = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    lanes.reset(0, rng(seed));
    starts.add(picture(lanes).join('\n'));
  }
  const rows = ['          ', ...Array(3).fill('##########')];
  const rest = [...Array(5).fill('          '), '    =     '];
  // The bricks cover the ball's first cell in neither: it starts in row 3, the lowest row of bricks.
  const first = [...starts].map((text) => text.split('\n'));
  assert.equal(first.length, 2);
  for (const lines of first) {
    assert.deepEqual(lines.slice(0, 3), rows.slice(0, 3));
    assert.ok(['o#########', '#########o'].includes(lines[3] ?? ''), lines[3]);
    assert.deepEqual(lines.slice(4), rest);
  }
});

test('who follows the ball takes all bricks and never loses; who rests loses soon', () => {
  for (let seed = 0; seed < 4; seed++) {
    const lanes = breakout.open(1);
    lanes.reset(0, rng(seed));
    while (lanes.terminated[0] === 0 && lanes.truncated[0] === 0) lanes.step(Float32Array.of(follow(lanes)));
    assert.deepEqual([lanes.truncated[0], lanes.episode(0).succeeded], [1, true]);
    lanes.reset(0, rng(seed));
    while (lanes.terminated[0] === 0 && lanes.truncated[0] === 0) lanes.step(Float32Array.of(0));
    assert.equal(lanes.terminated[0], 1);
    assert.ok((lanes.steps[0] ?? 0) < 100 && (lanes.returns[0] ?? 0) < 10);
  }
});

test('a brick that is struck is gone, pays 1, and sends the ball back', () => {
  const lanes = breakout.open(1);
  lanes.reset(0, rng(0));
  const bricks = () => picture(lanes).join('').replaceAll(/[^#]/g, '').length;
  const before = lanes.observations.subarray(300, 400).reduce((sum, one) => sum + one, 0);
  assert.equal(before, 30);
  for (let steps = 0; lanes.rewards[0] === 0; steps++) {
    assert.ok(steps < 100);
    lanes.step(Float32Array.of(follow(lanes)));
  }
  assert.equal(
    lanes.observations.subarray(300, 400).reduce((sum, one) => sum + one, 0),
    29,
  );
  const row = () => Math.floor(lanes.observations.subarray(100, 200).indexOf(1) / 10);
  const struck = row();
  lanes.step(Float32Array.of(0));
  assert.equal(row(), struck + 1);
  assert.ok(bricks() <= 29);
});
