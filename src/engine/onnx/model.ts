/**
 * A thin typed layer over onnx-proto: collects nodes, initializers, inputs and outputs, and encodes them as an ONNX model.
 * IR version 8 and operator set 18, so that any ONNX Runtime since 1.14 reads what we export.
 */
import onnxProto from 'onnx-proto';
import type { DType, HostTensor, Shape } from '../../graph/ir.ts';
import { type Attributes, attribute, bytesOf, type Dimension, valueInfo } from './proto.ts';

const { onnx } = onnxProto;

export const IR_VERSION = 8;
export const OPSET = 18;
/** ONNX Runtime's own operators; only its CPU provider is sure to have those that we use. */
export const MICROSOFT = 'com.microsoft';

export interface NodeOptions {
  readonly domain?: string;
  /** How many outputs there are up to the last that is wanted; the others are named `<first>:<n>`. */
  readonly outputs?: number;
  /** Where an equal node is there already, its output is returned. For nodes of one output. */
  readonly reuse?: boolean;
}

export interface Memo<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

/** Values are named by text; '' stands for an optional input that is left out. */
export interface ModelBuilder {
  /** Nodes added from here on are named after this place in the module tree, for messages and for readers of an export. */
  at(path: string): void;
  input(name: string, dimensions: readonly Dimension[], dtype?: DType): void;
  /** Makes a value an output of the model, under its own name. */
  output(name: string, dimensions: readonly Dimension[], value: string): void;
  /** Adds a node and returns the name of its first output. */
  node(type: string, inputs: readonly string[], attributes?: Attributes, options?: NodeOptions): string;
  /**
   * The same memory under another shape (-1 for a dimension to be worked out). It becomes a `Reshape` where a node first reads
   * it, so that it costs nothing before. A view of a view is one of the first value, or that value itself if `own`, the shape
   * it has, is asked for again.
   */
  view(value: string, shape: Shape, own?: Shape): string;
  /** The shapes in which a value's memory can be read without another node, as far as they are known. */
  shapesOf(value: string): readonly Shape[];
  /** Says what shape a value has, where ONNX Runtime cannot infer it: its planning of memory wants to know. */
  declare(value: string, dimensions: readonly Dimension[]): void;
  /**
   * Adds an `If` and returns the names of its results. Of the two functions that of the branch that runs makes the results: each
   * adds its branch's nodes, which may read all that was there before, and answers with as many names.
   */
  branch(condition: string, then: () => readonly string[], otherwise: () => readonly string[]): readonly string[];
  /** A map from which what is put in while a branch is built is gone at the branch's end, as values are. */
  memo<K, V>(): Memo<K, V>;
  /** Adds a node with several outputs and returns all their names. */
  nodes(type: string, inputs: readonly string[], attributes: Attributes, outputs: number): readonly string[];
  /** A named float32 tensor inside the model: a weight of an export. */
  initializer(name: string, tensor: HostTensor): void;
  /** A float32 constant; equal small constants are stored once. */
  floats(shape: Shape, data: ArrayLike<number>): string;
  /** An int32 constant: tokens or positions of a graph. */
  indices(shape: Shape, data: readonly number[]): string;
  /** An int64 vector (axes, shapes); equal ones are stored once. */
  ints(values: readonly number[]): string;
  /**
   * `backwards` lists the last node first, which only ONNX Runtime reads: it walks from the outputs to the inputs, of several
   * the last listed first, and so computes in the order in which nodes were added where that is free.
   */
  encode(metadata?: Readonly<Record<string, string>>, order?: 'as added' | 'backwards'): Uint8Array;
}

/** The model's graph, or a branch of it that is being built. */
interface Frame {
  readonly nodes: onnxProto.onnx.INodeProto[];
  readonly produced: Set<string>;
  /** By the value that is viewed. */
  readonly views: Map<string, onnxProto.onnx.INodeProto[]>;
}

const emptyFrame = (): Frame => ({ nodes: [], produced: new Set(), views: new Map() });

/**
 * A frame's nodes, each followed by the views of what it makes. Where a view stands counts (`backwards` below): what joins
 * the gradients of all filters reads views of them, and has each gradient computed when its view's turn comes.
 */
function listed({ nodes, produced, views }: Frame): onnxProto.onnx.INodeProto[] {
  const before = [...views].flatMap(([value, own]) => (produced.has(value) ? [] : own));
  return [...before, ...nodes.flatMap((node) => [node, ...(node.output ?? []).flatMap((o) => views.get(o) ?? [])])];
}

/** The same memory as another value's. */
interface View {
  readonly source: string;
  readonly shape: Shape;
}

/** Constants with at most this many elements are deduplicated. */
const SHARED_CONSTANT = 256;

export function createModel(graphName: string): ModelBuilder {
  const outermost = emptyFrame();
  let frame = outermost;
  const memos: Map<unknown, unknown>[][] = [];
  const initializers: onnxProto.onnx.ITensorProto[] = [];
  const inputs: onnxProto.onnx.IValueInfoProto[] = [];
  const outputs: onnxProto.onnx.IValueInfoProto[] = [];
  const constants = new Map<string, string>();
  const domains = new Set<string>();
  const outputOf = new Map<string, string>();
  let fresh = 0;
  let place = '';

  /** Names of graph inputs are paths such as `3/1/weight`: ours start with a dollar and cannot meet them. */
  const freshName = (hint: string) => `$${hint}${fresh++}`;
  const named = (output: string) => (place === '' ? output : `${place}/${output}`);
  const shared = (key: string, hint: string, add: (name: string) => void): string => {
    const known = constants.get(key);
    if (known !== undefined) return known;
    const name = freshName(hint);
    add(name);
    constants.set(key, name);
    return name;
  };
  const addFloats = (name: string, shape: Shape, data: Float32Array) =>
    initializers.push({ name, dims: [...shape], dataType: onnx.TensorProto.DataType.FLOAT, rawData: bytesOf(data) });

  const node: ModelBuilder['node'] = (type, nodeInputs, attributes = {}, options = {}) => {
    const { domain = '', outputs: count = 1, reuse = false } = options;
    const key = reuse ? JSON.stringify([domain, type, nodeInputs, attributes]) : '';
    const known = reuse ? equal.get(key) : undefined;
    if (known !== undefined) return known;
    const output = freshName(type);
    if (reuse) equal.set(key, output);
    if (domain !== '') domains.add(domain);
    const names = Array.from({ length: count }, (_, i) => (i === 0 ? output : `${output}:${i}`));
    for (const name of names) frame.produced.add(name);
    frame.nodes.push({
      name: named(output),
      opType: type,
      domain,
      input: nodeInputs.map(read),
      output: names,
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
    return output;
  };

  /** A memory of values that a branch adds to for itself. */
  function memo<K, V>(): Memo<K, V> {
    const levels: Map<K, V>[] = [new Map()];
    memos.push(levels as Map<unknown, unknown>[]);
    return {
      get: (key) => levels.findLast((level) => level.has(key))?.get(key),
      set: (key, value) => void levels.at(-1)?.set(key, value),
    };
  }

  function subgraph(hint: string, body: () => readonly string[]): onnxProto.onnx.IAttributeProto {
    const outer = frame;
    const own = emptyFrame();
    frame = own;
    for (const levels of memos) levels.push(new Map());
    const taken = new Set<string>();
    // A result is made in the branch itself, and stands once among its outputs.
    const results = body().map((name) => {
      const value = read(name);
      const result = own.produced.has(value) && !taken.has(value) ? value : node('Identity', [value]);
      taken.add(result);
      return result;
    });
    for (const levels of memos) levels.pop();
    frame = outer;
    const known = [...own.produced].filter((value) => !taken.has(value));
    return {
      name: hint,
      type: onnx.AttributeProto.AttributeType.GRAPH,
      g: {
        name: freshName(hint),
        node: listed(own),
        output: results.map((value) => valueInfo(value, declared.get(value))),
        valueInfo: known.flatMap((value) => (declared.has(value) ? [valueInfo(value, declared.get(value))] : [])),
      },
    };
  }

  /** The outputs of nodes that may be read in place of equal ones. */
  const equal = memo<string, string>();
  const views = new Map<string, View>();
  /** The names of views by source and shape, and of the values that nodes read for them. */
  const viewNames = new Map<string, string>();
  const made = memo<string, string>();
  /** Those of each source that have nodes. */
  const madeShapes = memo<string, readonly Shape[]>();
  /** Results of `If`s, which have the shapes of different values in different branches. */
  const varied = new Set<string>();
  /** The shape in which a value was first made. */
  const shapes = new Map<string, Shape>();

  const view: ModelBuilder['view'] = (value, shape, own) => {
    if (own !== undefined && !views.has(value)) {
      if (!varied.has(value) && !shapes.has(value)) shapes.set(value, own);
      if (own.join() === shape.join()) return value;
    }
    const source = views.get(value)?.source ?? value;
    if (shapes.get(source)?.join() === shape.join()) return source;
    const key = `${source} ${shape.join()}`;
    const name = viewNames.get(key) ?? freshName('view');
    viewNames.set(key, name);
    views.set(name, { source, shape });
    return name;
  };

  /** The value that a node reads under this name: for a view, its `Reshape` is added. */
  function read(name: string): string {
    const own = views.get(name);
    if (own === undefined) return name;
    const known = made.get(name);
    if (known !== undefined) return known;
    const { source, shape } = own;
    const value = freshName('Reshape');
    const proto = {
      name: named(value),
      opType: 'Reshape',
      domain: '',
      input: [source, builder.ints(shape)],
      output: [value],
    };
    frame.views.set(source, [...(frame.views.get(source) ?? []), proto]);
    frame.produced.add(value);
    const dimensions = declared.get(name);
    if (dimensions !== undefined) declared.set(value, dimensions);
    made.set(name, value);
    madeShapes.set(source, [...(madeShapes.get(source) ?? []), shape]);
    return value;
  }

  const declared = new Map<string, readonly Dimension[]>();
  const builder: ModelBuilder = {
    declare: (value, dimensions) => void declared.set(value, dimensions),
    at(path) {
      place = path;
    },
    input: (name, dimensions, dtype) => void inputs.push(valueInfo(name, dimensions, dtype)),
    output(name, dimensions, computed) {
      const value = read(computed);
      outputs.push(valueInfo(name, dimensions));
      // The node writes to the output itself, unless its value is an input, a constant or another output too.
      if (outermost.produced.has(value) && !outputOf.has(value)) outputOf.set(value, name);
      else outputOf.set(node('Identity', [value]), name);
    },
    node,
    memo,
    branch(condition, then, otherwise) {
      const attributes = [subgraph('then_branch', then), subgraph('else_branch', otherwise)];
      const count = attributes[0]?.g?.output?.length ?? 0;
      const first = node('If', [condition], {}, { outputs: count });
      frame.nodes.at(-1)?.attribute?.push(...attributes);
      const results = Array.from({ length: count }, (_, i) => (i === 0 ? first : `${first}:${i}`));
      for (const result of results) varied.add(result);
      return results;
    },
    nodes(type, nodeInputs, attributes, count) {
      const first = node(type, nodeInputs, attributes, { outputs: count });
      return Array.from({ length: count }, (_, i) => (i === 0 ? first : `${first}:${i}`));
    },
    view,
    shapesOf(value) {
      const source = views.get(value)?.source ?? value;
      if (varied.has(source)) return [];
      const own = shapes.get(source);
      return [...(own ? [own] : []), ...(madeShapes.get(source) ?? [])];
    },
    indices(shape, data) {
      const values = Int32Array.from(data);
      return shared(`i ${shape.join()} ${values.join()}`, 'indices', (name) =>
        initializers.push({
          name,
          dims: [...shape],
          dataType: onnx.TensorProto.DataType.INT32,
          rawData: bytesOf(values),
        }),
      );
    },
    initializer: (name, { shape, data }) => void addFloats(name, shape, data),
    floats(shape, data) {
      const values = Float32Array.from(data);
      if (values.length > SHARED_CONSTANT) {
        const name = freshName('constant');
        addFloats(name, shape, values);
        return name;
      }
      return shared(`f ${shape.join()} ${values.join()}`, 'constant', (name) => addFloats(name, shape, values));
    },
    ints: (values) =>
      shared(`i ${values.join()}`, 'ints', (name) =>
        initializers.push({
          name,
          dims: [values.length],
          dataType: onnx.TensorProto.DataType.INT64,
          rawData: bytesOf(BigInt64Array.from(values, BigInt)),
        }),
      ),
    encode(metadata = {}, order = 'as added') {
      const opset = [{ domain: '', version: OPSET }, ...[...domains].sort().map((domain) => ({ domain, version: 1 }))];
      const rename = (value: string) => outputOf.get(value) ?? value;
      const renamed = (nodes: readonly onnxProto.onnx.INodeProto[]): onnxProto.onnx.INodeProto[] =>
        nodes.map((n) => ({
          ...n,
          input: (n.input ?? []).map(rename),
          output: (n.output ?? []).map(rename),
          attribute: (n.attribute ?? []).map((a) => (a.g ? { ...a, g: { ...a.g, node: renamed(a.g.node ?? []) } } : a)),
        }));
      return onnx.ModelProto.encode({
        irVersion: IR_VERSION,
        producerName: 'netsmith',
        opsetImport: opset,
        metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
        graph: {
          name: graphName,
          // Branches are refused unless they are in order.
          node: renamed(order === 'as added' ? listed(outermost) : listed(outermost).toReversed()),
          initializer: initializers,
          input: inputs,
          output: outputs,
          valueInfo: [...declared].flatMap(([value, dimensions]) =>
            outputOf.has(value) || !outermost.produced.has(value) ? [] : [valueInfo(value, dimensions)],
          ),
        },
      }).finish();
    },
  };
  return builder;
}
