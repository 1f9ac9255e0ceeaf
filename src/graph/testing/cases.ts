/**
 * A table of small graphs, several for each operator kind, with what to feed them: the reference tests check gradients on
 * it, and the engine's tests check that its lowering agrees with the reference on the very same graphs. Feeds are exact
 * in float32, so that both see the same numbers, and lie away from kinks (ties, the zero of relu, the bounds of clip).
 */
import type { GraphCase } from './case.ts';
import { compositeCases } from './composite.ts';
import { elementwiseCases } from './elementwise.ts';
import { gatherCases } from './gathers.ts';
import { poolCases } from './pools.ts';
import { productCases } from './products.ts';
import { shapeCases } from './shapes.ts';
import { switchCases } from './switches.ts';

export type { GraphCase } from './case.ts';

export const CASES: readonly GraphCase[] = [
  ...elementwiseCases,
  ...shapeCases,
  ...gatherCases,
  ...productCases,
  ...poolCases,
  ...switchCases,
  ...compositeCases,
];
