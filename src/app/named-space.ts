import { unknownName } from '../common/closest.ts';
import { invalid } from '../common/errors.ts';
import { GENOME_SPACES, type GenomeSpaceDefinition, isGenomeSpace } from '../space/genome/definition.ts';
import type { SpaceDefinition } from '../space/index.ts';
import { SPACES } from '../space/spaces/index.ts';

/** A space of Netsmith by its name, that is a tree: nothing is loaded. */
export function namedSpace(name: string): SpaceDefinition {
  const found = Object.values(SPACES).find((space) => space.name === name);
  if (found !== undefined) return found;
  if (isGenomeSpace(name))
    throw invalid('--space', `"${name}"`, 'its genomes are no tree of modules: they are searched and exported alone');
  const known = Object.keys({ ...SPACES, ...GENOME_SPACES });
  throw unknownName('--space:', name, known, 'a .ts or .js file that exports a space');
}

/** A space of Netsmith by its name. */
export function definitionNamed(name: string): SpaceDefinition | GenomeSpaceDefinition {
  return isGenomeSpace(name) ? GENOME_SPACES[name] : namedSpace(name);
}
