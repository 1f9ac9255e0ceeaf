import type { Architecture, Space } from '../space/space.ts';
import { type Cell, cellsOf } from '../space/tree/cells.ts';
import { derive, type OptionWeights } from '../space/tree/derive.ts';

/**
 * The architecture that weights select (`derive`), with at most `most` skips in a normal cell: while it has more, the weakest of them is
 * taken out of its choice, and inputs are picked again (Chen et al. 2019, section 3.3.2). A cell is normal if an identity is among the options
 * of each of its edges, so none of them changes the size. A skip stays where its choice has nothing else.
 */
export function deriveWithSkips(space: Space, weights: OptionWeights, most: number): Architecture {
  const normal = cellsOf(space).filter(isNormal);
  let left = weights;
  for (;;) {
    const found = derive(space, left);
    const excess = normal.map((cell) => skipsOf(cell, found, left)).find(({ count }) => count > most);
    if (excess?.weakest === undefined) return found;
    left = { ...left, [excess.weakest.decision]: excess.weakest.others };
  }
}

const isNormal = ({ connections }: Cell) =>
  connections.length > 0 && connections.every(({ edge }) => edge !== undefined && edge.identities.length > 0);

/** The skips of a cell in an architecture, and the weakest of those that can give way, with the weights that its choice has without. */
function skipsOf({ connections }: Cell, architecture: Architecture, weights: OptionWeights) {
  const skips = connections.flatMap(({ from, wiring, edge }) => {
    const picked = wiring === undefined ? undefined : architecture[wiring];
    const isRead = !Array.isArray(picked) || picked.includes(from);
    const option = edge && architecture[edge.decision];
    return edge && isRead && edge.identities.includes(String(option)) ? [{ ...edge, option: String(option) }] : [];
  });
  const candidates = skips.flatMap(({ decision, options, identities, zeros, option }) => {
    const row = Array.from(weights[decision] ?? []);
    const others = row.map((weight, k) => (identities.includes(options[k] ?? '') ? 0 : weight));
    const hasOther = others.some((weight, k) => weight > 0 && !zeros.includes(options[k] ?? ''));
    return hasOther ? [{ decision, others, weight: row[options.indexOf(option)] ?? 0 }] : [];
  });
  const weakest = candidates.reduce<(typeof candidates)[number] | undefined>(
    (best, one) => (best === undefined || one.weight < best.weight ? one : best),
    undefined,
  );
  return { count: skips.length, weakest };
}
