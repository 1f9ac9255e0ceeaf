import { rng } from '../../common/random.ts';
import { createGraph, finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import { type Graph, type Shape, sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import * as s from '../../space/tree/builders.ts';
import { dilatedConv, reluConvBn, residualReduce, separableConv } from '../../space/tree/composites.ts';
import type { Module } from '../../space/tree/module.ts';
import { lowerNetwork } from '../lower.ts';

export interface ModuleCase {
  readonly name: string;
  readonly module: Module;
  /** Without the batch. */
  readonly input: Shape;
  /** How many different tokens there are; the input is float32 without. */
  readonly tokens?: number;
  /** Quantiles of each feature. */
  readonly quantiles?: readonly (readonly number[])[];
  /** Whether its states are fed. */
  readonly state?: true;
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
    { name: 'conv to 1.5 times the channels', module: s.conv('same', 1, { multiple: 1.5 }), input: image },
    { name: 'conv even kernel', module: s.conv(3 * wider, 2), input: image },
    { name: 'batch norm of images', module: s.batchNorm(), input: image },
    { name: 'batch norm of features', module: s.batchNorm(), input: [7] },
    { name: 'batch norm without affine', module: s.batchNorm({ affine: false }), input: image },
    { name: 'layer norm of images', module: s.layerNorm(), input: image },
    { name: 'layer norm of features', module: s.layerNorm(), input: [7] },
    ...(['relu', 'relu6', 'sigmoid', 'hardSigmoid', 'tanh', 'silu', 'gelu', 'hardSwish'] as const).map((fn) => ({
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
    {
      name: 'piecewise linear encoding',
      module: s.piecewiseLinear(2),
      input: [3],
      quantiles: [[-1.1, -0.3, 0.2, 0.9], [], [-0.7, 0.4, 1.3]],
    },
    { name: 'flatten', module: s.flatten(), input: image },
    { name: 'dropout', module: s.dropout(0.4), input: image },
    { name: 'dropout of channels', module: s.dropout(0.4, { over: 'channels' }), input: image },
    { name: 'dropout of channels of a sequence', module: s.dropout(0.4, { over: 'channels' }), input: [CHANNELS, 5] },
    { name: 'gated linear unit', module: s.glu(), input: image },
    { name: 'gated linear unit of features', module: s.glu('gelu'), input: [8] },
    { name: 'drop path', module: s.dropPath(0.4), input: image },
    { name: 'growing drop path', module: s.dropPath(0.4, { growing: true }), input: image },
    {
      name: 'auxiliary head',
      module: s.auxiliary(s.conv(2, 1), s.sequential(s.globalAvgPool(), s.linear('outputs'))),
      input: image,
    },
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
    {
      name: 'squeeze and excite, hard sigmoid',
      module: s.squeezeExcite(0.25, { fn: 'silu', gate: 'hardSigmoid', divisor: 2 }),
      input: image,
    },
    { name: 'factorized reduce', module: s.factorizedReduce(5 * wider), input: image },
    {
      name: 'factorized reduce without affine',
      module: s.factorizedReduce(CHANNELS * wider, { affine: false }),
      input: image,
    },
    { name: 'factorized reduce on odd size', module: s.factorizedReduce(), input: odd },
    ...sequenceCases(wider),
    { name: 'ReLU, conv, batch norm', module: reluConvBn(3), input: image },
    { name: 'separable conv', module: separableConv(3), input: odd },
    { name: 'dilated conv', module: dilatedConv(3), input: odd },
    { name: 'residual reduce', module: residualReduce(6 * wider), input: image },
  ];
}

/** What sequences and dense prediction have beside it. */
function sequenceCases(wider: number): readonly ModuleCase[] {
  const c = CHANNELS * wider;
  const image = [c, 6, 6];
  const sequence = [c, 7];
  const tied = (body: Module) => s.shared('table', body);
  return [
    { name: 'conv 1x3', module: s.conv(3 * wider, [1, 3], { stride: [2, 1] }), input: image },
    { name: 'conv 5x3 dilation 1x2', module: s.conv(c, [5, 3], { dilation: [1, 2], groups: 2 }), input: image },
    { name: 'conv of a sequence', module: s.conv(3 * wider, 3, { stride: 2, bias: true }), input: sequence },
    { name: 'conv of a sequence, dilation 2', module: s.conv('same', [1, 3], { dilation: 2 }), input: sequence },
    { name: 'conv of a sequence, depthwise', module: s.conv('same', 3, { groups: 'depthwise' }), input: sequence },
    { name: 'causal conv', module: s.conv(3 * wider, 3, { padding: 'causal', bias: true }), input: sequence },
    {
      name: 'causal conv, dilation 2, stride 2',
      module: s.conv('same', 4, { padding: 'causal', dilation: 2, stride: 2 }),
      input: sequence,
    },
    {
      name: 'causal conv, depthwise',
      module: s.conv('same', 4, { padding: 'causal', groups: 'depthwise' }),
      input: sequence,
    },
    { name: 'transposed conv', module: s.convTranspose(3 * wider, 2), input: [c, 3, 3] },
    {
      name: 'transposed conv 4x3 stride 2x1 with bias',
      module: s.convTranspose('same', [4, 3], { stride: [2, 1], bias: true }),
      input: [c, 3, 4],
    },
    { name: 'transposed conv of a sequence', module: s.convTranspose(3 * wider, 3, { stride: 2 }), input: [c, 4] },
    { name: 'max pool 2x1', module: s.maxPool([2, 1], { stride: [2, 1], padding: [0, 0] }), input: image },
    { name: 'max pool of a sequence', module: s.maxPool(3, { stride: 2 }), input: sequence },
    { name: 'average pool of a sequence', module: s.avgPool(3, { padding: 1 }), input: sequence },
    {
      name: 'zero stride 2 of a sequence',
      module: s.residual(s.zero(2), s.conv('same', 1, { stride: 2 })),
      input: sequence,
    },
    { name: 'global average pool of a sequence', module: s.globalAvgPool(), input: sequence },
    { name: 'last position', module: s.last(), input: sequence },
    { name: 'first position', module: s.last({ at: 'start' }), input: sequence },
    {
      name: 'fewer channels, then zeros',
      module: s.sequential(s.firstChannels(c - 1), s.firstChannels(c + 1)),
      input: [c, 3, 4],
    },
    { name: 'nearest resize', module: s.resize(2), input: [c, 3, 4] },
    { name: 'bilinear resize', module: s.resize(1.5, { mode: 'bilinear' }), input: [c, 3, 4] },
    { name: 'bilinear resize of a sequence', module: s.resize(2, { mode: 'bilinear' }), input: [c, 4] },
    {
      name: 'resize to the input',
      module: s.sequential(s.maxPool(3, { stride: 2 }), s.resize('input', { mode: 'bilinear' })),
      input: [c, 5, 5],
    },
    { name: 'batch norm of sequences', module: s.batchNorm(), input: sequence },
    { name: 'layer norm over the channels of a sequence', module: s.layerNorm({ axes: 'channel' }), input: sequence },
    { name: 'layer norm over the channels of an image', module: s.layerNorm({ axes: 'channel' }), input: [c, 3, 3] },
    { name: 'layer norm of sequences', module: s.layerNorm(), input: sequence },
    { name: 'layer norm without bias', module: s.layerNorm({ axes: 'channel', bias: false }), input: sequence },
    { name: 'linear of a sequence', module: s.linear(5 * wider), input: sequence },
    { name: 'linear to 1.5 times the features', module: s.linear('same', { multiple: 1.5 }), input: sequence },
    { name: 'embedding', module: s.embedding(6, c), input: [7], tokens: 6 },
    { name: 'embedding with dropout', module: s.embedding(6, c, { dropout: 0.4 }), input: [7], tokens: 6 },
    { name: 'embedding of the inputs', module: s.embedding('inputs', c), input: [7], tokens: 300 },
    { name: 'learned positions', module: s.positions('learned', { length: 9 }), input: sequence },
    { name: 'sinusoidal positions', module: s.positions('sinusoidal'), input: sequence },
    { name: 'patches of an image', module: s.patches(2), input: [c, 3, 4] },
    { name: 'class token', module: s.sequential(s.classToken(), s.attention(2)), input: sequence },
    { name: 'attention', module: s.attention(2), input: sequence },
    { name: 'causal attention', module: s.attention(1, { causal: true, bias: false }), input: sequence },
    { name: 'causal attention, window 3', module: s.attention(2, { causal: true, window: 3 }), input: sequence },
    { name: 'attention, window 2, dropout', module: s.attention(2, { window: 2, dropout: 0.3 }), input: sequence },
    { name: 'attention of an image', module: s.attention(2), input: [c, 2, 3] },
    { name: 'attention with relative positions', module: s.attention(2, { relative: true }), input: [c, 4] },
    { name: 'attention of an image, relative', module: s.attention(2, { relative: true }), input: [c, 2, 3] },
    ...(['rnn', 'gru', 'lstm'] as const).flatMap((cell): ModuleCase[] => [
      { name: `${cell}`, module: s.recurrent(cell, 3 * wider), input: [c, 4] },
      { name: `${cell}, backwards`, module: s.recurrent(cell, 3 * wider, { reverse: true }), input: [c, 4] },
      { name: `${cell}, weight drop`, module: s.recurrent(cell, 3 * wider, { weightDrop: 0.4 }), input: [c, 4] },
      { name: `${cell} with a state`, module: s.sequential(s.recurrent(cell), s.last()), input: [c, 3], state: true },
    ]),
    { name: 'highway', module: s.highway('tanh'), input: [7] },
    { name: 'highway with dropout', module: s.highway('identity', { dropout: 0.3 }), input: [7] },
    { name: 'highway of a sequence', module: s.highway('relu'), input: sequence },
    { name: 'recurrent cell', module: s.recurrentCell(3 * wider, s.tanh()), input: [c, 4] },
    {
      name: 'recurrent cell with a state, a dag of nodes, batch norm and dropout',
      module: s.sequential(
        s.recurrentCell(
          'same',
          s.dag(3, (_, to) => s.shared(`node${to}`, s.highway(to === 2 ? 'sigmoid' : 'tanh', { dropout: 0.2 })), {
            entries: [s.batchNorm({ affine: false })],
            output: 'mean',
          }),
          { dropout: 0.3 },
        ),
        s.last(),
      ),
      input: [c, 3],
      state: true,
    },
    {
      name: 'dag, mean of loose nodes',
      module: s.dag(2, () => s.conv('same', 1), { output: 'looseMean' }),
      input: image,
    },
    {
      name: 'recurrent graph of two states, with a state',
      module: s.sequential(
        s.recurrentGraph(3 * wider, [
          { name: 'gate', op: 'linear', from: ['x', 'h_prev_0', 'h_prev_1'] },
          { name: 'z', op: 'sigmoid', from: ['gate'] },
          { name: 'memory', op: 'linear', from: ['h_new_1', 'x'] },
          { name: 'h_new_1', op: 'blend', from: ['z', 'h_prev_1', 'squashed'] },
          { name: 'squashed', op: 'tanh', from: ['gate'] },
          { name: 'bent', op: 'leakyRelu', from: ['memory'] },
          { name: 'both', op: 'sum', from: ['bent', 'z'] },
          { name: 'h_new_0', op: 'product', from: ['both', 'h_prev_0', 'squashed'] },
        ]),
        s.last(),
      ),
      input: [c, 3],
      state: true,
    },
    { name: 'gru over the rows of an image', module: s.rows(s.recurrent('gru', 2 * wider)), input: image },
    { name: 'attention within the rows of an image', module: s.rows(s.attention(2)), input: image },
    {
      name: 'shared embedding and output layer',
      module: s.sequential(tied(s.embedding(6, c)), s.tanh(), tied(s.linear(6, { bias: false }))),
      input: [5],
      tokens: 6,
    },
    {
      name: 'shared block, repeated',
      module: s.repeat(3, s.shared('block', s.sequential(s.conv('same', 3), s.batchNorm(), s.tanh()))),
      input: [c, 4, 4],
    },
  ];
}

export const MODULE_CASES = moduleCases();

export interface CaseGraph {
  /** Outputs: `value` (a weighted sum of the module's output), `output`, and `d NAME` for each differentiable input. */
  readonly graph: Graph;
  /** Values of all inputs. */
  readonly feeds: Readonly<Record<string, { shape: Shape; data: Float64Array<ArrayBuffer> }>>;
  /** Feeds that are int32. */
  readonly indices: readonly string[];
  /** Inputs that have a gradient: `x` unless it is of tokens, the states and the parameters. */
  readonly differentiable: readonly string[];
}

/** A module in a network that ends in a linear layer, with a scalar of its output and the gradients of that scalar. */
export function caseGraph(
  { name, module, input, tokens, quantiles, state }: ModuleCase,
  mode: 'train' | 'infer' = 'train',
  batch = 3,
): CaseGraph {
  const g = createGraph();
  const x = ops.input(g, 'x', [batch, ...input], tokens === undefined ? 'float32' : 'int32');
  const network = s.sequential(module, s.flatten(), s.linear('outputs'));
  const lowered = lowerNetwork(g, network, x, {
    outputs: 4,
    mode,
    ...(tokens !== undefined && { vocabulary: tokens }),
    ...(quantiles && { quantiles }),
    ...(state && { state }),
  });
  const shape = g.shape(lowered.output);
  const random = rng('module case', name);
  const draw = (of: Shape, make: () => number) => ({
    shape: of,
    data: Float64Array.from({ length: sizeOf(of) }, make),
  });
  const weights = ops.input(g, 'weights', shape);
  const value = lowered.states.reduce(
    (sum, { output }) => ops.add(g, sum, ops.reduceSum(g, ops.mul(g, output, output), [0, 1])),
    ops.reduceSum(g, ops.mul(g, lowered.output, weights), [0, 1]),
  );
  const differentiable = [
    ...(tokens === undefined ? [{ name: 'x', node: x }] : []),
    ...lowered.states.map(({ name, input }) => ({ name, node: input })),
    ...lowered.parameters.map((p) => ({ name: p.path, node: p.node })),
  ];
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
    ['x', draw([batch, ...input], () => (tokens === undefined ? random.normal() : random.int(tokens)))],
    ['weights', draw(shape, () => random.normal())],
    ...lowered.parameters.map((p) => [p.path, draw(p.shape, () => 0.5 * random.normal() + 0.2)]),
    ...lowered.statistics.map((p) => [p.path, draw(p.shape, () => 0.5 + random.float())]),
    ...lowered.states.map((one) => [one.name, draw(one.shape, () => random.normal())]),
    ...lowered.randomInputs.map((p) => [p.name, draw(p.shape, () => random.float())]),
  ]);
  const indices = tokens === undefined ? [] : ['x'];
  return { graph, feeds, indices, differentiable: differentiable.map((d) => d.name) };
}
