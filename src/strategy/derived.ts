import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { withinLimits } from './limits.ts';
import type { Strategy } from './strategy.ts';

/** The architectures that are still to be proposed, the latest first. */
export type DerivedState = { readonly waiting: readonly Architecture[] };

/**
 * Proposes the architectures that the study's supernet has derived (`Strategy.derive`): that of the last epoch first, then different ones
 * of earlier epochs, within the limits. `name` is that of the method that trains the supernet.
 */
export function derivedSearch(name: string): Strategy<DerivedState> {
  return {
    name,
    init: () => ({ waiting: [] }),
    async ask(problem, { waiting }, _, count) {
      const proposals = waiting.slice(0, count).map((architecture) => ({
        ...{ architecture, fidelity: problem.fidelities.length - 1 },
        start: { kind: 'fresh' } as const,
      }));
      return [{ waiting: waiting.slice(count) }, proposals];
    },
    tell: async (_, state) => state,
    async derive(problem, _, architectures) {
      const latestFirst = new Map(
        architectures.toReversed().map((architecture) => [architectureKey(architecture), architecture] as const),
      );
      return { waiting: [...latestFirst.values()].filter((architecture) => withinLimits(problem, architecture)) };
    },
  };
}
