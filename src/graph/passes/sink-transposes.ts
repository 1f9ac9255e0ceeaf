import { createGraph, finish } from '../builder.ts';
import { type Graph, type Node, type NodeId, type Op, type Shape, sizeOf } from '../ir.ts';
import { broadcastShape } from '../ops/strides.ts';
import { type GraphBuilder, reshape, transpose } from '../ops.ts';

/** Axes of a tensor as it is stored, by the axes that it is meant to have: `meant = transpose(stored, perm)`. */
type Perm = readonly number[];

/** A tensor of the old graph in the new one. */
interface Placed {
  readonly id: NodeId;
  readonly perm: Perm;
}

/**
 * Moves transposes behind the operators that can work on a tensor as it is stored, to where they meet an inverse one, or an operator that cannot.
 * Sequences are [N, C, T], and products with their positions want [N·T, C]: between the products of a transformer, nothing is transposed
 * but the heads of attention. The graph is returned as it is where no fewer numbers would be moved.
 */
export function sinkTransposes(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op.kind === 'transpose')) return graph;
  const sunk = rewritten(graph);
  return moved(sunk) < moved(graph) ? sunk : graph;
}

/** How many numbers the transposes of a graph move. */
function moved({ nodes }: Graph): number {
  const moves = nodes.filter(
    ({ op, inputs }) => op.kind === 'transpose' && !isView(op.perm, nodes[inputs[0] ?? -1]?.shape ?? []),
  );
  return moves.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function rewritten({ nodes, outputs }: Graph): Graph {
  const g = createGraph();
  const placed: Placed[] = [];
  const plain = new Map<NodeId, NodeId>();
  /** The tensor as it is meant. */
  const meant = (old: NodeId): NodeId => {
    const known = plain.get(old);
    if (known !== undefined) return known;
    const { id, perm } = at(placed, old);
    const made = arranged(g, id, perm);
    plain.set(old, made);
    return made;
  };
  for (const [old, node] of nodes.entries()) {
    const place = g.within(node.path, () => sunk(g, node, placed, nodes, meant));
    placed.push(
      place ??
        asIs(
          g.within(node.path, () => g.add(node.op, node.inputs.map(meant))),
          node.shape,
        ),
    );
    if (place === undefined) plain.set(old, at(placed, old).id);
  }
  return finish(g, Object.fromEntries(Object.entries(outputs).map(([name, old]) => [name, meant(old)])));
}

/** The node on operands as they are stored; undefined where it needs them as they are meant. */
function sunk(
  g: GraphBuilder,
  { op, inputs, shape }: Node,
  placed: readonly Placed[],
  nodes: readonly Node[],
  meant: (old: NodeId) => NodeId,
): Placed | undefined {
  const operands = inputs.map((old) => at(placed, old));
  const [first] = operands;
  if (first === undefined) return undefined;
  if (op.kind === 'transpose') return { id: first.id, perm: op.perm.map((axis) => at(first.perm, axis)) };
  const isIdle = operands.every(({ perm }) => isIdentity(perm));
  if (isIdle) return undefined;
  const { perm } = first;
  switch (op.kind) {
    case 'unary':
    case 'clip':
    case 'cast':
      return { id: g.add(op, [first.id]), perm };
    case 'logSoftmax':
      return { id: g.add({ ...op, axis: at(perm, op.axis) }, [first.id]), perm };
    case 'reduce':
      return reduced(g, op, first);
    case 'slice':
      return { id: g.add({ ...op, starts: laid(op.starts, perm), ends: laid(op.ends, perm) }, [first.id]), perm };
    case 'pad':
      return { id: g.add({ ...op, before: laid(op.before, perm), after: laid(op.after, perm) }, [first.id]), perm };
    case 'broadcastTo':
      if (perm.length !== shape.length) return undefined;
      return { id: g.add({ ...op, shape: laid(op.shape, perm) }, [first.id]), perm };
    case 'concat':
      if (!operands.every((one) => String(one.perm) === String(perm))) return undefined;
      return {
        id: g.add(
          { ...op, axis: at(perm, op.axis) },
          operands.map(({ id }) => id),
        ),
        perm,
      };
    case 'reshape':
      return reshaped(g, first, nodes[inputs[0] ?? -1]?.shape ?? [], shape);
    case 'matmul':
      return multiplied(g, op, inputs, operands, meant);
    case 'binary':
    case 'compare':
    case 'where':
      return combined(g, op, inputs, operands, nodes, meant);
    default:
      return undefined;
  }
}

function reduced(g: GraphBuilder, op: Extract<Op, { kind: 'reduce' }>, { id, perm }: Placed): Placed {
  const axes = op.axes.map((axis) => at(perm, axis));
  const made = g.add({ ...op, axes: axes.toSorted((a, b) => a - b) }, [id]);
  if (op.keepDims) return { id: made, perm };
  const left = perm.filter((axis) => !axes.includes(axis));
  return { id: made, perm: left.map((axis) => axis - axes.filter((gone) => gone < axis).length) };
}

/** Of operands that broadcast: in the order of axes of one of them, if that moves fewer numbers than the order that is meant. */
function combined(
  g: GraphBuilder,
  op: Op,
  inputs: readonly NodeId[],
  operands: readonly Placed[],
  nodes: readonly Node[],
  meant: (old: NodeId) => NodeId,
): Placed | undefined {
  const shapes = inputs.map((old) => nodes[old]?.shape ?? []);
  const rank = Math.max(...shapes.map(({ length }) => length));
  const candidates = operands.filter(({ perm }) => perm.length === rank && !isIdentity(perm));
  const cost = (wanted: Perm) =>
    operands.reduce((sum, one, i) => {
      const shape = shapes[i] ?? [];
      const fits = one.perm.length === rank && String(one.perm) === String(wanted);
      const isFree = fits || (isIdentity(one.perm) && isView(inverse(wanted), widened(shape, rank)));
      return isFree ? sum : sum + sizeOf(shape);
    }, 0);
  const [best] = candidates.toSorted((a, b) => cost(a.perm) - cost(b.perm));
  if (best === undefined || cost(best.perm) > cost([...Array(rank).keys()])) return undefined;
  const wanted = best.perm;
  const laidOut = operands.map((one, i) => {
    if (one.perm.length === rank && String(one.perm) === String(wanted)) return one.id;
    const old = inputs[i] ?? -1;
    const shape = widened(shapes[i] ?? [], rank);
    const node = nodes[old];
    if (node?.op.kind === 'constant') return permutedConstant(g, node.op, shape, inverse(wanted));
    const id = meant(old);
    return arranged(g, g.shape(id).length === rank ? id : reshape(g, id, shape), inverse(wanted));
  });
  const joint = laidOut.map((id) => g.shape(id)).reduce((a, b) => broadcastShape(a, b) ?? []);
  if (joint.length !== rank) return undefined;
  return { id: g.add(op, laidOut), perm: wanted };
}

/** Matrices that are stored the other way round are read so. Others are moved so that the last axis stays last. */
function multiplied(
  g: GraphBuilder,
  op: Extract<Op, { kind: 'matmul' }>,
  inputs: readonly NodeId[],
  operands: readonly Placed[],
  meant: (old: NodeId) => NodeId,
): Placed | undefined {
  const turned = [op.transposeA, op.transposeB];
  const ids = operands.map(({ id, perm }, i) => {
    const last = perm.length - 1;
    if (i > 1 || isIdentity(perm) || perm[last] === last || perm[last - 1] !== last) return meant(inputs[i] ?? -1);
    turned[i] = !turned[i];
    return arranged(g, id, perm.with(last, last).with(last - 1, at(perm, last)));
  });
  const made = g.add({ kind: 'matmul', transposeA: turned[0] === true, transposeB: turned[1] === true }, ids);
  return { id: made, perm: [...g.shape(made).keys()] };
}

/** Splits or joins axes as they are stored; undefined where axes that are to be joined are not stored side by side. */
function reshaped(g: GraphBuilder, { id, perm }: Placed, from: Shape, to: Shape): Placed | undefined {
  const groups = groupsOf(from, to);
  if (groups === undefined) return undefined;
  for (const { before } of groups)
    if (before.some((axis, k) => k > 0 && at(perm, axis) !== at(perm, before[k - 1] ?? -1) + 1)) return undefined;
  const order = groups.toSorted((a, b) => at(perm, a.before[0] ?? -1) - at(perm, b.before[0] ?? -1));
  const lies = order.flatMap(({ after }) => after);
  const made = reshape(
    g,
    id,
    lies.map((axis) => at(to, axis)),
  );
  return { id: made, perm: to.map((_, axis) => lies.indexOf(axis)) };
}

interface Group {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Runs of axes before and after a reshape that hold the same numbers, as short as possible; each has one at least on both sides. */
function groupsOf(from: Shape, to: Shape): readonly Group[] | undefined {
  const groups: Group[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const [before, after] = [[i], [j]];
    let [left, right] = [from[i++] ?? 1, to[j++] ?? 1];
    while (left !== right) {
      if (left < right) {
        if (i === from.length) return undefined;
        before.push(i);
        left *= from[i++] ?? 1;
      } else {
        if (j === to.length) return undefined;
        after.push(j);
        right *= to[j++] ?? 1;
      }
    }
    groups.push({ before, after });
  }
  const last = groups.at(-1);
  if (last === undefined) return undefined;
  // Ones at the end belong to the last group.
  const rest = { before: range(i, from.length), after: range(j, to.length) };
  return groups.with(-1, { before: [...last.before, ...rest.before], after: [...last.after, ...rest.after] });
}

/** The tensor transposed; where that moves nothing, in another shape. */
function arranged(g: GraphBuilder, id: NodeId, perm: Perm): NodeId {
  if (isIdentity(perm)) return id;
  const shape = g.shape(id);
  if (!isView(perm, shape)) return transpose(g, id, perm);
  return reshape(
    g,
    id,
    perm.map((axis) => at(shape, axis)),
  );
}

function permutedConstant(g: GraphBuilder, op: Extract<Op, { kind: 'constant' }>, shape: Shape, perm: Perm): NodeId {
  const target = perm.map((axis) => at(shape, axis));
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const data = Array.from({ length: sizeOf(target) }, (_, position) => {
    let [rest, from] = [position, 0];
    for (let axis = target.length - 1; axis >= 0; axis--) {
      const size = at(target, axis);
      from += (rest % size) * at(strides, at(perm, axis));
      rest = Math.floor(rest / size);
    }
    return op.data.length === 1 ? at(op.data, 0) : at(op.data, from);
  });
  return g.add({ ...op, shape: target, data }, []);
}

/** Whether only axes of size 1 change their places. */
function isView(perm: Perm, shape: Shape): boolean {
  const wide = perm.filter((axis) => shape[axis] !== 1);
  return wide.every((axis, i) => i === 0 || axis > at(wide, i - 1));
}

/** Values given for the axes of the tensor as it is meant, in the order of the axes as it is stored. */
function laid(values: readonly number[], perm: Perm): number[] {
  return inverse(perm).map((axis) => at(values, axis));
}

const inverse = (perm: Perm): Perm => perm.map((_, axis) => perm.indexOf(axis));
const isIdentity = (perm: Perm): boolean => perm.every((from, to) => from === to);
const widened = (shape: Shape, rank: number): Shape => [...new Array<number>(rank - shape.length).fill(1), ...shape];
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const asIs = (id: NodeId, shape: Shape): Placed => ({ id, perm: [...shape.keys()] });

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no element ${index}`);
  return found;
}
