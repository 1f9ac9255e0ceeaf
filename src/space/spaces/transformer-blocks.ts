/** The parts of transformers, for texts and for images. */
import { UserError } from '../../common/errors.ts';
import type { Architecture } from '../space.ts';
import {
  activation,
  attention,
  choice,
  dropout,
  glu,
  layerNorm,
  linear,
  pick,
  positions,
  repeat,
  residual,
  scoped,
  sequential,
  zero,
} from '../tree/builders.ts';
import type { ActivationFunction, Module, Value } from '../tree/module.ts';
import { toMultiple } from '../tree/widths.ts';
import { distinct, openIfSeveral } from './image/images.ts';
import { choiceIfSeveral, type Sequences } from './text/sequences.ts';

/** How large the blocks of a space are, before its decisions. */
export interface BlockSize {
  /** Channels, which a decision multiplies. */
  readonly width: number;
  /** Heads of attention, which a decision halves or doubles. */
  readonly heads: number;
}

const WIDTHS = [0.5, 1, 1.5, 2] as const;
const RATIOS = [1, 2, 4] as const;
/** Feed-forward layers of the form for supernets: activation and ratio. */
const SEARCHED = { gelu1: ['gelu', 1], gelu2: ['gelu', 2], gelu4: ['gelu', 4], swiglu2: ['swiglu', 2] } as const;

/** Throws UserError unless half of the width has the most heads that a block can have. */
export function checkSize({ width, heads }: BlockSize): void {
  if (width % (2 * heads) !== 0)
    throw new UserError(`option width is ${width}; must be a multiple of ${2 * heads}, twice the heads (${heads})`);
}

export const widthOf = ({ width, heads }: BlockSize): Value<number> =>
  openIfSeveral('width', distinct(WIDTHS.map((times) => toMultiple(width * times, 2 * heads))));

/** What the rate of a dropout is chosen from. */
export const dropoutRate = () => pick('dropout', [0, 0.1, 0.2, 0.3]);

const headsOf = ({ heads }: BlockSize) => distinct([heads % 2 === 0 ? heads / 2 : 1, heads, 2 * heads]);

/** What all blocks of a network have in common. */
export interface BlockStyle {
  readonly width: Value<number>;
  readonly isCausal: boolean;
  /** Whether linear layers and layer norms have a bias. */
  readonly bias: boolean;
  /** At the end of each part of a block. */
  readonly dropout: Value<number>;
}

export type NormPlace = 'pre' | 'post';

export const norm = ({ bias }: Pick<BlockStyle, 'bias'>): Module => layerNorm({ axes: 'channel', bias });

/** x + f(norm(x)) (Xiong et al. 2020), or norm(x + f(x)) (Vaswani et al. 2017). */
export function around(place: NormPlace, style: BlockStyle, body: Module): Module {
  const end = style.dropout === 0 ? [] : [dropout(style.dropout)];
  if (place === 'pre') return residual(sequential(norm(style), body, ...end));
  return sequential(residual(sequential(body, ...end)), norm(style));
}

/** How far away a position sees, by name: all positions, and half and a quarter of them where there are enough. */
export function spansOf({ length }: Pick<Sequences, 'length'>): Readonly<Record<string, number | 'all'>> {
  const [half, quarter] = [Math.ceil(length / 2), Math.ceil(length / 4)];
  return {
    all: 'all',
    ...(half < length && { half }),
    ...(quarter < half && { quarter }),
  };
}

export const attend = ({ isCausal, bias }: BlockStyle, heads: number, window: number | 'all' = 'all'): Module =>
  attention(heads, { causal: isCausal, window, bias });

/** By name; the gated ones are those of Shazeer 2020 (arXiv:2002.05202). */
export const PLAIN = { relu: 'relu', gelu: 'gelu', silu: 'silu' } as const satisfies Readonly<
  Record<string, ActivationFunction>
>;
export const GATED = { geglu: 'gelu', swiglu: 'silu' } as const satisfies Readonly<Record<string, ActivationFunction>>;

/** `hidden` widens what is read: to `ratio` times the channels, or twice that before a gate. */
export function feedForward(style: BlockStyle, hidden: (times: 1 | 2) => Module, name: string): Module {
  const isGated = Object.hasOwn(GATED, name);
  const fn = { ...PLAIN, ...GATED }[name as keyof typeof PLAIN | keyof typeof GATED];
  return sequential(
    hidden(isGated ? 2 : 1),
    isGated ? glu(fn) : activation(fn),
    linear(style.width, { bias: style.bias }),
  );
}

export const widened = ({ bias }: BlockStyle, ratio: number): Module => linear('same', { multiple: ratio, bias });

/**
 * Learned positions, or sines and cosines. Vaswani et al. 2017 multiply embeddings by √width before they add sines; here embeddings are
 * normalized, which has the same effect.
 */
export const positionsOf = (): Module =>
  choice('positions', {
    learned: positions('learned'),
    sinusoidal: sequential(layerNorm({ axes: 'channel', affine: false }), positions('sinusoidal')),
  });

/** Attention whose heads are decided. */
export const attendOpen = (style: BlockStyle, size: BlockSize, window: number | 'all' = 'all'): Module =>
  choiceIfSeveral(
    'heads',
    Object.fromEntries(headsOf(size).map((count) => [String(count), attend(style, count, window)])),
  );

/**
 * Blocks of `attention` and a feed-forward layer. The place of norms and the activation are decided once for all, what is open in
 * `attention` and the ratio of the feed-forward layer for each block.
 */
export function openBlocks(style: BlockStyle, depth: Value<number>, attention: Module): Module {
  const hidden = (times: 1 | 2) =>
    scoped(
      'block',
      choice('ratio', Object.fromEntries(RATIOS.map((ratio) => [String(ratio), widened(style, times * ratio)]))),
    );
  const activations = Object.keys({ ...PLAIN, ...GATED }).map((name) => [name, feedForward(style, hidden, name)]);
  const blocks = (place: NormPlace) =>
    repeat(
      depth,
      sequential(
        around(place, style, scoped('block', attention)),
        around(place, style, choice('activation', Object.fromEntries(activations))),
      ),
    );
  return choice('norm', { pre: sequential(blocks('pre'), norm(style)), post: blocks('post') });
}

/**
 * The form for supernets, in which modules are the only choices: for each block its attention, one of several numbers of heads or of
 * `further`, and its feed-forward layer. Both may be left out.
 */
export function searchedBlocks(
  style: BlockStyle,
  size: BlockSize,
  layers: number,
  further: Readonly<Record<string, Module>> = {},
): Module {
  const attentions = Object.fromEntries(headsOf(size).map((heads) => [`heads${heads}`, attend(style, heads)]));
  const dense = Object.entries(SEARCHED).map(([key, [name, ratio]]) => {
    return [key, feedForward(style, (times) => widened(style, times * ratio), name)] as const;
  });
  const block = sequential(
    around('pre', style, choice('attention', { none: zero(), ...attentions, ...further })),
    around('pre', style, choice('feedForward', { none: zero(), ...Object.fromEntries(dense) })),
  );
  return sequential(repeat(layers, scoped('block', block)), norm(style));
}

/** The blocks of a member of the form for supernets: the first `depth` as in GPT-2 and ViT, the others left out. */
export function searchedMember({ heads }: BlockSize, layers: number, depth: number): Architecture {
  const blocks = Array.from({ length: layers }, (_, i) => ({
    [`block/${i}/attention`]: i < depth ? `heads${heads}` : 'none',
    [`block/${i}/feedForward`]: i < depth ? 'gelu4' : 'none',
  }));
  return Object.assign({}, ...blocks);
}

/** What the decisions of `openBlocks` are in a member whose blocks are alike. */
export interface Design {
  readonly norm: NormPlace;
  readonly positions: 'learned' | 'sinusoidal';
  readonly activation: string;
  readonly ratio: number;
  readonly dropout: number;
  readonly depth: number;
}

/** `each`: further decisions of a block. */
export function memberOf(
  { depth, ratio, ...others }: Design,
  { width, heads, layers }: BlockSize & { readonly layers: number },
  each: Readonly<Record<string, string>> = {},
): Architecture {
  const blocks = Array.from({ length: depth }, (_, i) =>
    Object.fromEntries(
      Object.entries({ ...each, heads: String(heads), ratio: String(ratio) }).map(([name, value]) => [
        `block/${i}/${name}`,
        value,
      ]),
    ),
  );
  return Object.assign({ width, ...others, ...(layers > 1 && { depth }) }, ...blocks);
}
