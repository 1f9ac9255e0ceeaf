/**
 * A paddle that sends a ball against three rows of bricks, on a grid of 10 x 10: the rules of MinAtar's Breakout (Young and Tian 2019,
 * arXiv 1903.03176; its actions never stick here, and an episode has at most 1,000 steps, where MinAtar sets no limit). The observation is
 * an image [4, 10, 10] of zeros and ones: paddle, ball, where the ball was, bricks. Randomness decides on which side the ball starts. The
 * reward is 1 for each brick; the episode ends when the ball gets past the paddle. New rows appear when all are gone.
 */
import type { Lane } from '../define.ts';
import { defineEnvironment } from '../define.ts';

const SIDE = 10;
const CELLS = SIDE * SIDE;
const ROWS = { from: 1, to: 4 };
const FLOOR = SIDE - 1;
const CHANNELS = ['paddle', 'ball', 'trail', 'bricks'];
const BRICKS = CHANNELS.indexOf('bricks') * CELLS;

/** MinAtar's Breakout, as an image to a convolutional policy. */
export const breakout = defineEnvironment({
  name: 'breakout',
  description: 'a paddle, a ball and bricks on a grid of 10 x 10, seen as an image of 4 channels (MinAtar)',
  observation: { shape: [CHANNELS.length, SIDE, SIDE], names: CHANNELS, low: 0, high: 1 },
  action: { kind: 'discrete', count: 3, names: ['none', 'left', 'right'] },
  maxSteps: 1000,
  success: { rule: 'all 30 bricks are gone', holds: ({ return: sum }) => sum >= (ROWS.to - ROWS.from) * SIDE },
  open: breakoutLane,
});

function breakoutLane(): Lane {
  const bricks = new Uint8Array(CELLS);
  const outcome = { reward: 0, terminated: false };
  let paddle = 0;
  let [x, y, lastX, lastY] = [0, 0, 0, 0];
  // The ball moves along a diagonal: one cell each way.
  let [right, down] = [1, 1];
  let hasStruck = false;

  const build = () => bricks.fill(1, ROWS.from * SIDE, ROWS.to * SIDE);
  const draw = (image: Float32Array) => {
    image.fill(0);
    image[FLOOR * SIDE + paddle] = 1;
    image[CELLS + y * SIDE + x] = 1;
    image[2 * CELLS + lastY * SIDE + lastX] = 1;
    image.set(bricks, BRICKS);
  };

  /** Moves the ball; true where it got past the paddle. */
  const fly = (): boolean => {
    [lastX, lastY] = [x, y];
    let [nextX, nextY] = [x + right, y + down];
    let strikes = false;
    let isLost = false;
    if (nextX < 0 || nextX >= SIDE) {
      nextX = Math.min(Math.max(nextX, 0), SIDE - 1);
      right = -right;
    }
    if (nextY < 0) {
      nextY = 0;
      down = -down;
    } else if (bricks[nextY * SIDE + nextX] === 1) {
      strikes = true;
      // The step after a strike goes through: two bricks are never taken in a row.
      if (!hasStruck) {
        outcome.reward = 1;
        bricks[nextY * SIDE + nextX] = 0;
        nextY = lastY;
        down = -down;
      }
    } else if (nextY === FLOOR) {
      if (!bricks.includes(1)) build();
      if (x === paddle) {
        down = -down;
        nextY = lastY;
      } else if (nextX === paddle) {
        // At the edge of the paddle it goes back where it came from.
        [right, down] = [-right, -down];
        nextY = lastY;
      } else isLost = true;
    }
    hasStruck = strikes;
    [x, y] = [nextX, nextY];
    return isLost;
  };

  return {
    reset(rng, image) {
      const fromLeft = rng.int(2) === 0;
      [x, y] = [fromLeft ? 0 : SIDE - 1, 3];
      [lastX, lastY] = [x, y];
      [right, down] = [fromLeft ? 1 : -1, 1];
      paddle = 4;
      hasStruck = false;
      bricks.fill(0);
      build();
      draw(image);
    },
    step(action, image) {
      outcome.reward = 0;
      if (action[0] === 1) paddle = Math.max(0, paddle - 1);
      else if (action[0] === 2) paddle = Math.min(SIDE - 1, paddle + 1);
      outcome.terminated = fly();
      draw(image);
      return outcome;
    },
  };
}
