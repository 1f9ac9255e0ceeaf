import type { Json } from '../../common/json.ts';
import { rng } from '../../common/random.ts';
import type { Problem, Proposal, Strategy } from '../strategy.ts';

/** How wrappers ask the strategy inside them. */

/** An `ask` that makes one proposal after another; `propose` gives undefined for nothing before the next tell. */
export function oneByOne<S extends Json>(
  propose: (problem: Problem, state: S, trial: number) => Promise<[S, Proposal] | undefined>,
): Strategy<S>['ask'] {
  return async (problem, state, firstTrial, count) => {
    const proposals: Proposal[] = [];
    let now = state;
    while (proposals.length < count) {
      const step = await propose(problem, now, firstTrial + proposals.length);
      if (step === undefined) break;
      now = step[0];
      proposals.push(step[1]);
    }
    return [now, proposals];
  };
}

/** What came of asking again and again: a proposal, nothing but refused ones, or none at all. */
type Asked<S extends Json> =
  | { readonly kind: 'accepted'; readonly state: S; readonly proposal: Proposal }
  | { readonly kind: 'refused'; readonly state: S }
  | { readonly kind: 'none' };

/**
 * Asks for trial `trial` until a proposal is accepted, `tries` times at most. What a strategy draws depends on the seed
 * and the trial's number, so each further try is asked under its own seed.
 */
export async function askAgain<S extends Json>(
  inner: Strategy<S>,
  problem: Problem,
  state: S,
  trial: number,
  accepts: (proposal: Proposal) => boolean,
  tries: number,
): Promise<Asked<S>> {
  let now = state;
  for (let attempt = 0; attempt < tries; attempt++) {
    const seed = attempt === 0 ? problem.seed : rng(problem.seed, 'asked again', trial, attempt).int(2 ** 31);
    const [asked, [proposal]] = await inner.ask({ ...problem, seed }, now, trial, 1);
    if (proposal === undefined) return { kind: 'none' };
    if (accepts(proposal)) return { kind: 'accepted', state: asked, proposal };
    now = asked;
  }
  return { kind: 'refused', state: now };
}
