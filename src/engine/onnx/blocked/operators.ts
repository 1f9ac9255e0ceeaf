/** Operators that have their own form in the blocked layout: element by element, reductions, cuts, weight gradients. */
import type { NodeId, OpOf, Shape } from '../../../graph/ir.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { broadcastForm, elementwise } from '../forms.ts';
import { REDUCE } from '../lowerings/reduce.ts';
import { four } from '../value.ts';
import { emittedVector } from '../vectors.ts';
import { type Name, nchwc, transposeTiles } from './blocked.ts';
import { channelDot, channelMean, gated } from './channels.ts';
import { canConvolve, filterLayout } from './conv.ts';
import type { Layout } from './layout.ts';
import { withoutFirst } from './shift.ts';
import { type BlockedSite, blocked, type Emitted } from './site.ts';
import type { ConvWeightGradient } from './tiled-gradient.ts';
import { blockedView, isWhole, operandView, wholeView } from './views.ts';
import { convWeightGrad } from './weight-gradient.ts';

export function lowerElementwise(s: BlockedSite, id: NodeId, type: string, layout: Layout): Emitted | undefined {
  const { at, b, batchAxis, block, model, read, reshape, shapeOf } = s;
  const { inputs, shape } = at(id);
  const open = batchAxis(id);
  const narrow = inputs.map((from, i) => narrowed(s, from, shape, inputs[1 - i]));
  if (narrow.every((from) => `${shapeOf(from)}` === `${shape}` || sizeOf(shapeOf(from)) === 1)) {
    const operands = narrow.map((from) =>
      `${shapeOf(from)}` === `${shape}`
        ? { name: read(from, layout), shape }
        : { name: reshape(read(from, 'plain'), []), shape: [] },
    );
    const make = (names: readonly Name[]) => model.node(type, names);
    const name = open === undefined ? elementwise(model, make, operands, shape) : make(operands.map((o) => o.name));
    return { name, layout };
  }
  const [whole, factors] = `${shapeOf(narrow[0] as NodeId)}` === `${shape}` ? narrow : narrow.toReversed();
  if (type === 'Mul' && layout === 'blocked' && open === undefined && isByImage(shapeOf(factors as NodeId), shape)) {
    return blocked(gated(b, read(whole as NodeId, 'blocked'), read(factors as NodeId, 'plain'), shape));
  }
  const views: Name[] = [];
  for (const from of narrow) {
    const own = shapeOf(from);
    if (`${own}` === `${shape}`) {
      views.push(reshape(read(from, layout), wholeView(block, shape, layout), open));
      continue;
    }
    const view = operandView(block, own, shape, layout);
    if (view === undefined) return undefined;
    const name = read(from, view.as);
    if (batchAxis(from) === undefined) views.push(broadcastForm(model, { name, shape: own }, view.dims).name);
    else views.push(reshape(name, view.dims, open));
  }
  return { name: reshape(model.node(type, views), shape, open, wholeView(block, shape, layout)), layout };
}

/** [N, C, 1, 1] beside [N, C, H, W], of several images. */
function isByImage(own: Shape, [n = 1, c]: Shape): boolean {
  return n > 1 && `${own}` === `${[n, c, 1, 1]}`;
}

/** The node before a broadcast that its partner, a whole tensor, brings about anyway. */
function narrowed(s: BlockedSite, id: NodeId, shape: Shape, partner: NodeId | undefined): NodeId {
  const { at, shapeOf } = s;
  const { op, inputs } = at(id);
  if (op.kind !== 'broadcastTo' || partner === undefined || at(partner).op.kind === 'broadcastTo') return id;
  return `${shapeOf(partner)}` === `${shape}` ? (inputs[0] as NodeId) : id;
}

export function lowerReduce(s: BlockedSite, id: NodeId, op: OpOf<'reduce'>): Emitted | undefined {
  const { at, b, batchAxis, block, emitter, fusion, layouts, model, read, reshape, shapeOf } = s;
  const { inputs, shape } = at(id);
  const x = inputs[0] as NodeId;
  const from = shapeOf(x);
  const plain = (name: Name): Emitted => ({ name, layout: 'plain' });
  const result = (vector: Name): Emitted => emittedVector(emitter, vector, shape);
  const pair = fusion.dot(id);
  const perChannel = sizeOf(from) / (from[1] ?? Number.NaN);
  const times = (name: Name, factor: number) =>
    factor === 1 ? name : model.node('Mul', [name, model.floats([], [factor])]);
  // A product that something else reads as well is there in any case, and its mean reads one tensor where this reads two.
  if (pair !== undefined && fusion.absorbed(x) && layouts[pair[0]] === 'blocked' && batchAxis(x) === undefined) {
    const factor = op.fn === 'mean' ? 1 / perChannel : 1;
    return result(channelDot(b, read(pair[0], 'blocked'), read(pair[1], 'blocked'), from, factor));
  }
  const layout = layouts[x] as Layout;
  if (layout === 'plain') return undefined;
  if (op.axes.length === 4) return plain(reduceAll(s, op, read(x, layout)));
  // An image's numbers lie together in either layout.
  if (layout === 'blocked' && `${op.axes}` === '1,2,3') return plain(reduceAll(s, op, read(x, layout)));
  if (op.fn === 'max') return undefined;
  const axes = `${op.axes}`;
  const [o, ...inner] = four(from);
  if (layout === 'filter' && (axes === '1,2,3' || (axes === '1' && inner[1] * inner[2] === 1))) {
    const image = reshape(read(x, layout), [o / block, sizeOf(inner), block]);
    const sums = model.node(REDUCE[op.fn], [image, model.ints([1])], { keepdims: 0 });
    return result(reshape(sums, [o], undefined, [o / block, block]));
  }
  if (layout !== 'blocked') return undefined;
  const image = read(x, 'blocked');
  if (axes === '0,2,3' && batchAxis(x) === undefined)
    return result(channelMean(b, image, from, op.fn === 'sum' ? perChannel : 1));
  if (axes === '2,3') {
    const means = nchwc(b, 'GlobalAveragePool', [image]);
    const sums = times(means, op.fn === 'sum' ? (from[2] ?? Number.NaN) * (from[3] ?? Number.NaN) : 1);
    return plain(reshape(sums, shape, batchAxis(id)));
  }
  return undefined;
}

function reduceAll(s: BlockedSite, op: OpOf<'reduce'>, x: Name): Name {
  const { model } = s;
  return model.node(REDUCE[op.fn], [x, model.ints(op.axes)], { keepdims: Number(op.keepDims) });
}

/** Whether a slice leaves out a first row, column or both, and nothing else. */
const isFewFirst = ({ starts, ends }: OpOf<'slice'>, own: Shape): boolean =>
  starts.every((n, axis) => n <= (axis < 2 ? 0 : 1)) && ends.every((n, axis) => n === own[axis]);

/** Whole blocks of channels lie together, so that joining and cutting along them is as in NCHW. */
export function lowerCut(s: BlockedSite, id: NodeId, op: OpOf<'slice'> | OpOf<'pad'>): Emitted {
  const { at, b, batchAxis, block, model, read, reshape, shapeOf } = s;
  const { inputs, shape } = at(id);
  const from = inputs[0] as NodeId;
  const x = read(from, 'blocked');
  const own = shapeOf(from);
  const open = batchAxis(id);
  const axes = [0, 1, 2, 3].filter((axis) => own[axis] !== shape[axis] && axis !== open);
  if (op.kind === 'slice' && open === undefined && isFewFirst(op, own)) {
    return blocked(withoutFirst(b, x, own, [op.starts[2] ?? Number.NaN, op.starts[3] ?? Number.NaN]));
  }
  const scaled = (values: readonly number[]) =>
    axes.map((axis) => (values[axis] ?? Number.NaN) / (axis === 1 ? block : 1));
  const cut = (view: Name): Name => {
    if (op.kind === 'slice')
      return model.node('Slice', [view, model.ints(scaled(op.starts)), model.ints(scaled(op.ends)), model.ints(axes)]);
    const pads = (values: readonly number[]) =>
      [0, 1, 2, 3, 4].map((axis) => (axes.includes(axis) ? (scaled(values)[axes.indexOf(axis)] ?? Number.NaN) : 0));
    return model.node('Pad', [view, model.ints([...pads(op.before), ...pads(op.after)])]);
  };
  return blocked(reshape(cut(reshape(x, blockedView(block, own), open)), shape, open));
}

/** Of a tensor and its place in a vector, one has an axis. Its numbers lie as the tensor's layout has them in both. */
export function lowerPacked(s: BlockedSite, id: NodeId): Emitted {
  const { at, layouts, read, reshape, shapeOf } = s;
  const { inputs, shape } = at(id);
  const from = inputs[0] as NodeId;
  const flattens = shape.length === 1 && shapeOf(from).length !== 1;
  const layout = layouts[flattens ? from : id] as Layout;
  return flattens
    ? { name: reshape(read(from, layout), shape), layout: 'plain' }
    : { name: reshape(read(from, 'plain'), shape), layout };
}

/** A gradient, and its tiles transposed where several want them. */
function gradientOf(s: BlockedSite, id: NodeId): Pick<ConvWeightGradient, 'dy' | 'dyShape' | 'dyTiles'> {
  const { b, block, pointwiseReaders, read, shapeOf, tiles } = s;
  const [dy, dyShape] = [read(id, 'blocked'), shapeOf(id)];
  const dyTiles = (): Name => {
    const known = tiles.get(dy) ?? transposeTiles(b, dy, sizeOf(dyShape) / block ** 2);
    tiles.set(dy, known);
    return known;
  };
  return {
    dy,
    dyShape,
    ...((pointwiseReaders.get(id) ?? 0) > 1 && { dyTiles }),
  };
}

export function lowerConcat(
  { at, model, block, read, shapeOf }: BlockedSite,
  id: NodeId,
  op: OpOf<'concat'>,
): Emitted | undefined {
  const { inputs } = at(id);
  if (op.axis !== 1 || !inputs.every((from) => isWhole(block, shapeOf(from)[1]))) return undefined;
  return blocked(
    model.node(
      'Concat',
      inputs.map((from) => read(from, 'blocked')),
      { axis: 1 },
    ),
  );
}

export function lowerBroadcast(s: BlockedSite, id: NodeId, layout: Layout): Emitted | undefined {
  const { at, batchAxis, block, model, read, reshape, shapeOf } = s;
  const { inputs, shape } = at(id);
  const [a] = inputs as [NodeId];
  const own = shapeOf(a);
  // One number is the same in every layout.
  if (sizeOf(own) === 1 && batchAxis(id) === undefined) {
    return { name: model.node('Expand', [reshape(read(a, 'plain'), [1]), model.ints(shape)]), layout };
  }
  const view = layout === 'blocked' && own.length <= 4 ? operandView(block, own, shape, 'blocked') : undefined;
  if (view === undefined) return undefined;
  const open = batchAxis(id);
  const dims = blockedView(block, shape).map((n, axis) => (axis === open ? 1 : n));
  const operand = reshape(read(a, view.as), view.dims, batchAxis(a) === undefined ? undefined : open);
  return blocked(reshape(model.node('Expand', [operand, model.ints(dims)]), shape, open));
}

export function lowerWeightGradient(
  s: BlockedSite,
  id: NodeId,
  op: OpOf<'convWeightGrad'>,
  layout: Layout,
): Emitted | undefined {
  const { inputs, shape } = s.at(id);
  const [a, second] = inputs as [NodeId, NodeId];
  const form = canConvolve(s.block, s.shapeOf(a), shape, op);
  if (form === undefined || layout !== filterLayout(form)) return undefined;
  const x = { x: s.read(a, form === 'stem' ? 'plain' : 'blocked'), xShape: s.shapeOf(a) };
  return { name: convWeightGrad(s.b, { ...x, ...gradientOf(s, second), shape, geometry: op }), layout };
}
