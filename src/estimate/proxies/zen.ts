import type { Rng } from '../../common/random.ts';
import { finish } from '../../graph/builder.ts';
import type { Graph, HostTensor } from '../../graph/ir.ts';
import { sizeOf } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { rebuild } from '../../graph/passes/rebuild.ts';
import { optimize } from '../../graph/passes.ts';
import type { LoweredNetwork } from '../../network/network.ts';
import type { NetworkOnData } from '../../train/forward.ts';
import { inputName, openNetwork } from './context.ts';
import { DEAD } from './readout.ts';

export interface ZenGraph {
  /** Inputs: x, parameters, switches. Outputs: features, [N, ...]; variances, a number for each batch norm, 0 where it is not chosen. */
  readonly graph: Graph;
  readonly lowered: LoweredNetwork;
  /** Shapes of what is Gaussian: the images, or what stands in the place of tokens. */
  readonly noise: Readonly<Record<string, readonly number[]>>;
}

/** The share of a second Gaussian image that is added to the first. */
const MIXED = 0.01;

/**
 * Zen-score (Lin et al. 2021, arXiv:2102.01063, algorithm 1): log E‖f(x) - f(x + 0.01 ε)‖₁ + Σ over batch norms of log σ, with Gaussian
 * weights and images, f the features before global pooling, σ² a batch norm's variance of the batch, mean over its channels. Differs: one
 * repetition, not 32, and σ² is that of the first forward pass alone. Of tokens, the vectors that stand for them are Gaussian. Two forward passes.
 */
export function zenGraph(on: NetworkOnData, batchSize: number): ZenGraph {
  const { info } = on;
  const plain = { ...info, mean: info.mean.map(() => 0), deviation: info.deviation.map(() => 1) };
  const { context, lowered } = openNetwork({ ...on, info: plain }, batchSize, 'train');
  const { g } = context;
  const { layers, statistics } = lowered;
  const pools = layers.filter(({ kind, output }) => kind === 'globalPool' && context.isAlive(output));
  const end = pools.at(-1)?.output ?? context.layers.at(-1)?.output ?? context.output;
  const features = g.nodes[end]?.inputs[0] ?? context.output;
  const alive = new Set(layers.filter(({ output }) => context.isAlive(output)).map(({ path }) => path));
  const variances = statistics.flatMap(({ path, move }) =>
    move !== undefined && path.endsWith('/runningVariance') && alive.has(path.slice(0, path.lastIndexOf('/')))
      ? [ops.reshape(g, ops.reduceMean(g, move.batch, allAxes(g.shape(move.batch))), [1])]
      : [],
  );
  const none = ops.constant(g, [0]);
  const whole = finish(g, { features, variances: ops.concat(g, [...variances, none], 0) });
  const nameOf = new Map(context.embedded.map((id, i) => [id, `embedded/${i}`] as const));
  const graph = rebuild(whole, ({ op, inputs, shape }, id, to) => {
    const name = nameOf.get(id);
    return name === undefined ? to.add(op, inputs) : ops.input(to, name, shape);
  });
  const noise = [...nameOf].map(([id, name]) => [name, g.shape(id)] as const);
  return {
    lowered,
    graph: optimize(graph),
    noise: noise.length > 0 ? Object.fromEntries(noise) : { [inputName(on)]: [batchSize, ...info.input] },
  };
}

const allAxes = (shape: readonly number[]) => shape.map((_, axis) => axis);

/** The two batches of images. */
export function zenImages(
  info: { readonly input: readonly number[] },
  batchSize: number,
  random: Rng,
): readonly [HostTensor, HostTensor] {
  return zenNoise([batchSize, ...info.input], random);
}

/** Gaussian numbers, and the same with a share of others. */
export function zenNoise(shape: readonly number[], random: Rng): readonly [HostTensor, HostTensor] {
  const first = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
  return [
    { shape, data: first },
    { shape, data: first.map((value) => value + MIXED * random.normal()) },
  ];
}

/** From what the graph gives for either batch. */
export function zenScore(
  first: Readonly<Record<string, HostTensor>>,
  second: Readonly<Record<string, HostTensor>>,
): number {
  const [a, b] = [first.features, second.features];
  if (a === undefined || b === undefined) throw new Error('the program did not return "features"');
  const distance =
    a.data.reduce((sum, value, i) => sum + Math.abs(value - (b.data[i] ?? Number.NaN)), 0) / (a.shape[0] ?? 1);
  const deviations = [...(first.variances?.data ?? [])].filter((variance) => variance > 0);
  if (!(distance > 0)) return DEAD;
  return Math.log(distance) + deviations.reduce((sum, variance) => sum + Math.log(variance) / 2, 0);
}
