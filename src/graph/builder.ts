import type { DType, Graph, Node, NodeId, Op, Shape } from './ir.ts';
import { expectDtypes } from './ops/definition.ts';
import type { GraphBuilder } from './ops.ts';
import { definitionOf } from './ops.ts';

export type { GraphBuilder } from './ops.ts';

/** A graph to add nodes to: empty, or an extension of `from`, whose nodes keep their ids. */
export function createGraph(from?: Graph): GraphBuilder {
  const nodes: Node[] = [...(from?.nodes ?? [])];
  const inputNames = new Set(nodes.flatMap(({ op }) => (op.kind === 'input' ? [op.name] : [])));
  let path = '';
  const node = (id: NodeId): Node => {
    const found = nodes[id];
    if (found === undefined) throw new RangeError(`the graph has no node ${id}, only 0 to ${nodes.length - 1}`);
    return found;
  };
  const shape = (id: NodeId): Shape => node(id).shape;
  const dtype = (id: NodeId): DType => node(id).dtype;
  return {
    nodes,
    get path() {
      return path;
    },
    shape,
    dtype,
    add(op, inputs) {
      const { shape: inferred, dtype: format } = resultOf(op, inputs.map(node));
      if (op.kind === 'input') {
        // Two nodes of one input would each see only half of its gradient.
        if (inputNames.has(op.name)) throw new Error(`input "${op.name}" is in the graph already`);
        inputNames.add(op.name);
      }
      nodes.push(Object.freeze({ op: Object.freeze(op), inputs: [...inputs], shape: inferred, dtype: format, path }));
      return nodes.length - 1;
    },
    within(segment, body) {
      const outer = path;
      path = outer === '' ? segment : `${outer}/${segment}`;
      try {
        return body();
      } finally {
        path = outer;
      }
    },
  };
}

/** A node's shape and number format. */
type Result = Pick<Node, 'shape' | 'dtype'>;

/** The last result of an operator: passes add the same objects again, mostly to operands of the same shapes. */
const results = new WeakMap<Op, Result & { readonly operands: readonly Result[] }>();

function resultOf(op: Op, operands: readonly Result[]): Result {
  const known = results.get(op);
  if (known?.operands.length === operands.length) {
    if (
      operands.every(({ shape, dtype }, i) => shape === known.operands[i]?.shape && dtype === known.operands[i].dtype)
    )
      return known;
  }
  const definition = definitionOf(op.kind);
  const shape = definition.shape(
    op,
    operands.map((operand) => operand.shape),
  );
  const dtype = (definition.dtype ?? onlyFloats)(
    op,
    operands.map((operand) => operand.dtype),
  );
  const result = { shape, dtype, operands };
  results.set(op, result);
  return result;
}

function onlyFloats(op: Op, inputs: readonly DType[]): DType {
  expectDtypes(
    op,
    inputs,
    inputs.map(() => 'float32'),
  );
  return 'float32';
}

/** The graph as built so far, with named outputs. More can be added to the builder; the graph itself does not change. */
export function finish(g: GraphBuilder, outputs: Readonly<Record<string, NodeId>>): Graph {
  for (const [name, id] of Object.entries(outputs)) {
    if (g.nodes[id] === undefined) throw new RangeError(`output "${name}" is node ${id}; there are ${g.nodes.length}`);
  }
  return Object.freeze({ nodes: Object.freeze([...g.nodes]), outputs: Object.freeze({ ...outputs }) });
}
