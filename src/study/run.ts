import { stopped } from '../common/errors.ts';
import type { Problem, Strategy } from '../strategy/strategy.ts';
import { type Budget, budgetEnd, checkBudget } from './budget.ts';
import { confirmation } from './confirm.ts';
import type { StudyEnd, StudyEvent } from './events.ts';
import { conduct } from './loop.ts';
import { bestOf } from './ranking.ts';
import { searching } from './search.ts';
import { openSession, type Session } from './session.ts';
import type { StoppingRule } from './stopping.ts';
import type { Store } from './store/store.ts';
import type { WorkerPool } from './worker/pool.ts';

/** Everything that a study is run with. What is fixed for its life (problem, strategy) must be the same at each call. */
export interface StudyRun {
  /** Open for writing. It stays open. */
  readonly store: Store;
  readonly strategy: Strategy;
  readonly problem: Problem;
  /** Not started yet; closed at the end. */
  readonly workers: WorkerPool;
  readonly budget: Budget;
  /** Answers the reports of search trials; none: every trial goes on to its fidelity. */
  readonly stopping?: StoppingRule;
  /** The first `top` architectures are trained again, `repeats` times each (default 1), before one is called best. */
  readonly confirm?: { readonly top: number; readonly repeats?: number };
  /**
   * How often a trial whose worker died is taken up again from its last checkpoint before it fails. Default 1: a worker that
   * something else has killed is no fault of the trial's, and one that ran out of memory by itself will do so again.
   */
  readonly retries?: number;
  /** Ctrl-C: running trials wait from their next report on, or from their last one after `graceSeconds`. */
  readonly signal?: AbortSignal;
  /** Default 5. */
  readonly graceSeconds?: number;
  readonly onEvent?: (event: StudyEvent) => void;
  /** Milliseconds of a clock that only rises (default: performance.now). */
  readonly now?: () => number;
}

/**
 * Runs a study from where it stands until its budget is spent, then confirms the best. All state is in the store: a
 * process that is killed loses at most what its trials did since their last report, and with one worker and a budget in
 * trials the next call makes the very trials that this one would have made. A failed trial never ends a study; a search in which all fail alike ends.
 *
 * Throws UserError for a budget that allows nothing, or when the workers cannot be set up; DataError where samples cannot be
 * read any more; StudyStopped where the machine is at fault (a full disk); and whatever the strategy throws. Trials that were
 * running are then waiting, or will be when the study is run again.
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
