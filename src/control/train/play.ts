/** Whole episodes of a policy whose network runs on an engine. */
import type { Metrics } from '../../common/metrics.ts';
import { rng } from '../../common/random.ts';
import type { Samples } from '../../data/dataset.ts';
import { actionSize, type Environment, type Episode } from '../environment.ts';
import { episodeQueue } from '../episodes.ts';
import type { Actor } from './actor.ts';

/**
 * Episodes as samples, `count` from number `first` on: the only tensor is `episode`, [], the number. Episode n begins with
 * `rng('episode', n)`, which no training draws from, so that policies are compared on the same episodes and on none that they know.
 */
export function episodes(first: number, count: number): Samples {
  return {
    count,
    async read(indices, into) {
      indices.forEach((index, i) => {
        if (into.episode !== undefined) into.episode[i] = first + index;
      });
    },
  };
}

/** How a policy does: means over episodes. */
export interface PlayMetrics extends Metrics {
  /** Undiscounted. */
  readonly return: number;
  /** Fraction of the episodes that succeeded, by the environment's own rule. */
  readonly success: number;
  readonly steps: number;
  /** What evolution maximizes: the return, unless the environment defines another. */
  readonly fitness: number;
}

/** The numbers of the episodes that samples stand for. */
export async function episodeNumbers(samples: Samples): Promise<Int32Array> {
  const numbers = new Int32Array(samples.count);
  await samples.read(
    Array.from(numbers, (_, i) => i),
    { episode: numbers },
  );
  return numbers;
}

export function meanOf(played: readonly Episode[]): PlayMetrics {
  const mean = (value: (episode: Episode) => number) =>
    played.reduce((sum, episode) => sum + value(episode), 0) / played.length;
  return {
    return: mean((episode) => episode.return),
    success: mean(({ succeeded }) => Number(succeeded)),
    steps: mean(({ steps }) => steps),
    fitness: mean(({ fitness }) => fitness),
  };
}

/**
 * Plays the episodes, each to its end. `choose` writes an action for outputs [N, outputs] of the actor, lane by lane, as the environment
 * takes it. Deterministic as far as `choose` is. Throws the signal's reason when aborted.
 */
export async function play(
  environment: Environment,
  samples: Samples,
  actor: Actor,
  choose: (outputs: Float32Array, lane: number, actions: Float32Array) => void,
  signal?: AbortSignal,
): Promise<PlayMetrics> {
  const numbers = await episodeNumbers(samples);
  const lanes = environment.open(actor.lanes);
  const actions = new Float32Array(actor.lanes * actionSize(environment.action));
  try {
    const queue = episodeQueue(lanes, numbers.length, (lane, at) => {
      lanes.reset(lane, rng('episode', numbers[at] as number));
      actor.begin(lane);
    });
    while (queue.open()) {
      signal?.throwIfAborted();
      const outputs = await actor.act(lanes.observations);
      for (let lane = 0; lane < lanes.count; lane++) choose(outputs, lane, actions);
      lanes.step(actions);
      queue.advance();
    }
    return meanOf(queue.episodes);
  } finally {
    lanes.close();
  }
}
