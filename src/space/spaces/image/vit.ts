import type { Architecture, PublishedArchitectures, Task } from '../../space.ts';
import { formatDecisions } from '../../tree/architecture.ts';
import {
  choice,
  classToken,
  dropout,
  globalAvgPool,
  identity,
  last,
  linear,
  patches,
  positions,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { numberFrom } from '../text/sequences.ts';
import { trainingOf, withTraining } from '../training.ts';
import {
  attendOpen,
  type BlockSize,
  type BlockStyle,
  checkSize,
  type Design,
  dropoutRate,
  memberOf,
  openBlocks,
  positionsOf,
  searchedBlocks,
  searchedMember,
  widthOf,
} from '../transformer-blocks.ts';
import { type ImageSize, imageOf, openIfSeveral } from './images.ts';

interface VitOptions extends BlockSize {
  /** Blocks at most. */
  readonly layers: number;
  readonly search: boolean;
  readonly tune: boolean;
}

/** Patches of an image: attention costs their number squared, and fewer say little of what is where. */
const [MOST_PATCHES, FEWEST_PATCHES] = [256, 4];
/** Sizes of patches that a space decides between. */
const SIZES = 3;

/** As published with GELU and four times the channels in the feed-forward layers, norms before each part. */
const PLAIN = { norm: 'pre', positions: 'learned', activation: 'gelu', ratio: 4, dropout: 0 } as const;

/** Vision transformers train by AdamW (Dosovitskiy et al. 2021, Touvron et al. 2021), not by the SGD of convolutional networks. */
const TRAINING = { optimizer: 'adamw', learningRate: 0.003, weightDecay: 0.05 } as const;

/**
 * Vision transformers (Dosovitskiy et al. 2021, arXiv:2010.11929) for images: patches of pixels, each brought to the width by one linear
 * layer, a vector for each position, and the blocks of the space `transformer`. The answer is read from a class token, or from the mean over all
 * patches (Beyer et al. 2022, arXiv:2205.01580).
 *
 * Decided are the size of patches (the three smallest powers of 2 with 4 to 256 patches of an image), the width, depth, place of the layer norms,
 * positions, activation of the feed-forward layers, dropout, and for each block its heads and ratio, as in AutoFormer (Chen et al. 2021,
 * arXiv:2107.00651). 1.1e9 architectures. Sides that patches do not divide are filled with zeros.
 *
 * The option `search` fixes all but the blocks, whose parts are then choices between modules, for supernets. Differs from the paper: no dropout
 * of attention weights; linear layers start as Glorot has it; sines are along the order of the patches, not along both sides.
 */
export const vit = defineSpace(
  'vit',
  (task, options) => {
    const image = imageOf(task);
    checkSize(options);
    const network = options.search ? searchedNetwork(image, options) : openNetwork(image, options);
    return withTraining(network, task, options);
  },
  {
    description:
      'vision transformers: size of patches, class token or mean, depth, width, heads, feed-forward ratio and activation, place of ' +
      'norms, positions, dropout; 1.1e9 architectures',
    defaults: {
      layers: { default: 6, whole: true, min: 1, max: 96 },
      width: { default: 64, whole: true, min: 2, max: 16_384 },
      heads: { default: 4, whole: true, min: 1, max: 128 },
      search: false,
      tune: false,
    },
    training: TRAINING,
    handDesigned: (task, options) => designedMembers(task, options),
    published: publishedVits(),
  },
);

/** The sides that a patch may have. */
function sizesOf({ height, width }: ImageSize): readonly number[] {
  const fitting = Array.from({ length: 12 }, (_, i) => 2 ** i).filter((size) => {
    const count = Math.ceil(height / size) * Math.ceil(width / size);
    return count <= MOST_PATCHES && count >= FEWEST_PATCHES;
  });
  return fitting.length > 0 ? fitting.slice(0, SIZES) : [1];
}

/** The one in the middle, which members have and the form for supernets. */
const usualSize = (sizes: readonly number[]): number => sizes[Math.floor((sizes.length - 1) / 2)] ?? 1;

const styleOf = (options: VitOptions): BlockStyle => ({
  ...{ width: widthOf(options), isCausal: false, bias: true },
  dropout: dropoutRate(),
});

/** One decision at both of its places: before the positions, and behind the last block. */
const pooling = (token: Module, mean: Module): Module => choice('pool', { token, mean });

function openNetwork(image: ImageSize, options: VitOptions): Module {
  const style = styleOf(options);
  return sequential(
    patches(openIfSeveral('patch', sizesOf(image))),
    linear(style.width),
    pooling(classToken(), identity()),
    positionsOf(),
    dropout(style.dropout),
    openBlocks(style, numberFrom('depth', 1, options.layers), attendOpen(style, options)),
    pooling(last({ at: 'start' }), globalAvgPool()),
    linear('outputs'),
  );
}

/** Choices between modules alone: the mean over patches of one size. */
function searchedNetwork(image: ImageSize, options: VitOptions): Module {
  const { width, layers } = options;
  return sequential(
    patches(usualSize(sizesOf(image))),
    linear(width),
    positions('learned'),
    searchedBlocks({ width, isCausal: false, bias: true, dropout: 0 }, options, layers),
    globalAvgPool(),
    linear('outputs'),
  );
}

function designedMembers(task: Task, options: VitOptions): Readonly<Record<string, Architecture>> {
  const training = options.tune ? { ...trainingOf(task), ...TRAINING } : {};
  const depth = Math.min(4, options.layers);
  if (options.search) return { vit: { ...training, ...searchedMember(options, options.layers, depth) } };
  const sizes = sizesOf(imageOf(task));
  const patch = sizes.length > 1 ? { patch: usualSize(sizes) } : {};
  const of = (pool: 'token' | 'mean', design: Pick<Design, 'depth' | 'ratio'>) => ({
    ...training,
    ...memberOf({ ...PLAIN, ...design }, options),
    ...{ pool, ...patch },
  });
  return {
    'small-vit': of('mean', { depth: Math.min(2, depth), ratio: 2 }),
    'pooled-vit': of('mean', { depth, ratio: 4 }),
    vit: of('token', { depth, ratio: 4 }),
  };
}

/** Compared for ImageNet. */
function publishedVits(): PublishedArchitectures {
  const of = (options: Pick<VitOptions, 'layers' | 'width' | 'heads'>, patch: number) => ({
    text: formatDecisions({ ...memberOf({ ...PLAIN, depth: options.layers }, options), ...{ pool: 'token', patch } }),
    options,
  });
  const [tiny, small, base, large] = [
    { layers: 12, width: 192, heads: 3 },
    { layers: 12, width: 384, heads: 6 },
    { layers: 12, width: 768, heads: 12 },
    { layers: 24, width: 1024, heads: 16 },
  ];
  const dosovitskiy = {
    paper: 'Dosovitskiy et al. 2021, arXiv:2010.11929',
    source: 'google-research/vision_transformer vit_jax/models_vit.py',
  };
  const touvron = { paper: 'Touvron et al. 2021, arXiv:2012.12877', source: 'facebookresearch/deit models.py' };
  return {
    task: { kind: 'classification', input: [3, 224, 224], outputs: 1000 },
    options: {},
    architectures: {
      'DeiT-Ti': { ...of(tiny, 16), ...touvron },
      'DeiT-S': { ...of(small, 16), ...touvron },
      'ViT-B-16': { ...of(base, 16), ...dosovitskiy },
      'ViT-B-32': { ...of(base, 32), ...dosovitskiy },
      'ViT-L-16': { ...of(large, 16), ...dosovitskiy },
    },
  };
}
