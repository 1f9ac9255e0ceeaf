import { smallest } from '../common/extremes.ts';
import type { Proposal } from '../strategy/strategy.ts';
import { budgetEnd, fitsAnother } from './budget.ts';
import { triedOf, watchFailures } from './exhaustion.ts';
import { costsOf } from './job.ts';
import { createLeaders } from './leaders.ts';
import type { Phase } from './loop.ts';
import { measured } from './ranking.ts';
import type { Session, StudyRun } from './session.ts';
import type { StrategyState, Trial, TrialEnd } from './store/store.ts';
import { finite, newTrial } from './store/transitions.ts';

/** The search: trials that wait come first, in their order; then the strategy is asked, within the budget. */
export function searching(session: Session<StudyRun>): Phase & { failing(): string | undefined } {
  const { store, strategy, problem, budget, stopping, confirm } = session.run;
  const all = () => session.trials('search');
  const spent = () => budgetEnd(budget, all(), session.searchSeconds(), problem.objectives);
  const anyComplete = () => all().some(({ state }) => state === 'complete');
  const leaders = createLeaders(problem.objectives);
  for (const trial of all()) leaders.note(trial);
  const tried = triedOf(problem);
  for (const trial of all()) tried.note(trial);
  const failures = watchFailures(all());
  let best = '';

  return {
    failing: failures.reason,

    async next(count, running) {
      if (failures.reason() !== undefined) return [];
      const waiting = session.open('search').filter(({ state }) => state === 'waiting');
      const end = spent();
      if (end === 'target') return [];
      if (end === 'time') return anyComplete() || running > 0 ? [] : waiting.slice(0, 1);
      if (anyComplete() && !fitsAnother(budget, session.searchSeconds())) return [];
      if (waiting.length > 0 || end === 'trials') return waiting.slice(0, count);

      const first = all().length;
      const wanted = Math.min(count, (budget.trials ?? Number.POSITIVE_INFINITY) - first);
      const { revision, state } = session.strategyState();
      const [asked, proposals] = await strategy.ask(problem, state, first, wanted);
      if (proposals.length === 0 || tried.isUsedUp(proposals)) return [];
      const proposed = proposals.map((proposal, i) => waitingTrial(proposal, first + i));
      const next = { revision: revision + 1, state: asked };
      await store.propose(proposed, next);
      session.noteStrategyState(next);
      for (const trial of proposed) tried.note(trial);
      return proposed.map(session.note);
    },

    judge(trial) {
      if (stopping === undefined) return 'continue';
      const trials = all();
      const continued = new Set(
        [...trials, trial].flatMap(({ start }) => (start.kind === 'continue' ? start.trial : [])),
      );
      const others = trials.filter((other) => other.trial !== trial.trial && !continued.has(other.trial));
      return stopping(fromItsBeginning(trial), others.map(fromItsBeginning));
    },

    timeIsUp(trial, running) {
      const end = spent();
      const first = smallest(running.map((one) => one.trial));
      return end === 'target' || (end === 'time' && (anyComplete() || trial.trial !== first));
    },

    async tell(trial, end) {
      const { revision, state } = session.strategyState();
      const told = await strategy.tell(problem, state, [outcomeOf(trial, end)]);
      return { revision: revision + 1, state: told } satisfies StrategyState;
    },

    async ended(trial) {
      leaders.note(trial);
      failures.note(trial);
      await forgetOthers();
      const first = leaders.best();
      const now = JSON.stringify(first.map((one) => [one.trial, one.metrics]));
      if (first.length > 0 && now !== best) session.emit({ kind: 'best', best: first });
      best = now;
    },
  };

  /** A trial with the curve of the trials that it continues before its own. */
  function fromItsBeginning(trial: Trial): Trial {
    if (trial.start.kind !== 'continue') return trial;
    const source = fromItsBeginning(session.trial({ purpose: 'search', trial: trial.start.trial }));
    const first = trial.curve[0]?.step ?? Number.POSITIVE_INFINITY;
    return { ...trial, curve: [...source.curve.filter(({ step }) => step < first), ...trial.curve] };
  }

  function waitingTrial({ architecture, fidelity, start }: Proposal, trial: number): Trial {
    const { costs } = costsOf(problem, architecture);
    return newTrial({ purpose: 'search', trial, architecture, fidelity, start, costs });
  }

  /** Drops the checkpoints that no trial will continue from and that are not among the best. */
  async function forgetOthers(): Promise<void> {
    const saved = session.kept().filter(({ state }) => state !== 'paused');
    if (saved.length === 0) return;
    const wanted = new Set(
      [...leaders.first(Math.max(1, confirm?.top ?? 1)), ...leaders.best()].map((one) => one.trial),
    );
    for (const { start } of session.open('search')) if (start.kind !== 'fresh') wanted.add(start.trial);
    for (const trial of strategy.continuable?.(session.strategyState().state) ?? []) wanted.add(trial);
    const needless = saved.filter(({ trial }) => !wanted.has(trial));
    if (needless.length === 0) return;
    for (const trial of await store.forget(needless)) leaders.note(session.note(trial));
    await store.discard(needless.flatMap(({ checkpoint }) => checkpoint ?? []));
  }
}

/** The result as the strategy sees it: costs and measured metrics, as an objective may be either. */
function outcomeOf(trial: Trial, end: TrialEnd) {
  const { trial: number, architecture, fidelity, origin } = trial;
  const metrics = end.state === 'failed' ? {} : finite(measured({ ...trial, metrics: end.metrics }));
  const { state, seconds, reason } = end;
  return {
    trial: number,
    architecture,
    fidelity,
    origin,
    metrics,
    state,
    seconds,
    ...(reason === undefined ? {} : { reason }),
  };
}
