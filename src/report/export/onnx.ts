import onnxProto from 'onnx-proto';
import { invalid } from '../../common/errors.ts';
import type { Json } from '../../common/json.ts';
import type { DatasetInfo } from '../../data/dataset.ts';
import { toOnnx } from '../../engine/onnx/lower.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import type { Graph, HostTensor } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { eliminateDeadCode } from '../../graph/passes.ts';
import type { Module } from '../../space/module.ts';
import { taskOf } from '../../task/index.ts';
import { inferenceGraph } from '../../train/program.ts';
import { checkGraph } from './check-graph.ts';
import { foldWeights } from './fold.ts';
import type { CheckedGraph } from './graph-shapes.ts';
import { INPUT_NAME, type ModelMetadata, readMetadata, writeMetadata } from './metadata.ts';

export interface ExportRequest {
  /** Resolved. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** Parameters and statistics by path; other entries (a checkpoint's optimizer state) are ignored. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Share of the image's side that the network was trained for; 1 by default. */
  readonly resolution?: number;
  readonly about: {
    /** Of netsmith. */
    readonly version: string;
    readonly space: string;
    /** In the notation of the space. */
    readonly architecture: string;
    /** Settings, metrics: whatever is worth knowing of the training. */
    readonly training: Json;
  };
}

/**
 * The network as an ONNX file that stands alone: it takes raw values (`input` [N, ...]), normalizes them itself, and gives
 * `probabilities` [N, classes], or `values` [N, targets] in the targets' own units. The batch is open. Batch norm is
 * folded into the layer before it. Standard operators only, so any ONNX runtime reads it; IR version and operator set
 * are engine/onnx/model.ts's. The metadata says how to feed it: see metadata.ts.
 *
 * Throws Error where a weight is missing or has another shape than the network's.
 */
export function exportOnnx({ network, info, weights, resolution = 1, about }: ExportRequest): Uint8Array {
  const { graph } = inferenceGraph({ network, info, resolution }, 1);
  const whole = withOutputs(graph, info);
  for (const { op } of whole.nodes) {
    if (op.kind === 'input' && op.name !== INPUT_NAME && weights[op.name] === undefined) {
      throw new Error(`export: the weight "${op.name}" is missing`);
    }
  }
  const folded = foldWeights({ graph: whole, weights }, INPUT_NAME);
  return toOnnx(eliminateDeadCode(folded.graph), {
    target: 'standard',
    openBatch: [INPUT_NAME],
    initializers: folded.weights,
    metadata: writeMetadata(metadataOf(info, about)),
    name: 'netsmith',
  });
}

/** The inference graph with its input renamed, and what is done to its output appended. */
function withOutputs(graph: Graph, info: DatasetInfo): Graph {
  const g = createGraph();
  for (const { op, inputs, path } of graph.nodes) {
    const named = op.kind === 'input' && op.name === 'x' ? { ...op, name: INPUT_NAME } : op;
    if (path === '') g.add(named, inputs);
    else g.within(path, () => g.add(named, inputs));
  }
  // A network that reads nothing of its input (all edges `none`) still takes one.
  if (!g.nodes.some(({ op }) => op.kind === 'input' && op.name === INPUT_NAME)) {
    ops.input(g, INPUT_NAME, [1, ...info.input]);
  }
  const raw = graph.outputs.output;
  if (raw === undefined) throw new Error('export: the inference graph has no output');
  const output = g.within('output', () => taskOf(info).answer(g, raw, info));
  return finish(g, { [taskOf(info).exportedName]: output });
}

function metadataOf(info: DatasetInfo, about: ExportRequest['about']): ModelMetadata {
  return {
    ...about,
    task: info.kind,
    input: info.input,
    range: info.range,
    decoding: info.decoding,
    labels: info.labels,
    encoding: info.encoding,
    dataset: info.name,
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
 * Reads an exported model, which somebody else may have made or changed: its metadata, and its graph against that. `place` names
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
