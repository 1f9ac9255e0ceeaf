/** When a search has nothing left to try, or nothing that works. */

import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { membersOf } from '../strategy/members.ts';
import type { Problem, Proposal } from '../strategy/strategy.ts';
import type { Trial } from './store/store.ts';

/** What has been tried in full, kept up to date trial by trial. */
export interface Tried {
  note(trial: Pick<Trial, 'architecture' | 'fidelity'>): void;
  /**
   * Whether the search is at the end of its space: all of these proposals only repeat, from scratch and at the full
   * fidelity, what was tried, and so would any other. A repetition alone is no end: strategies of evolution repeat.
   */
  isUsedUp(proposals: readonly Proposal[]): boolean;
}

export function triedOf(problem: Problem): Tried {
  const full = problem.fidelities.length - 1;
  const tried = new Set<string>();
  const isTried = (architecture: Architecture) => tried.has(architectureKey(architecture));
  return {
    note({ architecture, fidelity }) {
      if (fidelity === full) tried.add(architectureKey(architecture));
    },
    isUsedUp(proposals) {
      const repeats = proposals.every(
        ({ architecture, fidelity, start }) => fidelity === full && start.kind !== 'continue' && isTried(architecture),
      );
      return repeats && isAll(problem, tried.size, isTried);
    },
  };
}

function isAll(problem: Problem, tried: number, isTried: (architecture: Architecture) => boolean): boolean {
  if (problem.limits.length === 0) return problem.space.size?.() === BigInt(tried);
  const few = membersOf(problem);
  return few?.complete === true && few.members.every(isTried);
}

/**
 * Whether these trials have tried every architecture within the limits: how many there are, and whether that is `proved`
 * (a large space is not enumerated). Undefined: they have not.
 */
export function allTried(
  problem: Problem,
  trials: readonly Pick<Trial, 'architecture'>[],
): { readonly count: number; readonly proved: boolean } | undefined {
  const tried = new Set(trials.map(({ architecture }) => architectureKey(architecture)));
  if (!isAll(problem, tried.size, (architecture) => tried.has(architectureKey(architecture)))) return undefined;
  return { count: tried.size, proved: problem.limits.length === 0 || membersOf(problem)?.proved === true };
}

/** If this many trials all fail for one reason, the next ones are expected to fail as well. */
const ALIKE = 5;

/** Watches for a search in which every trial fails for one reason. */
export interface Failures {
  note(ended: Trial): void;
  /** The reason of the first, once five trials have failed alike and none has completed; else undefined. */
  reason(): string | undefined;
}

/**
 * Reasons are alike when they differ in numbers alone (bytes, losses). `before`: the trials of earlier sessions, whose failures
 * do not count, as this session may have other settings.
 */
export function watchFailures(before: readonly Trial[]): Failures {
  const works = ({ state }: Trial) => state === 'complete' || state === 'paused' || state === 'pruned';
  const reasons = new Set<string>();
  let anyWorks = before.some(works);
  let failed = 0;
  let first: string | undefined;
  return {
    note(trial) {
      anyWorks ||= works(trial);
      if (trial.state !== 'failed') return;
      const { reason = 'no reason was given' } = trial;
      failed++;
      first ??= reason;
      reasons.add(reason.replace(/\d+(\.\d+)?(e[+-]?\d+)?/gi, '#'));
    },
    reason: () => (!anyWorks && failed >= ALIKE && reasons.size === 1 ? first : undefined),
  };
}
