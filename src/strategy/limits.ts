import { invalid } from '../common/errors.ts';
import { type Rng, rng } from '../common/random.ts';
import { sample } from '../space/index.ts';
import type { Architecture } from '../space/space.ts';
import type { Problem } from './strategy.ts';

/** How often an architecture is drawn anew before a strategy gives up. */
export const TRIES = 1000;

/** Whether the architecture keeps the problem's limits. One whose costs cannot be computed cannot be built: no. */
export function withinLimits(problem: Problem, architecture: Architecture): boolean {
  if (problem.limits.length === 0) return true;
  try {
    const costs = problem.costs(architecture);
    return problem.limits.every(({ cost, max }) => (costs[cost] ?? Number.POSITIVE_INFINITY) <= max);
  } catch {
    return false;
  }
}

/**
 * The first of up to TRIES draws that keeps the limits (rejection: a draw within the limits has the distribution that it
 * had, given that it is within); undefined when none does.
 */
export function drawWithin(problem: Problem, draw: (attempt: number) => Architecture): Architecture | undefined {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const architecture = draw(attempt);
    if (withinLimits(problem, architecture)) return architecture;
  }
  return undefined;
}

/** A random architecture for trial `trial` within the limits. Throws UserError when TRIES draws find none. */
export function sampleWithin(problem: Problem, trial: number): Architecture {
  const stream = proposalRng(problem, trial);
  const architecture = drawWithin(problem, () => sample(problem.space, stream));
  if (!architecture) {
    const limits = problem.limits.map(({ cost, max }) => `${cost} <= ${max}`).join(', ');
    throw invalid(
      `limits ${limits}`,
      `none of ${TRIES} random architectures of space "${problem.space.name}" keeps them`,
      'a search needs limits that some architectures keep',
    );
  }
  return architecture;
}

/** The stream from which the proposal of trial `trial` is drawn. */
export function proposalRng(problem: Problem, trial: number, ...labels: readonly (string | number)[]): Rng {
  return rng(problem.seed, 'trial', trial, 'proposal', ...labels);
}
