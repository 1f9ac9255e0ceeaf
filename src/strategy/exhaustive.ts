import { first, successor } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import { withinLimits } from './limits.ts';
import type { Problem, Proposal, Strategy } from './strategy.ts';
import { treeOf } from './tree.ts';

/** The next architecture to look at; null: none is left. */
export type ExhaustiveState = { readonly next: Architecture | null };

/**
 * Every architecture of the space within the limits, once, in the space's own order (`first`, `successor`). The space
 * must be countable: `init` throws UserError for one with a continuous decision. A failed trial is not tried again.
 */
export function exhaustiveSearch(): Strategy<ExhaustiveState> {
  return {
    name: 'exhaustive',
    init: (problem) => ({ next: first(treeOf(problem)) }),
    async ask(problem, state, _, count) {
      const proposals: Proposal[] = [];
      let next: Architecture | undefined = state.next ?? undefined;
      while (next !== undefined && proposals.length < count) {
        if (withinLimits(problem, next)) proposals.push(atFullFidelity(problem, next));
        next = successor(treeOf(problem), next);
      }
      return [{ next: next ?? null }, proposals];
    },
    tell: async (_, state) => state,
  };
}

function atFullFidelity(problem: Problem, architecture: Architecture): Proposal {
  return { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' } };
}
