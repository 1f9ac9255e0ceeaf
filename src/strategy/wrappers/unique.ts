import type { Json } from '../../common/json.ts';
import type { Architecture } from '../../space/space.ts';
import { fingerprint } from '../keys.ts';
import { drawWithin, proposalRng } from '../limits.ts';
import { membersOf } from '../members.ts';
import type { Problem, Proposal, Strategy } from '../strategy.ts';
import { askAgain, oneByOne } from './ask.ts';

export type UniqueState = {
  /** Fingerprints of the architectures that have been proposed or reported, in parts, so that adding one copies little. */
  readonly seen: readonly (readonly string[])[];
  readonly inner: Json;
};

const PART = 512;

/** How often the inner strategy is asked again, which may be expensive, before uniform samples take over. */
const TRIES = 20;

/**
 * No architecture twice: where the inner strategy proposes one that was there already, it is asked again, then uniform
 * samples are drawn; when all of these were there too, the search is exhausted. A trial that continues another is no
 * repetition. Where members are rare, the last of them are taken from their list (`membersOf`). Two architectures are the same when their keys are.
 *
 * State: 11 characters a trial. ask: the inner strategy's, and O(trials / 512).
 */
export function unique(inner: Strategy): Strategy<UniqueState> {
  /** The fingerprints of a state as a set; made again where it is missing. */
  const sets = new WeakMap<UniqueState['seen'], Set<string>>();
  const setOf = (seen: UniqueState['seen']): Set<string> => {
    const set = sets.get(seen) ?? new Set(seen.flat());
    sets.set(seen, set);
    return set;
  };
  const add = (seen: UniqueState['seen'], print: string): UniqueState['seen'] => {
    const set = setOf(seen);
    if (set.has(print)) return seen;
    const last = seen.at(-1) ?? [];
    const next = last.length < PART && seen.length > 0 ? seen.with(-1, [...last, print]) : [...seen, [print]];
    // The set belongs to the newer state. An older state, if it is used again, builds its own.
    sets.delete(seen);
    sets.set(next, set.add(print));
    return next;
  };

  async function propose(
    problem: Problem,
    state: UniqueState,
    trial: number,
  ): Promise<[UniqueState, Proposal] | undefined> {
    const seen = setOf(state.seen);
    const isNew = ({ architecture, start }: Proposal) =>
      start.kind === 'continue' || !seen.has(fingerprint(architecture));
    const asked = await askAgain(inner, problem, state.inner, trial, isNew, TRIES);
    if (asked.kind === 'none') return undefined;
    const proposal = asked.kind === 'accepted' ? asked.proposal : another(problem, trial, seen);
    if (proposal === undefined) return undefined;
    return [{ seen: add(state.seen, fingerprint(proposal.architecture)), inner: asked.state }, proposal];
  }

  return {
    name: 'unique',
    init: (problem) => ({ seen: [], inner: inner.init(problem) }),
    ask: oneByOne(propose),
    async tell(problem, state, outcomes) {
      const seen = outcomes.reduce((now, { architecture }) => add(now, fingerprint(architecture)), state.seen);
      return { seen, inner: await inner.tell(problem, state.inner, outcomes) };
    },
  };
}

/** A uniform sample within the limits that has not been seen; undefined where all that are known have been. */
function another(problem: Problem, trial: number, seen: ReadonlySet<string>): Proposal | undefined {
  const stream = proposalRng(problem, trial, 'unique');
  const isNew = (architecture: Architecture) => !seen.has(fingerprint(architecture));
  const propose = (architecture: Architecture): Proposal => ({
    architecture,
    fidelity: problem.fidelities.length - 1,
    start: { kind: 'fresh' },
  });
  const few = membersOf(problem);
  if (few?.complete && !few.members.some(isNew)) return undefined;
  for (let i = 0; i < 1000; i++) {
    const architecture = drawWithin(problem, () => problem.space.sample(stream));
    if (architecture === undefined) break;
    if (isNew(architecture)) return propose(architecture);
  }
  // Chance does not meet the last ones.
  const left = few?.members.filter(isNew) ?? [];
  return left.length === 0 ? undefined : propose(stream.pick(left));
}
