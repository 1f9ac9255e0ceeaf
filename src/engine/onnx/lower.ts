/**
 * Any graph to an ONNX model: in the NCHW layout for every device, or, where the CPU has blocked operators, in theirs, with
 * the portable form for each operator that has no blocked one.
 */
import type { Graph, HostTensor, Node, NodeId, OpKind, OpOf, Shape } from '../../graph/ir.ts';
import { batchAxes } from './batch.ts';
import type { Blocked } from './blocked/blocked.ts';
import {
  type Arrangement,
  filterToBlocked,
  filterToPlain,
  type Layout,
  PLAIN,
  simplified,
  toBlocked,
  toPlain,
} from './blocked/layout.ts';
import { blockedLowering } from './blocked/lower.ts';
import { planLayouts } from './blocked/plan.ts';
import type { Emitted } from './blocked/site.ts';
import { widenChannels } from './blocked/widen.ts';
import { findCuts } from './cuts.ts';
import { findFactors } from './factors.ts';
import { broadcast } from './forms.ts';
import { lowerConv, lowerConvInputGrad, lowerConvWeightGrad } from './lowerings/convolution.ts';
import { lowerBinary, lowerClip, lowerCompare, lowerUnary, lowerWhere } from './lowerings/elementwise.ts';
import { lowerGather, lowerScatterAdd } from './lowerings/gather.ts';
import { lowerMatmul } from './lowerings/matmul.ts';
import {
  lowerAvgPool,
  lowerAvgPoolGrad,
  lowerMaxPool,
  lowerMaxPoolGather,
  lowerMaxPoolScatter,
} from './lowerings/pooling.ts';
import { lowerLogSoftmax, lowerReduce } from './lowerings/reduce.ts';
import {
  lowerBroadcastTo,
  lowerConcat,
  lowerPad,
  lowerReshape,
  lowerSelect,
  lowerSlice,
  lowerTranspose,
} from './lowerings/shape.ts';
import { createModel } from './model.ts';
import type { Dimension } from './proto.ts';
import { type Step, schedule } from './schedule.ts';
import { findSoftmaxes } from './softmax.ts';
import { lowerSwitch, type SwitchContext } from './switch.ts';
import { FLOAT, type Lowering, operand, type Target, type Value } from './value.ts';
import { lowerVector } from './vectors.ts';

export interface OnnxOptions {
  /** For which device of ONNX Runtime; `standard` (the default) is for every reader. */
  readonly target?: Target;
  /**
   * Inputs whose first axis is the batch, left open (`N`) until a run. The graph is built with any batch size; 2 or more
   * tells it best from axes that are 1 anyway.
   */
  readonly openBatch?: readonly string[];
  /** Inputs that become part of the model: the weights of an export. */
  readonly initializers?: Readonly<Record<string, HostTensor>>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The model's name. */
  readonly name?: string;
  /** Channels in a block of this CPU's blocked operators; 0 (the default): none, everything in NCHW. */
  readonly block?: number;
  /** Outputs that become state, and the input whose place they take, whether the graph reads it or not. */
  readonly carries?: Readonly<Record<string, string>>;
}

/** A model, and how the memory of its inputs, and of what it carries, is laid out; what is not named is plain. */
export interface LoweredModel {
  readonly model: Uint8Array;
  readonly inputs: Readonly<Record<string, Arrangement>>;
  readonly carried: Readonly<Record<string, Arrangement>>;
}

type Lowerings = { readonly [K in Exclude<OpKind, 'input'>]: Lowering<OpOf<K>> };

/** One lowering for each operator kind; a kind without one does not compile. */
const LOWERINGS = {
  constant: ({ model }, { op }) =>
    op.dtype === 'int32' ? model.indices(op.shape, op.data) : model.floats(op.shape, op.data),
  cast: ({ model }, { inputs }) => model.node('Cast', [operand(inputs, 0).name], { to: FLOAT }),
  unary: lowerUnary,
  clip: lowerClip,
  binary: lowerBinary,
  reduce: lowerReduce,
  logSoftmax: lowerLogSoftmax,
  compare: lowerCompare,
  where: lowerWhere,
  gather: lowerGather,
  scatterAdd: lowerScatterAdd,
  broadcastTo: lowerBroadcastTo,
  reshape: lowerReshape,
  transpose: lowerTranspose,
  slice: lowerSlice,
  pad: lowerPad,
  concat: lowerConcat,
  select: lowerSelect,
  matmul: lowerMatmul,
  conv: lowerConv,
  convInputGrad: lowerConvInputGrad,
  convWeightGrad: lowerConvWeightGrad,
  maxPool: lowerMaxPool,
  maxPoolScatter: lowerMaxPoolScatter,
  maxPoolGather: lowerMaxPoolGather,
  avgPool: lowerAvgPool,
  avgPoolGrad: lowerAvgPoolGrad,
} satisfies Lowerings;

function lowering<K extends Exclude<OpKind, 'input'>>(kind: K): Lowering<OpOf<K>> {
  const lowerings: Lowerings = LOWERINGS;
  return lowerings[kind];
}

/**
 * The model's bytes. Its inputs are the graph's inputs that are no initializers, its outputs the graph's outputs, all
 * float32, under their names in the graph. Throws Error where an output has an input's name, an initializer another shape
 * than its input, or an operator no meaning with an open batch.
 */
export function toOnnx(graph: Graph, options: Omit<OnnxOptions, 'block' | 'carries'> = {}): Uint8Array {
  return lowerGraph(graph, options).model;
}

/** As `toOnnx`, in blocks of channels where `block` says so. Initializers stay plain. */
export function lowerGraph(original: Graph, options: OnnxOptions = {}): LoweredModel {
  const { target = 'standard', openBatch = [], initializers = {}, metadata = {}, name = 'netsmith' } = options;
  const { block = 0, carries = {} } = options;
  const graph = block === 0 ? original : widenChannels(original, block);
  const { nodes, outputs } = graph;
  const model = createModel(name);
  const emitter = { model, target };
  const axes = batchAxes(nodes, new Set(openBatch));
  for (const { op } of nodes) {
    if (op.kind === 'input' && Object.hasOwn(outputs, op.name))
      throw new Error(`"${op.name}" names an input and an output`);
  }
  const plan = block === 0 ? undefined : planLayouts(graph, block, carries);
  const inputs: Record<string, Arrangement> = {};
  const left: Record<string, Arrangement> = {};
  const readAs = new Map<string, Layout>();
  const made = model.memo<NodeId, Emitted>();
  const converted = model.memo<string, string>();
  const dimensions = (id: NodeId, shape: Shape): Dimension[] =>
    shape.map((n, axis) => (axis !== axes[id] ? n : axis === 0 ? 'N' : `N_${id}_${axis}`));

  const read = (id: NodeId, layout: Layout): string => {
    const own = lowered(id);
    const node = nodes[id] as Node;
    const { shape } = node;
    if (own.layout === layout || sameMemory(node, own.layout, layout, block)) return own.name;
    const key = `${id} ${layout}`;
    const known = converted.get(key);
    if (known !== undefined) return known;
    const result = convert({ model, block }, own.name, shape, own.layout, layout);
    converted.set(key, result);
    return result;
  };
  /** Whether a tensor is in blocks. */
  const isOtherwise = (id: NodeId) => plan !== undefined && plan.layouts[id] !== 'plain';
  const cuts = target === 'webgpu' ? undefined : findCuts(nodes);
  const parts = model.memo<NodeId, readonly string[]>();
  /** A part of a tensor that is cut into parts altogether: one operator makes them all. */
  const emitCut = (id: NodeId): Emitted | undefined => {
    const cut = cuts?.get(id);
    if (cut === undefined || isOtherwise(id)) return undefined;
    const known = parts.get(cut.from);
    const names =
      known ?? model.nodes('Split', [read(cut.from, 'plain'), model.ints(cut.sizes)], { axis: 0 }, cut.sizes.length);
    parts.set(cut.from, names);
    const { shape } = nodes[id] as Node;
    return { name: model.view(names[cut.index] as string, shape, shape), layout: 'plain' };
  };
  const factors = target === 'cpu' ? findFactors(graph, isOtherwise) : undefined;
  const emitScaled = (id: NodeId): Emitted | undefined => {
    const x = factors?.instead.get(id);
    return x === undefined ? undefined : { name: read(x, 'plain'), layout: 'plain' };
  };
  const softmaxes = findSoftmaxes(graph);
  const logarithms = new Set([...softmaxes.values()].map(({ logarithm }) => logarithm));
  const emitSoftmax = (id: NodeId): Emitted | undefined => {
    const found = softmaxes.get(id);
    if (found === undefined) return undefined;
    return { name: model.node('Softmax', [read(found.from, 'plain')], { axis: found.axis }), layout: 'plain' };
  };
  const blocked =
    plan &&
    blockedLowering({ graph, plan, block, emitter, batchAxis: (id) => axes[id], made: (id) => lowered(id), read });

  const vectors = { nodes, emitter, open: (id: NodeId) => axes[id] !== undefined, made: (id: NodeId) => plain(id) };
  /** As it was made, if that is plain. */
  const plain = (id: NodeId) => {
    const own = lowered(id);
    return own.layout === 'plain' ? own : { name: read(id, 'plain') };
  };
  const emitInput = (id: NodeId, { name: inputName, dtype }: OpOf<'input'>, shape: Shape): Emitted => {
    const weights = initializers[inputName];
    if (weights !== undefined) {
      if (`${weights.shape}` !== `${shape}`) {
        throw new Error(`initializer "${inputName}" is [${weights.shape}]; the graph takes [${shape}]`);
      }
      model.initializer(inputName, weights);
      return { name: inputName, layout: 'plain' };
    }
    model.input(inputName, dimensions(id, shape), dtype);
    if (dtype === 'int32') return { name: inputName, layout: 'plain' };
    const wish = plan?.layouts[id] ?? 'plain';
    const layout = wish === 'filter' || wish === 'outer' ? wish : 'plain';
    const arrangement = simplified(plan?.arrangements.get(id) ?? [{ shape, layout }]);
    if (arrangement !== PLAIN) inputs[inputName] = arrangement;
    readAs.set(inputName, layout);
    return { name: inputName, layout };
  };
  const emit = (id: NodeId): Emitted => {
    const node = nodes[id] as Node;
    const { op, shape } = node;
    model.at(node.path);
    if (op.kind === 'input') return emitInput(id, op, shape);
    const form = emitCut(id) ?? emitSoftmax(id) ?? emitScaled(id) ?? lowerVector(vectors, id) ?? blocked?.lower(id);
    if (form !== undefined) {
      if (form.layout === 'blocked') model.declare(form.name, dimensions(id, shape));
      return form;
    }
    const operands = node.op.kind === 'binary' ? narrowOperands(node, nodes) : node.inputs;
    const values = operands.map((from): Value => {
      const value = read(from, 'plain');
      return { name: value, shape: nodes[from]?.shape ?? [], batchAxis: axes[from] };
    });
    model.at(node.path);
    const factor = factors?.of.get(id);
    const value = lowering(op.kind)(emitter, { op: op as never, inputs: values, shape, batchAxis: axes[id], factor });
    return { name: axes[id] === undefined ? model.view(value, shape, shape) : value, layout: 'plain' };
  };
  const lowered = (id: NodeId): Emitted => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const value = emit(id);
    made.set(id, value);
    return value;
  };
  const emitSteps = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === 'node') lowered(step.id);
      else lowerSwitch(switches, step);
    }
  };
  const switches: SwitchContext = {
    nodes,
    emitter,
    emit: emitSteps,
    made,
    read,
    layoutOf: (id) => plan?.layouts[id] ?? 'plain',
    comparisons: model.memo(),
    openInput: nodes.findIndex(({ op }) => op.kind === 'input' && openBatch.includes(op.name)),
    batchAxis: (id) => axes[id],
  };
  // A broadcast that only elementwise operators read is never made: they broadcast by themselves.
  const isInlined = (id: NodeId) =>
    nodes[id]?.op.kind === 'broadcastTo' ||
    logarithms.has(id) ||
    factors?.instead.has(id) === true ||
    blocked?.absorbed(id) === true;
  emitSteps(schedule(graph, isInlined));
  model.at('');
  for (const [output, id] of Object.entries(outputs)) {
    const { shape } = nodes[id] as Node;
    const own = lowered(id).layout;
    const isFilter = own === 'filter' || own === 'outer';
    const entry = carries[output];
    const layout = entry === undefined ? 'plain' : (readAs.get(entry) ?? (isFilter ? own : 'plain'));
    const arrangement = simplified(plan?.arrangements.get(id) ?? [{ shape, layout }]);
    if (arrangement !== PLAIN) left[output] = arrangement;
    model.output(output, dimensions(id, shape), read(id, layout));
  }
  return { model: model.encode(metadata, target === 'cpu' ? 'backwards' : 'as added'), inputs, carried: left };
}

/** Images of one pixel lie in memory alike, plain or blocked; so does a matrix of one block that is its own transpose. */
function sameMemory({ op, inputs, shape }: Node, from: Layout, to: Layout, block: number): boolean {
  const images = (layout: Layout) => layout === 'plain' || layout === 'blocked';
  if (shape[2] !== 1 || shape[3] !== 1) return false;
  const products = op.kind === 'convWeightGrad' && op.groups === 1 && inputs[0] === inputs[1];
  return (images(from) && images(to)) || (products && shape[0] === block && shape[1] === block);
}

function convert(b: Blocked, name: string, shape: Shape, from: Layout, to: Layout): string {
  if (from !== 'plain') {
    const plain = from === 'blocked' ? toPlain(b, name, shape) : filterToPlain(b, name, shape, from);
    return convert(b, plain, shape, 'plain', to);
  }
  if (to === 'plain') return name;
  return to === 'blocked' ? toBlocked(b, name) : filterToBlocked(b, name, shape, to);
}

/** The operands of an elementwise operator, each without the broadcast that its partner brings about anyway. */
function narrowOperands(node: Node, nodes: readonly Node[]): NodeId[] {
  const shapeOf = (id: NodeId | undefined): Shape => nodes[id ?? -1]?.shape ?? [];
  const operands = [...node.inputs];
  for (const i of [0, 1]) {
    const wide = nodes[operands[i] ?? -1];
    const narrow = wide?.op.kind === 'broadcastTo' ? wide.inputs[0] : undefined;
    if (narrow === undefined) continue;
    if (`${broadcast(shapeOf(narrow), shapeOf(operands[1 - i]))}` === `${node.shape}`) operands[i] = narrow;
  }
  return operands;
}
