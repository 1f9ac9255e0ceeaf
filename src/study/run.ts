import { stopped } from '../common/errors.ts';
import { budgetEnd, checkBudget, fitsAnother } from './budget.ts';
import { confirmation } from './confirm.ts';
import type { StudyEnd } from './events.ts';
import { conduct } from './loop.ts';
import { bestOf } from './ranking.ts';
import { searching } from './search.ts';
import { openSession, type Session, type StudyRun } from './session.ts';
import { supernetPhase } from './supernet.ts';

export type { StudyRun } from './session.ts';

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
  let session: Session<StudyRun> | undefined;
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

/** The supernet, if there is one, the search, then the confirmation. */
async function conductAll(session: Session<StudyRun>): Promise<StudyEnd> {
  const { store, problem, budget, signal } = session.run;
  const { objectives } = problem;
  const search = searching(session);
  session.startClock();
  const supernet = await supernetPhase(session);
  if (supernet.trials > 0) {
    session.emit({ kind: 'phase', phase: 'supernet', trials: supernet.trials });
    await conduct(session, supernet);
  }
  if (supernet.isReady()) {
    session.emit({ kind: 'phase', phase: 'search', trials: budget.trials });
    await conduct(session, search);
  }
  await session.stopClock();
  const seconds = session.searchSeconds();
  const spent =
    budgetEnd(budget, session.trials('search'), seconds, objectives) ??
    (fitsAnother(budget, seconds) ? undefined : 'time');

  const confirm = await confirmation(session);
  if (!signal?.aborted && confirm.trials > 0) {
    session.emit({ kind: 'phase', phase: 'confirm', trials: confirm.trials });
    await conduct(session, confirm);
  }
  await store.sweep();
  const trials = session.trials('search');
  const end: StudyEnd = {
    reason: signal?.aborted
      ? 'interrupted'
      : (spent ?? (search.failing() === undefined && supernet.isReady() ? 'exhausted' : 'failing')),
    trials: trials.length,
    best: bestOf([...trials, ...session.trials('confirm')], problem),
  };
  session.emit({ kind: 'finished', end });
  return end;
}
