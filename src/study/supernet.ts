import type { Phase } from './loop.ts';
import type { Session, StudyRun } from './session.ts';
import { newTrial } from './store/transitions.ts';

/** The training of the supernet as a phase, with the number of its trials that are still to be done. */
export interface SupernetPhase extends Phase {
  readonly trials: number;
  /** Whether the search may begin: its supernet is trained, or it has none. */
  isReady(): boolean;
}

/**
 * A one-shot study begins with one trial of the purpose `supernet`. The trial is reported, stopped and resumed like a candidate's, and its
 * time counts for the budget. The study keeps its checkpoint, and candidates receive that as their shared weights.
 */
export async function supernetPhase(session: Session<StudyRun>): Promise<SupernetPhase> {
  const { store, problem, supernet, budget, signal } = session.run;
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
    tell: async () => undefined,
    ended: async () => {},
  };
}
