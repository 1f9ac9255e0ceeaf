import onnxProto from 'onnx-proto';
import { invalid } from '../../common/errors.ts';
import { sizeOf } from '../../graph/ir.ts';
import type { TensorSpecs } from '../../task/spec.ts';
import { nextState } from '../../train/forward.ts';
import { checkTrees } from './check-trees.ts';
import {
  ATTRIBUTES,
  type CheckedGraph,
  type FileNode,
  type FileValue,
  GraphError,
  inferShapes,
} from './graph-shapes.ts';
import { type ModelMetadata, type ModelTensors, tensorsAt } from './metadata.ts';
import { TREES_DOMAIN, TREES_VERSION } from './trees.ts';

type Proto = onnxProto.onnx.IModelProto;
type Tensor = onnxProto.onnx.ITensorProto;
type ProtoInt = onnxProto.onnx.ITensorProto['dataType'] | NonNullable<Tensor['dims']>[number];

/** Samples that run together at most. */
const MAX_BATCH = 64;
/** Numbers that the values of one run may have together before fewer samples run at a time: 256 MiB of float32. */
const RUN_ELEMENTS = 2 ** 26;
/** A graph that takes more for one sample is refused: 4 GiB of float32, or minutes of computing. */
const MAX_ELEMENTS = 2 ** 30;
const MAX_PRODUCTS = 1e12;

/**
 * Checks a graph from an untrusted source, before native code sees it: standard operators of exports alone, all
 * weights inside the file, shapes that fit together, the input and the output that the metadata names, and memory and time of
 * one run within limits. Throws UserError, with `place`, for anything else.
 */
export function checkGraph(place: string, proto: Proto, metadata: ModelMetadata): CheckedGraph {
  try {
    return checked(proto, metadata);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw invalid(place, `its graph ${error.message}`, 'the file is damaged, or Netsmith did not export it');
  }
}

const refuse = (what: string): never => {
  throw new GraphError(what);
};

function checked(proto: Proto, metadata: ModelMetadata): CheckedGraph {
  const graph = proto.graph ?? refuse('is missing');
  const opset = proto.opsetImport ?? [];
  const [standard, trees, ...others] = opset;
  if (standard === undefined || (standard.domain ?? '') !== '' || others.length > 0)
    refuse('needs operators beside the standard ones');
  if (trees !== undefined && (trees.domain !== TREES_DOMAIN || whole(trees.version) !== TREES_VERSION))
    refuse('needs operators beside the standard ones');
  if (some(proto.functions) || some(proto.trainingInfo) || some(graph.sparseInitializer))
    refuse('has parts that no export of Netsmith has');
  const given = new Map<string, FileValue>();
  for (const tensor of graph.initializer ?? []) {
    const name = tensor.name ?? '';
    if (name === '' || given.has(name)) refuse('names its values wrongly');
    given.set(name, fileValue(tensor));
  }
  const { tensors, lengths } = metadata;
  checkEnds(graph, given, tensors, lengths !== undefined);
  const nodes = (graph.node ?? []).map(nodeOf);
  const run = (batch: number, tensors: ModelTensors) => {
    const fed = Object.entries({ ...tensors.inputs, ...tensors.states }).map(([name, { shape, dtype }]) => {
      const type = dtype === 'int32' ? ('token' as const) : ('float' as const);
      return [name, { type, shape: [batch, ...shape] }] as const;
    });
    const { values, costs } = inferShapes(nodes, new Map<string, FileValue>([...given, ...fed]));
    for (const [name, { shape }] of Object.entries(endsOf(tensors))) {
      const made = values.get(name);
      if (made?.type === 'float' && made.shape.join() === [batch, ...shape].join()) continue;
      const numbers = shape.length === 1 ? `${shape[0]} numbers` : `[${shape.join(', ')}]`;
      refuse(`does not answer with ${numbers} for each sample, as its metadata says`);
    }
    return {
      elements: fed.reduce((sum, [, { shape }]) => sum + sizeOf(shape), costs.elements),
      products: costs.products,
      flops: costs.flops,
    };
  };
  if (lengths !== undefined) run(1, tensorsAt(tensors, lengths[0]));
  const single = run(1, tensors);
  if (single.elements > MAX_ELEMENTS || single.products > MAX_PRODUCTS)
    refuse('takes more memory or time than any export');
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(RUN_ELEMENTS / single.elements)));
  if (run(batch, tensors).elements > 2 * batch * single.elements + RUN_ELEMENTS)
    refuse('takes more memory or time than any export');
  return { model: withoutExtras(proto, graph), batch, flops: single.flops };
}

const some = (list: readonly unknown[] | null | undefined): boolean => (list?.length ?? 0) > 0;

/** protobuf's 64-bit numbers come as objects where the library `long` is there. */
function whole(value: ProtoInt | null | undefined): number {
  const number = typeof value === 'number' ? value : (value?.toNumber() ?? 0);
  return Number.isSafeInteger(number) ? number : refuse('has an impossible number');
}

/** What comes out: the answers, and the next states. */
function endsOf({ outputs, states }: ModelTensors): TensorSpecs {
  const next = Object.entries(states).map(([name, spec]) => [nextState(name), spec] as const);
  return { ...outputs, ...Object.fromEntries(next) };
}

/** The inputs and outputs that the metadata says, and no others: each with an open batch, and an open length where `isOpen`. */
function checkEnds(
  graph: onnxProto.onnx.IGraphProto,
  given: ReadonlyMap<string, FileValue>,
  tensors: ModelTensors,
  isOpen: boolean,
): void {
  const { DataType } = onnxProto.onnx.TensorProto;
  const ends = (what: string, infos: readonly onnxProto.onnx.IValueInfoProto[], specs: TensorSpecs) => {
    for (const [name, { shape, dtype, axes }] of Object.entries(specs)) {
      const wanted = shape.map((size, axis) => (isOpen && axes[axis] === 'time' ? 0 : size));
      const [info, ...others] = infos.filter((one) => one.name === name);
      const tensor = info?.type?.tensorType;
      const [first, ...rest] = tensor?.shape?.dim ?? [];
      const sizes = rest.map(({ dimValue }) => whole(dimValue));
      if (
        others.length > 0 ||
        infos.length !== Object.keys(specs).length ||
        tensor?.elemType !== (dtype === 'int32' ? DataType.INT32 : DataType.FLOAT) ||
        first === undefined ||
        whole(first.dimValue) !== 0 ||
        sizes.join() !== wanted.join()
      )
        refuse(`has another ${what} than its metadata says, which is "${name}" [N, ${shape.join(', ')}]`);
    }
  };
  const inputs = (graph.input ?? []).filter(({ name }) => !given.has(name ?? ''));
  ends('input', inputs, { ...tensors.inputs, ...tensors.states });
  ends('output', graph.output ?? [], endsOf(tensors));
}

function fileValue(tensor: Tensor): FileValue {
  const { DataType, DataLocation } = onnxProto.onnx.TensorProto;
  if (tensor.dataLocation === DataLocation.EXTERNAL || some(tensor.externalData))
    refuse('keeps weights in another file, which is not read');
  if (tensor.segment !== undefined && tensor.segment !== null) refuse('keeps weights in segments');
  const shape = (tensor.dims ?? []).map(whole);
  const raw = tensor.rawData ?? new Uint8Array();
  const isInts = tensor.dataType === DataType.INT64;
  const isTokens = tensor.dataType === DataType.INT32;
  if (!isInts && !isTokens && tensor.dataType !== DataType.FLOAT) refuse('has weights that are not float32');
  if (shape.some((n) => n < 0) || sizeOf(shape) * (isInts ? 8 : 4) !== raw.length)
    refuse('has weights of another size than it says');
  if (some(tensor.floatData) || some(tensor.int64Data) || some(tensor.int32Data)) refuse('has weights in two forms');
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (isTokens)
    return { type: 'token', shape, ints: Array.from({ length: raw.length / 4 }, (_, i) => view.getInt32(4 * i, true)) };
  if (!isInts) return { type: 'float', shape };
  if (shape.length > 1 || raw.length > 8 * 1024) refuse('has a shape of too many axes');
  const ints = Array.from({ length: raw.length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  return { type: 'int', shape, ints };
}

function nodeOf(node: onnxProto.onnx.INodeProto): FileNode {
  if ((node.domain ?? '') !== '') return checkTrees(node);
  const { opType, input, output, attribute } = node;
  const { INT, INTS, FLOAT } = onnxProto.onnx.AttributeProto.AttributeType;
  const type = opType ?? '';
  const known = Object.hasOwn(ATTRIBUTES, type) ? (ATTRIBUTES[type] ?? []) : [];
  const ints: Record<string, readonly number[]> = {};
  for (const { name, type: kind, i, ints: several } of attribute ?? []) {
    if (name === undefined || name === null || !known.includes(name) || Object.hasOwn(ints, name))
      return refuse('has an operator with a setting that no export of Netsmith has');
    if (kind === INT) ints[name] = [whole(i)];
    else if (kind === INTS) ints[name] = (several ?? []).map(whole);
    else if (kind === FLOAT) ints[name] = [];
    else return refuse('has an operator with a setting that no export of Netsmith has');
  }
  return { type, inputs: input ?? [], outputs: output ?? [], ints };
}

/** Texts, declared shapes and whatever else need not be there are left out. */
function withoutExtras(proto: Proto, graph: onnxProto.onnx.IGraphProto): Uint8Array {
  const { ModelProto } = onnxProto.onnx;
  const { node = [], initializer = [], input = [], output = [] } = graph;
  return ModelProto.encode({
    irVersion: proto.irVersion ?? 0,
    opsetImport: proto.opsetImport ?? [],
    graph: { name: 'netsmith', node, initializer, input, output },
  }).finish();
}
