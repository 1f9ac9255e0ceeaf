import { deepFreeze, type Json } from '../common/json.ts';
import type { Outcome, Problem, Strategy } from '../strategy/strategy.ts';
import type { EarlierTrial } from './store/store.ts';

/**
 * The strategy's state at the beginning of a study: what `init` returns, after the earlier trials. Those have numbers below 0, the last
 * of them -1: they are older than any of the study's own, and none of them can be continued. All count as of the full fidelity.
 */
export async function beginning(strategy: Strategy, problem: Problem, earlier: readonly EarlierTrial[]): Promise<Json> {
  const state = strategy.init(problem);
  if (earlier.length === 0) return state;
  const outcomes = earlier.map(
    ({ architecture, metrics, costs, seconds }, i): Outcome => ({
      trial: i - earlier.length,
      architecture,
      fidelity: problem.fidelities.length - 1,
      state: 'complete',
      metrics: { ...costs, ...metrics },
      seconds,
      origin: 'earlier study',
    }),
  );
  return strategy.tell(problem, deepFreeze(state), deepFreeze(outcomes));
}
