import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { parseJson } from '../common/json.ts';
import { type GenomeSpaceDefinition, isGenomeSpace } from '../space/genome/definition.ts';
import { defineSpace, type SpaceDefinition, spaceFromJson } from '../space/index.ts';
import { within } from '../space/tree/define.ts';
import { isOwnFile, isSpaceData } from '../study/spec.ts';
import { definitionNamed, namedSpace } from './named-space.ts';
import { isSearchSpace, lineIn } from './own-exports.ts';

/**
 * A space of Netsmith by its name, the one that a file exports (as default, or as its only space), or the one that a .json file describes
 * (`netsmith scale --out` writes them), which runs no code.
 */
export async function loadSpace(name: string): Promise<SpaceDefinition> {
  if (isSpaceData(name)) return describedSpace(name);
  if (!isOwnFile(name)) return namedSpace(name);
  if (!existsSync(name)) throw invalid('--space', `"${name}"`, 'the file does not exist');
  const exported = Object.entries(await importFile(name));
  const spaces = exported.filter(([, value]) => isSpaceDefinition(value));
  if (spaces.length === 0 && exported.some(([, value]) => isSearchSpace(value)))
    throw invalid(
      '--space',
      `"${name}" exports a space that is no tree of modules`,
      'such a space is searched by a program: createStudy({ space })',
    );
  const chosen = spaces.find(([key]) => key === 'default') ?? spaces[0];
  const others = spaces.filter(([, value]) => value !== chosen?.[1]);
  if (chosen === undefined || (chosen[0] !== 'default' && others.length > 0)) {
    throw invalid(
      '--space',
      `"${name}" exports ${spaces.length} spaces`,
      'must export exactly one space made by defineSpace, or a default one',
    );
  }
  return chosen[1] as SpaceDefinition;
}

/** The same, or a space of genomes: what a search can take. */
export async function loadAnySpace(name: string): Promise<SpaceDefinition | GenomeSpaceDefinition> {
  return isGenomeSpace(name) ? definitionNamed(name) : loadSpace(name);
}

/** The space is for any task that its tree can serve, not only for the one that it was written for. */
function describedSpace(path: string): SpaceDefinition {
  if (!existsSync(path)) throw invalid('--space', `"${path}"`, 'the file does not exist');
  const place = `--space "${path}"`;
  const found = parseJson(readFileSync(path, 'utf8'), place);
  const { name, root, hyperparameters } = within(place, () => spaceFromJson(found));
  return defineSpace(name, () => ({ network: root, hyperparameters }), { description: `described by ${path}` });
}

async function importFile(path: string): Promise<object> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UserError(`--space: "${path}"${lineIn(path, error)} cannot be loaded; ${messageOf(error).trim()}`);
  }
}

export function isSpaceDefinition(value: unknown): value is SpaceDefinition {
  return value !== null && typeof value === 'object' && 'create' in value && 'defaults' in value && 'name' in value;
}
