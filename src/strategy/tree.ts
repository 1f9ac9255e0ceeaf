import { invalid } from '../common/errors.ts';
import type { Space } from '../space/space.ts';
import type { Problem } from './strategy.ts';

/** The tree of the problem's space, for a strategy that models single decisions. Throws UserError if the space has none. */
export function treeOf({ space }: Problem): Space {
  if (space.tree !== undefined && space.tree.members === undefined) return space.tree;
  throw invalid(`space "${space.name}"`, 'has no decisions', 'this strategy needs a space with decisions');
}
