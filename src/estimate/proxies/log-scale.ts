/** Values whose logarithm fits into float32 where they do not. */
import { largest } from '../../common/extremes.ts';
import { createGraph, finish, type GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Node, NodeId, UnaryFunction } from '../../graph/ir.ts';
import { sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { rebuild } from '../../graph/passes/rebuild.ts';

/** A tensor represents itself times exp(scale), scale []; `growth` bounds the logarithm of what it has grown by since it was last scaled. */
interface Scaled {
  readonly scale: NodeId | undefined;
  readonly growth: number;
}

const UNSCALED: Scaled = { scale: undefined, growth: 0 };
/** exp(20) squared, times what a backward pass adds up, is far below the largest float32, exp(88). */
const MOST_GROWTH = 20;
const LEAST = 1e-30;
/** Functions with f(c · x) = c · f(x) for c > 0. */
const HOMOGENEOUS: ReadonlySet<UnaryFunction> = new Set(['relu', 'abs', 'neg', 'zerosLike', 'stopGradient']);

/**
 * The same graph, in which tensors that might overflow are divided by their largest element, again and again; the logarithms of the divisors are
 * added up beside them. Output `output` comes divided, `scale` ([]) is the logarithm of what it is divided by. The divisors count as
 * constants in differentiation, so gradients of `output` are the true ones divided by the same number: nothing is approximated, however
 * branches of different scales meet. Weights are taken to be at
 * most 1 / sqrt(fan-in), as PyTorch draws them.
 */
export function withLogScale(graph: Graph): Graph {
  const known = new Map<NodeId, Scaled>();
  const about = (id: NodeId) => known.get(id) ?? UNSCALED;
  const scaled = rebuild(graph, (node, _, g) => {
    const [id, found] = apply(g, node, about);
    const settled = found.growth > MOST_GROWTH ? settle(g, id, found) : ([id, found] as const);
    known.set(...settled);
    return settled[0];
  });
  const output = scaled.outputs.output;
  if (output === undefined) throw new Error('the graph has no output "output"');
  const g = createGraph(scaled);
  return finish(g, { output, scale: about(output).scale ?? ops.constant(g, 0) });
}

/** Divides by the largest element. */
function settle(g: GraphBuilder, id: NodeId, { scale }: Scaled): readonly [NodeId, Scaled] {
  const axes = g.shape(id).map((_, axis) => axis);
  const largest = ops.maximum(g, ops.reduceMax(g, ops.abs(g, ops.stopGradient(g, id)), axes), ops.constant(g, LEAST));
  return [ops.div(g, id, largest), { scale: plus(g, scale, ops.log(g, largest)), growth: 0 }];
}

function plus(g: GraphBuilder, a: NodeId | undefined, b: NodeId | undefined): NodeId | undefined {
  return a === undefined ? b : b === undefined ? a : ops.add(g, a, b);
}

/** Several tensors on the larger one of their scales. */
function align(g: GraphBuilder, ids: readonly NodeId[], about: (id: NodeId) => Scaled): [NodeId[], Scaled] {
  const all = ids.map(about);
  const growth = Math.log(all.reduce((sum, one) => sum + Math.exp(one.growth), 0));
  const scale = all[0]?.scale;
  if (all.every((one) => one.scale === scale)) return [[...ids], { scale, growth }];
  const scales = all.map((one) => one.scale ?? ops.constant(g, 0));
  const largest = scales.reduce((a, b) => (a === b ? a : ops.maximum(g, a, b)));
  const moved = ids.map((id, i) => ops.mul(g, id, ops.exp(g, ops.sub(g, scales[i] as NodeId, largest))));
  return [moved, { scale: largest, growth }];
}

function apply(g: GraphBuilder, node: Node, about: (id: NodeId) => Scaled): readonly [NodeId, Scaled] {
  const { op, inputs } = node;
  const [a = -1, b = -1, bias] = inputs;
  const as = (ids: readonly NodeId[], scaled: Scaled) => [g.add(op, ids), scaled] as const;
  if (inputs.every((id) => about(id) === UNSCALED) && op.kind !== 'conv' && op.kind !== 'matmul') {
    return as(inputs, UNSCALED);
  }
  switch (op.kind) {
    case 'conv':
    case 'matmul': {
      const weight = g.shape(b);
      const fanIn = op.kind === 'conv' ? sizeOf(weight.slice(1)) : (weight.at(op.transposeB ? -1 : -2) ?? 1);
      const scale = plus(g, about(a).scale, about(b).scale);
      const growth = about(a).growth + about(b).growth + Math.log(fanIn) / 2 + 1;
      if (bias === undefined || scale === undefined) return as(inputs, { scale, growth });
      return as([a, b, ops.mul(g, bias, ops.exp(g, ops.neg(g, scale)))], { scale, growth });
    }
    case 'binary': {
      if (op.fn === 'mul' || op.fn === 'div') {
        const [x, y] = [about(a), about(b)];
        const other = op.fn === 'mul' || y.scale === undefined ? y.scale : ops.neg(g, y.scale);
        return as(inputs, { scale: plus(g, x.scale, other), growth: x.growth + (op.fn === 'mul' ? y.growth : 0) });
      }
      const [ids, scaled] = align(g, inputs, about);
      return as(ids, scaled);
    }
    case 'concat': {
      const [ids, scaled] = align(g, inputs, about);
      return as(ids, scaled);
    }
    case 'where': {
      const [ids, scaled] = align(g, inputs.slice(1), about);
      return as([a, ...ids], scaled);
    }
    case 'select': {
      const options = inputs.slice(1).map(about);
      const growth = largest(options.map((one) => one.growth));
      if (options.every((one) => one.scale === options[0]?.scale))
        return as(inputs, { scale: options[0]?.scale, growth });
      const zero = ops.constant(g, 0);
      const scale = ops.select(
        g,
        a,
        options.map((one) => one.scale ?? zero),
      );
      return as(inputs, { scale, growth });
    }
    case 'unary': {
      if (HOMOGENEOUS.has(op.fn)) return as(inputs, about(a));
      if (op.fn === 'step') return as(inputs, UNSCALED);
      const { scale, growth } = about(a);
      if (op.fn === 'sqrt') return as(inputs, { scale: scale && ops.scale(g, scale, 0.5), growth: growth / 2 });
      return as([unscaled(g, a, about)], UNSCALED);
    }
    case 'clip':
    case 'logSoftmax':
      return as([unscaled(g, a, about)], UNSCALED);
    default:
      // Sums, means, maxima, pooling and changes of shape.
      return as(inputs, about(a));
  }
}

/** The value itself, which may be infinite. */
function unscaled(g: GraphBuilder, id: NodeId, about: (id: NodeId) => Scaled): NodeId {
  const { scale } = about(id);
  return scale === undefined ? id : ops.mul(g, id, ops.exp(g, scale));
}
