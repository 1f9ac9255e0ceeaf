import { UserError } from '../../../common/errors.ts';
import {
  avgPool,
  batchNorm,
  choice,
  conv,
  dag,
  dropPath,
  factorizedReduce,
  globalAvgPool,
  identity,
  linear,
  maxPool,
  scoped,
  sequential,
  stack,
  zero,
} from '../../tree/builders.ts';
import { dilatedConv, reluConvBn, separableConv } from '../../tree/composites.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { genotypeText } from './darts-genotype.ts';
import { imageOf } from './images.ts';

/** Nodes of a cell after its two inputs, and how many earlier nodes each of them reads in the end. */
const [NODES, KEPT] = [4, 2];
/** The stem has this many times the channels of the first cell. */
const STEM_MULTIPLIER = 3;
const SMALLEST_SIDE = 4;

/**
 * DARTS for CIFAR (Liu et al. 2019, arXiv:1806.09055): `cells` cells in a row, those at a third and at two thirds of the
 * depth with stride 2 and twice the channels; `channels` in the first cell. Each cell reads the outputs of the two before
 * it; each of its 4 nodes reads 2 of the earlier ones, through one of 7 operations each. All normal cells are alike, and
 * all reduction cells: (1 · 3 · 6 · 10 · 7^8)^2 = 1.1e18 architectures. Written as the published genotypes are, or named
 * as one of them (`GENOTYPES`).
 *
 * `search`: the network that the paper searches with. `none` is an eighth operation, to weigh an edge against nothing; batch
 * norms have no weight and bias; pooling is followed by one. `supernet` of it is the paper's, with all edges. Decisions
 * are the same, so an architecture derived from it is one of the space without `search`.
 *
 * Differs from the published code: drop path has a fixed rate (`dropPath`, finally 0.2 there) in place of one that grows
 * with the epochs; there is no auxiliary head; images of odd size are allowed.
 */
export const darts = defineSpace(
  'darts',
  (task, options) => {
    const { height, width } = imageOf(task);
    if (Math.min(height, width) < SMALLEST_SIDE) {
      throw new UserError(`images are ${height}x${width}; both sides must be at least ${SMALLEST_SIDE}`);
    }
    const { channels, cells: count, search, dropPath: rate } = options;
    const reductions = [Math.floor(count / 3), Math.floor((2 * count) / 3)];
    const affine = { affine: !search };

    let current = channels;
    let afterReduction = false;
    const cells = Array.from({ length: count }, (_, i) => {
      const reduction = reductions.includes(i);
      if (reduction) current *= 2;
      const older = afterReduction ? factorizedReduce(current, affine) : reluConvBn(1, current, 1, affine);
      afterReduction = reduction;
      const cell = dag(NODES, (from, to) => edge(from, to, reduction && from < 2 ? 2 : 1, search, rate), {
        entries: [older, reluConvBn(1, current, 1, affine)],
        inputs: KEPT,
        output: 'concat',
      });
      return scoped(reduction ? 'reduce' : 'normal', cell);
    });
    return sequential(
      conv(STEM_MULTIPLIER * channels, 3),
      batchNorm(),
      stack(...cells),
      globalAvgPool(),
      linear('outputs'),
    );
  },
  {
    description:
      'DARTS (Liu et al. 2019): normal and reduction cells of 4 nodes with 2 inputs each; 1.1e18 architectures',
    defaults: {
      channels: { default: 16, whole: true, min: 2, max: 1024 },
      cells: { default: 8, whole: true, min: 1, max: 64 },
      search: false,
      dropPath: { default: 0, min: 0, below: 1 },
    },
    text: genotypeText(NODES, KEPT),
  },
);

/** The operations of one edge, in the order and with the names of the published code. */
function edge(from: number, to: number, stride: 1 | 2, search: boolean, rate: number): Module {
  const affine = { affine: !search };
  const pooled = (pool: Module) => (search ? [pool, batchNorm(affine)] : [pool]);
  const layersOf = (block: Module) => (block.kind === 'sequential' ? block.children : [block]);
  // As in the published code, drop path spares an identity.
  const operation = (layers: readonly Module[]) => sequential(...layers, ...(rate > 0 ? [dropPath(rate)] : []));
  return choice(`${from}->${to}`, {
    ...(search && { none: zero(stride) }),
    max_pool_3x3: operation(pooled(maxPool(3, { stride }))),
    avg_pool_3x3: operation(pooled(avgPool(3, { stride }))),
    skip_connect: stride === 1 ? identity() : operation([factorizedReduce('same', affine)]),
    sep_conv_3x3: operation(layersOf(separableConv(3, 'same', stride, affine))),
    sep_conv_5x5: operation(layersOf(separableConv(5, 'same', stride, affine))),
    dil_conv_3x3: operation(layersOf(dilatedConv(3, 'same', stride, affine))),
    dil_conv_5x5: operation(layersOf(dilatedConv(5, 'same', stride, affine))),
  });
}
