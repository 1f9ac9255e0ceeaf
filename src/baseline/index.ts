import { bagOfWords } from './bag-of-words.ts';
import type { Baseline } from './baseline.ts';
import { boostedTrees } from './boosted-trees.ts';
import { linear } from './linear.ts';
import { majority } from './majority.ts';
import { nearestNeighbor } from './nearest-neighbor.ts';

/** All baselines that are no networks, in the order in which they are fitted: the cheapest first. */
export const BASELINES: readonly Baseline[] = [majority, bagOfWords, boostedTrees, linear, nearestNeighbor];
