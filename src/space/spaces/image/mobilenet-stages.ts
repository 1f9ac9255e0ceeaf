/** What the decisions of the space `mobilenet` choose between, by its options. */
import { toMultiple } from '../../tree/widths.ts';
import { distinct } from './images.ts';

export interface MobileOptions {
  /** Multiplies all channels, to multiples of 8. */
  readonly width: number;
  /** Multiplies the blocks of each stage, rounded up. */
  readonly depth: number;
  readonly dropout: number;
  /** Whether all decisions are choices between whole blocks, for supernets (mobilenet-search.ts). */
  readonly search: boolean;
}

/** Of the stem, and of the first block of each stage. */
export const STRIDES = [2, 1, 2, 2, 2, 1, 2, 1] as const;
/** Of the side of the image. */
export const RESOLUTIONS = [0.5, 0.625, 0.75, 0.875, 1] as const;
export const ACTIVATIONS = ['relu', 'relu6', 'silu', 'hardSwish'] as const;
export const KERNELS = [3, 5, 7] as const;
/** 2.3 and 2.5 are those of MobileNetV3, which was found by removing channels. */
export const EXPANSIONS = [2.3, 2.5, 3, 4, 6] as const;
export const SQUEEZES = ['none', 'expanded', 'input'] as const;
export const STEMS = ['narrow', 'wide'] as const;
export const HEADS = ['convolution', 'hidden', 'hiddenWithoutBias'] as const;

/** Channels and blocks at `width` and `depth` 1: those of the members, and a few beside them. */
const STAGES = [
  { widths: [16], depths: [1] },
  { widths: [24, 32], depths: [1, 2, 3, 4] },
  { widths: [32, 40, 48], depths: [1, 2, 3, 4] },
  { widths: [64, 80, 96], depths: [1, 2, 3, 4] },
  { widths: [96, 112, 128], depths: [1, 2, 3, 4] },
  { widths: [160, 192, 224], depths: [1, 2, 3, 4] },
  { widths: [320], depths: [0, 1] },
] as const;
const HEAD_WIDTH = 1280;

export interface MobileStage {
  /** The scope of its decisions. */
  readonly name: string;
  /** In rising order. */
  readonly widths: readonly number[];
  readonly depths: readonly number[];
  /** Whether its blocks expand their channels: all but those of the first stage. */
  readonly expands: boolean;
}

export const mobileStages = ({ width, depth }: Pick<MobileOptions, 'width' | 'depth'>): readonly MobileStage[] =>
  STAGES.map((stage, i) => ({
    name: `stage${i + 1}`,
    widths: distinct(stage.widths.map((channels) => toMultiple(channels * width, 8))),
    depths: distinct(stage.depths.map((blocks) => blocksAt(blocks, depth))),
    expands: i > 0,
  }));

/** The multiple is rounded up, without its rounding error. */
export const blocksAt = (blocks: number, depth: number): number => Math.ceil(blocks * depth - 1e-9);

/** Scaled, or as for `width` 1 (MnasNet). */
export const widthsOfHead = ({ width }: Pick<MobileOptions, 'width'>): readonly number[] =>
  distinct([toMultiple(HEAD_WIDTH * width, 8), HEAD_WIDTH]);
