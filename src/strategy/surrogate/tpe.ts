import type { Architecture, Space } from '../../space/space.ts';
import { proposalRng, sampleWithin } from '../limits.ts';
import { guidedBy, type ObservationsState, utilities } from '../observations.ts';
import type { Problem, Strategy } from '../strategy.ts';
import { treeOf } from '../tree.ts';
import { bestWithin, type Draft } from './candidates.ts';
import { featuresOf } from './features.ts';
import { parzen } from './parzen.ts';

export interface TpeOptions {
  /** Random architectures before the model is asked. */
  readonly initial: number;
  /** The share of the observations that is good. */
  readonly gamma: number;
  /** Draws from the good density, of which the best is proposed. */
  readonly candidates: number;
  readonly multivariate: boolean;
  /**
   * N_min of BOHB: each density has at least this many members, shared where there are few, and until two more
   * observations than that are complete, architectures are random. Default: 0.
   */
  readonly least?: (space: Space) => number;
}

/** The most observations that count as good, at any share. */
const MOST_GOOD = 25;
/** Bad observations that the density is made of, at most. */
const MOST_BAD = 1000;
/** The share of a categorical kernel that is spread over all values. */
const SPREAD = 0.3;

/**
 * Tree-structured Parzen estimator. Bergstra et al. 2011, section 4: after `initial` random architectures, the best
 * share `gamma` of the observations make the density l, the others the density g; of the candidates drawn from l, the
 * one of the largest l / g is proposed, which is the one of the largest expected improvement. A decision is drawn, and
 * counts, where it is active.
 *
 * Differs: with `multivariate` each observation's kernel is a product over all decisions (Falkner et al. 2018, BOHB);
 * candidates are whole architectures, none of which computes the same as one that was proposed before, also without it;
 * the prior is uniform and counts as one observation; at most 25 observations are good (as in hyperopt), and g is made
 * of at most 1,000 evenly spread over the others' ranks, so that time does not grow. Failed trials are bad, and so is
 * what is still running (constant liar). Several objectives: random weights for each trial (ParEGO, Knowles 2006).
 *
 * ask: O(n log n + candidates · min(n, 1000) · decisions). tell: O(n) to copy the list.
 */
export function tpe(options: TpeOptions): Strategy<ObservationsState> {
  return guidedBy('tpe', options.initial, (problem, state, trial) => propose(problem, state, trial, options));
}

function propose(problem: Problem, state: ObservationsState, trial: number, options: TpeOptions): Architecture {
  const space = treeOf(problem);
  const { observations, pending } = state;
  const least = options.least?.(space) ?? 0;
  const complete = observations.filter(({ values }) => values !== null).length;
  if (complete < least + 2 && least > 0) return sampleWithin(problem, trial);
  const utility = utilities(problem, observations, trial);
  const ranked = observations
    .map(({ architecture }, i) => ({ architecture, utility: utility[i] ?? Number.NaN }))
    .sort((a, b) => b.utility - a.utility);
  const share = Math.min(MOST_GOOD, Math.ceil(options.gamma * ranked.length));
  const split = Math.min(complete, Math.max(least, share));
  const rest = ranked.slice(Math.min(split, Math.max(0, ranked.length - least)));
  const stride = Math.max(1, rest.length / MOST_BAD);
  const bad = Array.from({ length: Math.min(rest.length, MOST_BAD) }, (_, i) => rest[Math.floor(i * stride)]);

  const densityOf = (members: readonly (Architecture | undefined)[]) =>
    parzen(
      space,
      members.filter((one) => one !== undefined),
      { multivariate: options.multivariate, spread: SPREAD },
    );
  const good = densityOf(ranked.slice(0, split).map(({ architecture }) => architecture));
  const others = densityOf([...bad, ...pending].map((one) => one?.architecture));

  const { keyOf } = featuresOf(space, 'path');
  const seen = new Set([...observations, ...pending].map(({ architecture }) => keyOf(architecture)));
  const stream = proposalRng(problem, trial, 'candidates');
  const drafts: Draft[] = [];
  for (let attempt = 0; drafts.length < options.candidates && attempt < 10 * options.candidates; attempt++) {
    const draft = good.draw(stream);
    const key = keyOf(draft);
    if (seen.has(key)) continue;
    seen.add(key);
    drafts.push(draft);
  }
  return bestWithin(
    problem,
    trial,
    drafts,
    drafts.map((draft) => good.logDensity(draft) - others.logDensity(draft)),
  );
}
