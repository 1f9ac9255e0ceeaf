/** The portable lowering: any graph to an ONNX model in the NCHW layout, for every device. */
import type { Graph, HostTensor, Node, NodeId, OpKind, OpOf, Shape } from '../../graph/ir.ts';
import { batchAxes } from './batch.ts';
import { lowerConv, lowerConvInputGrad, lowerConvWeightGrad } from './lowerings/convolution.ts';
import { lowerBinary, lowerClip, lowerUnary } from './lowerings/elementwise.ts';
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
  lowerSlice,
  lowerTranspose,
} from './lowerings/shape.ts';
import { createModel, type Dimension } from './model.ts';
import type { Lowering, Target, Value } from './value.ts';

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
}

type Lowerings = { readonly [K in Exclude<OpKind, 'input'>]: Lowering<OpOf<K>> };

/** One lowering for each operator kind; a kind without one does not compile. */
const LOWERINGS = {
  constant: ({ model }, { op }) => model.floats(op.shape, op.data),
  unary: lowerUnary,
  clip: lowerClip,
  binary: lowerBinary,
  reduce: lowerReduce,
  logSoftmax: lowerLogSoftmax,
  broadcastTo: lowerBroadcastTo,
  reshape: lowerReshape,
  transpose: lowerTranspose,
  slice: lowerSlice,
  pad: lowerPad,
  concat: lowerConcat,
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
export function toOnnx(graph: Graph, options: OnnxOptions = {}): Uint8Array {
  const { target = 'standard', openBatch = [], initializers = {}, metadata = {}, name = 'netsmith' } = options;
  const { nodes, outputs } = graph;
  const model = createModel(name);
  const emitter = { model, target };
  const axes = batchAxes(nodes, new Set(openBatch));
  for (const { op } of nodes) {
    if (op.kind === 'input' && Object.hasOwn(outputs, op.name))
      throw new Error(`"${op.name}" names an input and an output`);
  }
  const values = new Map<NodeId, Value>();
  const dimensions = (id: NodeId, shape: Shape): Dimension[] =>
    shape.map((n, axis) => (axis !== axes[id] ? n : axis === 0 ? 'N' : `N_${id}_${axis}`));

  const emit = (id: NodeId, node: Node, inputs: readonly Value[]): Value => {
    model.at(node.path);
    const { op, shape } = node;
    const [place, batchAxis] = [{ inputs, shape, batchAxis: axes[id] }, axes[id]];
    if (op.kind !== 'input')
      return { name: lowering(op.kind)(emitter, { op: op as never, ...place }), shape, batchAxis };
    const weights = initializers[op.name];
    if (weights === undefined) model.input(op.name, dimensions(id, shape));
    else {
      if (`${weights.shape}` !== `${shape}`) {
        throw new Error(`initializer "${op.name}" is [${weights.shape}]; the graph takes [${shape}]`);
      }
      model.initializer(op.name, weights);
    }
    return { name: op.name, shape, batchAxis };
  };
  const lowered = (id: NodeId): Value => {
    const known = values.get(id);
    if (known !== undefined) return known;
    const node = nodes[id] as Node;
    const operands = node.op.kind === 'binary' ? narrowOperands(node, nodes) : node.inputs;
    const value = emit(id, node, operands.map(lowered));
    values.set(id, value);
    return value;
  };
  // A broadcast that only elementwise operators read is never made: they broadcast by themselves.
  for (const [id, { op }] of nodes.entries()) if (op.kind !== 'broadcastTo') lowered(id);
  model.at('');
  for (const [output, id] of Object.entries(outputs)) {
    const { name: value, shape } = lowered(id);
    model.output(output, dimensions(id, shape), value);
  }
  return model.encode(metadata);
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

/** The shape that two compatible shapes give together. */
function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1),
  );
}
