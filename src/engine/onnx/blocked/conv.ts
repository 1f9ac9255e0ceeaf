/** Convolution in blocked memory. */
import type { ConvGeometry, Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, view } from './blocked.ts';

/** dense, grouped: filters in `filter` layout; depthwise, stem: in `outer` layout. A stem reads plain memory. */
export type ConvKind = 'dense' | 'grouped' | 'depthwise' | 'stem';

/** As what the blocked convolution computes x [N, C, H, W] by w [O, C/groups, kH, kW]; undefined where it cannot. */
export function canConvolve(block: number, x: Shape, w: Shape, geometry: ConvGeometry): ConvKind | undefined {
  const [, c] = four(x);
  const [o, i] = four(w);
  const { groups } = geometry;
  const whole = (channels: number) => channels % block === 0;
  if (groups === c && o === c && i === 1) return whole(c) ? 'depthwise' : undefined;
  if (groups === 1 && i < block) return whole(o) ? 'stem' : undefined;
  if (!whole(i) || !whole(o / groups)) return undefined;
  return groups === 1 ? 'dense' : 'grouped';
}

export function filterLayout(kind: ConvKind): 'filter' | 'outer' {
  return kind === 'dense' || kind === 'grouped' ? 'filter' : 'outer';
}

export interface Convolution {
  readonly x: Name;
  /** In the layout of the convolution's kind. */
  readonly filter: Name;
  readonly kernel: readonly [number, number];
  readonly geometry: ConvGeometry;
  /** [O], or another shape of its memory. */
  readonly bias?: Name;
  /** Added to the result, of its shape. */
  readonly sum?: Name;
  readonly relu?: boolean;
}

/** relu?(conv(x, filter) + bias + sum), blocked. */
export function convolve(b: Blocked, { x, filter, kernel, geometry, bias = '', sum = '', relu }: Convolution): Name {
  // Of a bias only the memory is read: in whatever shape it is at hand.
  const [atHand] = b.model.shapesOf(bias);
  const inputs = [x, filter, atHand === undefined ? bias : view(b, bias, atHand), sum];
  while (inputs.at(-1) === '') inputs.pop();
  return nchwc(b, 'Conv', inputs, {
    kernel_shape: kernel,
    strides: geometry.stride,
    dilations: geometry.dilation,
    pads: geometry.pads,
    group: geometry.groups,
    ...(relu === true ? { activation: 'Relu' } : {}),
  });
}
