import { sizeOf } from '../../graph/ir.ts';
import { erf } from '../../graph/ops/erf.ts';
import type { Module } from '../../space/tree/module.ts';
import {
  chainOf,
  changed,
  type Flow,
  isIdentity,
  type Moments,
  type Morphing,
  opened,
  type Placed,
  replicas,
  widened,
  within,
} from './flow.ts';
import { sidesOf } from './layers.ts';

/**
 * A module of the child that the parent has nothing for, made to put out what it reads (Net2DeeperNet, Chen et al. 2016,
 * algorithm 2): convolutions pass each channel on, batch norms undo their statistics, residual bodies put out zeros. Notes
 * where a module cannot: then it is as near to that as it gets.
 */
export function insert(m: Morphing, placed: Placed, x: Flow): Flow {
  const child = opened(placed);
  if (isIdentity(child, x)) return x;
  const { module, path } = child;
  const chain = chainOf(child);
  if (chain) return chain.reduce((flow, one) => insert(m, one, flow), x);
  switch (module.kind) {
    case 'conv':
      return insertConv(m, module, path, x);
    case 'linear':
      return passOn(m, path, x, 1, module.bias, [m.childShape(path)[0] ?? 1, x.of.length]);
    case 'batchNorm':
      return insertBatchNorm(m, module, path, x);
    case 'residual': {
      silence(m, { module: module.body, path: within(path, 'body') });
      return changed(insert(m, { module: module.shortcut, path: within(path, 'shortcut') }, x), x.positive);
    }
    default:
      m.depart(
        path,
        `a new ${module.kind === 'activation' ? String(module.fn) : module.kind} cannot pass on what it reads`,
      );
      return { of: widened(x.from, m.childShape(path)[0] ?? 1), from: x.from, positive: false };
  }
}

function insertConv(m: Morphing, conv: Extract<Module, { kind: 'conv' }>, path: string, x: Flow): Flow {
  const isSequence = m.childShape(path).length === 2;
  const [kernel, stride] = [sidesOf(conv.kernel, isSequence), sidesOf(conv.stride, isSequence)];
  const incoming = x.of.length;
  const outputs = m.childShape(path)[0] ?? 1;
  const depthwise = conv.groups === 'depthwise' || Number(conv.groups) === incoming;
  const passes =
    stride.every((n) => n === 1) &&
    (conv.padding === 'causal' ? kernel[1] === 1 : kernel.every((n) => n % 2 === 1)) &&
    (depthwise ? outputs === incoming : conv.groups === 1);
  if (!passes) {
    m.depart(path, 'a new convolution with a stride, an even or causal kernel or groups cannot pass on what it reads');
    return { of: widened(x.from, outputs), from: x.from, positive: false };
  }
  return passOn(m, path, x, kernel[0] * kernel[1], conv.bias, [outputs, depthwise ? 1 : incoming, ...kernel]);
}

/** A layer whose outputs are its inputs, each as often as there is room for; depthwise where it reads one. */
function passOn(m: Morphing, path: string, x: Flow, taps: number, bias: boolean, shape: readonly number[]): Flow {
  const [outputs = 1, incoming = 1] = shape;
  const depthwise = incoming === 1 && x.of.length > 1;
  const of = depthwise ? x.of : widened(x.from, outputs);
  const center = (taps - 1) / 2;
  const data = new Float32Array(outputs * incoming * taps);
  const groups = replicas(x);
  const sources = of.map((channel, o) => {
    const copies = groups[channel] ?? [];
    return depthwise ? o : (copies[Math.floor(o / x.from) % Math.max(1, copies.length)] ?? 0);
  });
  for (const [o, source] of sources.entries()) data[(o * incoming + (depthwise ? 0 : source)) * taps + center] = 1;
  if (outputs < x.from) m.depart(path, 'it has too few channels to pass on what it reads');
  m.set(within(path, 'weight'), shape, data);
  const added = new Float32Array(outputs);
  if (bias) m.set(within(path, 'bias'), [outputs], added);
  const pick = (values: readonly number[]) => sources.map((source) => values[source] ?? 0);
  const moments = x.moments && { mean: pick(x.moments.mean), variance: pick(x.moments.variance) };
  const producer = { weight: data, ...(bias && { bias: added }) };
  return { of, from: x.from, positive: x.positive, producer, ...(moments && { moments }) };
}

/** weight = deviation and bias = mean: also in training, where they are known, it gives back about what it reads. */
function insertBatchNorm(
  m: Morphing,
  { affine, epsilon }: Extract<Module, { kind: 'batchNorm' }>,
  path: string,
  x: Flow,
): Flow {
  const channels = x.of.length;
  const fill = (name: string, value: (channel: number) => number) =>
    m.set(
      within(path, name),
      [channels],
      Float32Array.from({ length: channels }, (_, i) => value(i)),
    );
  const mean = (channel: number) => (affine ? (x.moments?.mean[channel] ?? 0) : 0);
  const variance = (channel: number) => (affine ? (x.moments?.variance[channel] ?? 1) : 1 - epsilon);
  fill('runningMean', mean);
  fill('runningVariance', variance);
  if (affine) {
    fill('weight', (channel) => Math.sqrt(variance(channel) + epsilon));
    fill('bias', mean);
  }
  const { producer: _, ...flow } = x;
  return flow;
}

/** Makes a module of the child put out zeros, by its last scale or weights, and notes where it cannot. */
export function silence(m: Morphing, placed: Placed): void {
  if (!silent(m, opened(placed))) m.depart(placed.path, 'it cannot be made to put out zeros');
}

function silent(m: Morphing, child: Placed): boolean {
  const { module, path } = opened(child);
  const zero = (name: string) => {
    const shape = m.tensorShape(within(path, name));
    if (shape) m.set(within(path, name), shape, new Float32Array(sizeOf(shape)));
  };
  const chain = chainOf({ module, path });
  if (chain) {
    // The last module that can, if all behind it leave zeros as they are.
    for (const one of chain.toReversed()) {
      if (silent(m, one)) return true;
      if (!keepsZeros(opened(one).module)) return false;
    }
    return false;
  }
  switch (module.kind) {
    case 'zero':
      return true;
    case 'batchNorm':
    case 'factorizedReduce':
      if (!module.affine) return false;
      zero('weight');
      zero('bias');
      return true;
    case 'conv':
    case 'convTranspose':
    case 'linear':
      zero('weight');
      zero('bias');
      return true;
    case 'attention':
      zero('out/weight');
      zero('out/bias');
      return true;
    case 'residual': {
      const body = silent(m, { module: module.body, path: within(path, 'body') });
      return silent(m, { module: module.shortcut, path: within(path, 'shortcut') }) && body;
    }
    default:
      return false;
  }
}

function keepsZeros(module: Module): boolean {
  switch (module.kind) {
    case 'activation':
      return module.fn !== 'sigmoid' && module.fn !== 'hardSigmoid';
    case 'glu':
    case 'identity':
    case 'dropout':
    case 'dropPath':
    case 'pool':
    case 'globalPool':
    case 'last':
    case 'resize':
    case 'flatten':
    case 'firstChannels':
      return true;
    default:
      return false;
  }
}

/** Moments of max(0, z) for normal z, by channel. */
export function rectified({ mean, variance }: Moments): Moments {
  const pairs = mean.map((middle, i): readonly [number, number] => {
    const deviation = Math.sqrt(Math.max(variance[i] ?? 1, 1e-12));
    const z = middle / deviation;
    const [below, density] = [(1 + erf(z / Math.SQRT2)) / 2, Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)];
    const first = middle * below + deviation * density;
    const second = (middle * middle + deviation * deviation) * below + middle * deviation * density;
    return [first, Math.max(second - first * first, 1e-8)];
  });
  return { mean: pairs.map(([first]) => first), variance: pairs.map(([, spread]) => spread) };
}
