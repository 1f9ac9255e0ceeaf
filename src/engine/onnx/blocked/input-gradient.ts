/** The gradient of a convolution by its input, in blocked memory: a convolution of dy by the filter turned by 180 degrees. */
import type { ConvGeometry, Shape } from '../../../graph/ir.ts';
import { lowerConvInputGrad } from '../lowerings/convolution.ts';
import { four } from '../value.ts';
import { type Blocked, type Name, transposeTiles, view } from './blocked.ts';
import { filterToPlain, toBlocked, toPlain } from './layout.ts';
import { type Spreading, spread } from './spread.ts';

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
  /** Gradients of the same shape, under the same stride, that are added. */
  readonly others?: readonly Omit<ConvInputGradient, 'sum' | 'relu' | 'others'>[];
}

/** relu?(dx + sum), blocked. Not for a stem, whose input is plain. */
export function convInputGrad(b: Blocked, gradient: ConvInputGradient): Name {
  const { sum, relu, others = [] } = gradient;
  const dx = spread(b, {
    ...spreadingOf(b, gradient),
    ...(sum !== undefined && { sum }),
    ...(relu !== undefined && { relu }),
    ...(others.length > 0 && { others: others.map((other) => spreadingOf(b, other)) }),
  });
  if (dx !== undefined) return dx;
  if (others.length > 0) {
    const { others: _, relu: __, ...first } = gradient;
    const last = others.length - 1;
    return others.reduce(
      (total, other, i) => {
        return convInputGrad(b, { ...other, sum: total, relu: relu === true && i === last });
      },
      convInputGrad(b, first),
    );
  }
  const plain = throughPlain(b, gradient);
  const added = sum === undefined ? plain : b.model.node('Add', [plain, sum]);
  return relu === true ? b.model.node('Relu', [added]) : added;
}

function spreadingOf(b: Blocked, gradient: ConvInputGradient): Omit<Spreading, 'sum' | 'relu' | 'others'> {
  const { dy, dyShape, filterShape, geometry, shape } = gradient;
  const [, , kh, kw] = four(filterShape);
  const filter: Spreading['filter'] = (rows, columns) => turnedFilter(b, gradient, rows, columns);
  return { dy, dyShape, ...geometry, shape, kernel: [kh, kw], filter };
}

/** The given taps in the given order, inputs and outputs exchanged. */
function turnedFilter(
  b: Blocked,
  { filter, filterShape, geometry }: ConvInputGradient,
  rows: readonly number[],
  columns: readonly number[],
): Name {
  const { model, block } = b;
  const [o, i, kh, kw] = four(filterShape);
  const { groups } = geometry;
  const chosen = rows.flatMap((ky) => columns.map((kx) => ky * kw + kx));
  const taps = kh * kw;
  const pick = (from: readonly number[], all: Name, axis: number, count: number) =>
    from.length === count && from.every((at, position) => at === position)
      ? all
      : model.node('Gather', [all, model.ints(from)], { axis });
  if (i === 1) {
    const picked = pick(chosen, view(b, filter, [o / block, taps, block]), 1, taps);
    return view(b, picked, [o, 1, rows.length, columns.length]);
  }
  // Tiles of B inputs by B outputs change places, and each is transposed.
  const [outer, inner] = [o / groups / block, i / block];
  const tiles = Array.from({ length: groups }, (_, g) =>
    Array.from({ length: inner }, (_, to) =>
      Array.from({ length: outer }, (_, from) => chosen.map((tap) => ((g * outer + from) * inner + to) * taps + tap)),
    ),
  ).flat(3);
  const count = (o / block) * inner * taps;
  const moved = pick(tiles, view(b, filter, [count, block * block]), 0, count);
  return view(b, transposeTiles(b, moved, tiles.length), [groups * i, o / groups, rows.length, columns.length]);
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
