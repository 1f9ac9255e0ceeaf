/**
 * Channels that are no whole blocks, made whole: a tensor [N, C, H, W] of a convolution is kept with channels up to the next
 * multiple of the block, so that the blocked operators can compute what makes and what reads it. A convolution of 24
 * channels then takes as long as one of 32, where the portable operators take longer.
 *
 * The added channels may hold any finite numbers. None of them reaches a result: filters get zeros for the inputs and outputs
 * that are added, and sums over pixels, gradients of filters, and whatever an operator without such a form reads, are cut to the
 * true channels.
 */
import { createGraph, finish, type GraphBuilder } from '../../../graph/builder.ts';
import type { Graph, Node, NodeId, Op, OpKind, OpOf, Shape } from '../../../graph/ir.ts';
import { pad, slice } from '../../../graph/ops.ts';
import { elementwiseClasses } from './plan.ts';

/** The graph with such tensors made wider; its inputs and outputs stay as they are. */
export function widenChannels(graph: Graph, block: number): Graph {
  const { nodes, outputs } = graph;
  const plan = planWidening(graph, block);
  if (plan.wide.size === 0) return graph;
  const g = createGraph();
  /** What stands for each node; of a wide one it has the added channels. */
  const made: NodeId[] = [];
  const memo = { narrow: new Map<NodeId, NodeId>(), wide: new Map<string, NodeId>() };
  const shapeOf = (id: NodeId): Shape => (nodes[id] as Node).shape;
  const narrow = (id: NodeId): NodeId => {
    const own = made[id] as NodeId;
    if (!plan.wide.has(id)) return own;
    const known = memo.narrow.get(id) ?? cutTo(g, own, shapeOf(id));
    memo.narrow.set(id, known);
    return known;
  };
  /** A tensor with zeros behind the end of some axes. */
  const padded = (id: NodeId, shape: Shape): NodeId => {
    const key = `${id} ${shape}`;
    const known = memo.wide.get(key) ?? padTo(g, narrow(id), shape);
    memo.wide.set(key, known);
    return known;
  };
  const whole = (channels: number): number => Math.ceil(channels / block) * block;
  const widened = (shape: Shape): Shape => shape.with(1, whole(shape[1] ?? 0));
  const wide = (id: NodeId): NodeId => (plan.wide.has(id) ? (made[id] as NodeId) : padded(id, widened(shapeOf(id))));
  /** An operand of an element-wise operator beside wide tensors of this shape. */
  const beside = (id: NodeId, shape: Shape): NodeId => {
    const own = shapeOf(id);
    if (`${own}` === `${shape}`) return wide(id);
    const axis = own.length - (shape.length - 1);
    return axis < 0 || own[axis] === 1 ? narrow(id) : padded(id, own.with(axis, whole(own[axis] ?? 0)));
  };
  /** The operands of a convolution, or of one of its gradients, and its geometry. */
  const convolution = (node: Node, id: NodeId, roles: Roles): NodeId => {
    const { x, y, w } = roles;
    const op = node.op as OpOf<ConvKinds>;
    const [xShape, yShape, wShape] = [shapeOf(x), shapeOf(y), shapeOf(w)];
    const [input, output] = [plan.stems.has(x) ? xShape : widened(xShape), widened(yShape)];
    const depthwise = op.groups > 1;
    const filter = [output[1] ?? 0, depthwise ? 1 : (input[1] ?? 0), wShape[2] ?? 0, wShape[3] ?? 0];
    const geometry = depthwise ? { groups: output[1] ?? 0 } : {};
    const read = (from: NodeId) => (plan.stems.has(from) ? narrow(from) : wide(from));
    switch (op.kind) {
      case 'conv': {
        const bias = node.inputs[2];
        const more = bias === undefined ? [] : [padded(bias, [filter[0] ?? 0])];
        return result(id, g.add({ ...op, ...geometry }, [read(x), padded(w, filter), ...more]));
      }
      case 'convInputGrad':
        return result(id, g.add({ ...op, ...geometry, shape: input }, [read(y), padded(w, filter)]));
      default:
        return cutTo(g, g.add({ ...op, ...geometry, shape: filter }, [read(x), read(y)]), wShape);
    }
  };
  /** As it was made where it is kept so; else what is whole in any case. */
  const result = (id: NodeId, made: NodeId): NodeId => (plan.wide.has(id) ? made : cutTo(g, made, shapeOf(id)));
  const visit = (node: Node, id: NodeId): NodeId => {
    const { op, inputs, shape } = node;
    const roles = plan.convolutions.get(id);
    if (roles !== undefined) return convolution(node, id, roles);
    const [first = -1, ...rest] = inputs;
    if (op.kind === 'reduce' && plan.wide.has(first) && !op.axes.includes(1)) {
      return cutTo(g, g.add(op, [wide(first)]), shape);
    }
    if (!plan.wide.has(id)) return g.add(op, inputs.map(narrow));
    if (op.kind === 'select') return g.add(op, [narrow(first), ...rest.map(wide)]);
    return g.add(
      widenedOp(op, widened(shape)),
      inputs.map((from) => (POOLS.has(op.kind) ? wide(from) : beside(from, shape))),
    );
  };
  for (const [id, node] of nodes.entries()) made.push(g.within(node.path, () => visit(node, id)));
  return finish(g, Object.fromEntries(Object.entries(outputs).map(([name, id]) => [name, narrow(id)])));
}

type ConvKinds = 'conv' | 'convInputGrad' | 'convWeightGrad';

/** The tensors of a convolution, whichever of them a node computes. */
interface Roles {
  readonly x: NodeId;
  readonly y: NodeId;
  readonly w: NodeId;
}

interface Widening {
  /** Nodes that are kept with added channels. */
  readonly wide: ReadonlySet<NodeId>;
  /** Convolutions and their gradients that have a wide tensor, or would read one. */
  readonly convolutions: ReadonlyMap<NodeId, Roles>;
  /** Images with fewer channels than a block that convolutions read as they are. */
  readonly stems: ReadonlySet<NodeId>;
}

/** Which tensors are made wider: those of convolutions that the blocked operators could not compute otherwise. */
function planWidening({ nodes }: Graph, block: number): Widening {
  const { classes } = elementwiseClasses(nodes);
  const shapeOf = (id: NodeId): Shape => nodes[id]?.shape ?? [];
  const convolutions = [...nodes.keys()].flatMap((id) => {
    const roles = rolesOf(nodes, id);
    return roles === undefined ? [] : [{ id, ...roles, op: nodes[id]?.op as OpOf<ConvKinds> }];
  });
  /** Adds the classes of what operators on whole channels make of members, or made members of. */
  const spread = (members: Set<NodeId>): Set<NodeId> => {
    for (let size = -1; size < members.size; ) {
      size = members.size;
      for (const [id, { op, inputs }] of nodes.entries()) {
        const joins = POOLS.has(op.kind) && keepsChannels(op, inputs.map(shapeOf));
        const joined = joins ? [...inputs, id].map(classes) : [];
        if (joined.some((one) => members.has(one))) for (const one of joined) members.add(one);
      }
    }
    return members;
  };
  /** Made by convolutions and their gradients, or of what these made. */
  const made = spread(
    new Set(convolutions.flatMap(({ x, y, op }) => (op.kind === 'convInputGrad' ? [x, y] : [y]).map(classes))),
  );
  const isImage = ([, , height = 1, width = 1]: Shape) => height * width > 1;
  const partial = (id: NodeId) => {
    const shape = shapeOf(id);
    return shape.length === 4 && isImage(shape) && (shape[1] ?? 0) % block !== 0 && pays(shape[1] ?? 0, block);
  };
  const isWhole = (id: NodeId) => (shapeOf(id)[1] ?? 0) % block === 0 && isImage(shapeOf(id));
  const isStem = (id: NodeId) => (shapeOf(id)[1] ?? 0) < block && !(made.has(classes(id)) && partial(id));
  const chosen = convolutions.filter(({ x, y, op }) => {
    const depthwise = shapeOf(x)[1] === op.groups && shapeOf(y)[1] === op.groups;
    if (op.groups > 1 && !depthwise) return false;
    // A gradient is no image that somebody fed, however few channels it has.
    const stem = op.groups === 1 && op.kind !== 'convInputGrad' && isStem(x);
    const reads = isWhole(x) || stem || partial(x);
    return reads && (isWhole(y) || partial(y));
  });
  const wanted = new Set<NodeId>();
  for (const { x, y } of chosen) {
    if (partial(y)) wanted.add(classes(y));
    if (partial(x) && !isStem(x)) wanted.add(classes(x));
  }
  const stems = new Set(chosen.flatMap(({ x, op }) => (op.groups === 1 && isStem(x) ? [x] : [])));
  spread(wanted);
  const computed = new Map(
    chosen
      .filter(({ x, y }) => wanted.has(classes(x)) || wanted.has(classes(y)))
      .map(({ id, x, y, w }) => [id, { x, y, w }]),
  );
  const wide = new Set(
    [...nodes.keys()].filter((id) => {
      const { op, inputs } = nodes[id] as Node;
      if (!wanted.has(classes(id)) || !partial(id)) return false;
      return computed.has(id) || keepsChannels(op, inputs.map(shapeOf));
    }),
  );
  return { wide, convolutions: computed, stems };
}

/**
 * Whether a tensor is made wider at all. Forward and backward, the portable operators take about twice as long as the blocked
 * ones for the same channels (`bench/engine/widths.ts`); with fewer channels than this share, most of the time would go
 * into zeros.
 */
const LEAST_SHARE = 0.6;
const pays = (channels: number, block: number): boolean =>
  channels >= LEAST_SHARE * Math.ceil(channels / block) * block;

function rolesOf(nodes: readonly Node[], id: NodeId): Roles | undefined {
  const { op, inputs } = nodes[id] as Node;
  const [a, b] = inputs as [NodeId, NodeId];
  switch (op.kind) {
    case 'conv':
      return { x: a, y: id, w: b };
    case 'convInputGrad':
      return { x: id, y: a, w: b };
    case 'convWeightGrad':
      return { x: a, y: b, w: id };
    default:
      return undefined;
  }
}

/** Operators on whole channels, one by one, beside those that work element by element. */
const POOLS: ReadonlySet<OpKind> = new Set<OpKind>([
  'maxPool',
  'maxPoolScatter',
  'avgPool',
  'avgPoolGrad',
  'slice',
  'pad',
]);

/** Whether an operator computes each channel by itself, and finite numbers from finite ones. */
function keepsChannels(op: Op, [first = []]: readonly Shape[]): boolean {
  switch (op.kind) {
    case 'unary':
      return op.fn !== 'log';
    case 'binary':
      return op.fn !== 'div';
    case 'clip':
    case 'select':
    case 'broadcastTo':
    case 'maxPool':
    case 'maxPoolScatter':
    case 'avgPool':
    case 'avgPoolGrad':
      return true;
    case 'slice':
      return op.starts[1] === 0 && op.ends[1] === first[1];
    case 'pad':
      return op.before[1] === 0 && op.after[1] === 0;
    default:
      return false;
  }
}

/** An operator that says how many channels its result has, made to say these. */
function widenedOp(op: Op, shape: Shape): Op {
  if (op.kind === 'broadcastTo' || op.kind === 'avgPoolGrad') return { ...op, shape };
  return op.kind === 'slice' ? { ...op, ends: op.ends.with(1, shape[1] ?? 0) } : op;
}

function cutTo(g: GraphBuilder, x: NodeId, shape: Shape): NodeId {
  return slice(
    g,
    x,
    shape.map(() => 0),
    shape,
  );
}

function padTo(g: GraphBuilder, x: NodeId, shape: Shape): NodeId {
  const own = g.shape(x);
  return pad(
    g,
    x,
    shape.map(() => 0),
    shape.map((n, axis) => n - (own[axis] ?? 0)),
  );
}
