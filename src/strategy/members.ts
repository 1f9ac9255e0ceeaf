/** The members of a space within the limits, where they are few: what random draws miss. */
import { rng } from '../common/random.ts';
import { activeDecisions, decided, decisions, first, neighbors, sample, successor } from '../space/index.ts';
import { isFixed, type SearchSpace } from '../space/search-space.ts';
import type { Architecture, DecisionValue, Space } from '../space/space.ts';
import { architectureKey } from '../space/tree/architecture.ts';
import { chooseAll } from '../space/tree/choose.ts';
import { firstValue, nearValues } from '../space/tree/domain.ts';
import type { Problem } from './strategy.ts';

/** What is known of the members within the limits. */
export interface Members {
  /** In an order that depends on space and limits alone. */
  readonly members: readonly Architecture[];
  /** Whether these are all: proved by enumeration, or as far as a search around them can tell. */
  readonly complete: boolean;
  /** Whether that is proved. */
  readonly proved: boolean;
  /** The member that comes nearest to the limits, where none keeps them, with its costs; absent: none can be built. */
  readonly nearest?: Readonly<Record<string, number>>;
}

/** Spaces up to this size are enumerated: without limits that is cheap, with limits each member's costs are computed. */
const ENUMERABLE = { free: 20_000, limited: 5_000 } as const;
/** Members are rare if none of this many random draws keeps the limits. */
const DRAWS = 100;
/** Costs that a search for members computes at most, and members that it lists at most. */
const BUDGET = 3_000;
const MOST = 1_000;
/** Descents that begin at random, beside the one from the first values. */
const STARTS = 4;
/** The search ends after this many unsuccessful expansions beyond the number of members. */
const PATIENCE = 30;

/** By what does not change from one copy of a problem to another, which are made for each new seed. */
const known = new WeakMap<Problem['costs'], WeakMap<SearchSpace, Map<string, Members | undefined>>>();

/**
 * The members within the limits, where they are few: of a space that can be enumerated all; of a larger one those that
 * `search` finds, if random draws find none. Undefined: there are many. Costs are computed once for each space and limits.
 */
export function membersOf(problem: Problem): Members | undefined {
  return remembered(problem, 'few', () => {
    const most = problem.limits.length === 0 ? ENUMERABLE.free : ENUMERABLE.limited;
    const tree = enumerable(problem.space, most);
    if (tree !== undefined) return enumerate(problem, tree);
    return areRare(problem) ? findMembers(problem) : undefined;
  });
}

/** Whether random draws hardly ever keep the limits; the same for every seed. */
export function areRare(problem: Problem): boolean {
  if (problem.limits.length === 0) return false;
  const stream = rng('rare members', problem.space.name);
  return !Array.from({ length: DRAWS }).some(() => excess(problem, problem.space.sample(stream)) === 0);
}

/** Members within the limits, looked for by more than chance. */
export function findMembers(problem: Problem): Members {
  const found = remembered(problem, 'found', () => {
    const tree = enumerable(problem.space, ENUMERABLE.limited);
    return tree === undefined ? lookFor(problem) : enumerate(problem, tree);
  });
  return found ?? lookFor(problem);
}

/** The tree, if the space has one and at most `most` members. */
function enumerable({ tree, size }: SearchSpace, most: number): Space | undefined {
  const members = tree === undefined ? undefined : size?.();
  return members !== undefined && members <= most ? tree : undefined;
}

function lookFor(problem: Problem): Members {
  const { tree } = problem.space;
  return tree === undefined || tree.members !== undefined ? climb(problem) : search(problem, tree);
}

function remembered(problem: Problem, what: string, make: () => Members | undefined): Members | undefined {
  const { costs, space, limits } = problem;
  const ofCosts = known.get(costs) ?? new WeakMap<SearchSpace, Map<string, Members | undefined>>();
  known.set(costs, ofCosts);
  const all = ofCosts.get(space) ?? new Map<string, Members | undefined>();
  ofCosts.set(space, all);
  const key = JSON.stringify([what, limits]);
  if (!all.has(key)) all.set(key, make());
  return all.get(key);
}

/** How far an architecture is beyond the limits, 0 within them; infinite for one that cannot be built. */
function excess({ limits, costs }: Problem, architecture: Architecture): number {
  if (limits.length === 0) return 0;
  try {
    const has = costs(architecture);
    return limits.reduce(
      (sum, { cost, max }) => sum + Math.max(0, ((has[cost] ?? Number.POSITIVE_INFINITY) - max) / (1 + Math.abs(max))),
      0,
    );
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function enumerate(problem: Problem, space: Space): Members {
  const members: Architecture[] = [];
  let nearest: Architecture | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let one: Architecture | undefined = first(space); one !== undefined; one = successor(space, one)) {
    const beyond = excess(problem, one);
    if (beyond === 0) members.push(one);
    if (beyond < least) [least, nearest] = [beyond, one];
  }
  return { members, complete: true, proved: true, ...nearestOf(problem, members, nearest) };
}

function nearestOf(problem: Problem, members: readonly Architecture[], nearest: Architecture | undefined) {
  return members.length > 0 || nearest === undefined ? {} : { nearest: problem.costs(nearest) };
}

/**
 * Best-first search by the excess over the limits. It begins where descents (one decision after another takes the value
 * with the least excess) end, and looks around each member that it finds, and then around those that come nearest to the
 * limits, since members need not be neighbors of each other. It uses no seed of the study: where small members are is a
 * property of the space.
 */
function search(problem: Problem, space: Space): Members {
  const seen = new Map<string, { readonly architecture: Architecture; readonly beyond: number }>();
  const open: { readonly architecture: Architecture; readonly beyond: number }[] = [];
  const look = (architecture: Architecture): number => {
    const key = architectureKey(architecture);
    const before = seen.get(key);
    if (before !== undefined) return before.beyond;
    const entry = { architecture, beyond: excess(problem, architecture) };
    seen.set(key, entry);
    open.push(entry);
    return entry.beyond;
  };

  const stream = rng('small members', space.name);
  const starts = [lowest(space), ...Array.from({ length: STARTS }, () => sample(space, stream))];
  for (const start of starts) descend(space, start, look);

  let members = [...seen.values()].filter(({ beyond }) => beyond === 0).length;
  let vain = 0;
  while (members > 0 && open.length > 0 && seen.size < BUDGET && members < MOST && vain < members + PATIENCE) {
    const next = open.reduce((best, one, i) => (one.beyond < (open[best]?.beyond ?? 0) ? i : best), 0);
    const [entry] = open.splice(next, 1);
    if (entry === undefined) break;
    const before = members;
    for (const one of neighbors(space, entry.architecture)) {
      const isNew = !seen.has(architectureKey(one));
      if (look(one) === 0 && isNew) members++;
    }
    vain = members > before || entry.beyond === 0 ? 0 : vain + 1;
  }
  const all = [...seen.values()];
  const within = all.filter(({ beyond }) => beyond === 0).map(({ architecture }) => architecture);
  const nearest = all.reduce<(typeof all)[number] | undefined>(
    (best, one) => (one.beyond < (best?.beyond ?? Number.POSITIVE_INFINITY) ? one : best),
    undefined,
  );
  const complete = within.length > 0 && isSettled(space) && seen.size < BUDGET && members < MOST;
  return {
    members: within,
    complete,
    proved: false,
    ...nearestOf(problem, within, nearest?.architecture),
  };
}

/** For a space without decisions: mutates random members, keeping what is closer to the limits, until one is within them. */
function climb(problem: Problem): Members {
  const { space } = problem;
  const stream = rng('small members', space.name);
  let nearest: { readonly architecture: Architecture; readonly beyond: number } | undefined;
  for (let start = 0; start <= STARTS && nearest?.beyond !== 0; start++) {
    let now = look(space.sample(stream));
    for (let step = 0; step < BUDGET / (STARTS + 1) && now.beyond > 0 && !isFixed(space); step++) {
      const next = look(space.mutate(now.architecture, stream));
      if (next.beyond <= now.beyond) now = next;
    }
    if (now.beyond < (nearest?.beyond ?? Number.POSITIVE_INFINITY)) nearest = now;
  }
  const members = nearest?.beyond === 0 ? [nearest.architecture] : [];
  return { members, complete: false, proved: false, ...nearestOf(problem, members, nearest?.architecture) };

  function look(architecture: Architecture) {
    return { architecture, beyond: excess(problem, architecture) };
  }
}

/** Whether steps from neighbor to neighbor reach every value: not those of wide ranges, whose steps are tenths. */
function isSettled(space: Space): boolean {
  return decisions(space).every(
    ({ domain }) => domain.kind !== 'float' && (domain.kind !== 'int' || domain.max - domain.min <= 15),
  );
}

function lowest(space: Space): Architecture {
  return withValues(space, {}, new Map());
}

/** Decision by decision the value with the least excess, until none improves it. */
function descend(space: Space, start: Architecture, look: (architecture: Architecture) => number): void {
  let [now, beyond] = [start, look(start)];
  for (let improved = true; improved && beyond > 0; ) {
    improved = false;
    for (const [name, domain] of activeDecisions(space, now)) {
      const value = decided(now, name);
      if (value === undefined) continue; // An earlier step has made it inactive.
      for (const other of nearValues(domain, value)) {
        const one = withValues(space, now, new Map([[name, other]]));
        const has = look(one);
        if (has < beyond) [now, beyond, improved] = [one, has, true];
      }
      if (beyond === 0) return;
    }
  }
}

/** The architecture with some values changed; what that activates takes its first value. */
function withValues(space: Space, architecture: Architecture, changed: ReadonlyMap<string, DecisionValue>) {
  return chooseAll(space, (name, domain) => changed.get(name) ?? decided(architecture, name) ?? firstValue(domain));
}
