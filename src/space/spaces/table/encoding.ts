/** How spaces for tables encode numbers (`piecewiseLinear`). */
import type { Task } from '../../space.ts';

/** Features for each number; 0: only the number itself. */
export const BINS = [0, 8, 16, 32, 64] as const;

/** Most features that hand-designed networks encode numbers by; with more, their first layer would be most of the network. */
const MOST_ENCODED = 1600; // 25 numbers by 64 bins, 100 by 16

/** How many features are numbers of more than two values. */
export const numbersOf = ({ quantiles = [] }: Task): number => quantiles.filter((edges) => edges.length > 0).length;

/** What hand-designed networks encode each number by. */
export const designedBins = (task: Task): number =>
  [64, 32, 16].find((bins) => bins * numbersOf(task) <= MOST_ENCODED) ?? 0;
