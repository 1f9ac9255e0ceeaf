import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import { type Graph, type Shape, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import * as s from '../../space/builders.ts';
import { dilatedConv, reluConvBn, residualReduce, separableConv } from '../../space/composites.ts';
import type { Module } from '../../space/module.ts';
import { lowerNetwork } from '../lower.ts';

export interface ModuleCase {
  readonly name: string;
  readonly module: Module;
  /** Without the batch. */
  readonly input: Shape;
}

/** Channels of most images among the cases. */
const CHANNELS = 4;

/**
 * Every module kind, in the variants that lower differently. The numeric checks of network/ and engine/ run them all. Images
 * and filters have `wider` times as many channels as they have by default.
 */
export function moduleCases(wider = 1): readonly ModuleCase[] {
  const image = [CHANNELS * wider, 6, 6];
  const odd = [CHANNELS * wider, 5, 5];
  return [
    { name: 'conv 3x3', module: s.conv(3 * wider, 3), input: image },
    { name: 'conv 3x3 with bias, stride 2', module: s.conv(3 * wider, 3, { stride: 2, bias: true }), input: image },
    { name: 'conv 3x3 stride 2 on odd size', module: s.conv(3 * wider, 3, { stride: 2 }), input: odd },
    { name: 'conv 1x1', module: s.conv(5 * wider, 1), input: image },
    { name: 'conv 5x5 dilation 2', module: s.conv('same', 5, { dilation: 2 }), input: image },
    { name: 'conv with groups', module: s.conv(6 * wider, 3, { groups: 2 }), input: image },
    { name: 'conv depthwise', module: s.conv('same', 3, { groups: 'depthwise' }), input: image },
    { name: 'conv depthwise 5x5 stride 2', module: s.conv('same', 5, { groups: 'depthwise', stride: 2 }), input: odd },
    { name: 'conv even kernel', module: s.conv(3 * wider, 2), input: image },
    { name: 'batch norm of images', module: s.batchNorm(), input: image },
    { name: 'batch norm of features', module: s.batchNorm(), input: [7] },
    { name: 'batch norm without affine', module: s.batchNorm({ affine: false }), input: image },
    { name: 'layer norm of images', module: s.layerNorm(), input: image },
    { name: 'layer norm of features', module: s.layerNorm(), input: [7] },
    ...(['relu', 'sigmoid', 'tanh', 'silu', 'gelu', 'hardSwish'] as const).map((fn) => ({
      name: fn,
      module: s.activation(fn),
      input: image,
    })),
    { name: 'max pool 3x3', module: s.maxPool(3), input: image },
    { name: 'max pool 2x2 stride 2', module: s.maxPool(2, { stride: 2 }), input: image },
    { name: 'max pool 3x3 stride 2 on odd size', module: s.maxPool(3, { stride: 2 }), input: odd },
    { name: 'average pool 3x3', module: s.avgPool(3), input: image },
    { name: 'average pool 2x2 stride 2', module: s.avgPool(2, { stride: 2, padding: 0 }), input: image },
    { name: 'average pool 3x3 stride 2', module: s.avgPool(3, { stride: 2 }), input: image },
    { name: 'global average pool', module: s.globalAvgPool(), input: image },
    { name: 'global max pool', module: s.globalMaxPool(), input: image },
    { name: 'linear', module: s.linear(5), input: [7] },
    { name: 'linear without bias', module: s.linear(5, { bias: false }), input: [7] },
    { name: 'flatten', module: s.flatten(), input: image },
    { name: 'dropout', module: s.dropout(0.4), input: image },
    { name: 'drop path', module: s.dropPath(0.4), input: image },
    { name: 'identity', module: s.identity(), input: image },
    { name: 'zero', module: s.residual(s.zero(), s.conv('same', 1)), input: image },
    { name: 'zero stride 2', module: s.residual(s.zero(2), s.conv('same', 1, { stride: 2 })), input: odd },
    { name: 'sequential', module: s.sequential(s.conv(3 * wider, 3), s.relu(), s.conv(2 * wider, 1)), input: image },
    { name: 'residual', module: s.residual(s.conv('same', 3)), input: image },
    { name: 'repeat', module: s.repeat(3, s.conv('same', 1)), input: image },
    { name: 'scope', module: s.scoped('a', s.conv('same', 1)), input: image },
    { name: 'dag, sums', module: s.dag(3, () => s.conv('same', 1)), input: image },
    { name: 'dag, concatenated', module: s.dag(2, () => s.conv('same', 1), { output: 'concat' }), input: image },
    {
      name: 'stack of cells with two inputs',
      module: s.stack(
        ...[1, 2, 3].map(() =>
          s.dag(1, () => s.conv('same', 1), { entries: [s.conv(3 * wider, 1), s.conv(3 * wider, 1)] }),
        ),
      ),
      input: [CHANNELS * wider, 3, 3],
    },
    { name: 'squeeze and excite', module: s.squeezeExcite(0.5), input: image },
    { name: 'factorized reduce', module: s.factorisedReduce(5 * wider), input: image },
    {
      name: 'factorised reduce without affine',
      module: s.factorisedReduce(CHANNELS * wider, { affine: false }),
      input: image,
    },
    { name: 'factorised reduce on odd size', module: s.factorisedReduce(), input: odd },
    { name: 'ReLU, conv, batch norm', module: reluConvBn(3), input: image },
    { name: 'separable conv', module: separableConv(3), input: odd },
    { name: 'dilated conv', module: dilatedConv(3), input: odd },
    { name: 'residual reduce', module: residualReduce(6 * wider), input: image },
  ];
}

export const MODULE_CASES = moduleCases();

export interface CaseGraph {
  /** Outputs: `value` (a weighted sum of the module's output), `output`, and `d NAME` for each differentiable input. */
  readonly graph: Graph;
  /** Values of all inputs. */
  readonly feeds: Readonly<Record<string, { shape: Shape; data: Float64Array<ArrayBuffer> }>>;
  /** Inputs that have a gradient: `x` and the parameters. */
  readonly differentiable: readonly string[];
}

/** A module in a network that ends in a linear layer, with a scalar of its output and the gradients of that scalar. */
export function caseGraph(
  { name, module, input }: ModuleCase,
  mode: 'train' | 'infer' = 'train',
  batch = 3,
): CaseGraph {
  const g = createGraph();
  const x = ops.input(g, 'x', [batch, ...input]);
  const network = s.sequential(module, s.flatten(), s.linear('outputs'));
  const lowered = lowerNetwork(g, network, x, { outputs: 4, mode });
  const shape = g.shape(lowered.output);
  const random = rng('module case', name);
  const draw = (of: Shape, make: () => number) => ({
    shape: of,
    data: Float64Array.from({ length: sizeOf(of) }, make),
  });
  const weights = ops.input(g, 'weights', shape);
  const value = ops.reduceSum(g, ops.mul(g, lowered.output, weights), [0, 1]);
  const differentiable = [{ name: 'x', node: x }, ...lowered.parameters.map((p) => ({ name: p.path, node: p.node }))];
  const derivatives = gradients(
    g,
    value,
    differentiable.map(({ node }) => node),
  );
  const graph = finish(g, {
    value,
    output: lowered.output,
    ...Object.fromEntries(differentiable.map((d, i) => [`d ${d.name}`, derivatives[i] ?? value])),
  });
  const feeds = Object.fromEntries([
    ['x', draw([batch, ...input], () => random.normal())],
    ['weights', draw(shape, () => random.normal())],
    ...lowered.parameters.map((p) => [p.path, draw(p.shape, () => 0.5 * random.normal() + 0.2)]),
    ...lowered.statistics.map((p) => [p.path, draw(p.shape, () => 0.5 + random.float())]),
    ...lowered.randomInputs.map((p) => [p.name, draw(p.shape, () => random.float())]),
  ]);
  return { graph, feeds, differentiable: differentiable.map((d) => d.name) };
}
