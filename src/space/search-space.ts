import { UserError } from '../common/errors.ts';
import type { Architecture } from './architecture.ts';
import type { Members } from './members.ts';
import type { Space } from './space.ts';

/**
 * Pillar 1 as a contract: a set of architectures and the moves within it. Strategies and studies that use only this contract work
 * with every space: a tree with open choices (`Space`, adapted by `searchSpaceOf`), and spaces without decisions or without a
 * largest member, such as networks that grow.
 *
 * An architecture is a plain JSON object, so a study can store it. Two architectures are equal if their JSON is, regardless of key
 * order (`architectureKey`). All methods are pure: a result depends only on the arguments and the random stream, is a member of the
 * space, and is frozen. `checkSearchSpace` tests these rules.
 */
export interface SearchSpace extends Members {
  /** Shown in messages and reports. */
  readonly name: string;
  /** Number of members; undefined if unlimited or not counted. */
  size?(): bigint | undefined;
  /** Training settings chosen by a member, by name; they override the study's settings. */
  hyperparameters?(architecture: Architecture): Readonly<Record<string, number | string | boolean>>;
  /**
   * The space as data for one task, if it is that: what trains, exports and draws its networks takes it. It is a tree with open choices,
   * which strategies that model single decisions, supernets, encodings and enumeration need, unless it has `members` of another form.
   */
  readonly tree?: Space;
}

/** Whether the space has a single member, so that no mutation is possible. */
export function isFixed({ size }: Pick<SearchSpace, 'size'>): boolean {
  return size?.() === 1n;
}

/** Whether an architecture is a member: those of a space without constraints need not be members under them. */
export function isMember(space: SearchSpace, architecture: Architecture): boolean {
  try {
    space.check(architecture);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
