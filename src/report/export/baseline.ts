/** Baselines that are no networks as ONNX files with the inputs and outputs of exported networks. */
import onnxProto from 'onnx-proto';
import type { BaselineForm, FittedBaseline } from '../../baseline/baseline.ts';
import type { DatasetInfo, Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { toOnnx } from '../../engine/onnx/lower.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { type HostTensor, type NodeId, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { taskOf } from '../../task/index.ts';
import { standardize } from '../../task/inputs.ts';
import { mapValues, onlyOf } from '../../task/spec.ts';
import type { TaskDefinition } from '../../task/task.ts';
import { writeMetadata } from './metadata.ts';
import { type ExportRequest, metadataOf } from './onnx.ts';
import { PARITY_LIMIT, rawInputs, relativeDifference } from './parity.ts';
import { TREES_DOMAIN, TREES_VERSION, treesNode } from './trees.ts';

export interface BaselineExport {
  /** Of the baseline: `boosted-trees`. */
  readonly name: string;
  readonly form: BaselineForm;
  readonly info: DatasetInfo;
  /** What it is for, where that is a task of the user's own. */
  readonly task?: TaskDefinition;
  readonly about: Pick<ExportRequest['about'], 'version' | 'training'>;
}

/** Rows that the graph is built for; a run may have any number. */
const BUILT_FOR = 2;
/** Between the two parts of a model of trees: rows of features, and the sums of the trees. */
const [ROWS, SUMS] = ['rows', 'sums'] as const;

/**
 * The ONNX file. It takes and gives what an exported network takes and gives on the same data (`exportOnnx`). Trees are one node of
 * `ai.onnx.ml`, everything else are standard operators.
 */
export function exportBaseline({ name, form, info, task: own, about }: BaselineExport): Uint8Array {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const [inputName = ''] = Object.keys(spec.inputs);
  const [outputName = ''] = Object.keys(spec.outputs);
  const { shape } = onlyOf(spec.inputs);
  const features = sizeOf(shape);
  const g = createGraph();
  const input = ops.input(g, inputName, [BUILT_FOR, ...shape]);
  const answered = (outputs: NodeId) => {
    const named = { [outputName]: outputs };
    return task.answer?.graph(g, named, info) ?? named;
  };
  const metadata = writeMetadata(
    metadataOf(
      info,
      { inputs: spec.inputs, outputs: spec.outputs, states: {} },
      { ...about, space: 'baseline', architecture: name },
    ),
  );
  const options = { target: 'standard', metadata, name: 'netsmith' } as const;
  if (form.kind === 'linear') {
    const { weights, bias, outputs } = form.model;
    const initializers: Record<string, HostTensor> = {
      weights: { shape: [outputs, features], data: weights },
      bias: { shape: [outputs], data: bias },
    };
    const [w, b] = Object.entries(initializers).map(([of, tensor]) => ops.input(g, of, tensor.shape));
    if (w === undefined || b === undefined) throw new Error('a linear model has weights and a bias');
    const rows = ops.reshape(g, standardize(g, input, info), [BUILT_FOR, features]);
    const graph = finish(g, answered(ops.matmul(g, rows, w, { transposeB: true, bias: b })));
    return toOnnx(graph, { ...options, openBatch: [inputName], initializers });
  }
  const sums = ops.input(g, SUMS, [BUILT_FOR, form.trees.outputs]);
  const graph = finish(g, { [ROWS]: ops.reshape(g, input, [BUILT_FOR, features]), ...answered(sums) });
  return withTrees(toOnnx(graph, { ...options, openBatch: [inputName, SUMS] }), treesNode(form.trees, ROWS, SUMS));
}

/** The graph knows no trees: they take the place of its input SUMS, and read its output ROWS. */
function withTrees(model: Uint8Array, trees: onnxProto.onnx.INodeProto): Uint8Array {
  const { ModelProto } = onnxProto.onnx;
  const proto = ModelProto.decode(model);
  const graph = proto.graph ?? {};
  const after = new Set([SUMS as string]);
  const isAfter = ({ input, output }: onnxProto.onnx.INodeProto) => {
    const follows = (input ?? []).some((value) => after.has(value));
    if (follows) for (const value of output ?? []) after.add(value);
    return follows;
  };
  const nodes = graph.node ?? [];
  const later = new Set(nodes.filter(isAfter));
  return ModelProto.encode({
    ...proto,
    opsetImport: [...proto.opsetImport, { domain: TREES_DOMAIN, version: TREES_VERSION }],
    graph: {
      ...graph,
      node: [...nodes.filter((node) => !later.has(node)), trees, ...nodes.filter((node) => later.has(node))],
      input: (graph.input ?? []).filter(({ name }) => name !== SUMS),
      output: (graph.output ?? []).filter(({ name }) => name !== ROWS),
    },
  }).finish();
}

/**
 * How far the exported file is from the baseline's own predictions on real samples, as `checkParity`. Throws Error above
 * PARITY_LIMIT: such a file must not be handed over.
 */
export async function checkBaselineParity(request: {
  readonly engine: Engine;
  readonly model: Uint8Array;
  readonly fitted: FittedBaseline;
  readonly info: DatasetInfo;
  readonly task?: TaskDefinition;
  readonly samples: Samples;
}): Promise<{ readonly parity: number; readonly samples: number }> {
  const { engine, model, fitted, info, task: own, samples } = request;
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const count = Math.min(64, samples.count);
  if (count === 0) throw new Error('parity: there are no samples to compare on');
  const inputs = await rawInputs(samples, spec.inputs, count);
  const raw = Float32Array.from(onlyOf(inputs).data);
  const outputs = mapValues(spec.outputs, () => fitted.predict(raw, count));
  task.restore?.(outputs, info);
  const expected = task.answer?.host(outputs, info) ?? outputs;
  const program = await engine.load(model);
  let parity = 0;
  try {
    const results = await program.run(inputs);
    for (const [name, values] of Object.entries(expected))
      parity = Math.max(parity, relativeDifference(results[name]?.data ?? [], values));
  } finally {
    await program.dispose();
  }
  if (!(parity <= PARITY_LIMIT))
    throw new Error(
      `the exported baseline differs from its own predictions by ${parity}; at most ${PARITY_LIMIT} is allowed`,
    );
  return { parity, samples: count };
}
