import { invalid, type UserError } from '../common/errors.ts';
import { COST_METRICS } from '../common/metrics.ts';
import { type Rng, rng } from '../common/random.ts';
import type { Architecture } from '../space/space.ts';
import { findMembers, type Members } from './members.ts';
import type { Problem } from './strategy.ts';

/** How often an architecture is redrawn before a strategy gives up. */
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

/**
 * A random architecture for trial `trial` within the limits. Where TRIES draws find none, members are looked for
 * (`findMembers`), and one of them is drawn. Throws UserError when there are none.
 */
export function sampleWithin(problem: Problem, trial: number): Architecture {
  const stream = proposalRng(problem, trial);
  return drawWithin(problem, () => problem.space.sample(stream)) ?? sampleRare(problem, stream);
}

/** Steps of the walk from a member that was found to others that were not listed. */
const STEPS = 20;

/**
 * A member within limits that random draws do not meet: of the list, uniformly; where the list is not complete, with a
 * random walk of mutations within the limits from there. Throws UserError when there is none.
 */
function sampleRare(problem: Problem, stream: Rng): Architecture {
  const { members, complete, proved, nearest } = findMembers(problem);
  if (members.length === 0) throw noMembers(problem, proved, nearest);
  let member = stream.pick(members);
  for (let step = 0; step < STEPS && !complete; step++) {
    const next = problem.space.mutate(member, stream);
    if (withinLimits(problem, next)) member = next;
  }
  return member;
}

/** `limits params <= 10: no architecture of space "small-cnn" keeps them (the smallest has 2,658 parameters); ...` */
function noMembers({ limits, space }: Problem, proved: boolean, nearest: Members['nearest']): UserError {
  const show = (cost: string) => `${nearest?.[cost]?.toLocaleString('en-US')} ${unitOf(cost)}`;
  const which = proved ? 'the smallest has' : 'the smallest found has';
  const shown =
    nearest === undefined ? 'none could be built' : `${which} ${limits.map(({ cost }) => show(cost)).join(', ')}`;
  return invalid(
    `limits ${limits.map(({ cost, max }) => `${cost} <= ${max}`).join(', ')}`,
    `no architecture ${proved ? 'of' : 'found in'} space "${space.name}" ${proved ? 'is ' : ''}within them (${shown})`,
    'raise the limits',
  );
}

/** `parameters`, `FLOPs`, `bits`; for a measure of the user's own its name. */
function unitOf(cost: string): string {
  const unit = Object.entries(COST_METRICS).find(([name]) => name === cost)?.[1].unit;
  return unit === 'multiply-accumulates' ? 'FLOPs' : (unit ?? cost);
}

/** The stream from which the proposal of trial `trial` is drawn. */
export function proposalRng(problem: Problem, trial: number, ...labels: readonly (string | number)[]): Rng {
  return rng(problem.seed, 'trial', trial, 'proposal', ...labels);
}
