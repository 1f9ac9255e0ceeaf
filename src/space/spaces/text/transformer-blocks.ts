/** The parts of transformers. */
import {
  activation,
  attention,
  choice,
  dropout,
  glu,
  layerNorm,
  linear,
  positions,
  residual,
  sequential,
} from '../../tree/builders.ts';
import type { ActivationFunction, Module, Value } from '../../tree/module.ts';
import type { Sequences } from './sequences.ts';

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
