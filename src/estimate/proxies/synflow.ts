import { createGraph, finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import { type Graph, type HostTensor, type IntTensor, type NodeId, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { rebuild } from '../../graph/passes/rebuild.ts';
import { optimize } from '../../graph/passes.ts';
import type { Parameter } from '../../network/network.ts';
import type { Module } from '../../space/tree/module.ts';
import { mapChildren } from '../../space/tree/resolve.ts';
import { taskOf } from '../../task/index.ts';
import { vocabularyOf } from '../../task/spec.ts';
import type { NetworkOnData } from '../../train/forward.ts';
import { contextOf, openNetwork, sumAll, total } from './context.ts';
import { withLogScale } from './log-scale.ts';
import { DEAD, numberOf } from './readout.ts';

/** The graph of SynFlow and of its logarithmic form. */
export interface SynflowGraph {
  /** Inputs: parameters, all of them not negative, and the switches. Outputs: total, scale and logTotal, [] each. */
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
}

/**
 * SynFlow (Tanaka et al. 2020, arXiv:2006.05467): Σ over weights of |w · ∂R/∂w|, R the sum of the outputs of the network with absolute
 * weights, without batch norm, on an input of ones. The published form needs float64: R is 10^50 for a network of NAS-Bench-201. Here
 * intermediate results are divided by their largest elements, exactly accounted for (`withLogScale`), and the score is the logarithm of
 * the sum, which orders architectures alike.
 *
 * logTotal is LogSynFlow (Cavagnero et al. 2023, arXiv:2207.05135): Σ |w| · log(1 + ∂R/∂w).
 *
 * Batch norm is at its fresh running statistics, factor 1 and summand 0, and layer norm, which has none, is left out. Differs: so are all
 * biases 0; where a network reads tokens, the input is one and the same token; attention weighs by a softmax, so that some gradients are not
 * positive, and their absolute values count. Cost: a forward and a backward pass of a single sample.
 */
export function synflowGraph(on: NetworkOnData): SynflowGraph {
  const { info } = on;
  // Images reach the network as they are.
  const plain = { ...info, mean: info.mean.map(() => 0), deviation: info.deviation.map(() => 1) };
  const { context, lowered } = openNetwork({ ...on, network: withoutLayerNorm(on.network), info: plain }, 1, 'infer');
  const constants = new Map(
    [...lowered.parameters, ...lowered.statistics].flatMap(({ path, initializer }) =>
      initializer.kind === 'constant' ? [[path, initializer.value] as const] : [],
    ),
  );
  const parameters = lowered.parameters.filter(({ path }) => !constants.has(path));
  const fixed = rebuild(finish(context.g, { output: context.output }), ({ op, inputs, shape }, _, g) => {
    const value = op.kind === 'input' ? constants.get(op.name) : undefined;
    return value === undefined ? g.add(op, inputs) : ops.constant(g, value, shape);
  });
  const scaled = withLogScale(optimize(fixed));
  const g = createGraph(scaled);
  const { output, scale } = scaled.outputs;
  if (output === undefined || scale === undefined) throw new Error('the scaled graph has lost its outputs');
  const { layers, counted } = contextOf(g, output, parameters, lowered.switches);
  const found = gradients(
    g,
    sumAll(g, output),
    layers.map(({ weight }) => weight),
  );
  const sums = layers.map(({ weight, output: end }, i) => {
    const gradient = ops.abs(g, found[i] as NodeId);
    // log(1 + e^s · gradient), without e^s: max(z, 0) + log(1 + e^-|z|) with z = s + log(gradient)
    const z = ops.add(g, ops.log(g, ops.maximum(g, gradient, ops.constant(g, 1e-37))), scale);
    const tail = ops.log(g, ops.add(g, ops.exp(g, ops.neg(g, ops.abs(g, z))), ops.constant(g, 1)));
    const logs = ops.add(g, ops.relu(g, z), tail);
    return [gradient, logs].map((by) => counted(end, sumAll(g, ops.mul(g, weight, by))));
  });
  const of = (k: number) =>
    total(
      g,
      sums.map((pair) => pair[k] as NodeId),
    );
  return { parameters, graph: optimize(finish(g, { total: of(0), logTotal: of(1), scale })) };
}

const withoutLayerNorm = (module: Module): Module =>
  module.kind === 'layerNorm' ? { kind: 'identity' } : mapChildren(module, withoutLayerNorm);

/** A text of one token, which is not 0, as that may fill up texts; undefined where a network reads numbers. */
export function synflowTokens(on: NetworkOnData): IntTensor | undefined {
  const vocabulary = vocabularyOf(taskOf(on.info, on.task).spec(on.info));
  if (vocabulary === undefined) return undefined;
  const shape = [1, ...on.info.input];
  return { shape, data: new Int32Array(sizeOf(shape)).fill(Math.min(1, vocabulary - 1)) };
}

/** The feeds of its graph: an image of ones, and the absolute values of the weights. */
export function synflowFeeds(
  info: { readonly input: readonly number[] },
  weights: Readonly<Record<string, HostTensor>>,
): { readonly input: HostTensor } & Record<string, HostTensor> {
  const shape = [1, ...info.input];
  const absolute = Object.entries(weights).map(([path, { shape: own, data }]) => [
    path,
    { shape: own, data: data.map(Math.abs) },
  ]);
  return { ...Object.fromEntries(absolute), input: { shape, data: new Float32Array(sizeOf(shape)).fill(1) } };
}

/** log Σ |w · ∂R/∂w|, and LogSynFlow. */
export function synflowScores(results: Readonly<Record<string, HostTensor>>): { synflow: number; logSynflow: number } {
  const sum = numberOf(results, 'total');
  const synflow = sum > 0 ? Math.log(sum) + numberOf(results, 'scale') : DEAD;
  return { synflow, logSynflow: sum > 0 ? numberOf(results, 'logTotal') : 0 };
}
