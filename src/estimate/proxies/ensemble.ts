/** Several proxies as one score. */
import { largest } from '../../common/extremes.ts';
import { FREEREA } from '../../common/metrics.ts';
import { ranksOf } from '../../common/ranks.ts';
import type { ProxyName, ProxyScores } from './measure.ts';
import { DEAD } from './readout.ts';

/** Those that vote in Abdelfattah et al. 2021. */
export const VOTE = ['synflow', 'jacobian', 'snip'] as const satisfies readonly ProxyName[];

/**
 * FreeREA's score (Cavagnero et al. 2023, arXiv:2207.05135): NASWOT, LogSynFlow and the reach of skip connections, each divided by its
 * largest magnitude, added up. Differs: the largest is that of a fixed sample of architectures, where FreeREA takes its history, so that a
 * score stays what it was.
 */
export function freereaScore(sample: readonly ProxyScores[]): (scores: ProxyScores) => number {
  const most = FREEREA.map((name) => largest(sample.map((scores) => magnitude(scores[name]))));
  return (scores) =>
    FREEREA.reduce((sum, name, i) => {
      const share = (scores[name] ?? 0) / ((most[i] ?? Number.NaN) || 1);
      return sum + Math.max(-1, share);
    }, 0);
}

/** A dead network says nothing of how large scores are. */
const magnitude = (score = 0) => (score > DEAD ? Math.abs(score) : 0);

/** The mean of an architecture's ranks by the given proxies among all that are compared, each proxy weighing the same. */
export function rankScores(all: readonly ProxyScores[], names: readonly ProxyName[] = VOTE): number[] {
  const ranks = names.map((name) => ranksOf(all.map((scores) => scores[name] ?? Number.NEGATIVE_INFINITY)));
  return all.map((_, i) => ranks.reduce((sum, one) => sum + (one[i] ?? Number.NaN), 0) / names.length);
}
