import type { Json } from '../../common/json.ts';
import { compareBy, type Metrics } from '../../common/metrics.ts';
import type { Outcome, Problem, Strategy } from '../strategy.ts';

export interface ForgivingOptions {
  /**
   * hidden: the inner strategy does not see failed trials. worst: it sees them as completed, with the worst
   * value of each objective seen so far at that fidelity, and so learns to keep away; until there is one, they wait.
   */
  readonly failed: 'hidden' | 'worst';
}

type Held = { readonly [K in keyof Outcome]: Outcome[K] };

export type ForgivingState = {
  /** The worst values seen at each fidelity; empty where there are none. */
  readonly worst: readonly Metrics[];
  /** Failed trials that cannot be reported yet. */
  readonly held: readonly Held[];
  readonly inner: Json;
};

/**
 * Failed trials for a strategy that does not understand them. One that waits for all of its trials needs `worst`.
 * Everything else passes unchanged.
 */
export function forgiving(inner: Strategy, { failed }: ForgivingOptions): Strategy<ForgivingState> {
  const { continuable } = inner;
  return {
    name: 'forgiving',
    init: (problem) => ({ worst: problem.fidelities.map(() => ({})), held: [], inner: inner.init(problem) }),
    async ask(problem, state, firstTrial, count) {
      const [asked, proposals] = await inner.ask(problem, state.inner, firstTrial, count);
      return [{ ...state, inner: asked }, proposals];
    },
    async tell(problem, state, outcomes) {
      const worst = outcomes.reduce((now, outcome) => worse(problem, now, outcome), state.worst);
      if (failed === 'hidden') {
        const shown = outcomes.filter((outcome) => outcome.state !== 'failed');
        return { ...state, inner: shown.length === 0 ? state.inner : await inner.tell(problem, state.inner, shown) };
      }
      const told: Outcome[] = [];
      const held: Outcome[] = [];
      for (const outcome of [...state.held, ...outcomes]) {
        const metrics = worst[outcome.fidelity] ?? {};
        if (outcome.state !== 'failed') told.push(outcome);
        else if (problem.objectives.some(({ metric }) => metrics[metric] === undefined)) held.push(outcome);
        else told.push({ ...outcome, state: 'complete', metrics });
      }
      const next = told.length === 0 ? state.inner : await inner.tell(problem, state.inner, told);
      return { worst, held, inner: next };
    },
    ...(continuable && { continuable: ({ inner: state }: ForgivingState) => continuable(state) }),
  };
}

function worse(problem: Problem, worst: readonly Metrics[], { state, fidelity, metrics }: Outcome): readonly Metrics[] {
  if (state !== 'complete') return worst;
  const known = worst[fidelity] ?? {};
  const values = problem.objectives.flatMap((objective) => {
    const { metric } = objective;
    const value = metrics[metric];
    if (value === undefined || (metric in known && compareBy(objective, metrics, known) <= 0)) return [];
    return [[metric, value] as const];
  });
  return values.length === 0 ? worst : worst.with(fidelity, { ...known, ...Object.fromEntries(values) });
}
