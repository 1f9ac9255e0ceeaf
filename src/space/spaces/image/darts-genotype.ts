import type { Architecture, TextForm } from '../../space.ts';
import { genotypeText, INPUTS, type Pair } from './genotype.ts';
import { DARTS_CELLS } from './published-cells.ts';

/** The notation of the space `darts`: `kept` different nodes are read by each of `nodes` nodes; all of these are put out. */
export function dartsText(nodes: number, kept: number): TextForm {
  const numbers = Array.from({ length: nodes }, (_, i) => INPUTS + i);

  function inputsOf(architecture: Architecture, cell: string, to: number): readonly number[] {
    const picked = architecture[`${cell}/${to}<-`];
    return Array.isArray(picked) ? picked.map(Number) : Array.from({ length: to }, (_, from) => from);
  }

  return genotypeText({
    nodes,
    kept,
    published: DARTS_CELLS,
    cellOf: (architecture, cell) => ({
      pairs: numbers.flatMap((to) =>
        inputsOf(architecture, cell, to).map((from): Pair => [String(architecture[`${cell}/${from}->${to}`]), from]),
      ),
      concat: 'all',
    }),
    decisionsOf(cell, { pairs, concat }, refuse) {
      if (Array.isArray(concat) && concat.length < nodes)
        throw refuse(`${cell}_concat is [${concat.join(', ')}]`, `must be all nodes, range(2,${INPUTS + nodes})`);
      return numbers.flatMap((to, i) => {
        const own = pairs.slice(i * kept, (i + 1) * kept).toSorted(([, a], [, b]) => a - b);
        const from = own.map(([, one]) => one);
        if (new Set(from).size < kept)
          throw refuse(
            `node ${to} of ${cell} reads ${from.join(' and ')}`,
            `must be ${kept} different nodes below ${to}`,
          );
        const edges = own.map(([operation, one]) => [`${cell}/${one}->${to}`, operation] as const);
        return to > kept ? [[`${cell}/${to}<-`, from] as const, ...edges] : edges;
      });
    },
  });
}
