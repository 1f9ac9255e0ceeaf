/** Convolution and its gradient by the input, in blocked memory. */
import type { ConvGeometry, Shape } from '../../../graph/ir.ts';
import { lowerConvInputGrad } from '../lowerings/convolution.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, nchwc, transposeTiles, view } from './blocked.ts';
import { filterToPlain, toBlocked, toPlain } from './layout.ts';

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
  /** [O] */
  readonly bias?: Name;
  /** Added to the result, of its shape. */
  readonly sum?: Name;
  readonly relu?: boolean;
}

/** relu?(conv(x, filter) + bias + sum), blocked. */
export function convolve(b: Blocked, { x, filter, kernel, geometry, bias = '', sum = '', relu }: Convolution): Name {
  const inputs = [x, filter, bias, sum];
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

export interface ConvInputGradient {
  readonly dy: Name;
  readonly dyShape: Shape;
  /** The forward's, in its layout: dense, grouped or depthwise. */
  readonly filter: Name;
  readonly filterShape: Shape;
  /** Of dx, the forward's input. */
  readonly shape: Shape;
  readonly geometry: ConvGeometry;
  readonly sum?: Name;
  readonly relu?: boolean;
}

/** relu?(dx + sum), blocked. Not for a stem, whose input is plain. */
export function convInputGrad(b: Blocked, gradient: ConvInputGradient): Name {
  const { dy, filterShape, geometry, shape, sum, relu } = gradient;
  const [, , kh, kw] = four(filterShape);
  const { stride, dilation, pads } = geometry;
  const flippedPads: ConvGeometry['pads'] = [
    dilation[0] * (kh - 1) - pads[0],
    dilation[1] * (kw - 1) - pads[1],
    dilation[0] * (kh - 1) - pads[2],
    dilation[1] * (kw - 1) - pads[3],
  ];
  if (stride.every((n) => n === 1) && flippedPads.every((n) => n >= 0)) {
    return convolve(b, {
      x: dy,
      filter: flippedFilter(b, gradient),
      kernel: [kh, kw],
      geometry: { ...geometry, pads: flippedPads },
      ...(sum === undefined ? {} : { sum }),
      ...(relu === undefined ? {} : { relu }),
    });
  }
  const dx = throughPlain(b, gradient);
  const added = sum === undefined ? dx : b.model.node('Add', [view(b, dx, [-1, ...shape.slice(1)]), sum]);
  return relu === true ? b.model.node('Relu', [added]) : added;
}

/** Turned by 180 degrees, inputs and outputs exchanged. */
function flippedFilter(b: Blocked, { filter, filterShape, geometry }: ConvInputGradient): Name {
  const { model, block } = b;
  const [o, i, kh, kw] = four(filterShape);
  const { groups } = geometry;
  const taps = kh * kw;
  const backwards = Array.from({ length: taps }, (_, tap) => taps - 1 - tap);
  if (i === 1) {
    if (taps === 1) return filter;
    const turned = model.node('Gather', [view(b, filter, [o / block, taps, block]), model.ints(backwards)], {
      axis: 1,
    });
    return view(b, turned, filterShape);
  }
  // Tiles of B inputs by B outputs change places, then each is transposed, as if it were an image of B pixels.
  const [outer, inner] = [o / groups / block, i / block];
  const order = Array.from({ length: groups }, (_, g) =>
    Array.from({ length: inner }, (_, to) =>
      Array.from({ length: outer }, (_, from) =>
        backwards.map((tap) => ((g * outer + from) * inner + to) * taps + tap),
      ),
    ),
  ).flat(3);
  const inPlace = order.every((tile, position) => tile === position);
  const tiles = view(b, filter, [order.length, block * block]);
  const moved = inPlace ? tiles : model.node('Gather', [tiles, model.ints(order)], { axis: 0 });
  return view(b, transposeTiles(b, moved, order.length), [groups * i, o / groups, kh, kw]);
}

function throughPlain(b: Blocked, { dy, dyShape, filter, filterShape, shape, geometry }: ConvInputGradient): Name {
  const [, i] = four(filterShape);
  const inputs = [
    { name: toPlain(b, dy, dyShape), shape: dyShape, batchAxis: undefined },
    {
      name: filterToPlain(b, filter, filterShape, i === 1 ? 'outer' : 'filter'),
      shape: filterShape,
      batchAxis: undefined,
    },
  ];
  const op = { kind: 'convInputGrad', shape, ...geometry } as const;
  return toBlocked(
    b,
    lowerConvInputGrad({ model: b.model, target: 'cpu' }, { op, inputs, shape, batchAxis: undefined }),
  );
}
