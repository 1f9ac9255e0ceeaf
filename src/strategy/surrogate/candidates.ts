/** Many architectures at once, for strategies that let a model choose among them. */
import type { Rng } from '../../common/random.ts';
import type { Architecture, DecisionValue, Space } from '../../space/space.ts';
import { settled } from '../../space/tree/choose.ts';
import { decided, decisions, isActive } from '../../space/tree/decisions.ts';
import { domainSize, otherValue, sampleValue } from '../../space/tree/domain.ts';
import { sampleWithin, withinLimits } from '../limits.ts';
import type { Problem } from '../strategy.ts';

/** A draft: a member of the space, not yet checked or frozen. */
export type Draft = Record<string, DecisionValue>;

/**
 * As `sample` of the space, on its list of decisions instead of its tree, which takes a fraction of the time.
 */
export function drawDraft(space: Space, rng: Rng): Draft {
  return completed(space, {}, rng);
}

/** As `mutate` of the space: one active decision, drawn uniformly, gets another value. */
export function mutateDraft(space: Space, architecture: Architecture, rng: Rng): Draft {
  const names = Object.keys(architecture).filter((name) => !isFixed(space, name));
  if (names.length === 0) return completed(space, architecture, rng);
  const name = rng.pick(names);
  const decision = decisions(space).find((one) => one.name === name);
  if (decision === undefined) return completed(space, architecture, rng);
  const value = otherValue(decision.domain, decided(architecture, name) as DecisionValue, rng);
  return completed(space, { ...architecture, [name]: value }, rng);
}

/** Whether constraints have left it one value. */
function isFixed({ domains }: Space, name: string): boolean {
  const domain = domains?.[name];
  return domain !== undefined && domainSize(domain) === 1n;
}

/** The values given for decisions that are active with them, and samples for the others. */
function completed(space: Space, given: Architecture, rng: Rng): Draft {
  const draft: Draft = {};
  for (const decision of decisions(space)) {
    if (isActive(decision, draft))
      draft[decision.name] = decided(given, decision.name) ?? sampleValue(decision.domain, rng);
  }
  return settled(space, draft);
}

export interface PoolOptions {
  /** Uniform draws. */
  readonly random: number;
  /** What is mutated, the best first. */
  readonly parents: readonly Architecture[];
  /** Mutations of each parent: a third of them of two decisions. */
  readonly mutations: number;
}

/**
 * Drafts of different keys, none of which one of `known` has; fewer than asked for in a small space, and when all is
 * known none.
 */
export function pool(
  space: Space,
  rng: Rng,
  keyOf: (architecture: Architecture) => string,
  known: readonly { readonly architecture: Architecture }[],
  options: PoolOptions,
): Draft[] {
  const seen = new Set(known.map(({ architecture }) => keyOf(architecture)));
  const found = new Map<string, Draft>();
  const enter = (draft: Draft) => {
    const key = keyOf(draft);
    if (!seen.has(key)) found.set(key, draft);
  };
  for (let i = 0; i < options.random; i++) enter(drawDraft(space, rng));
  for (const parent of options.parents) {
    for (let i = 0; i < options.mutations; i++) {
      const once = mutateDraft(space, parent, rng);
      enter(i % 3 === 2 ? mutateDraft(space, once, rng) : once);
    }
  }
  return [...found.values()];
}

/**
 * The first draft in the order of `scores` (largest first) that keeps the limits, as a checked architecture; a random
 * architecture within the limits when none does.
 */
export function bestWithin(
  problem: Problem,
  trial: number,
  drafts: readonly Draft[],
  scores: ArrayLike<number>,
): Architecture {
  const order = drafts.map((_, i) => i).sort((a, b) => (scores[b] ?? Number.NaN) - (scores[a] ?? Number.NaN) || a - b);
  for (const i of order) {
    const draft = drafts[i];
    if (draft && withinLimits(problem, draft)) return problem.space.check(draft);
  }
  return sampleWithin(problem, trial);
}
