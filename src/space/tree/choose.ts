import type { DecisionValue, Domain, OpenTree, TreeArchitecture } from '../space.ts';
import { decisions } from './decisions.ts';
import { complete, frozen, walk } from './walk.ts';

export type Choose = (name: string, domain: Domain) => DecisionValue;

/** Spaces are frozen, so what was found for one stays true. null: what is active depends on what is chosen. */
const known = new WeakMap<object, readonly (readonly [string, Domain])[] | null>();

/** The member that `choose` makes: as `chooseRaw`, and where that gives none or another name for one, the member in its place (`settled`). */
export function chooseAll(space: OpenTree, choose: Choose): TreeArchitecture {
  return settled(space, chooseRaw(space, choose));
}

/** The member that an architecture stands for: itself in most spaces; where it breaks a rule of membership, it is repaired. */
export function settled(space: OpenTree, architecture: TreeArchitecture): TreeArchitecture {
  const { membership } = space;
  if (membership === undefined) return architecture;
  const isMember = membership.refusal(architecture, space) === undefined;
  return membership.canonical(isMember ? architecture : membership.repair(architecture, space), space);
}

/** The canonical member that an architecture is; undefined where it breaks a rule of membership. */
export function memberOf(space: OpenTree, architecture: TreeArchitecture): TreeArchitecture | undefined {
  const { membership } = space;
  if (membership === undefined) return architecture;
  return membership.refusal(architecture, space) === undefined ? membership.canonical(architecture, space) : undefined;
}

/**
 * The architecture that `choose` makes: asked once for each active decision, in the order of the walk, and never for an
 * inactive one. As `complete`, but without the tree, and where no choice depends on another, without the walk. It need not
 * be a member where the space has rules of membership.
 */
export function chooseRaw(space: OpenTree, choose: Choose): TreeArchitecture {
  const certain = known.get(space) ?? (known.has(space) ? null : findCertain(space));
  if (certain === null) return complete(space, choose).architecture;
  return Object.freeze(Object.fromEntries(certain.map(([name, domain]) => [name, frozen(choose(name, domain))])));
}

/** All decisions, if every walk meets each of them first in the same unconditional place. */
function findCertain(space: OpenTree) {
  const conditional = new Map<string, boolean>();
  walk(space, ({ name, path }) => {
    if (!conditional.has(name)) conditional.set(name, path.length > 0);
    return undefined;
  });
  const found = [...conditional.values()].includes(true)
    ? null
    : decisions(space).map(({ name, domain }) => [name, domain] as const);
  known.set(space, found);
  return found;
}
