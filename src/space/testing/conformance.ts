import { suite, test } from 'node:test';
import { type CheckSearchSpaceOptions, searchSpaceRules } from '../conformance.node.ts';
import type { SearchSpace } from '../search-space.ts';

/** What every search space must do, as tests. */
export function searchSpaceConformance(space: SearchSpace, options?: CheckSearchSpaceOptions): void {
  suite(`search space conformance: ${space.name}`, () => {
    for (const { title, check } of searchSpaceRules(space, options)) test(title, check);
  });
}
