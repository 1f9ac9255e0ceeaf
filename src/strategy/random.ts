import { sampleWithin } from './limits.ts';
import type { Strategy } from './strategy.ts';

/**
 * Random search: every trial a fresh uniform sample within the limits, with replacement (an architecture may come twice;
 * its results are then repetitions). Bergstra & Bengio 2012; Li & Talwalkar 2019 for architectures. Stateless.
 */
export function randomSearch(): Strategy<null> {
  return {
    name: 'random',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return null;
    },
    async ask(problem, state, firstTrial, count) {
      const proposals = Array.from({ length: count }, (_, i) => ({
        architecture: sampleWithin(problem, firstTrial + i),
        fidelity: problem.fidelities.length - 1,
        start: { kind: 'fresh' as const },
      }));
      return [state, proposals];
    },
    tell: async (_, state) => state,
  };
}
