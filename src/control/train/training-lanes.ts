import type { Rng } from '../../common/random.ts';
import type { Environment, Lanes } from '../environment.ts';

/** Lanes whose episodes are those of a training: each follows from the epoch, the lane and its number there. */
export interface TrainingLanes {
  readonly lanes: Lanes;
  /** Begins an episode in each lane. */
  beginEpoch(epoch: number): void;
  /** Begins the next episode of a lane. */
  begin(lane: number): void;
}

export function openTrainingLanes(
  environment: Environment,
  count: number,
  rng: (...labels: readonly (string | number)[]) => Rng,
): TrainingLanes {
  const lanes = environment.open(count);
  const begun = new Int32Array(count);
  let current = 0;
  const begin = (lane: number) => {
    const episode = begun[lane] as number;
    begun[lane] = episode + 1;
    lanes.reset(lane, rng('epoch', current, 'lane', lane, 'episode', episode));
  };
  return {
    lanes,
    begin,
    beginEpoch(epoch) {
      current = epoch;
      begun.fill(0);
      for (let lane = 0; lane < count; lane++) begin(lane);
    },
  };
}
