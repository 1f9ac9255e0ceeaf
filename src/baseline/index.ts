import type { DatasetInfo } from '../data/dataset.ts';
import { bagOfWords } from './bag-of-words.ts';
import type { Baseline } from './baseline.ts';
import { boostedTrees } from './boosted-trees.ts';
import { linear } from './linear.ts';
import { majority } from './majority.ts';
import { nearestNeighbor } from './nearest-neighbor.ts';

/** All baselines that are no networks for numbers, in the order in which they are fitted: the cheapest first. */
export const BASELINES: readonly Baseline[] = [majority, boostedTrees, linear, nearestNeighbor];

const TEXT_BASELINES: readonly Baseline[] = [majority, bagOfWords];

/** Those that are of use for these data. */
export const baselinesFor = ({ text }: Pick<DatasetInfo, 'text'>): readonly Baseline[] =>
  text?.padded === true ? TEXT_BASELINES : BASELINES;
