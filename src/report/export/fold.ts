import { invalid } from '../../common/errors.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import type { Graph, HostTensor, Node, NodeId, OpOf, Shape } from '../../graph/ir.ts';
import { definitionOf, type GraphBuilder, type Tensor } from '../../graph/ops.ts';

/** A graph some of whose inputs have fixed values: the weights of a trained network. */
export interface WeightedGraph {
  readonly graph: Graph;
  readonly weights: Readonly<Record<string, HostTensor>>;
}

/** scale · x + shift, by channel or feature (axis 1), of the value that `base` computes. */
interface Affine {
  readonly base: NodeId;
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/**
 * Folds what inference need not compute again: everything that depends on weights alone is computed once, and each run
 * of additions, subtractions, multiplications and divisions by a number for each channel (batch normalization in
 * inference, mostly) becomes one map scale · x + shift. Where it follows a convolution or a linear layer that nothing
 * else reads, the map goes into that layer's weight and bias (Jacob et al. 2018, section 3.2); elsewhere it is a product
 * and a sum. Computed in float64, stored in float32.
 *
 * Inputs without weights stay inputs, `batchInput` among them; weights that nothing reads are left out. The graph is
 * built for a batch of one, so that what does not depend on the samples has one row, and broadcasts.
 */
export function foldWeights({ graph, weights }: WeightedGraph, batchInput: string): WeightedGraph {
  const { nodes } = graph;
  const known = evaluateKnown(nodes, weights);
  const uses = countUses(graph);
  const affine = findAffine(nodes, known, uses);
  const emitter = createEmitter(nodes, weights);
  const placed = new Map<NodeId, NodeId>();

  /** The node of the folded graph that has the old node's value. */
  function place(id: NodeId): NodeId {
    const already = placed.get(id);
    if (already !== undefined) return already;
    const map = affine.get(id);
    const result = map === undefined ? placeNode(id) : placeAffine(id, map);
    placed.set(id, result);
    return result;
  }
  function placeNode(id: NodeId): NodeId {
    const value = known.get(id);
    if (value !== undefined) return emitter.constant(id, value);
    const { op, inputs } = at(nodes, id);
    return emitter.copy(id, inputs.map(op.kind === 'concat' && op.axis > 0 ? placeRows : place));
  }
  /** The same where there must be a row for each sample, even of a value that no sample changes; biases are joined along axis 0. */
  function placeRows(id: NodeId): NodeId {
    return known.has(id) ? emitter.rows(place(id), place(batch)) : place(id);
  }
  function placeAffine(id: NodeId, map: Affine): NodeId {
    const foldable = uses[map.base] === 1 && known.get(map.base) === undefined;
    const layer = at(nodes, map.base);
    const operands = layer.inputs.slice(1).map((input) => known.get(input));
    if (
      foldable &&
      (layer.op.kind === 'conv' || layer.op.kind === 'matmul') &&
      operands.every((o) => o !== undefined)
    ) {
      const [weight, bias] = operands;
      if (weight !== undefined && weight.shape.length === (layer.op.kind === 'conv' ? 4 : 2)) {
        const outputAxis = layer.op.kind === 'matmul' && !layer.op.transposeB ? 1 : 0;
        return emitter.layer(map.base, place(layer.inputs[0] as NodeId), intoLayer(weight, bias, outputAxis, map));
      }
    }
    return emitter.map(id, place(map.base), map);
  }

  const batch = nodes.findIndex(({ op }) => op.kind === 'input' && op.name === batchInput);
  if (batch < 0) throw new Error(`the graph has no input "${batchInput}"`);
  place(batch);
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, placeRows(id)]));
  return { graph: finish(emitter.g, outputs), weights: emitter.weights };
}

/** Values of the nodes that depend on weights and constants alone. */
function evaluateKnown(nodes: readonly Node[], weights: Readonly<Record<string, HostTensor>>): Map<NodeId, Tensor> {
  const known = new Map<NodeId, Tensor>();
  for (const [id, { op, inputs, shape }] of nodes.entries()) {
    if (op.kind === 'input') {
      const weight = weights[op.name];
      if (weight === undefined) continue;
      if (`${weight.shape}` !== `${shape}`) {
        throw invalid(`weight "${op.name}"`, `is [${weight.shape}]`, `the network takes [${shape}]`);
      }
      known.set(id, { shape, data: Float64Array.from(weight.data) });
      continue;
    }
    const operands = inputs.map((input) => known.get(input)).filter((value) => value !== undefined);
    if (operands.length < inputs.length) continue;
    known.set(id, { shape, data: definitionOf(op.kind).kernel(op, operands, shape) });
  }
  return known;
}

function countUses(graph: Graph): Int32Array {
  const uses = new Int32Array(graph.nodes.length);
  const needed = new Set<NodeId>(Object.values(graph.outputs));
  for (const id of Object.values(graph.outputs)) uses[id] = (uses[id] ?? 0) + 1;
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (!needed.has(id)) continue;
    for (const input of at(graph.nodes, id).inputs) {
      uses[input] = (uses[input] ?? 0) + 1;
      needed.add(input);
    }
  }
  return uses;
}

/** Nodes that are a map by channel of an earlier one, runs of them composed. */
function findAffine(nodes: readonly Node[], known: ReadonlyMap<NodeId, Tensor>, uses: Int32Array): Map<NodeId, Affine> {
  const found = new Map<NodeId, Affine>();
  for (const [id, { op, inputs, shape }] of nodes.entries()) {
    if (op.kind !== 'binary' || known.has(id)) continue;
    const [a, b] = inputs as readonly [NodeId, NodeId];
    const [left, right] = [known.get(a), known.get(b)];
    const x = left === undefined ? a : b;
    const numbers = byChannel(left ?? right, shape);
    if (numbers === undefined || `${at(nodes, x).shape}` !== `${shape}`) continue;
    const step = stepOf(op.fn, numbers, left !== undefined);
    if (step === undefined) continue;
    // A value that others read too is computed anyway: start from it.
    const before = uses[x] === 1 ? found.get(x) : undefined;
    found.set(id, before === undefined ? { base: x, ...step } : { base: before.base, ...compose(before, step) });
  }
  return found;
}

/** One number for each channel, where the operand is that (or a scalar); undefined where it is anything else. */
function byChannel(operand: Tensor | undefined, shape: Shape): Float64Array | undefined {
  if (operand === undefined || shape.length < 2) return undefined;
  const channels = shape[1] ?? Number.NaN;
  const aligned = [...new Array<number>(Math.max(0, shape.length - operand.shape.length)).fill(1), ...operand.shape];
  const fits = aligned.length === shape.length && aligned.every((n, axis) => n === 1 || (axis === 1 && n === channels));
  if (!fits) return undefined;
  return operand.data.length === channels
    ? operand.data
    : new Float64Array(channels).fill(operand.data[0] ?? Number.NaN);
}

/** x ∘ numbers, or numbers ∘ x when `reversed`, as scale and shift. */
function stepOf(
  fn: OpOf<'binary'>['fn'],
  numbers: Float64Array,
  reversed: boolean,
): Pick<Affine, 'scale' | 'shift'> | undefined {
  const all = (value: number) => new Float64Array(numbers.length).fill(value);
  switch (fn) {
    case 'add':
      return { scale: all(1), shift: numbers };
    case 'sub':
      return reversed ? { scale: all(-1), shift: numbers } : { scale: all(1), shift: numbers.map((v) => -v) };
    case 'mul':
      return { scale: numbers, shift: all(0) };
    case 'div':
      return reversed ? undefined : { scale: numbers.map((v) => 1 / v), shift: all(0) };
    case 'max':
    case 'min':
      return undefined;
  }
}

function compose(first: Affine, then: Pick<Affine, 'scale' | 'shift'>): Pick<Affine, 'scale' | 'shift'> {
  return {
    scale: first.scale.map((v, c) => v * (then.scale[c] ?? Number.NaN)),
    shift: first.shift.map((v, c) => v * (then.scale[c] ?? Number.NaN) + (then.shift[c] ?? Number.NaN)),
  };
}

/** scale · (w·x + bias) + shift as one layer: its weight scaled by output, and its bias. */
function intoLayer(weight: Tensor, bias: Tensor | undefined, outputAxis: 0 | 1, map: Affine): [Tensor, Tensor] {
  const outputs = map.scale.length;
  const each = weight.data.length / outputs;
  const scaled = weight.data.map(
    (v, i) => v * (map.scale[outputAxis === 0 ? Math.floor(i / each) : i % outputs] ?? Number.NaN),
  );
  const shifted = map.shift.map((v, o) => v + (bias?.data[o] ?? 0) * (map.scale[o] ?? Number.NaN));
  return [
    { shape: weight.shape, data: scaled },
    { shape: [outputs], data: shifted },
  ];
}

/** Adds nodes to the folded graph and keeps its weights. */
interface FoldEmitter {
  readonly g: GraphBuilder;
  readonly weights: Record<string, HostTensor>;
  copy(id: NodeId, inputs: readonly NodeId[]): NodeId;
  constant(id: NodeId, value: Tensor): NodeId;
  layer(id: NodeId, x: NodeId, weightAndBias: readonly [Tensor, Tensor]): NodeId;
  map(id: NodeId, x: NodeId, map: Affine): NodeId;
  /** The value, of one row, once for each row of `batch`: plus a zero made of each. */
  rows(value: NodeId, batch: NodeId): NodeId;
}

function createEmitter(nodes: readonly Node[], originals: Readonly<Record<string, HostTensor>>): FoldEmitter {
  const g = createGraph();
  const weights: Record<string, HostTensor> = {};
  const taken = new Set(nodes.flatMap(({ op }) => (op.kind === 'input' ? [op.name] : [])));
  const within = (path: string, body: () => NodeId) => (path === '' ? body() : g.within(path, body));
  /** A new weight, named by where it comes from. */
  const weigh = (path: string, hint: string, { shape, data }: Tensor): NodeId => {
    const stem = path === '' ? `folded/${hint}` : `${path}/folded/${hint}`;
    let name = stem;
    for (let i = 2; taken.has(name); i++) name = `${stem}${i}`;
    taken.add(name);
    weights[name] = { shape, data: Float32Array.from(data) };
    return g.add({ kind: 'input', name, shape }, []);
  };
  return {
    g,
    weights,
    copy(id, inputs) {
      const { op, path } = at(nodes, id);
      return within(path, () => g.add(op, inputs));
    },
    constant(id, value) {
      const { op, path } = at(nodes, id);
      if (op.kind === 'constant') return within(path, () => g.add(op, []));
      const original = op.kind === 'input' ? originals[op.name] : undefined;
      if (op.kind !== 'input' || original === undefined) return weigh(path, 'value', value);
      weights[op.name] = original;
      return within(path, () => g.add(op, []));
    },
    layer(id, x, [weight, bias]) {
      const { op, path } = at(nodes, id);
      const inputs = [x, weigh(path, 'weight', weight), weigh(path, 'bias', bias)];
      return within(path, () => g.add(op, inputs));
    },
    map(id, x, { scale, shift }) {
      const { path, shape } = at(nodes, id);
      const value = (numbers: Float64Array, hint: string): NodeId => {
        const [first = 0] = numbers;
        if (numbers.every((v) => v === first)) return g.add({ kind: 'constant', shape: [], data: [first] }, []);
        const along = shape.map((n, axis) => (axis === 1 ? n : 1));
        return weigh(path, hint, { shape: along, data: numbers });
      };
      return within(path, () => {
        const scaled = scale.every((v) => v === 1)
          ? x
          : g.add({ kind: 'binary', fn: 'mul' }, [x, value(scale, 'scale')]);
        if (shift.every((v) => v === 0)) return scaled;
        return g.add({ kind: 'binary', fn: 'add' }, [scaled, value(shift, 'shift')]);
      });
    },
    rows(value, batch) {
      const axes = [...g.shape(batch).keys()].slice(1);
      // A token is equal to itself.
      const zeros =
        g.dtype(batch) === 'int32'
          ? g.add({ kind: 'binary', fn: 'sub' }, [
              g.add({ kind: 'compare', fn: 'equal' }, [batch, batch]),
              g.add({ kind: 'constant', shape: [], data: [1] }, []),
            ])
          : g.add({ kind: 'unary', fn: 'zerosLike' }, [batch]);
      const zero = g.add({ kind: 'reduce', fn: 'sum', axes, keepDims: false }, [zeros]); // [N]
      const shape = g.shape(value).map(() => 1);
      return g.add({ kind: 'binary', fn: 'add' }, [value, g.add({ kind: 'reshape', shape }, [zero])]);
    },
  };
}

function at(nodes: readonly Node[], id: NodeId): Node {
  const node = nodes[id];
  if (node === undefined) throw new RangeError(`the graph has no node ${id}`);
  return node;
}
