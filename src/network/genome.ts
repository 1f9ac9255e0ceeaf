import { createGraph, finish } from '../graph/builder.ts';
import type { Graph, HostTensor, NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { sourcesOf } from '../space/genome/genes.ts';
import { type Connection, type Genome, type GenomeShape, SIGMOID_SLOPE } from '../space/genome/genome.ts';
import { layersOf } from '../space/genome/paths.ts';

export interface GenomeGraph {
  /**
   * `input` [N, inputs] to `output` [N, outputs], each from 0 to 1. Recurrent: also `state` [N, outputs + hidden nodes] to
   * `next:state`, zeros at first. The other inputs are `weights`.
   */
  readonly graph: Graph;
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Values of the state; 0 for a feed-forward network. */
  readonly state: number;
}

/** Enabled connections, and the hidden nodes. */
export function genomeCosts({ hidden, connections }: Genome): { readonly params: number; readonly hidden: number } {
  return { params: connections.filter(({ enabled }) => enabled).length, hidden: hidden.length };
}

/**
 * A genome as a graph of matrix products, for `batch` rows: feed-forward, one product for each layer of nodes, of all values below it;
 * recurrent, one product for a step of all nodes. It computes what `genomeNetwork` (control/) does.
 */
export function genomeGraph(genome: Genome, shape: GenomeShape, batch = 1): GenomeGraph {
  return shape.recurrent ? recurrentGraph(genome, shape, batch) : layeredGraph(genome, shape, batch);
}

const outputsOf = (shape: GenomeShape): number[] =>
  Array.from({ length: shape.outputs }, (_, i) => sourcesOf(shape) + i);
const enabledOf = ({ connections }: Genome): readonly Connection[] => connections.filter(({ enabled }) => enabled);

/** [nodes, columns] and [nodes]: the weights by which nodes read the values of `columns`, and the constant that the bias adds. */
function productOf(
  nodes: readonly number[],
  columns: readonly number[],
  enabled: readonly Connection[],
  shape: GenomeShape,
) {
  const [row, column] = [nodes, columns].map((list) => new Map(list.map((id, i) => [id, i] as const)));
  const matrix = new Float32Array(nodes.length * columns.length);
  const bias = new Float32Array(nodes.length);
  for (const { from, to, weight } of enabled) {
    const [i, j] = [row?.get(to), column?.get(from)];
    if (i === undefined) continue;
    if (j !== undefined) matrix[i * columns.length + j] = weight * (shape.scale?.[from] ?? 1);
    else if (shape.bias !== 0 && from === shape.inputs) bias[i] = weight * shape.bias;
  }
  return {
    matrix: { shape: [nodes.length, columns.length], data: matrix },
    bias: { shape: [nodes.length], data: bias },
  };
}

interface Writing {
  readonly g: ReturnType<typeof createGraph>;
  readonly weights: Record<string, HostTensor>;
}

/** The values of nodes, [N, nodes], from those that they read, [N, columns]. */
function layer({ g, weights }: Writing, name: string, read: NodeId, parts: ReturnType<typeof productOf>): NodeId {
  const named = { [`${name}/weight`]: parts.matrix, [`${name}/bias`]: parts.bias };
  const [matrix, bias] = Object.entries(named).map(([key, tensor]) => ops.input(g, key, tensor.shape));
  if (matrix === undefined || bias === undefined) throw new Error('a layer has weights and a bias');
  Object.assign(weights, named);
  return ops.sigmoid(g, ops.scale(g, ops.matmul(g, read, matrix, { transposeB: true, bias }), SIGMOID_SLOPE));
}

function layeredGraph(genome: Genome, shape: GenomeShape, batch: number): GenomeGraph {
  const [sources, enabled, outputs] = [sourcesOf(shape), enabledOf(genome), outputsOf(shape)];
  const inner = enabled.filter(({ from }) => from >= sources);
  const layers = layersOf([...outputs, ...genome.hidden], inner);
  if (layers === undefined) throw new Error(`a feed-forward genome has a cycle`);
  const writing: Writing = { g: createGraph(), weights: {} };
  const { g } = writing;
  let columns: readonly number[] = Array.from({ length: shape.inputs }, (_, id) => id);
  let values = ops.input(g, 'input', [batch, shape.inputs]);
  for (const [i, nodes] of layers.entries()) {
    const made = layer(writing, `layer/${i}`, values, productOf(nodes, columns, enabled, shape));
    values = ops.concat(g, [values, made], 1);
    columns = [...columns, ...nodes];
  }
  const places = new Map(columns.map((id, i) => [id, i]));
  const picked = outputs.map((id) => {
    const at = places.get(id) ?? 0;
    return ops.slice(g, values, [0, at], [batch, at + 1]);
  });
  const output = picked.length === 1 ? picked[0] : ops.concat(g, picked, 1);
  if (output === undefined) throw new Error('a genome has outputs');
  return { graph: finish(g, { output }), weights: writing.weights, state: 0 };
}

function recurrentGraph(genome: Genome, shape: GenomeShape, batch: number): GenomeGraph {
  const nodes = [...outputsOf(shape), ...genome.hidden];
  const writing: Writing = { g: createGraph(), weights: {} };
  const { g } = writing;
  const input = ops.input(g, 'input', [batch, shape.inputs]);
  const state = ops.input(g, 'state', [batch, nodes.length]);
  const columns = [...Array.from({ length: shape.inputs }, (_, id) => id), ...nodes];
  const next = layer(
    writing,
    'step',
    ops.concat(g, [input, state], 1),
    productOf(nodes, columns, enabledOf(genome), shape),
  );
  const output = ops.slice(g, next, [0, 0], [batch, shape.outputs]);
  return { graph: finish(g, { output, 'next:state': next }), weights: writing.weights, state: nodes.length };
}
