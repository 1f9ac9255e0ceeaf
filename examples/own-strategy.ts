// A search strategy of your own: keep the best architecture, and try a mutation of it. Use it by its file:
//   netsmith search --strategy examples/own-strategy.ts --strategy-options tries=50 --trials 20
// and, since a stored study runs no code, name it again to go on:
//   netsmith resume runs/digits-residual-cnn-1 --strategy examples/own-strategy.ts --trials 40
import { type Architecture, compareBy, defineStrategy, rng, sampleWithin, withinLimits } from 'netsmith';

/** Plain JSON: it is stored with every trial. */
type State = { readonly best: Architecture | null; readonly metrics: Readonly<Record<string, number>> };

export const hillClimbing = defineStrategy({
  name: 'hill-climbing',
  description: 'A mutation of the best so far.',
  defaults: { tries: 20 },
  create: ({ tries }) => ({
    name: 'hill-climbing',
    init: (): State => ({ best: null, metrics: {} }),
    // Randomness comes from the seed and the trial's number, so that a resumed study proposes the same.
    async ask(problem, state: State, firstTrial, count) {
      const proposals = Array.from({ length: count }, (_, i) => {
        const random = rng(problem.seed, 'hill-climbing', firstTrial + i);
        let architecture = sampleWithin(problem, firstTrial + i);
        for (let tried = 0; state.best !== null && tried < tries; tried++) {
          const neighbor = problem.space.mutate(state.best, random);
          if (!withinLimits(problem, neighbor)) continue;
          architecture = neighbor;
          break;
        }
        return { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' as const } };
      });
      return [state, proposals];
    },
    async tell(problem, state: State, outcomes) {
      let { best, metrics } = state;
      for (const outcome of outcomes) {
        if (outcome.state !== 'complete') continue;
        if (best !== null && compareBy(problem.objectives[0], outcome.metrics, metrics) >= 0) continue;
        ({ architecture: best, metrics } = outcome);
      }
      return { best, metrics };
    },
  }),
});
