import type { Architecture } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import type { Phase } from './loop.ts';
import { type Contender, contenders } from './ranking.ts';
import type { Session, StudyRun } from './session.ts';
import type { Trial } from './store/store.ts';
import { newTrial } from './store/transitions.ts';

/** The confirmation as a phase, with the number of its trials that are still to be done. */
export interface Confirmation extends Phase {
  readonly trials: number;
}

/**
 * Before one architecture is called best, the first few are trained again with other seeds: the best of many noisy
 * results owes some of its rank to luck. What an earlier call has confirmed is not done again. Where the search has trained none of them
 * (`Problem.confirmation`), they are `unlikeFirst`.
 */
export async function confirmation(session: Session<StudyRun>): Promise<Confirmation> {
  const { store, problem, confirm, signal } = session.run;
  const all = () => session.trials('confirm');
  const best = contenders(session.trials('search'), problem.objectives);
  const count = confirm?.top ?? 0;
  const chosen = problem.confirmation === undefined ? best.slice(0, count) : unlikeFirst(best, count);
  const repeats = confirm?.repeats ?? 1;

  const slots = chosen.flatMap((contender) => Array.from({ length: repeats }, (_, index) => ({ contender, index })));
  const found = slots.map((slot) => ({
    ...slot,
    trial: all().find((trial) => fills(trial, slot.contender, slot.index)),
  }));
  const first = all().length;
  const added = found
    .filter(({ trial }) => trial === undefined)
    .map(({ contender, index }, i) => repetition(contender, index, first + i));
  if (added.length > 0 && !signal?.aborted) {
    await store.propose(added);
    for (const trial of added) session.note(trial);
  }
  const planned = new Set([...found.flatMap(({ trial }) => trial ?? []), ...added].map(({ trial }) => trial));
  const waiting = () => session.open('confirm').filter(({ state, trial }) => state === 'waiting' && planned.has(trial));

  return {
    trials: waiting().length,
    next: async (count) => waiting().slice(0, count),
    judge: () => 'continue',
    timeIsUp: () => false,
    tell: async () => undefined,
    ended: async () => {},
  };

  function repetition(contender: Contender, repeatIndex: number, trial: number): Trial {
    const { architecture, costs } = contender;
    const fidelity = contender.results[0]?.fidelity ?? problem.fidelities.length - 1;
    return newTrial({
      purpose: 'confirm',
      trial,
      architecture,
      costs,
      fidelity,
      repeats: contender.trial,
      repeatIndex,
    });
  }
}

/**
 * `count` of these architectures, best first: those that differ from all taken before them in at least half of their decisions, and if
 * there are too few, the best of the others. Estimates without training have biases that similar architectures share: a strategy that climbs by
 * them ends among neighbors, and confirming one of these says what the others would.
 */
export function unlikeFirst<T extends Pick<Contender, 'architecture'>>(
  best: readonly T[],
  count: number,
): readonly T[] {
  const taken: T[] = [];
  for (const one of best)
    if (taken.length < count && taken.every(({ architecture }) => isUnlike(architecture, one.architecture)))
      taken.push(one);
  const others = best.filter((one) => !taken.includes(one)).slice(0, count - taken.length);
  return best.filter((one) => taken.includes(one) || others.includes(one));
}

function isUnlike(a: Architecture, b: Architecture): boolean {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return 2 * names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name])).length >= names.length;
}

function fills(trial: Trial, contender: Contender, index: number): boolean {
  return (
    trial.repeatIndex === index &&
    trial.fidelity === contender.results[0]?.fidelity &&
    architectureKey(trial.architecture) === architectureKey(contender.architecture)
  );
}
