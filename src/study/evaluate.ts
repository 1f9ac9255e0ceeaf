import type { FinalTraining } from '../estimate/estimator.ts';
import type { Architecture } from '../space/space.ts';
import { conduct, type Phase } from './loop.ts';
import { openSession, type SessionRun } from './session.ts';
import type { Trial } from './store/store.ts';
import { hasEnded, newTrial } from './store/transitions.ts';

/** A final training that is wanted. */
export interface Wanted {
  readonly architecture: Architecture;
  readonly costs?: Trial['costs'];
  readonly final: FinalTraining;
}

/** The last trial of each final training, by its id. */
export function lastTrainings(trials: readonly Trial[]): ReadonlyMap<string, Trial> {
  return new Map(trials.flatMap((trial) => (trial.final ? [[trial.final.id, trial] as const] : [])));
}

/**
 * Makes these final trainings, as trials of the study on its pool of workers. One that was interrupted or killed continues from its last
 * epoch. Where the signal is aborted, some are not complete. Throws as `runStudy` does.
 */
export async function evaluateFinally(run: SessionRun, wanted: readonly Wanted[]): Promise<void> {
  const session = await openSession(run);
  try {
    const { store } = run;
    const open = new Set(session.open('evaluate').flatMap(({ final }) => final?.id ?? []));
    const first = session.trials('evaluate').length;
    const added = wanted
      .filter(({ final }) => !open.has(final.id))
      .map((one, i) => newTrial({ purpose: 'evaluate', trial: first + i, fidelity: 0, ...one }));
    await store.propose(added);
    for (const trial of added) session.note(trial);
    const ids = new Set(wanted.map(({ final }) => final.id));
    const waiting = () =>
      session.open('evaluate').filter(({ state, final }) => state === 'waiting' && ids.has(final?.id ?? ''));
    const phase: Phase = {
      next: async (count) => waiting().slice(0, count),
      judge: () => 'continue',
      timeIsUp: () => false,
      tell: async () => undefined,
      ended: async () => {},
    };
    await conduct(session, phase);
    await session.close();
    // A training that has ended is never continued.
    const ended = session.trials('evaluate').filter((trial) => hasEnded(trial) && trial.checkpoint !== undefined);
    await store.forget(ended);
    await store.sweep();
  } catch (error) {
    await session.close().catch(() => {});
    throw error;
  }
}
