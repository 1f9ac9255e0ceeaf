import { messageOf, UserError } from '../common/errors.ts';
import type { Rng } from '../common/random.ts';
import { type Architecture, formatArchitecture, resolve, resolveHyperparameters, sample } from '../space/index.ts';
import type { Space, Task } from '../space/space.ts';
import { checkRanks, type Ends } from '../space/tree/ranks.ts';
import { networkCosts } from './costs.ts';

/** Members that are tried before a space is given up. */
const TRIES = 24;

function rankEnds({ input, positions = [], vocabulary }: Task): Ends {
  const output = (['vector', 'sequence', 'image'] as const)[positions.length] ?? 'vector';
  return { input, output, dtype: vocabulary === undefined ? 'float32' : 'int32' };
}

/**
 * Throws UserError for a space none of whose networks can be built, with the place in the tree and the reason: where an image reaches
 * what takes a vector (or the other way round) whatever is chosen, and where random members all fail for one reason. A space
 * of which some members can be built passes: the others are failed trials. `checkSettings` may refuse the training settings of
 * a member by throwing, too. Cost: that of building one network, where the first can be built.
 */
export function checkBuildable(
  space: Space,
  random: Rng,
  checkSettings: (hyperparameters: Readonly<Record<string, number | string | boolean>>) => void = () => {},
): void {
  const refuse = (what: string) => new UserError(`space "${space.name}": ${what}`);
  try {
    if (space.members === undefined) checkRanks(space.root, rankEnds(space.task));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const reasons = new Set<string>();
  let example: { readonly architecture: Architecture; readonly reason: string } | undefined;
  for (let i = 0; i < TRIES; i++) {
    const architecture = sample(space, random);
    try {
      networkCosts(resolve(space, architecture), space.task);
      checkSettings(resolveHyperparameters(space, architecture));
      return;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      example ??= { architecture, reason: error.message };
      // Sizes and places differ from member to member where the reason is the same.
      reasons.add(error.message.replaceAll(/[\d.]+/g, '0').replace(/^network \S+ /, ''));
    }
  }
  if (example === undefined || reasons.size > 1) return;
  const text = formatArchitecture(space, example.architecture);
  throw refuse(
    `none of ${TRIES} random architectures can be built: ${example.reason}${text === '' ? '' : ` (in ${text})`}`,
  );
}
