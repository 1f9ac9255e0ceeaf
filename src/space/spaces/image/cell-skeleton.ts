/** The network of stacked cells that Liu et al. (2019) use for CIFAR, and the operations of its cells. */
import { UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';
import {
  auxiliary,
  avgPool,
  batchNorm,
  conv,
  dropPath,
  factorizedReduce,
  globalAvgPool,
  identity,
  linear,
  maxPool,
  relu,
  scoped,
  sequential,
  stack,
} from '../../tree/builders.ts';
import { dilatedConv, MOST_ATTENDED, reluAttentionBn, reluConvBn, separableConv } from '../../tree/composites.ts';
import type { Module } from '../../tree/module.ts';
import { imageOf } from './images.ts';

/** The stem has this many times the channels of the first cell. */
const STEM_MULTIPLIER = 3;
const SMALLEST_SIDE = 4;

/** The options of spaces of such cells. */
export const CELL_OPTIONS = {
  channels: { default: 16, whole: true, min: 2, max: 1024 },
  // With fewer, all cells are reductions, and nothing decides the normal one.
  cells: { default: 8, whole: true, min: 3, max: 64 },
  search: false,
  dropPath: { default: 0, min: 0, below: 1 },
  auxiliary: { default: 0, min: 0, max: 10 },
  attention: { default: 0, whole: true, min: 0, max: 64 },
} as const;

export interface CellOptions {
  /** Of the first cell; each reduction doubles them. */
  readonly channels: number;
  readonly cells: number;
  /** The network that is searched with: batch norms have no weight and bias, and pooling is followed by one. */
  readonly search: boolean;
  /** Rate at which paths are dropped in the end: it grows linearly over the epochs. 0: never. */
  readonly dropPath: number;
  /** Weight of an auxiliary head's loss in training; the head stands on the second reduction cell. 0: there is none. */
  readonly auxiliary: number;
  /** Heads of a further operation, self-attention. 0: there is none. */
  readonly attention: number;
}

/** Where a cell stands. */
export interface CellPlace {
  /** Whether it halves the image. */
  readonly reduction: boolean;
  /** Whether its images are too large for attention over all pixels. */
  readonly byRow: boolean;
}

/** How the options published with a cell are compared: the network that Liu et al. train in the end. */
export const PUBLISHED_OPTIONS = { channels: 36, cells: 20 } as const;

/**
 * A stem, `cells` cells in a row, those at a third and at two thirds of the depth with stride 2 and twice the channels, and a linear
 * layer. Each cell reads the outputs of the two before it, brought to its channels: `cellOf` makes a cell from these entries. Decisions
 * have the prefix `normal/` or `reduce/`. Throws UserError for images that are too small.
 */
export function cellNetwork(
  task: Task,
  { channels, cells: count, search, auxiliary: weight, attention: heads }: CellOptions,
  cellOf: (entries: readonly Module[], place: CellPlace) => Module,
): Module {
  const { height, width } = imageOf(task);
  if (Math.min(height, width) < SMALLEST_SIDE) {
    throw new UserError(`images are ${height}x${width}; both sides must be at least ${SMALLEST_SIDE}`);
  }
  if (heads > 0 && channels % heads !== 0)
    throw new UserError(
      `option attention is ${heads}; its heads must divide the channels of the first cell, ${channels}`,
    );
  const reductions = [Math.floor(count / 3), Math.floor((2 * count) / 3)];
  const affine = { affine: !search };

  let current = channels;
  let sides: readonly number[] = [height, width];
  let afterReduction = false;
  const cells = Array.from({ length: count }, (_, i) => {
    const reduction = reductions.includes(i);
    if (reduction) {
      current *= 2;
      sides = sides.map((side) => Math.ceil(side / 2));
    }
    const byRow = sides.reduce((product, side) => product * side, 1) > MOST_ATTENDED;
    const older = afterReduction ? factorizedReduce(current, affine) : reluConvBn(1, current, 1, affine);
    afterReduction = reduction;
    const cell = cellOf([older, reluConvBn(1, current, 1, affine)], { reduction, byRow });
    const placed = scoped(reduction ? 'reduce' : 'normal', cell);
    return weight > 0 && i === reductions[1]
      ? auxiliary(placed, auxiliaryHead(quarter(height), quarter(width)), weight)
      : placed;
  });
  return sequential(
    conv(STEM_MULTIPLIER * channels, 3),
    batchNorm(),
    stack(...cells),
    globalAvgPool(),
    linear('outputs'),
  );
}

/** A side after both reductions. */
const quarter = (side: number) => Math.ceil(Math.ceil(side / 2) / 2);

/** The head that Liu et al. take for CIFAR, whose images are 8x8 there; smaller ones are not pooled. */
function auxiliaryHead(height: number, width: number): Module {
  const smaller = Math.min(height, width);
  return sequential(
    relu(),
    ...(smaller >= 5 ? [avgPool(5, { stride: 3, padding: 0 })] : []),
    conv(128, 1),
    batchNorm(),
    relu(),
    conv(768, smaller >= 8 || (smaller < 5 && smaller >= 2) ? 2 : 1),
    batchNorm(),
    relu(),
    globalAvgPool(),
    linear('outputs'),
  );
}

/** The operations of published cells, by the names of the published code. */
export type OperationName =
  | 'max_pool_3x3'
  | 'avg_pool_3x3'
  | 'skip_connect'
  | 'sep_conv_3x3'
  | 'sep_conv_5x5'
  | 'sep_conv_7x7'
  | 'dil_conv_3x3'
  | 'dil_conv_5x5'
  | 'conv_7x1_1x7';

/** These operations, in this order, and attention where it has heads, on an edge of the stride. As in the published code, drop path spares an identity. */
export function operationsOf(
  names: readonly OperationName[],
  stride: 1 | 2,
  { search, dropPath: rate, attention: heads }: Pick<CellOptions, 'search' | 'dropPath' | 'attention'>,
  { byRow }: Pick<CellPlace, 'byRow'> = { byRow: false },
): Readonly<Record<string, Module>> {
  const affine = { affine: !search };
  const pooled = (pool: Module) => (search ? [pool, batchNorm(affine)] : [pool]);
  const layersOf = (block: Module) => (block.kind === 'sequential' ? block.children : [block]);
  const layers: Readonly<Record<OperationName | 'attention', () => readonly Module[]>> = {
    attention: () => layersOf(reluAttentionBn(heads, { stride, byRow, ...affine })),
    max_pool_3x3: () => pooled(maxPool(3, { stride })),
    avg_pool_3x3: () => pooled(avgPool(3, { stride })),
    skip_connect: () => [factorizedReduce('same', affine)],
    sep_conv_3x3: () => layersOf(separableConv(3, 'same', stride, affine)),
    sep_conv_5x5: () => layersOf(separableConv(5, 'same', stride, affine)),
    sep_conv_7x7: () => layersOf(separableConv(7, 'same', stride, affine)),
    dil_conv_3x3: () => layersOf(dilatedConv(3, 'same', stride, affine)),
    dil_conv_5x5: () => layersOf(dilatedConv(5, 'same', stride, affine)),
    conv_7x1_1x7: () => [
      relu(),
      conv('same', [1, 7], { stride: [1, stride] }),
      conv('same', [7, 1], { stride: [stride, 1] }),
      batchNorm(affine),
    ],
  };
  return Object.fromEntries(
    [...names, ...(heads > 0 ? (['attention'] as const) : [])].map((name) => [
      name,
      name === 'skip_connect' && stride === 1
        ? identity()
        : sequential(...layers[name](), ...(rate > 0 ? [dropPath(rate, { growing: true })] : [])),
    ]),
  );
}
