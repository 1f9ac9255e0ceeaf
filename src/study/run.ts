import { stopped } from '../common/errors.ts';
import type { Problem, Strategy } from '../strategy/strategy.ts';
import { type Budget, budgetEnd, checkBudget } from './budget.ts';
import { confirmation } from './confirm.ts';
import type { StudyEnd, StudyEvent } from './events.ts';
import { conduct } from './loop.ts';
import type { Measuring } from './measuring.ts';
import { bestOf } from './ranking.ts';
import { searching } from './search.ts';
import { openSession, type Session } from './session.ts';
import type { StoppingRule } from './stopping.ts';
import type { Store } from './store/store.ts';
import type { WorkerPool } from './worker/pool.ts';

/** The inputs of `runStudy`. Problem and strategy must be the same in every call for a study. */
export interface StudyRun {
  /** Open for writing. It stays open. */
  readonly store: Store;
  readonly strategy: Strategy;
  readonly problem: Problem;
  /** Not started yet; closed at the end. */
  readonly workers: WorkerPool;
  readonly budget: Budget;
  /** Decides about search trials after each report; without it, every trial runs to its fidelity. */
  readonly stopping?: StoppingRule;
  /** Measures that are taken of a candidate before its trial begins. */
  readonly measuring?: Measuring;
  /** Retrains the `top` best architectures, `repeats` times each (default 1), before the best is chosen. */
  readonly confirm?: { readonly top: number; readonly repeats?: number };
  /**
   * How often a trial whose worker died resumes from its last checkpoint before it fails. Default 1: a worker killed from
   * outside is not the trial's fault, and a trial that runs out of memory will do so again.
   */
  readonly retries?: number;
  /** Interrupts the study: running trials pause at their next report, or at their last one after `graceSeconds`. */
  readonly signal?: AbortSignal;
  /** Default 5. */
  readonly graceSeconds?: number;
  readonly onEvent?: (event: StudyEvent) => void;
  /** Milliseconds of a clock that only rises (default: performance.now). */
  readonly now?: () => number;
}

/**
 * Runs a study from its current state until its budget is spent, then confirms the best architectures. All state is in
 * the store: a killed process loses at most the work since the last reports, and with one worker and a budget in trials
 * the next call produces the same trials as an uninterrupted run. A failed trial does not end a study; a search ends if
 * all its trials fail for the same reason.
 *
 * Throws UserError for an empty budget or if the workers cannot be set up, DataError for unreadable samples, StudyStopped
 * for a fault of the machine (a full disk), and any error of the strategy. Running trials are then waiting, at the latest
 * when the study runs again.
 */
export async function runStudy(run: StudyRun): Promise<StudyEnd> {
  checkBudget(run.budget, run.problem.objectives);
  let session: Session | undefined;
  try {
    session = await openSession(run);
    const end = await conductAll(session);
    await session.close();
    return end;
  } catch (error) {
    // What now goes wrong does so for the reason that is known.
    await session?.close().catch(() => {});
    throw stopped(error, 'the study');
  }
}

/** The search, then the confirmation. */
async function conductAll(session: Session): Promise<StudyEnd> {
  const { store, problem, budget, signal } = session.run;
  const { objectives } = problem;
  const search = searching(session);
  session.emit({ kind: 'phase', phase: 'search', trials: budget.trials });
  session.startClock();
  await conduct(session, search);
  await session.stopClock();
  const spent = budgetEnd(budget, session.trials('search'), session.searchSeconds(), objectives);

  const confirm = await confirmation(session);
  if (!signal?.aborted && confirm.trials > 0) {
    session.emit({ kind: 'phase', phase: 'confirm', trials: confirm.trials });
    await conduct(session, confirm);
  }
  await store.sweep();
  const trials = session.trials('search');
  const end: StudyEnd = {
    reason: signal?.aborted ? 'interrupted' : (spent ?? (search.failing() === undefined ? 'exhausted' : 'failing')),
    trials: trials.length,
    best: bestOf([...trials, ...session.trials('confirm')], objectives),
  };
  session.emit({ kind: 'finished', end });
  return end;
}
