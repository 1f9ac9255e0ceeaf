import { type Graph, type Shape, sizeOf } from './ir.ts';
import { lastUses, neededNodes } from './liveness.ts';
import { sameShape } from './ops/definition.ts';
import { definitionOf, type Tensor } from './ops.ts';

/** A tensor given to the interpreter, row-major. */
export interface FedTensor {
  readonly shape: Shape;
  readonly data: Float64Array | Float32Array | Int32Array | readonly number[];
}

/**
 * The reference interpreter: runs the nodes that the outputs need, one after another, in float64 and plain TypeScript.
 * It is the definition that every lowering and every gradient is checked against, not a way to train.
 *
 * Throws Error naming an input that is missing or has another shape; feeds that no node asks for are ignored.
 */
export function interpret(graph: Graph, feeds: Readonly<Record<string, FedTensor>>): Record<string, Tensor> {
  const needed = neededNodes(graph);
  const lastUse = lastUses(graph, needed);
  const values: (Tensor | undefined)[] = new Array(graph.nodes.length);
  const tensor = (id: number): Tensor => {
    const value = values[id];
    if (value === undefined) throw new Error(`node ${id} is read before it is computed; nodes are in order`);
    return value;
  };
  for (const [id, { op, inputs, shape }] of graph.nodes.entries()) {
    if (needed[id] !== 1) continue;
    const data =
      op.kind === 'input' ? fed(op.name, shape, feeds) : definitionOf(op.kind).kernel(op, inputs.map(tensor), shape);
    values[id] = { shape, data };
    for (const from of inputs) if (lastUse[from] === id) values[from] = undefined;
  }
  return Object.fromEntries(
    // A copy: kernels such as reshape hand on their operand's array.
    Object.entries(graph.outputs).map(([name, id]) => [
      name,
      { shape: tensor(id).shape, data: tensor(id).data.slice() },
    ]),
  );
}

function fed(name: string, shape: Shape, feeds: Readonly<Record<string, FedTensor>>): Float64Array {
  const given = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
  if (given === undefined) throw new Error(`input "${name}" was not fed`);
  if (!sameShape(given.shape, shape) || given.data.length !== sizeOf(shape)) {
    const found = `[${given.shape.join(',')}] with ${given.data.length} numbers`;
    throw new Error(`input "${name}": ${found}; the graph takes [${shape.join(',')}]`);
  }
  return Float64Array.from(given.data);
}
