import assert from 'node:assert/strict';
import { rankSumTest } from '../../common/ranks.ts';
import { openNasBench201 } from '../../estimate/tabular/nas-bench-201.node.ts';
import { simulate, tabularProblem } from '../../study/simulate.ts';
import { randomSearch } from '../random.ts';
import type { Strategy } from '../strategy.ts';

/**
 * Asserts that the best validation accuracy after `evaluations` trials on NAS-Bench-201 (CIFAR-10) tends to be higher
 * than random search's over `seeds` searches each, p < 0.001 (Mann & Whitney 1947).
 */
export async function assertBeatsRandom(
  make: () => Strategy,
  { evaluations = 100, seeds = 30 }: { readonly evaluations?: number; readonly seeds?: number } = {},
): Promise<void> {
  const table = await openNasBench201();
  const bestOf = async (strategy: Strategy, seed: number) => {
    const problem = tabularProblem(table, 'cifar-10', seed);
    const { best } = await simulate({ strategy, problem, table, dataset: 'cifar-10', budget: { evaluations } });
    return best?.metrics.accuracy ?? 0;
  };
  const [ours, random]: [number[], number[]] = [[], []];
  for (let seed = 0; seed < seeds; seed++) {
    ours.push(await bestOf(make(), seed));
    random.push(await bestOf(randomSearch(), 1000 + seed));
  }
  const p = rankSumTest(ours, random, 'greater');
  assert.ok(p < 0.001, `p = ${p}`);
}
