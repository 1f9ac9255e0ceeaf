import { DataError, StudyStopped } from '../common/errors.ts';
import type { Evaluation } from '../estimate/estimator.ts';
import type { Problem } from '../strategy/strategy.ts';
import { fidelityOf, jobOf } from './job.ts';
import { measuringOf } from './measuring.ts';
import type { Session } from './session.ts';
import type { StrategyState, Trial, TrialEnd } from './store/store.ts';
import { nameOf } from './store/transitions.ts';
import type { WorkerEvent } from './worker/pool.ts';
import type { Answer } from './worker/protocol.ts';

/** What each phase has of its own: the supernet, the search, the confirmation. */
export interface Phase {
  /** Up to `count` waiting trials to hand out now; none: nothing before something ends, or nothing at all. */
  next(count: number, running: number): Promise<readonly Trial[]>;
  /** The answer to a trial's last report. Depends on what is stored alone. */
  judge(trial: Trial): Answer;
  /** Whether a running trial is to wait from its next report on, because time is up. */
  timeIsUp(trial: Trial, running: readonly Trial[]): boolean;
  /** The strategy's state after the result of the trial. */
  tell(trial: Trial, end: TrialEnd): Promise<StrategyState | undefined>;
  /** After a trial has ended. */
  ended(trial: Trial): Promise<void>;
}

/**
 * The loop: hands waiting trials to idle workers, waits for what happens next, deals with it, until nothing runs and
 * nothing waits. One thing happens at a time, and each is one transaction of the store.
 */
export async function conduct(session: Session, phase: Phase): Promise<void> {
  const { store, workers, problem, signal, retries = 1 } = session.run;
  /** By the name of the job: one attempt at one trial. */
  const running = new Map<string, Trial>();
  /** Attempts that were told to pause so that the trial waits (time is up, Ctrl-C), not because its rule said so. */
  const releasing = new Set<string>();
  /** How often a trial's worker has died while this call has lasted, by the trial's name. */
  const deaths = new Map<string, number>();
  const measure = measuringOf(problem, session.run.measuring, session.trials);

  const start = async (waiting: Trial): Promise<void> => {
    const taken = waiting.curve.length === 0 ? await measure(waiting) : { costs: {} };
    const trial = session.note(await store.begin(waiting, taken.costs));
    session.emit({ kind: 'started', trial });
    if (taken.reason !== undefined) return finish(trial, failed(trial, taken.reason));
    // The process may have been killed between a report and its answer: the answer is due now.
    const answer = trial.curve.length === 0 ? 'continue' : answerTo(trial);
    if (answer !== 'continue') return finish(trial, cutShort(trial, answer === 'pause' ? 'paused' : 'pruned'));
    const job = jobOf(trial, problem, session);
    if ('reason' in job) return finish(trial, failed(trial, job.reason));
    running.set(nameOfAttempt(trial), trial);
    workers.assign(nameOfAttempt(trial), job);
  };

  /** A trial that has done its epochs is not stopped: that would save nothing. */
  const isDone = (trial: Trial): boolean =>
    (trial.curve.at(-1)?.step ?? 0) >= (fidelityOf(trial, problem, session)?.epochs ?? Number.POSITIVE_INFINITY);

  const answerTo = (trial: Trial): Answer => (isDone(trial) ? 'continue' : phase.judge(trial));

  const reported = async (name: string, trial: Trial, event: WorkerEvent & { kind: 'report' }): Promise<void> => {
    const now = session.note(await store.report(trial, trial.fence, event.report, event.checkpoint));
    running.set(name, now);
    session.emit({ kind: 'reported', trial: now, report: event.report });
    await replaced(trial, now);
    const release = !isDone(now) && (signal?.aborted || phase.timeIsUp(now, [...running.values()]));
    if (release) releasing.add(name);
    workers.answer(name, release ? 'pause' : answerTo(now));
    await session.recordClock();
  };

  /**
   * Removes the checkpoint that another has taken the place of, while its worker waits for an answer. Nothing is removed for
   * its age: a checkpoint whose report is queued may be old when its turn comes (the computer slept, a clock was set).
   */
  const replaced = async (before: Trial, { checkpoint }: Trial): Promise<void> => {
    if (before.checkpoint !== undefined && before.checkpoint !== checkpoint) await store.discard([before.checkpoint]);
  };

  const release = async (name: string, trial: Trial, reason: string): Promise<void> => {
    running.delete(name);
    session.emit({ kind: 'released', trial: session.note(await store.release(trial)), reason });
  };

  const finish = async (trial: Trial, end: TrialEnd): Promise<void> => {
    const told = await phase.tell(trial, end);
    const now = session.note(await store.finish(trial, trial.fence, end, told));
    if (told) session.noteStrategyState(told);
    running.delete(nameOfAttempt(trial));
    session.emit({ kind: 'ended', trial: now });
    await replaced(trial, now);
    await phase.ended(now);
    await session.recordClock();
  };

  const handle = async (event: WorkerEvent): Promise<void> => {
    if (event.kind === 'broken') throw event.error;
    const trial = running.get(event.job);
    if (!trial) return;
    switch (event.kind) {
      case 'report':
        return reported(event.job, trial, event);
      case 'ended': {
        const { state } = event.evaluation;
        if (releasing.delete(event.job) && state !== 'complete')
          return release(event.job, trial, 'the search stopped; netsmith resume continues it');
        if (state !== 'complete') return finish(trial, cutShort(trial, state));
        return finish(trial, completed(trial, event.evaluation, problem));
      }
      case 'step':
        return session.emit({ kind: 'stepped', trial, step: event.step });
      case 'note':
        return session.emit({ kind: 'note', trial, text: event.text });
      case 'failed':
        // Every other trial would fail of the same, and none of them for its own fault.
        if (event.fault === 'data') throw new DataError(event.reason);
        if (event.fault === 'machine') throw new StudyStopped(event.reason);
        return finish(trial, failed(trial, event.reason));
      case 'died': {
        if (signal?.aborted) return release(event.job, trial, 'the search stopped; netsmith resume continues it');
        const name = nameOf(trial);
        deaths.set(name, (deaths.get(name) ?? 0) + 1);
        const again = (deaths.get(name) ?? 0) <= retries;
        return again ? release(event.job, trial, event.reason) : finish(trial, failed(trial, event.reason));
      }
      default:
        return event satisfies never;
    }
  };

  for (;;) {
    // A worker is free when its trial's end has been processed, not when it arrives: the strategy is told before it is
    // asked again.
    while (!signal?.aborted && running.size < workers.size) {
      const waiting = await phase.next(workers.size - running.size, running.size);
      if (waiting.length === 0) break;
      for (const trial of waiting) if (!signal?.aborted) await start(trial);
    }
    if (running.size === 0) return;
    const event = await session.next();
    if (event.kind === 'grace over') return session.close();
    if (event.kind !== 'interrupted') await handle(event);
  }
}

function nameOfAttempt({ purpose, trial, fence }: Trial): string {
  return `${purpose} ${trial} ${fence}`;
}

/** An estimate without a finite value for an objective is no result. */
export function completed(
  trial: Trial,
  { metrics, seconds, checkpoint, artifacts }: Evaluation,
  { objectives }: Problem,
): TrialEnd {
  const values = { ...trial.costs, ...metrics };
  // A supernet is no candidate, and a final training has the metrics of the test split, for any objective of the search.
  const needed = trial.purpose === 'supernet' || trial.final !== undefined ? [] : objectives;
  const absent = needed.find(({ metric }) => !Number.isFinite(values[metric]));
  if (absent) return { ...failed(trial, `the estimate gave no finite ${absent.metric}`), seconds };
  return {
    ...{ state: 'complete', metrics, seconds },
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(artifacts === undefined ? {} : { artifacts }),
  };
}

export function failed(trial: Trial, reason: string): TrialEnd {
  return { state: 'failed', metrics: {}, seconds: trial.seconds, reason };
}

/** How a trial ends that goes no further than its last report. */
function cutShort(trial: Trial, state: 'paused' | 'pruned'): TrialEnd {
  return { state, metrics: trial.curve.at(-1)?.metrics ?? {}, seconds: trial.seconds };
}
