import type { Problem } from '../strategy.ts';

/**
 * What an inner strategy sees of a problem, the same object each time: a strategy may keep what it has worked out of a
 * problem by its identity.
 */
export function viewOf<T>(change: (problem: Problem) => T): (problem: Problem) => T {
  const made = new WeakMap<Problem, { readonly view: T }>();
  return (problem) => {
    const kept = made.get(problem) ?? { view: change(problem) };
    made.set(problem, kept);
    return kept.view;
  };
}
