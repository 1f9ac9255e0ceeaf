import type { Architecture, Space } from '../space/space.ts';
import { type Cell, cellsOf } from '../space/tree/cells.ts';
import { derive, type OptionWeights } from '../space/tree/derive.ts';
import { supernet } from '../space/tree/resolve.ts';
import { operationKinds } from './operations.ts';

/**
 * The architecture that mixture weights select (`derive`), with at most `skipCap` skip connections in each cell: while there are more, the
 * weakest of them gives up its weight, and edges and operations are chosen again (Chen et al. 2019, P-DARTS, section 3.3). Choices outside
 * of cells count as one cell. Where nothing but a skip connection can be taken, it stays.
 *
 * `of: 'normal'`: in normal cells alone, as in the paper: those on each of whose edges an option hands on what it reads.
 */
export function deriveCapped(
  space: Space,
  skipCap: number,
  of: 'all' | 'normal' = 'all',
): (weights: OptionWeights) => Architecture {
  const kinds = operationKinds(supernet(space));
  const isCapped = ({ connections }: Cell) =>
    of === 'all' || connections.every(({ edge }) => edge !== undefined && edge.identities.length > 0);
  const all = cellsOf(space);
  const decisionsOf = ({ connections, bodies }: Cell) => [
    ...connections.flatMap(({ edge }) => edge?.decision ?? []),
    ...bodies.flatMap((body) => body?.decision ?? []),
  ];
  const inCells = new Set(all.flatMap(decisionsOf));
  const groups = [
    ...all.filter(isCapped).map(decisionsOf),
    of === 'all' ? [...kinds.keys()].filter((decision) => !inCells.has(decision)) : [],
  ];
  const isSkip = (decision: string, option: unknown) => kinds.get(decision)?.get(String(option)) === 'skip';

  return (weights) => {
    const lowered = new Map<string, number[]>();
    for (;;) {
      const found = derive(space, { ...weights, ...Object.fromEntries(lowered) });
      const weakest = groups.flatMap((decisions) => {
        const skips = decisions.filter((decision) => isSkip(decision, found[decision]));
        if (skips.length <= skipCap) return [];
        const strengths = skips
          .filter((decision) => !lowered.has(decision))
          .map((decision) => ({ decision, weight: Math.max(...skipWeights(decision, weights)) }));
        return strengths.length === 0 ? [] : [strengths.reduce((a, b) => (b.weight < a.weight ? b : a)).decision];
      });
      if (weakest.length === 0) return found;
      for (const decision of weakest) {
        const options = [...(kinds.get(decision)?.keys() ?? [])];
        const row = Array.from(weights[decision] ?? []);
        lowered.set(
          decision,
          row.map((weight, k) => (isSkip(decision, options[k]) ? -1 : weight)),
        );
      }
    }
  };

  function skipWeights(decision: string, weights: OptionWeights): number[] {
    const options = [...(kinds.get(decision)?.keys() ?? [])];
    return Array.from(weights[decision] ?? []).filter((_, k) => isSkip(decision, options[k]));
  }
}
