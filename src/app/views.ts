import type { Metrics } from '../common/metrics.ts';
import type { Architecture } from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Contender } from '../study/ranking.ts';
import type { Trial } from '../study/store/store.ts';
import { measuredMetrics } from './best.ts';

/** A trial as a program sees it. */
export interface StudyTrial
  extends Pick<Trial, 'state' | 'purpose' | 'architecture' | 'metrics' | 'costs' | 'seconds'> {
  /** From 0, in the order they were proposed. */
  readonly number: number;
  /** The architecture in the space's own notation. */
  readonly text: string;
  readonly epochs: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** A network that a study has found. */
export interface BestNetwork {
  /** The number of its trial. */
  readonly number: number;
  readonly architecture: Architecture;
  readonly text: string;
  /** The mean, for an architecture that was trained several times. */
  readonly metrics: Metrics;
  readonly costs: Metrics;
}

export function trialView(space: SearchSpace, trial: Trial): StudyTrial {
  const { trial: number, state, purpose, architecture, metrics, costs, seconds, curve, reason } = trial;
  return {
    number,
    state,
    purpose,
    architecture,
    text: space.format(architecture),
    // For a running trial: those of its last epoch.
    metrics: state === 'running' ? (curve.at(-1)?.metrics ?? metrics) : metrics,
    costs,
    seconds,
    epochs: curve.at(-1)?.step ?? 0,
    ...(reason !== undefined && { reason }),
  };
}

export function networkView(space: SearchSpace, best: Contender): BestNetwork {
  const { trial, architecture, costs } = best;
  return {
    number: trial,
    architecture,
    text: space.format(architecture),
    metrics: measuredMetrics(best),
    costs,
  };
}
