import { invalid } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import { completed, failed } from './loop.ts';
import { measuringOf } from './measuring.ts';
import { searching } from './search.ts';
import type { StudyRun } from './session.ts';
import { openSession } from './session.ts';
import type { Trial, TrialEnd } from './store/store.ts';
import type { WorkerPool } from './worker/pool.ts';

/** How a trial ended that was measured elsewhere: its metrics, or why it failed. */
export type Told = { readonly metrics: Metrics } | { readonly failed: string };

/** A study whose trials are measured by the caller. Calls may overlap; they are processed one after another. */
export interface AskTell {
  /**
   * The next trial to measure: one that was asked for but has no result yet, otherwise a new one; none that fails a measure or its limit. Undefined where
   * the strategy has no more.
   */
  ask(): Promise<Trial | undefined>;
  /** Ends a trial. Throws UserError for one that was not asked for, and for metrics without a finite value for an objective. */
  tell(trial: number, told: Told): Promise<Trial>;
  /** Trials without a result wait for the next `ask`. */
  close(): Promise<void>;
}

const NO_WORKERS: WorkerPool = {
  size: 1,
  start: async () => {},
  assign: () => {},
  answer: () => {},
  close: async () => {},
};

/** The store stays open; no other process may run the study meanwhile. */
export async function openAskTell(run: Omit<StudyRun, 'workers' | 'budget'>): Promise<AskTell> {
  const session = await openSession({ ...run, workers: NO_WORKERS, budget: {} });
  const phase = searching(session);
  const { store, problem } = run;
  const measure = measuringOf(problem, run.measuring, session.trials);
  const askedAt = new Map<number, number>();
  session.startClock();

  let last: Promise<unknown> = Promise.resolve();
  /** The strategy is asked and told in one order. */
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const result = last.then(body);
    last = result.catch(() => {});
    return result;
  };
  const finish = async (trial: Trial, end: TrialEnd): Promise<Trial> => {
    const state = await phase.tell(trial, end);
    const now = session.note(await store.finish(trial, trial.fence, end, state));
    if (state) session.noteStrategyState(state);
    askedAt.delete(trial.trial);
    session.emit({ kind: 'ended', trial: now });
    await phase.ended(now);
    await session.recordClock();
    return now;
  };
  return {
    ask: () =>
      inTurn(async () => {
        for (;;) {
          const [waiting] = await phase.next(1, askedAt.size);
          if (waiting === undefined) return undefined;
          const { costs, reason } = await measure(waiting);
          const trial = session.note(await store.begin(waiting, costs));
          session.emit({ kind: 'started', trial });
          if (reason === undefined) {
            askedAt.set(trial.trial, performance.now());
            return trial;
          }
          await finish(trial, failed(trial, reason));
        }
      }),
    tell: (number, told) =>
      inTurn(async () => {
        const since = askedAt.get(number);
        if (since === undefined)
          throw invalid('tell', `trial ${number}`, 'must be a trial from `ask` that has no result yet');
        const trial = session.trial({ purpose: 'search', trial: number });
        const seconds = (performance.now() - since) / 1000;
        const end =
          'failed' in told
            ? { ...failed(trial, told.failed), seconds }
            : completed(trial, { state: 'complete', metrics: told.metrics, curve: [], seconds }, problem);
        if ('metrics' in told && end.state === 'failed')
          throw invalid('tell', `trial ${number}: ${JSON.stringify(told.metrics)}`, end.reason ?? 'is no result');
        return finish(trial, end);
      }),
    close: () =>
      inTurn(async () => {
        await session.stopClock();
        await session.close();
      }),
  };
}
