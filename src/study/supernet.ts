import type { Phase } from './loop.ts';
import type { Session, StudyRun } from './session.ts';
import type { StrategyState, Trial, TrialEnd } from './store/store.ts';
import { newTrial } from './store/transitions.ts';

/** The training of the supernet as a phase, with the number of its trials that are still to be done. */
export interface SupernetPhase extends Phase {
  readonly trials: number;
  /** Whether the search may begin: its supernet is trained, or it has none. */
  isReady(): boolean;
}

/**
 * A one-shot study begins with one trial of the purpose `supernet`. The trial is reported, stopped and resumed like a candidate's, and its
 * time counts for the budget. The study keeps its checkpoint, and candidates receive that as their shared weights. The architectures that it
 * has derived go to the strategy in the transaction of its end.
 */
export async function supernetPhase(session: Session<StudyRun>): Promise<SupernetPhase> {
  const { store, problem, strategy, supernet, budget, signal } = session.run;
  const all = () => session.trials('supernet');
  if (supernet !== undefined && all().length === 0 && !signal?.aborted) {
    const fidelity = problem.fidelities.length - 1;
    const trial = newTrial({ purpose: 'supernet', trial: 0, architecture: {}, fidelity });
    await store.propose([trial]);
    session.note(trial);
  }
  const isOver = () => budget.seconds !== undefined && session.searchSeconds() >= budget.seconds;
  const waiting = () =>
    supernet === undefined ? [] : session.open('supernet').filter(({ state }) => state === 'waiting');
  return {
    trials: waiting().length,
    isReady: () => supernet === undefined || all().some(({ state }) => state === 'complete'),
    next: async (count) => (isOver() ? [] : waiting().slice(0, count)),
    judge: () => 'continue',
    timeIsUp: isOver,
    tell,
    ended: async () => {},
  };

  async function tell({ curve }: Trial, end: TrialEnd): Promise<StrategyState | undefined> {
    const derived = curve.flatMap(({ mixture }) => (mixture === undefined ? [] : [mixture.genotype]));
    const { revision, state } = session.strategyState();
    if (end.state !== 'complete' || strategy.derive === undefined) return undefined;
    return { revision: revision + 1, state: await strategy.derive(problem, state, derived) };
  }
}
