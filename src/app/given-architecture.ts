/** The architecture that a command is given: as text, as the best of a study, or what a study found at another size. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { invalid } from '../common/errors.ts';
import { networkCosts } from '../network/costs.ts';
import {
  type Architecture,
  checkArchitecture,
  parseArchitecture,
  resolve,
  type Space,
  searchSpaceOf,
} from '../space/index.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { SpaceOptions } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import type { StudySettings } from '../study/spec.ts';
import type { Trial } from '../study/store/store.ts';
import { chosen } from './choice.ts';
import { readEvaluation } from './evaluation/evaluation.ts';
import { namedSpace } from './named-space.ts';
import { treeOf } from './setup.ts';
import { type ReadStudy, readStudy } from './study.ts';

/** An architecture of a space. */
export interface Given {
  readonly space: SearchSpace;
  readonly architecture: Architecture;
  /** What the architecture costs with the options of its study, where others are given. */
  readonly searched?: { readonly params: number; readonly flops: number };
}

/** `--arch`, or the only architecture of a space of one. Throws UserError when it is malformed or missing. */
export function architectureFrom(space: Space, text: string | undefined): Architecture {
  if (text !== undefined) return parseArchitecture(space, text);
  const only = onlyArchitecture(space);
  if (only === undefined) throw invalid('--arch', 'missing', `space "${space.name}" has more than one architecture`);
  return only;
}

function onlyArchitecture(space: Space): Architecture | undefined {
  try {
    return parseArchitecture(space, '{}');
  } catch {
    return undefined;
  }
}

/** The best of a study, with its space and what it costs there; undefined where `arch` is not the folder of one. */
export async function foundIn(
  arch: string | undefined,
): Promise<(Pick<StudySettings, 'space' | 'spaceOptions'> & Pick<Trial, 'architecture' | 'costs'>) | undefined> {
  if (arch === undefined || !existsSync(join(arch, 'study.db'))) return undefined;
  const study = await readStudy(arch);
  const evaluated = study.problem.objectives.length > 1 ? readEvaluation(arch)?.trial : undefined;
  const { space, spaceOptions } = study.settings;
  const { architecture, costs } = chosen(study, arch, {}, evaluated).trial;
  return { space, spaceOptions, architecture, costs };
}

/** An architecture of a study, with other options of its space where some are given. Throws UserError where it is no member then. */
export function atOptions(
  { space, settings }: Pick<ReadStudy, 'space' | 'settings'>,
  architecture: Architecture,
  options: SpaceOptions | undefined,
): Given {
  if (options === undefined) return { space, architecture };
  const tree = treeOf({ space });
  if (!Object.hasOwn(SPACES, settings.space))
    throw invalid('--space-options', `space "${settings.space}"`, 'only spaces of Netsmith have another size');
  const other = namedSpace(settings.space).create(tree.task, { ...settings.spaceOptions, ...options });
  checkArchitecture(other, architecture);
  const { params, flops } = networkCosts(resolve(tree, architecture), tree.task);
  return { space: searchSpaceOf(other), architecture, searched: { params, flops } };
}
