import onnxProto from 'onnx-proto';
import { invalid, UserError } from '../../common/errors.ts';
import type { Json } from '../../common/json.ts';
import type { DatasetInfo } from '../../data/dataset.ts';
import { toOnnx } from '../../engine/onnx/lower.ts';
import { createGraph, finish, type GraphBuilder } from '../../graph/builder.ts';
import type { Graph, HostTensor, NodeId, Shape } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { eliminateDeadCode } from '../../graph/passes.ts';
import type { Module } from '../../space/tree/module.ts';
import { mapChildren } from '../../space/tree/resolve.ts';
import { isRecurrent } from '../../space/tree/walk.ts';
import { taskOf } from '../../task/index.ts';
import { type Nodes, splitOutput, type TensorSpec } from '../../task/spec.ts';
import type { TaskDefinition } from '../../task/task.ts';
import { inputsOf } from '../../train/forward.ts';
import { inferenceGraph } from '../../train/program.ts';
import { checkGraph } from './check-graph.ts';
import { foldWeights } from './fold.ts';
import type { CheckedGraph } from './graph-shapes.ts';
import { INPUT_NAME, type ModelMetadata, type ModelTensors, readMetadata, writeMetadata } from './metadata.ts';
import { openLength } from './open-length.ts';

export interface ExportRequest {
  /** Resolved. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** Parameters and statistics by path; other entries (a checkpoint's optimizer state) are ignored. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** What the network is for, where it is a task of the user's own. */
  readonly task?: TaskDefinition;
  /** Share of the image's side that the network was trained for; 1 by default. */
  readonly resolution?: number;
  /** Whether tokens may be fewer than a sample has, where the network allows; true by default. It takes three times as long. */
  readonly openLength?: boolean;
  readonly about: {
    /** Version of Netsmith. */
    readonly version: string;
    readonly space: string;
    /** In the notation of the space. */
    readonly architecture: string;
    /** Settings, metrics: whatever is worth knowing about the training. */
    readonly training: Json;
  };
}

/**
 * The network as an ONNX file that stands alone: it takes the raw inputs of the task by name, [N, ...], prepares them itself, and
 * gives the task's answers by name: `probabilities` [N, classes] of a classification, `values` [N, targets] of a regression in the
 * targets' own units. The batch is open. So is the length of tokens, [N, T], up to that of a sample, where the network allows
 * (`open-length.ts`). Of a recurrent task, states go in by name and come out as `next:NAME`: zeros at first. Batch norm is folded into the
 * layer before it. Standard operators only, so any ONNX runtime reads it; IR version and operator set are engine/onnx/model.ts's. The
 * metadata says how to feed it: see metadata.ts.
 *
 * Throws UserError where a weight is missing or has another shape than that of the network.
 */
export function exportOnnx(request: ExportRequest): Uint8Array {
  const { info, network } = request;
  const fixed = modelOf(request);
  const [length = 1, ...others] = info.input;
  const [input, ...more] = Object.entries(taskOf(info, request.task).spec(info).inputs);
  const mayOpen =
    request.openLength !== false &&
    input !== undefined &&
    input[1].dtype === 'int32' &&
    more.length + others.length === 0 &&
    length > COMPARED &&
    !isRecurrent(network);
  if (!mayOpen) return fixed;
  const pinned = withPositions(network, length);
  const of = (shorter: number) =>
    modelOf({ ...request, network: pinned, info: { ...info, input: [shorter] } }, [1, length]);
  try {
    return openLength(of(length), [of(length - 1), of(length - 2)], { input: input[0], length }) ?? fixed;
  } catch (error) {
    // Another length takes other weights, or cannot be built.
    if (error instanceof UserError) return fixed;
    throw error;
  }
}

/** To open a model's length, it is compared with models of this number of shorter lengths. */
const COMPARED = 2;

/** The network with this number of learned positions, however long its input is. */
function withPositions(module: Module, length: number): Module {
  if (module.kind === 'positions' && module.length === 'input') return { ...module, length };
  return mapChildren(module, (child) => withPositions(child, length));
}

/** `lengths`: the shortest and the longest that the file takes in the end, where these differ. */
function modelOf(
  { network, info, weights, task: own, resolution = 1, about }: ExportRequest,
  lengths?: readonly [number, number],
): Uint8Array {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const on = { network, info, resolution, state: spec.recurrent === true, ...(own && { task: own }) };
  const { graph, states } = inferenceGraph(on, 1);
  const tensors: ModelTensors = {
    inputs: spec.inputs,
    outputs: spec.outputs,
    states: Object.fromEntries(states.map(({ name, shape }) => [name, stateSpec(shape)])),
  };
  const whole = withAnswers(graph, tensors, (g, output) => {
    const outputs = splitOutput(g, spec, output);
    return task.answer?.graph(g, outputs, info) ?? outputs;
  });
  const fed = Object.keys({ ...tensors.inputs, ...tensors.states });
  for (const { op } of whole.nodes) {
    if (op.kind === 'input' && !fed.includes(op.name) && weights[op.name] === undefined) {
      throw invalid(`weight "${op.name}"`, 'is missing', 'the weights must be those of this network');
    }
  }
  const given = Object.fromEntries(Object.entries(weights).filter(([name]) => !fed.includes(name)));
  const folded = foldWeights({ graph: whole, weights: given }, fed[0] ?? INPUT_NAME);
  return toOnnx(eliminateDeadCode(folded.graph), {
    target: 'standard',
    openBatch: fed,
    initializers: folded.weights,
    metadata: writeMetadata({ ...metadataOf(info, tensors, about), lengths }),
    name: 'netsmith',
  });
}

/** [1, units] in the graph. */
const stateSpec = ([, ...shape]: Shape): TensorSpec => ({
  shape,
  dtype: 'float32',
  axes: shape.map(() => 'feature' as const),
});

/** The inference graph with its answers in the place of its output. */
function withAnswers(
  graph: Graph,
  { inputs, outputs, states }: ModelTensors,
  answer: (g: GraphBuilder, output: NodeId) => Nodes,
): Graph {
  const g = createGraph(graph);
  // A network that reads nothing of an input (all edges `none`) still takes it.
  const present = inputsOf(graph);
  for (const [name, { shape, dtype }] of Object.entries({ ...inputs, ...states }))
    if (!present.has(name)) ops.input(g, name, [1, ...shape], dtype);
  const { output: raw, ...next } = graph.outputs;
  if (raw === undefined) throw new Error('export: the inference graph has no output');
  const answers = g.within('output', () => answer(g, raw));
  const missing = Object.keys(outputs).find((name) => answers[name] === undefined);
  if (missing !== undefined) throw new Error(`export: the task answers without "${missing}"`);
  return finish(g, { ...answers, ...next });
}

export function metadataOf(info: DatasetInfo, tensors: ModelTensors, about: ExportRequest['about']): ModelMetadata {
  return {
    ...about,
    task: info.kind,
    input: info.input,
    tensors,
    range: info.range,
    decoding: info.decoding,
    labels: info.labels,
    encoding: info.encoding,
    text: info.text,
    dataset: info.name,
    lengths: undefined,
  };
}

/** The metadata of an exported model, as `readModel` reads it. */
export function modelMetadata(place: string, model: Uint8Array): ModelMetadata {
  return readModel(place, model).metadata;
}

/** An exported model that has been checked. */
export interface ReadModel extends CheckedGraph {
  readonly metadata: ModelMetadata;
}

/**
 * Reads an exported model from an untrusted source: its metadata, and its graph against that. `place` names
 * the file in errors. Throws UserError for anything else than a model that Netsmith exported.
 */
export function readModel(place: string, model: Uint8Array): ReadModel {
  const decoded = decodeModel(place, model);
  const metadata = readMetadata(place, propertiesOf(decoded));
  return { metadata, ...checkGraph(place, decoded, metadata) };
}

/** An ONNX file's own texts, `metadata_props`. Throws UserError when the bytes are no ONNX model. */
export function modelProperties(place: string, model: Uint8Array): Record<string, string> {
  return propertiesOf(decodeModel(place, model));
}

/** How many numbers of floating point an ONNX file holds. Throws UserError when the bytes are no ONNX model. */
export function weightsIn(place: string, model: Uint8Array): number {
  const { FLOAT, FLOAT16, BFLOAT16, DOUBLE } = onnxProto.onnx.TensorProto.DataType;
  const kinds: readonly unknown[] = [FLOAT, FLOAT16, BFLOAT16, DOUBLE];
  const { graph } = decodeModel(place, model);
  const weights = (graph?.initializer ?? []).filter(({ dataType }) => kinds.includes(dataType));
  return weights.reduce((sum, { dims }) => sum + (dims ?? []).reduce<number>((size, n) => size * Number(n), 1), 0);
}

function decodeModel(place: string, model: Uint8Array): onnxProto.onnx.ModelProto {
  let decoded: onnxProto.onnx.ModelProto | undefined;
  try {
    decoded = onnxProto.onnx.ModelProto.decode(model);
  } catch {
    decoded = undefined;
  }
  if (decoded?.graph === undefined || decoded.graph === null) {
    throw invalid(place, `${model.length} bytes are not an ONNX model`, 'it must be an undamaged ONNX file');
  }
  return decoded;
}

function propertiesOf({ metadataProps }: onnxProto.onnx.ModelProto): Record<string, string> {
  return Object.fromEntries(metadataProps.map(({ key, value }) => [key ?? '', value ?? '']));
}
