/** How fast a network trains here, and what that means for its scores where trainings have the same time. */

import { rng } from '../../common/random.ts';
import type { SearchData } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Module } from '../../space/tree/module.ts';
import { preflight } from '../../train/preflight.ts';
import { DEFAULT_SETTINGS } from '../../train/settings.ts';

/** The steps are timed, and their weights thrown away. */
const TIMED_RATE = 1e-9;

/** Training steps per second, measured on a few after a first one. Compiles the network. Throws as `preflight`. */
export async function trainingSpeed(
  engine: Engine,
  { valid: _, ...data }: SearchData,
  network: Module,
  batchSize: number,
  now?: () => number,
): Promise<number> {
  const { sampleSeconds } = await preflight({
    ...data,
    ...{ engine, network },
    settings: { ...DEFAULT_SETTINGS, batchSize, learningRate: TIMED_RATE },
    rng: (...labels) => rng('speed', ...labels),
    ...(now && { now }),
  });
  return 1 / (sampleSeconds * Math.min(batchSize, data.train.count));
}

/** Steps after which a training is about half as good as it will be; docs/proxies.md has what was measured with others. */
const HALF = 500;

/** The share of a score that a training of this number of steps can show. */
export function shareOfSteps(steps: number): number {
  return steps / (steps + HALF);
}
