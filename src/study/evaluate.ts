import type { FinalTraining } from '../estimate/estimator.ts';
import type { Architecture } from '../space/space.ts';
import { conduct, type Phase } from './loop.ts';
import { openSession, type SessionRun } from './session.ts';
import type { Trial } from './store/store.ts';
import { newTrial } from './store/transitions.ts';

/** A final training that is wanted. */
export interface Wanted {
  readonly architecture: Architecture;
  readonly costs?: Trial['costs'];
  readonly final: FinalTraining;
}

/** The trial of each wanted training that there is, by its id. Failed ones are not counted: they are trained again. */
export function trained(trials: readonly Trial[]): ReadonlyMap<string, Trial> {
  return new Map(
    trials.flatMap((trial) => (trial.final && trial.state !== 'failed' ? [[trial.final.id, trial] as const] : [])),
  );
}

/**
 * Makes the final trainings that are not complete yet, as trials of the study on its pool of workers. One that was interrupted or killed
 * continues from its last epoch. Returns the trial of each, in order; some are not complete when the signal is aborted. Throws as
 * `runStudy` does.
 */
export async function evaluateFinally(run: SessionRun, wanted: readonly Wanted[]): Promise<readonly Trial[]> {
  const session = await openSession(run);
  try {
    const { store } = run;
    const all = () => session.trials('evaluate');
    const known = () => trained(all());
    const first = all().length;
    const added = wanted
      .filter(({ final }) => !known().has(final.id))
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
    await store.sweep();
    const done = new Map(all().map((trial) => [trial.final?.id, trial]));
    return wanted.flatMap(({ final }) => done.get(final.id) ?? []);
  } catch (error) {
    await session.close().catch(() => {});
    throw error;
  }
}
