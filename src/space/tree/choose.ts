import type { DecisionValue, Domain, Space, TreeArchitecture } from '../space.ts';
import { decisions } from './decisions.ts';
import { complete, walk } from './walk.ts';

export type Choose = (name: string, domain: Domain) => DecisionValue;

/** Spaces are frozen, so what was found for one stays true. null: what is active depends on what is chosen. */
const known = new WeakMap<object, readonly (readonly [string, Domain])[] | null>();

/**
 * The architecture that `choose` makes: asked once for each active decision, in the order of the walk, and never for an
 * inactive one. As `complete`, but without the tree, and where no choice depends on another, without the walk.
 */
export function chooseAll(space: Pick<Space, 'root' | 'hyperparameters'>, choose: Choose): TreeArchitecture {
  const certain = known.get(space) ?? (known.has(space) ? null : findCertain(space));
  if (certain === null) return complete(space, choose).architecture;
  return Object.freeze(Object.fromEntries(certain.map(([name, domain]) => [name, choose(name, domain)])));
}

/** All decisions, if every walk meets each of them first in the same unconditional place. */
function findCertain(space: Pick<Space, 'root' | 'hyperparameters'>) {
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
