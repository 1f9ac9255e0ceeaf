import { choice, dag, zero } from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import { CELL_OPTIONS, cellNetwork, operationsOf, PUBLISHED_OPTIONS } from './cell-skeleton.ts';
import { dartsText } from './darts-genotype.ts';
import { DARTS_CELLS } from './published-cells.ts';

/** Nodes of a cell after its two inputs, and how many earlier nodes each of them reads in the end. */
const [NODES, KEPT] = [4, 2];

/** In the order of the published code. */
const OPERATIONS = [
  'max_pool_3x3',
  'avg_pool_3x3',
  'skip_connect',
  'sep_conv_3x3',
  'sep_conv_5x5',
  'dil_conv_3x3',
  'dil_conv_5x5',
] as const;

/**
 * DARTS for CIFAR (Liu et al. 2019, arXiv:1806.09055): `cells` cells in a row, those at a third and at two thirds of the
 * depth with stride 2 and twice the channels; `channels` in the first cell. Each cell reads the outputs of the two before
 * it; each of its 4 nodes reads 2 of the earlier ones, through one of 7 operations each. All normal cells are alike, and
 * all reduction cells: (1 · 3 · 6 · 10 · 7^8)^2 = 1.1e18 architectures. Written as the published genotypes are, or named
 * as one of them (`DARTS_CELLS`).
 *
 * `search`: the network that the paper searches with. `none` is an eighth operation, to weigh an edge against nothing; batch
 * norms have no weight and bias; pooling is followed by one. `supernet` of it is the paper's, with all edges. Decisions
 * are the same, so an architecture derived from it is one of the space without `search`. `attention`: the number of heads of a
 * further operation, self-attention (`reluAttentionBn`); 0: there is none.
 *
 * Differs from the published code: images of odd size are allowed.
 */
export const darts = defineSpace(
  'darts',
  (task, options) =>
    cellNetwork(task, options, (entries, place) =>
      dag(
        NODES,
        (from, to) => {
          const stride = place.reduction && from < entries.length ? 2 : 1;
          return choice(`${from}->${to}`, {
            ...(options.search && { none: zero(stride) }),
            ...operationsOf(OPERATIONS, stride, options, place),
          });
        },
        { entries, inputs: KEPT, output: 'concat' },
      ),
    ),
  {
    description:
      'DARTS (Liu et al. 2019): normal and reduction cells of 4 nodes with 2 inputs each; 1.1e18 architectures',
    defaults: CELL_OPTIONS,
    text: dartsText(NODES, KEPT),
    published: { architectures: DARTS_CELLS, options: PUBLISHED_OPTIONS },
  },
);
