/** The blocked lowering: what an operator becomes where its tensors are kept in blocks of channels. */
import type { Graph, Node, NodeId, Op, OpOf, Shape } from '../../../graph/ir.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { isPointwise } from '../../../graph/ops/conv.ts';
import { broadcastForm, elementwise } from '../forms.ts';
import { BINARY, UNARY } from '../lowerings/elementwise.ts';
import { REDUCE } from '../lowerings/reduce.ts';
import { type Emitter, four, openShape } from '../value.ts';
import { madeVector } from '../vectors.ts';
import { type Blocked, type Name, nchwc, transposeTiles } from './blocked.ts';
import { affine, channelDot, channelMean } from './channels.ts';
import { canConvolve, convolve, filterLayout } from './conv.ts';
import { planFusion, type Term } from './fuse.ts';
import { convInputGrad } from './input-gradient.ts';
import type { Layout } from './layout.ts';
import type { Plan } from './plan.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolScatter } from './pooling.ts';
import { withoutFirst } from './shift.ts';
import { type ConvWeightGradient, convWeightGrad } from './weight-gradient.ts';

/** A value in the layout that its operator gave it. */
export interface Made {
  readonly name: Name;
  readonly layout: Layout;
  /** The same as a vector, for what has one axis that counts. */
  readonly vector?: Name;
}

export interface BlockedContext {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly block: number;
  readonly emitter: Emitter;
  readonly batchAxis: (id: NodeId) => number | undefined;
  readonly made: (id: NodeId) => Made;
  /** The value of a node in a layout, converted if need be. */
  readonly read: (id: NodeId, layout: Layout) => Name;
}

export interface BlockedLowering {
  /** Whether another node computes this one within itself, so that it is not to be lowered. */
  absorbed(id: NodeId): boolean;
  /** The node in a blocked form; undefined where it has none, and is left to the portable lowering. */
  lower(id: NodeId): Made | undefined;
}

export function blockedLowering(context: BlockedContext): BlockedLowering {
  const { graph, plan, block, emitter, read, batchAxis } = context;
  const { layouts } = plan;
  const { nodes } = graph;
  const { model } = emitter;
  const b: Blocked = { model, block };
  const fusion = planFusion(graph, layouts, block);
  const at = (id: NodeId): Node => nodes[id] as Node;
  const shapeOf = (id: NodeId): Shape => at(id).shape;
  const blocked = (name: Name): Made => ({ name, layout: 'blocked' });
  const reshape = (name: Name, shape: Shape, axis?: number, own?: Shape) =>
    model.view(name, openShape(shape, axis), own && openShape(own, axis));

  /** A number for each channel, [C], of a tensor [1, C, 1, 1] or of one number. */
  const byChannel = (id: NodeId, count: number): Name => {
    const { vector } = context.made(id);
    if (vector !== undefined) return vector;
    const name = read(id, 'plain');
    if (sizeOf(shapeOf(id)) === count) return reshape(name, [count]);
    return model.node('Expand', [reshape(name, [1]), model.ints([count])]);
  };

  function lowerTerms(terms: readonly Term[], shape: Shape, relu: boolean, batch: number | undefined): Name {
    const count = shape[1] as number;
    const tensors = terms.flatMap((term) => (term.kind === 'tensor' ? [read(term.id, 'blocked')] : []));
    const takesBias = (term: Term) =>
      term.kind === 'affine' || (term.kind === 'conv' && at(term.id).op.kind === 'conv');
    const products = terms
      .filter((term) => term.kind === 'conv' || term.kind === 'affine')
      .sort((a, b) => Number(takesBias(b)) - Number(takesBias(a)));
    const vectors = terms.filter((term) => term.kind === 'channels');
    const bias = vectors.reduce<Name | undefined>((sum, { id, minus }) => {
      const vector = byChannel(id, count);
      if (sum === undefined) return minus ? model.node('Neg', [vector]) : vector;
      return model.node(minus ? 'Sub' : 'Add', [sum, vector]);
    }, undefined);
    const start = tensors.length === 0 ? undefined : tensors.reduce((sum, name) => model.node('Add', [sum, name]));
    if (products.length === 0) {
      const sum = start as Name;
      const ones = new Float32Array(count).fill(1);
      if (bias !== undefined) return affine(b, { x: sum, shape, scale: model.floats([count], ones), bias, relu });
      return relu ? model.node('Relu', [sum]) : sum;
    }
    return products.reduce<Name | undefined>((sum, term, i) => {
      const rest = {
        ...(i === 0 && bias !== undefined && { bias }),
        ...(sum !== undefined && { sum }),
        relu: relu && i === products.length - 1,
      };
      if (sum !== undefined && i > 0 && batch === undefined) model.declare(sum, shape);
      if (term.kind === 'conv') return lowerConvolution(term.id, rest);
      const scale = byChannel(term.scale, count);
      return affine(b, {
        x: read(term.x, 'blocked'),
        shape,
        scale: term.minus ? model.node('Neg', [scale]) : scale,
        ...rest,
      });
    }, start) as Name;
  }

  function addByChannel(x: Name, vector: Name, shape: Shape): Name {
    const [, c] = four(shape);
    const view = reshape(x, blockedView(shape), 0);
    const sum = model.node('Add', [view, reshape(vector, [1, c / block, 1, 1, block])]);
    return reshape(sum, shape, 0, blockedView(shape));
  }

  type Rest = { readonly bias?: Name; readonly sum?: Name; readonly relu: boolean };
  function lowerConvolution(id: NodeId, rest: Rest): Name {
    const { shape } = at(id);
    const placed = at(id).op;
    const { op, inputs } = placed.kind === 'pad' ? at(at(id).inputs[0] as NodeId) : at(id);
    const [first, w, own] = inputs as [NodeId, NodeId, NodeId | undefined];
    const filterShape = shapeOf(w);
    if (op.kind === 'convInputGrad') {
      const layout = op.groups > 1 && filterShape[1] === 1 ? 'outer' : 'filter';
      const [top, left, bottom, right] = op.pads;
      const [, , rows = 0, columns = 0] = placed.kind === 'pad' ? placed.before : [];
      const grad = convInputGrad(b, {
        dy: read(first, 'blocked'),
        dyShape: shapeOf(first),
        filter: read(w, layout),
        filterShape,
        shape,
        geometry: { ...op, pads: [top - rows, left - columns, bottom, right] },
        ...(rest.sum !== undefined && { sum: rest.sum }),
        ...(rest.bias === undefined && { relu: rest.relu }),
      });
      if (rest.bias === undefined) return grad;
      const shifted = addByChannel(grad, rest.bias, shape);
      return rest.relu ? model.node('Relu', [shifted]) : shifted;
    }
    const geometry = op as OpOf<'conv'>;
    const form = canConvolve(block, shapeOf(first), filterShape, geometry) ?? 'dense';
    const vector = own === undefined ? undefined : read(own, 'plain');
    const bias =
      vector === undefined || rest.bias === undefined ? (vector ?? rest.bias) : model.node('Add', [vector, rest.bias]);
    const [, , kh, kw] = four(filterShape);
    return convolve(b, {
      x: read(first, form === 'stem' ? 'plain' : 'blocked'),
      filter: read(w, filterLayout(form)),
      kernel: [kh, kw],
      geometry,
      ...(bias !== undefined && { bias }),
      ...(rest.sum !== undefined && { sum: rest.sum }),
      relu: rest.relu,
    });
  }

  /** Whether a number of channels is one of blocks: parts of a block cannot be joined and cut in this layout. */
  const isWhole = (channels = 0): boolean => channels % block === 0;

  /** A filter of one tap: in memory [O/B, I, B], whichever layout it has. */
  const isMatrix = ([, , kh, kw]: Shape): boolean => kh === 1 && kw === 1;

  const blockedView = (shape: Shape): Shape => {
    const [n, c, h, w] = four(shape);
    return [n, c / block, h, w, block];
  };

  /** The dimensions in which an operand of an element-wise operator lies in memory beside a tensor in this layout. */
  function operandView(
    operand: Shape,
    shape: Shape,
    layout: Layout,
  ): { readonly dims: Shape; readonly as: Layout } | undefined {
    const [n, c, h, w] = four([...Array(4 - operand.length).fill(1), ...operand]);
    const [first, second] = four(shape);
    const pixel = h === 1 && w === 1;
    const split = (size: number, whole: number): readonly [number, number] | undefined =>
      size === 1 ? [1, 1] : size === whole ? [size / block, block] : undefined;
    if (layout === 'blocked') {
      const channels = split(c, second);
      if (channels === undefined) return undefined;
      return { dims: [n, channels[0], h, w, channels[1]], as: c === 1 || pixel ? 'plain' : 'blocked' };
    }
    const outer = split(n, first);
    if (outer === undefined) return undefined;
    if (isMatrix(shape)) return n === 1 || c === 1 ? { dims: [outer[0], c, outer[1]], as: 'plain' } : undefined;
    if (layout === 'outer') return c === 1 && pixel ? { dims: [outer[0], 1, 1, 1, outer[1]], as: 'plain' } : undefined;
    const inner = split(c, second);
    if (inner === undefined || !pixel || (n !== 1 && c !== 1)) return undefined;
    return { dims: [outer[0], inner[0], 1, 1, inner[1], outer[1]], as: 'plain' };
  }

  /** The view of a whole tensor that such operands broadcast against. */
  function wholeView(shape: Shape, layout: Layout): Shape {
    const [o, i, kh, kw] = four(shape);
    if (layout === 'blocked') return blockedView(shape);
    if (isMatrix(shape)) return [o / block, i, block];
    return layout === 'filter' ? [o / block, i / block, kh, kw, block, block] : [o / block, i, kh, kw, block];
  }

  function lowerElementwise(id: NodeId, type: string, layout: Layout): Made | undefined {
    const { inputs, shape } = at(id);
    const open = batchAxis(id);
    const narrow = inputs.map((from, i) => narrowed(from, shape, inputs[1 - i]));
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
    const views: Name[] = [];
    for (const from of narrow) {
      const own = shapeOf(from);
      if (`${own}` === `${shape}`) {
        views.push(reshape(read(from, layout), wholeView(shape, layout), open));
        continue;
      }
      const view = operandView(own, shape, layout);
      if (view === undefined) return undefined;
      const name = read(from, view.as);
      if (batchAxis(from) === undefined) views.push(broadcastForm(model, { name, shape: own }, view.dims).name);
      else views.push(reshape(name, view.dims, open));
    }
    return { name: reshape(model.node(type, views), shape, open, wholeView(shape, layout)), layout };
  }

  /** The node before a broadcast that its partner, a whole tensor, brings about anyway. */
  function narrowed(id: NodeId, shape: Shape, partner: NodeId | undefined): NodeId {
    const { op, inputs } = at(id);
    if (op.kind !== 'broadcastTo' || partner === undefined || at(partner).op.kind === 'broadcastTo') return id;
    return `${shapeOf(partner)}` === `${shape}` ? (inputs[0] as NodeId) : id;
  }

  function lowerReduce(id: NodeId, op: OpOf<'reduce'>): Made | undefined {
    const { inputs, shape } = at(id);
    const x = inputs[0] as NodeId;
    const from = shapeOf(x);
    const plain = (name: Name): Made => ({ name, layout: 'plain' });
    const result = (vector: Name): Made => madeVector(emitter, vector, shape);
    const pair = fusion.dot(id);
    const perChannel = sizeOf(from) / (from[1] as number);
    const times = (name: Name, factor: number) =>
      factor === 1 ? name : model.node('Mul', [name, model.floats([], [factor])]);
    if (pair !== undefined && layouts[pair[0]] === 'blocked' && batchAxis(x) === undefined) {
      const sum = channelDot(b, read(pair[0], 'blocked'), read(pair[1], 'blocked'), from);
      return result(times(sum, op.fn === 'mean' ? 1 / perChannel : 1));
    }
    const layout = layouts[x] as Layout;
    if (layout === 'plain') return undefined;
    if (op.axes.length === 4) return plain(reduceAll(op, read(x, layout)));
    // An image's numbers lie together in either layout.
    if (layout === 'blocked' && `${op.axes}` === '1,2,3') return plain(reduceAll(op, read(x, layout)));
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
      return result(times(channelMean(b, image), op.fn === 'sum' ? perChannel : 1));
    if (axes === '2,3') {
      const means = nchwc(b, 'GlobalAveragePool', [image]);
      const sums = times(means, op.fn === 'sum' ? (from[2] as number) * (from[3] as number) : 1);
      return plain(reshape(sums, shape, batchAxis(id)));
    }
    return undefined;
  }

  function reduceAll(op: OpOf<'reduce'>, x: Name): Name {
    return model.node(REDUCE[op.fn], [x, model.ints(op.axes)], { keepdims: Number(op.keepDims) });
  }

  /** Whether a slice leaves out a first row, column or both, and nothing else. */
  const isFewFirst = ({ starts, ends }: OpOf<'slice'>, own: Shape): boolean =>
    starts.every((n, axis) => n <= (axis < 2 ? 0 : 1)) && ends.every((n, axis) => n === own[axis]);

  /** Whole blocks of channels lie together, so that joining and cutting along them is as in NCHW. */
  function lowerCut(id: NodeId, op: OpOf<'slice'> | OpOf<'pad'>): Made {
    const { inputs, shape } = at(id);
    const from = inputs[0] as NodeId;
    const x = read(from, 'blocked');
    const own = shapeOf(from);
    const open = batchAxis(id);
    const axes = [0, 1, 2, 3].filter((axis) => own[axis] !== shape[axis] && axis !== open);
    if (op.kind === 'slice' && open === undefined && isFewFirst(op, own)) {
      return blocked(withoutFirst(b, x, own, [op.starts[2] as number, op.starts[3] as number]));
    }
    const scaled = (values: readonly number[]) =>
      axes.map((axis) => (values[axis] as number) / (axis === 1 ? block : 1));
    const cut = (view: Name): Name => {
      if (op.kind === 'slice')
        return model.node('Slice', [
          view,
          model.ints(scaled(op.starts)),
          model.ints(scaled(op.ends)),
          model.ints(axes),
        ]);
      const pads = (values: readonly number[]) =>
        [0, 1, 2, 3, 4].map((axis) => (axes.includes(axis) ? (scaled(values)[axes.indexOf(axis)] as number) : 0));
      return model.node('Pad', [view, model.ints([...pads(op.before), ...pads(op.after)])]);
    };
    return blocked(reshape(cut(reshape(x, blockedView(own), open)), shape, open));
  }

  /** Of a tensor and its place in a vector, one has an axis. Its numbers lie as the tensor's layout has them in both. */
  function lowerPacked(id: NodeId): Made {
    const { inputs, shape } = at(id);
    const from = inputs[0] as NodeId;
    const flattens = shape.length === 1 && shapeOf(from).length !== 1;
    const layout = layouts[flattens ? from : id] as Layout;
    return flattens
      ? { name: reshape(read(from, layout), shape), layout: 'plain' }
      : { name: reshape(read(from, 'plain'), shape), layout };
  }

  /** How many gradients of 1x1 filters read a gradient. */
  const pointwiseReaders = new Map<NodeId, number>();
  for (const { op, inputs, shape } of nodes) {
    const [x, dy] = inputs;
    if (op.kind !== 'convWeightGrad' || dy === undefined || x === dy || !isPointwise(op, shape)) continue;
    pointwiseReaders.set(dy, (pointwiseReaders.get(dy) ?? 0) + 1);
  }
  const tiles = model.memo<Name, Name>();

  /** A gradient, and its tiles transposed where several want them. */
  function gradientOf(id: NodeId): Pick<ConvWeightGradient, 'dy' | 'dyShape' | 'dyTiles'> {
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

  function lowerInLayout(id: NodeId, op: Op, layout: Layout): Made | undefined {
    const { inputs, shape } = at(id);
    const [a, second] = inputs as [NodeId, NodeId];
    switch (op.kind) {
      case 'unary':
        return { name: UNARY[op.fn](emitter, read(a, layout)), layout };
      case 'clip': {
        const bounds = [model.floats([], [op.low]), model.floats([], [op.high])];
        return { name: model.node('Clip', [read(a, layout), ...bounds]), layout };
      }
      case 'binary':
        return lowerElementwise(id, BINARY[op.fn], layout);
      case 'concat':
        return layout === 'blocked' && op.axis === 1 && inputs.every((from) => isWhole(shapeOf(from)[1]))
          ? blocked(
              model.node(
                'Concat',
                inputs.map((from) => read(from, 'blocked')),
                { axis: 1 },
              ),
            )
          : undefined;
      case 'slice':
      case 'pad': {
        const start = op.kind === 'slice' ? op.starts[1] : op.before[1];
        return layout === 'blocked' && isWhole(start) && isWhole(shapeOf(a)[1]) ? lowerCut(id, op) : undefined;
      }
      case 'broadcastTo': {
        const own = shapeOf(a);
        // One number is the same in every layout.
        if (sizeOf(own) === 1 && batchAxis(id) === undefined) {
          return { name: model.node('Expand', [reshape(read(a, 'plain'), [1]), model.ints(shape)]), layout };
        }
        const view = layout === 'blocked' && own.length <= 4 ? operandView(own, shape, 'blocked') : undefined;
        if (view === undefined) return undefined;
        const open = batchAxis(id);
        const dims = blockedView(shape).map((n, axis) => (axis === open ? 1 : n));
        const operand = reshape(read(a, view.as), view.dims, batchAxis(a) === undefined ? undefined : open);
        return blocked(reshape(model.node('Expand', [operand, model.ints(dims)]), shape, open));
      }
      case 'maxPool':
        return blocked(maxPool(b, read(a, 'blocked'), op));
      case 'avgPool':
        return blocked(avgPool(b, read(a, 'blocked'), op));
      case 'avgPoolGrad':
        return blocked(avgPoolGrad(b, { dy: read(a, 'blocked'), dyShape: shapeOf(a), shape, geometry: op }));
      case 'maxPoolScatter':
        return blocked(
          maxPoolScatter(b, {
            x: read(a, 'blocked'),
            xShape: shapeOf(a),
            dy: read(second, 'blocked'),
            dyShape: shapeOf(second),
            geometry: op,
          }),
        );
      case 'convWeightGrad': {
        const form = canConvolve(block, shapeOf(a), shape, op);
        if (form === undefined || layout !== filterLayout(form)) return undefined;
        const x = { x: read(a, form === 'stem' ? 'plain' : 'blocked'), xShape: shapeOf(a) };
        return {
          name: convWeightGrad(b, { ...x, ...gradientOf(second), shape, geometry: op }),
          layout,
        };
      }
      default:
        return undefined;
    }
  }

  return {
    absorbed: fusion.absorbed,
    lower(id) {
      const { op, shape } = at(id);
      if (op.kind === 'reduce') return lowerReduce(id, op);
      if (op.kind === 'reshape') return plan.keepLayout.has(id) ? lowerPacked(id) : undefined;
      const layout = layouts[id] as Layout;
      if (layout === 'plain') return undefined;
      const terms = fusion.terms(id);
      if (terms !== undefined) return blocked(lowerTerms(terms, shape, op.kind === 'unary', batchAxis(id)));
      return lowerInLayout(id, op, layout);
    },
  };
}
