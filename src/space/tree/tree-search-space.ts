import type { Rng } from '../../common/random.ts';
import type { SearchSpace } from '../search-space.ts';
import type { Architecture, Space } from '../space.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture } from './architecture.ts';
import { count } from './count.ts';
import { resolve, resolveHyperparameters } from './resolve.ts';
import { crossover, mutate, sample } from './vary.ts';

/** A space for one task by the contract of all spaces. The same object each time for the same space. */
export function searchSpaceOf(tree: Space): SearchSpace {
  const known = made.get(tree);
  if (known !== undefined) return known;
  let size: { readonly members: bigint | undefined } | undefined;
  const space: SearchSpace = Object.freeze({
    name: tree.name,
    sample: (rng: Rng) => sample(tree, rng),
    check: (found: unknown) => checkArchitecture(tree, found),
    mutate: (architecture: Architecture, rng: Rng) => mutate(tree, architecture, rng),
    crossover: (a: Architecture, b: Architecture, rng: Rng) => crossover(tree, a, b, rng),
    format: (architecture: Architecture) => formatArchitecture(tree, architecture),
    parse: (text: string) => parseArchitecture(tree, text),
    size() {
      size ??= { members: count(tree) };
      return size.members;
    },
    build: (architecture: Architecture) => resolve(tree, architecture),
    hyperparameters: (architecture: Architecture) => resolveHyperparameters(tree, architecture),
    tree,
    ...(tree.members?.genome && { genome: tree.members.genome }),
  });
  made.set(tree, space);
  return space;
}

const made = new WeakMap<Space, SearchSpace>();
