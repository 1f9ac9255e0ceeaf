import { invalid } from '../common/errors.ts';
import { constrained, type Space, spaceFromJson } from '../space/index.ts';
import type { StudyPlan } from '../study/plan.ts';
import { isOwnFile } from '../study/spec.ts';
import { spaceTask } from '../task/index.ts';
import { namedSpace } from './named-space.ts';

/**
 * The space of a study: one of Netsmith's, or the one that is stored with it, which has the general text form, since its own is
 * code. Never a file that the study names: it would be run, and the study may come from anybody.
 */
export function spaceOf({ settings, data, ownSpace }: StudyPlan, place = 'study'): Space {
  if (ownSpace !== undefined) return constrained(spaceFromJson(ownSpace), settings);
  if (isOwnFile(settings.space))
    throw invalid(
      place,
      `the study does not contain its space, only the file name "${settings.space}"`,
      'studies are read without running code: start a new search with --space, which stores the space',
    );
  return constrained(namedSpace(settings.space).create(spaceTask(data), settings.spaceOptions), settings);
}
