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
      const definition = definitionOf(op.kind);
      const inferred = definition.shape(op, inputs.map(shape));
      const formats = inputs.map(dtype);
      const format = (definition.dtype ?? onlyFloats)(op, formats);
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
