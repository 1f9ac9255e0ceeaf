import type { Architecture } from '../../space.ts';
import { choice, dagOfNodes, pick, pickInputs } from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import { CELL_OPTIONS, cellNetwork, operationsOf, PUBLISHED_OPTIONS } from './cell-skeleton.ts';
import { type CellGenotype, genotypeText, INPUTS, type Pair } from './genotype.ts';
import { NASNET_CELLS } from './published-cells.ts';

/** Nodes of a cell after its two inputs. */
const NODES = 5;
/** The two things that a node adds. */
const SIDES = ['a', 'b'] as const;
const NUMBERS = Array.from({ length: NODES }, (_, i) => INPUTS + i);

/** Those of Liu et al. 2018 and Real et al. 2019: of NASNet's 13 operations the 8 that its searches have found useful. */
const OPERATIONS = [
  'max_pool_3x3',
  'avg_pool_3x3',
  'skip_connect',
  'sep_conv_3x3',
  'sep_conv_5x5',
  'sep_conv_7x7',
  'dil_conv_3x3',
  'conv_7x1_1x7',
] as const;

/**
 * The NASNet search space (Zoph et al. 2018, arXiv:1707.07012), with the operations of PNASNet and AmoebaNet: each of the 5 nodes of a
 * cell adds two things, `a` and `b`, each of which is one of 8 operations on any earlier node. Both can be on the same one. A cell puts out
 * all its nodes (`output` is concat) or those that no other node reads (loose, as in the paper), concatenated. All normal cells are alike,
 * and all reduction cells: (2 · (720 · 8^5)^2)^2 = 1.2e30 architectures. Written as the published genotypes are, two pairs for each node, or
 * named as one of them (`NASNET_CELLS`); nodes that are put out are a range where they are all, and a list where they are loose.
 *
 * Cells stand in the skeleton of `darts`, with its options. With `search`, batch norms have no weight and bias, and pooling is followed by
 * one. `attention`: the number of heads of a further operation, self-attention; 0: there is none. A supernet puts out all nodes of a cell, so what is
 * derived from it does.
 *
 * Differs from the paper: the skeleton; a cell of one kind reads the outputs of both cells before it at its own number of channels by
 * factorized reduction, and dropped paths are those of DARTS.
 */
export const nasnet = defineSpace(
  'nasnet',
  (task, options) =>
    cellNetwork(task, options, (entries, place) =>
      dagOfNodes(
        NODES,
        (to) => {
          const [first, ...further] = SIDES.map((side) => ({
            from: pickInputs(`${to}${side}<-`, 1),
            edge: (from: number) =>
              choice(
                `${to}${side}`,
                operationsOf(OPERATIONS, place.reduction && from < entries.length ? 2 : 1, options, place),
              ),
          }));
          return { ...first, further };
        },
        { entries, output: pick('output', ['concat', 'loose']) },
      ),
    ),
  {
    description:
      'NASNet (Zoph et al. 2018): cells of 5 nodes that each add two operations on earlier nodes; 1.2e30 architectures',
    defaults: CELL_OPTIONS,
    text: genotypeText({
      nodes: NODES,
      kept: SIDES.length,
      published: NASNET_CELLS,
      cellOf(architecture, cell) {
        const pairs = NUMBERS.flatMap((to) => SIDES.map((side) => pairOf(architecture, `${cell}/${to}${side}`)));
        return { pairs, concat: architecture[`${cell}/output`] === 'loose' ? looseOf(pairs) : 'all' };
      },
      decisionsOf(cell, genotype, refuse) {
        const loose = looseOf(genotype.pairs);
        const { concat = loose } = genotype;
        const isLoose = String(concat) === String(loose);
        if (!isLoose && concat !== 'all' && concat.length < NODES) {
          const all = `range(${INPUTS}, ${INPUTS + NODES})`;
          throw refuse(
            `${cell}_concat is [${concat.join(', ')}]`,
            `must be all nodes, ${all}, or those that no other node reads, [${loose.join(', ')}]`,
          );
        }
        const sides = NUMBERS.flatMap((to) => SIDES.map((side) => `${cell}/${to}${side}`));
        return [
          ...genotype.pairs.flatMap(([operation, from], i) => [
            [`${sides[i]}<-`, [from]] as const,
            [sides[i] ?? '', operation] as const,
          ]),
          [`${cell}/output`, isLoose ? 'loose' : 'concat'] as const,
        ];
      },
    }),
    published: { architectures: NASNET_CELLS, options: PUBLISHED_OPTIONS },
  },
);

function pairOf(architecture: Architecture, side: string): Pair {
  const from = architecture[`${side}<-`];
  return [String(architecture[side]), Array.isArray(from) ? Number(from[0]) : Number.NaN];
}

function looseOf(pairs: CellGenotype['pairs']): readonly number[] {
  const read = new Set(pairs.map(([, from]) => from));
  return NUMBERS.filter((node) => !read.has(node));
}
