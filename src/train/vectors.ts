/**
 * Many tensors end to end in one vector. A training program keeps its state so: each tensor that goes into a run and comes
 * out of it costs tens of microseconds whatever its size, and a few operators on a long vector cost less than many on short
 * ones. Outside the programs, every tensor has its own name: in checkpoints, in what is inherited, in exports.
 */
import type { GraphBuilder } from '../graph/builder.ts';
import { type Graph, type HostTensor, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { rebuild } from '../graph/passes/rebuild.ts';
import type { Chosen, Parameter } from '../network/network.ts';

/** A state entry that holds tensors end to end. */
export interface Vector {
  readonly name: string;
  /** [elements]; of a single tensor, its own shape. */
  readonly shape: Shape;
  readonly parts: readonly { readonly name: string; readonly shape: Shape }[];
}

type Tensors = Readonly<Record<string, HostTensor>>;

/** The vector of these tensors. */
export function vectorOf(name: string, parts: Vector['parts']): Vector {
  const [only, ...others] = parts;
  const total = parts.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { name, shape: only !== undefined && others.length === 0 ? only.shape : [total], parts };
}

/** The state of a network as vectors: what is trained and moved together, under the same choices, is in one. */
export function networkVectors(
  parameters: readonly Pick<Parameter, 'path' | 'shape' | 'when' | 'isAuxiliary'>[],
  statistics: readonly Pick<Parameter, 'path' | 'shape' | 'when' | 'isAuxiliary'>[],
): Vector[] {
  const kindOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  // Inference has no auxiliary heads, and works on the other vectors.
  const part = ({ when, isAuxiliary }: Pick<Parameter, 'when' | 'isAuxiliary'>) =>
    `${isAuxiliary ? ' auxiliary' : ''}${conditions(when)}`;
  const groups = [
    ...Map.groupBy(parameters, (one) => `:weights${part(one)}`),
    ...Map.groupBy(statistics, (one) => `:${kindOf(one.path)}${part(one)}`),
  ];
  return groups.map(([name, group]) =>
    vectorOf(
      name,
      group.map(({ path, shape }) => ({ name: path, shape })),
    ),
  );
}

const conditions = (when: readonly Chosen[]) => when.map(({ name, option }) => ` ${name}=${option}`).join('');

/** Each tensor in its place; those of no vector stay as they are. */
export function joinTensors(vectors: readonly Vector[], tensors: Tensors): Record<string, HostTensor> {
  const joined: Record<string, HostTensor> = { ...tensors };
  for (const { name, shape, parts } of vectors) {
    const data = new Float32Array(sizeOf(shape));
    let start = 0;
    for (const part of parts) {
      const found = tensors[part.name];
      if (found === undefined) throw new Error(`there is no tensor "${part.name}"`);
      data.set(found.data, start);
      start += found.data.length;
      delete joined[part.name];
    }
    joined[name] = { shape, data };
  }
  return joined;
}

/** The inverse of `joinTensors`. */
export function splitTensors(vectors: readonly Vector[], entries: Tensors): Record<string, HostTensor> {
  const split: Record<string, HostTensor> = { ...entries };
  for (const { name, parts } of vectors) {
    const data = entries[name]?.data;
    if (data === undefined) throw new Error(`there is no vector "${name}"`);
    delete split[name];
    let start = 0;
    for (const part of parts) {
      const end = start + sizeOf(part.shape);
      split[part.name] = { shape: part.shape, data: data.slice(start, end) };
      start = end;
    }
  }
  return split;
}

/** The same graph with vectors for inputs in the place of their parts, and the nodes of vectors and parts by name. */
export function cutInputs(
  graph: Graph,
  vectors: readonly Vector[],
): { readonly graph: Graph; readonly nodes: ReadonlyMap<string, NodeId> } {
  const vectorOfPart = new Map(vectors.flatMap((vector) => vector.parts.map(({ name }) => [name, vector] as const)));
  const nodes = new Map<string, NodeId>();
  const cut = rebuild(graph, ({ op, inputs }, _, g) => {
    const vector = op.kind === 'input' ? vectorOfPart.get(op.name) : undefined;
    if (op.kind !== 'input' || vector === undefined) return g.add(op, inputs);
    if (!nodes.has(vector.name)) {
      const node = ops.input(g, vector.name, vector.shape);
      nodes.set(vector.name, node);
      for (const [i, part] of unpack(g, node, vector.parts).entries()) nodes.set(vector.parts[i]?.name ?? '', part);
    }
    return nodes.get(op.name);
  });
  return { graph: cut, nodes };
}

/** Tensors of any shape as one vector, a single one unchanged. */
export function pack(g: GraphBuilder, tensors: readonly NodeId[]): NodeId {
  const [only, ...others] = tensors;
  if (only !== undefined && others.length === 0) return only;
  return ops.concat(
    g,
    tensors.map((node) => ops.reshape(g, node, [sizeOf(g.shape(node))])),
    0,
  );
}

/** The inverse of `pack`. */
function unpack(g: GraphBuilder, vector: NodeId, parts: Vector['parts']): NodeId[] {
  if (parts.length === 1) return [vector];
  let start = 0;
  return parts.map(({ shape }) => {
    const end = start + sizeOf(shape);
    const part = ops.reshape(g, ops.slice(g, vector, [start], [end]), shape);
    start = end;
    return part;
  });
}
