import { compareBy } from '../../common/metrics.ts';
import type { Architecture } from '../../space/space.ts';
import { sampleWithin } from '../limits.ts';
import type { Outcome, Problem, Proposal, Strategy } from '../strategy.ts';

type Entry = { readonly trial: number; readonly architecture: Architecture; readonly value: number | null };
type HalvingState = {
  /** Fidelity of the rung that is being filled. */
  readonly rung: number;
  /** What this rung still has to ask for: trials to continue; null: a fresh sample. */
  readonly todo: readonly (Pick<Entry, 'trial' | 'architecture'> | null)[];
  readonly running: readonly number[];
  readonly done: readonly Entry[];
};

/**
 * A fixture, not for users: successive halving (Jamieson & Talwalkar 2016), bracket after bracket. It stands for all
 * strategies that continue trials at rising fidelity: `eta ** (fidelities - 1)` samples at the lowest, then the best of
 * each rung in `eta` go on at the next.
 */
export function successiveHalving(eta = 3): Strategy<HalvingState> {
  return {
    name: 'successive-halving',
    init: (problem) => bracket(problem, eta),
    async ask(problem, state, firstTrial, count) {
      const asked = state.todo.slice(0, count);
      const proposals = asked.map((entry, i): Proposal => {
        if (entry === null)
          return {
            architecture: sampleWithin(problem, firstTrial + i),
            fidelity: state.rung,
            start: { kind: 'fresh' },
          };
        const start = { kind: 'continue' as const, trial: entry.trial };
        return { architecture: entry.architecture, fidelity: state.rung, start };
      });
      const running = [...state.running, ...asked.map((_, i) => firstTrial + i)];
      return [{ ...state, todo: state.todo.slice(count), running }, proposals];
    },
    tell: async (problem, state, outcomes) =>
      outcomes.reduce((now, outcome) => told(problem, now, outcome, eta), state),
  };
}

function told(problem: Problem, state: HalvingState, outcome: Outcome, eta: number): HalvingState {
  if (!state.running.includes(outcome.trial)) return state;
  const value = outcome.state === 'failed' ? null : (outcome.metrics[problem.objectives[0].metric] ?? null);
  const entry: Entry = { trial: outcome.trial, architecture: outcome.architecture, value };
  const running = state.running.filter((trial) => trial !== outcome.trial);
  const done = [...state.done, entry].sort((a, b) => a.trial - b.trial);
  if (running.length + state.todo.length > 0) return { ...state, running, done };

  const metrics = ({ value }: Entry) => ({ [problem.objectives[0].metric]: value ?? Number.NaN });
  const ranked = done
    .filter((one) => one.value !== null)
    .sort((a, b) => compareBy(problem.objectives[0], metrics(a), metrics(b)));
  const best = ranked
    .slice(0, Math.floor(done.length / eta))
    .map(({ trial, architecture }) => ({ trial, architecture }));
  if (best.length === 0 || state.rung + 1 === problem.fidelities.length) return bracket(problem, eta);
  return { rung: state.rung + 1, todo: best, running: [], done: [] };
}

function bracket(problem: Problem, eta: number): HalvingState {
  return { rung: 0, todo: Array(eta ** (problem.fidelities.length - 1)).fill(null), running: [], done: [] };
}
