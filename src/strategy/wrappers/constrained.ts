import type { Json } from '../../common/json.ts';
import { sampleWithin, withinLimits } from '../limits.ts';
import type { Problem, Proposal, Strategy } from '../strategy.ts';
import { askAgain, oneByOne } from './ask.ts';
import { viewOf } from './view.ts';

/** How often the inner strategy is asked again, which may be expensive, before a uniform sample takes its place. */
const TRIES = 20;

/**
 * Hard limits for a strategy that knows of none: it sees a problem without limits, and what it proposes beyond them is
 * not trained; it is asked again, then a uniform sample within the limits is drawn (rejection). `init` throws UserError
 * for limits that no architecture keeps. ask: the inner strategy's, and the costs of each proposal.
 */
export function constrained(inner: Strategy): Strategy<Json> {
  const unlimited = viewOf((problem): Problem => ({ ...problem, limits: [] }));
  return {
    name: 'constrained',
    init(problem) {
      sampleWithin(problem, 0);
      return inner.init(unlimited(problem));
    },
    ask: oneByOne(async (problem, state, trial): Promise<[Json, Proposal] | undefined> => {
      const accepts = ({ architecture }: Proposal) => withinLimits(problem, architecture);
      const asked = await askAgain(inner, unlimited(problem), state, trial, accepts, TRIES);
      if (asked.kind === 'none') return undefined;
      if (asked.kind === 'accepted') return [asked.state, asked.proposal];
      const architecture = sampleWithin(problem, trial);
      return [asked.state, { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' } }];
    }),
    tell: (problem, state, outcomes) => inner.tell(unlimited(problem), state, outcomes),
  };
}
