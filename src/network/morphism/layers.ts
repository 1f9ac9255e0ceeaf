import type { HostTensor, Shape } from '../../graph/ir.ts';
import type { Module, Size } from '../../space/tree/module.ts';
import { childrenOf } from '../../space/tree/walk.ts';
import { squeezedChannels } from '../convolution.ts';
import { changed, type Flow, type Morphing, type Placed, replicas, unrelated, widened, within } from './flow.ts';

type Kind<K extends Module['kind']> = Extract<Module, { kind: K }>;

/** Where a filter's weights stand: for each of the child's taps, the parent's tap at the same place; -1: there was none. */
type Taps = readonly number[];

interface DenseOptions {
  readonly out: readonly number[];
  /** Input channels of the child, and what they are of the parent's. */
  readonly x: Flow;
  readonly taps: Taps;
}

/**
 * Net2WiderNet (Chen, Goodfellow & Shlens 2016, algorithm 1) for one dense layer: a repeated output has the weights of the
 * original, and what is read from a repeated input is divided among its copies. weight [Op, Ip, tapsP] -> [Oc, Ic, tapsC].
 *
 * Differs: the shares are drawn for each output, evenly from a third to three times as much as another's, not equal: copies
 * with equal shares have equal gradients and stay copies forever, also under Adam if the shares differed by the input alone.
 */
function dense(
  m: Morphing,
  path: string,
  weight: HostTensor,
  { out, x, taps }: DenseOptions,
): Float32Array<ArrayBuffer> {
  const tapsBefore = weight.data.length / Math.max(1, (weight.shape[0] ?? 1) * x.from);
  const data = new Float32Array(out.length * x.of.length * taps.length);
  const groups = replicas(x);
  const random = m.rng(path);
  for (const [o, source] of out.entries()) {
    for (const [i, copies] of groups.entries()) {
      const shares = copies.map(() => (copies.length === 1 ? 1 : 0.5 + random.float()));
      const total = shares.reduce((sum, share) => sum + share, 0);
      const from = (source * x.from + i) * tapsBefore;
      for (const [k, copy] of copies.entries()) {
        const share = (shares[k] ?? Number.NaN) / total;
        const to = (o * x.of.length + copy) * taps.length;
        for (const [t, tap] of taps.entries())
          if (tap >= 0) data[to + t] = share * (weight.data[from + tap] ?? Number.NaN);
      }
    }
  }
  if (groups.some((copies) => copies.length === 0)) m.depart(path, 'it reads fewer channels');
  return data;
}

/** Elements along the first axis: data[of[0]], data[of[1]], ... */
function gathered({ shape, data }: HostTensor, of: readonly number[]): Float32Array<ArrayBuffer> {
  const size = data.length / Math.max(1, shape[0] ?? 1);
  const found = new Float32Array(of.length * size);
  for (const [i, source] of of.entries())
    for (let k = 0; k < size; k++) found[i * size + k] = data[source * size + k] ?? Number.NaN;
  return found;
}

/** The child's bias, zero where the parent has none. */
function biasOf(m: Morphing, parent: string, child: string, out: readonly number[], wanted: boolean) {
  const bias = m.parent(parent);
  if (!wanted) {
    if (bias?.data.some((value) => value !== 0)) m.depart(child, 'its bias is gone');
    return undefined;
  }
  const data = bias ? gathered(bias, out) : new Float32Array(out.length);
  m.set(child, [out.length], data);
  return data;
}

/** Convolutions of other widths, kernels and dilations. */
export function followConv(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const [p, c] = [parent.module as Kind<'conv'>, child.module as Kind<'conv'>];
  const weight = m.parent(within(parent.path, 'weight'));
  const outputs = m.childShape(child.path)[0] ?? 1;
  const from = m.parentShape(parent.path)[0] ?? 1;
  const isSequence = m.childShape(child.path).length === 2;
  const sizes = (size: Size) => sidesOf(size, isSequence);
  if (`${sizes(p.stride)}` !== `${sizes(c.stride)}`) m.depart(child.path, `stride ${p.stride} became ${c.stride}`);
  const [before, after] = [p, c].map((conv) => offsetsOf(sizes(conv.kernel), sizes(conv.dilation), conv.padding)) as [
    string[],
    string[],
  ];
  const [kernelBefore, kernel] = [sizes(p.kernel), sizes(c.kernel)];
  const taps = after.map((tap) => before.indexOf(tap));
  const lost = before.some((tap) => !after.includes(tap));
  if (lost)
    m.depart(child.path, `its kernel of ${p.kernel} is cut to ${c.kernel}: pixels at the edge are no longer read`);
  else if (c.padding === 'half' && kernel.some((size, axis) => (size - (kernelBefore[axis] ?? 0)) % 2 !== 0))
    m.depart(child.path, 'even and odd kernels pad differently');

  const [groupsBefore, groups] = [groupsOf(p, x.from), groupsOf(c, x.of.length)];
  const isEach = groupsBefore === x.from && groups === x.of.length && from === x.from && outputs === x.of.length;
  const isSame = groupsBefore === groups && from === outputs && x.of.length === x.from && isPlain(x);
  const out = isEach ? x.of : widened(from, outputs);
  const each = x.of.length / groups;
  if (weight === undefined || (!(groupsBefore === 1 && groups === 1) && !isEach && !isSame)) {
    m.depart(child.path, weight === undefined ? 'the parent has no weights for it' : 'its groups are others');
    return { of: out, from, positive: false };
  }
  const data = isEach || isSame ? regrouped(weight, out, each, taps) : dense(m, child.path, weight, { out, x, taps });
  m.set(within(child.path, 'weight'), [outputs, each, ...kernel], data);
  const bias = biasOf(m, within(parent.path, 'bias'), within(child.path, 'bias'), out, c.bias);
  return { of: out, from, positive: false, producer: { weight: data, ...(bias && { bias }) } };
}

/** A grouped filter, each output with the taps that are at the same place. */
function regrouped(weight: HostTensor, out: readonly number[], each: number, taps: Taps): Float32Array<ArrayBuffer> {
  const before = weight.data.length / Math.max(1, (weight.shape[0] ?? 1) * each);
  const data = new Float32Array(out.length * each * taps.length);
  for (const [o, source] of out.entries())
    for (let i = 0; i < each; i++)
      for (const [t, tap] of taps.entries())
        if (tap >= 0)
          data[(o * each + i) * taps.length + t] = weight.data[(source * each + i) * before + tap] ?? Number.NaN;
  return data;
}

const isPlain = (x: Flow) => x.of.every((channel, i) => channel === i);

function groupsOf(conv: Kind<'conv'>, incoming: number): number {
  return conv.groups === 'depthwise' ? incoming : Number(conv.groups);
}

/** [height, width] of a window of a network without open choices; of one over a sequence the height is 1. */
export function sidesOf(size: Size, isSequence: boolean): readonly [number, number] {
  if (Array.isArray(size)) return [Number(size[0]), Number(size[1])];
  return [isSequence ? 1 : Number(size), Number(size)];
}

/** The pixels that a kernel reads, from the one that it computes: as text, row and column. */
function offsetsOf(
  kernel: readonly [number, number],
  dilation: readonly [number, number],
  padding: 'half' | 'causal',
): string[] {
  const along = (axis: 0 | 1) => {
    const center = padding === 'causal' ? kernel[axis] - 1 : Math.floor((kernel[axis] - 1) / 2);
    return Array.from({ length: kernel[axis] }, (_, i) => (i - center) * dilation[axis]);
  };
  return along(0).flatMap((row) => along(1).map((column) => `${row} ${column}`));
}

/**
 * A layer that is taken over whole or not at all: where module and channels are as in the parent, with all of the parent's
 * tensors, also those that are shared. Elsewhere the child departs and starts from new weights.
 */
export function followWhole(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const flow = unrelated(m, parent.path, child.path);
  const alike = asInferred(parent.module) === asInferred(child.module);
  const same = alike && isPlain(x) && x.from === x.of.length && isPlain(flow) && flow.from === flow.of.length;
  const owners = [
    [parent.path, child.path],
    ...sharedIn(child.module).map((name) => [`shared/${name}`, `shared/${name}`]),
  ] as [string, string][];
  if (!same || !owners.every(([from, to]) => m.copy(from, to)))
    m.depart(child.path, `a ${child.module.kind} is taken over only as it is, by the channels that it had`);
  return flow;
}

/** What a module is when it is not trained: rates of dropout are left out. */
const asInferred = (module: Module): string =>
  JSON.stringify(module, (key, value: unknown) => (key === 'dropout' || key === 'weightDrop' ? undefined : value));

/** The names of all that is shared in a module. */
function sharedIn(module: Module): string[] {
  const inside = childrenOf(module).flatMap(sharedIn);
  return module.kind === 'shared' ? [module.name, ...inside] : inside;
}

export function followLinear(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const out = widened(m.parentShape(parent.path)[0] ?? 1, m.childShape(child.path)[0] ?? 1);
  const c = child.module as Kind<'linear'>;
  return linear(m, [parent.path, child.path], x, out, c.bias);
}

function linear(
  m: Morphing,
  [parent, child]: readonly [string, string],
  x: Flow,
  out: readonly number[],
  bias: boolean,
): Flow {
  const weight = m.parent(within(parent, 'weight'));
  const from = weight?.shape[0] ?? out.length;
  if (weight === undefined || weight.shape[1] !== x.from) {
    m.depart(child, 'the parent has no weights that fit');
    return { of: out, from, positive: false };
  }
  const data = dense(m, child, weight, { out, x, taps: [0] });
  m.set(within(child, 'weight'), [out.length, x.of.length], data);
  const added = biasOf(m, within(parent, 'bias'), within(child, 'bias'), out, bias);
  return { of: out, from, positive: false, producer: { weight: data, ...(added && { bias: added }) } };
}

/** Weight, bias and statistics of repeated channels are repeated. */
export function followBatchNorm(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const [p, c] = [parent.module as Kind<'batchNorm'>, child.module as Kind<'batchNorm'>];
  if (p.epsilon !== c.epsilon) m.depart(child.path, 'its epsilon is another');
  return batchNorm(m, parent.path, child.path, x, p.affine, c.affine);
}

function batchNorm(m: Morphing, parent: string, child: string, x: Flow, had: boolean, has: boolean): Flow {
  const shape: Shape = [x.of.length];
  const copied = (name: string, initial: number): Float32Array<ArrayBuffer> => {
    const tensor = m.parent(within(parent, name));
    const data = tensor?.shape[0] === x.from ? gathered(tensor, x.of) : new Float32Array(x.of.length).fill(initial);
    m.set(within(child, name), shape, data);
    return data;
  };
  copied('runningMean', 0);
  copied('runningVariance', 1);
  if (had && !has) m.depart(child, 'its weight and bias are gone');
  const weight = has ? copied('weight', 1) : new Float32Array(x.of.length).fill(1);
  const bias = has ? copied('bias', 0) : new Float32Array(x.of.length);
  const moments = { mean: [...bias], variance: [...weight].map((value) => value ** 2) };
  return { ...changed(x), moments };
}

/** Exact where every channel is repeated equally often: mean and deviation over all of them are then the same. */
export function followLayerNorm(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const [p, c] = [parent.module as Kind<'layerNorm'>, child.module as Kind<'layerNorm'>];
  const counts = new Set(replicas(x).map((copies) => copies.length));
  if (counts.size > 1) m.depart(child.path, 'its mean is over channels that are not repeated equally often');
  if (p.epsilon !== c.epsilon) m.depart(child.path, 'its epsilon is another');
  if (p.axes !== c.axes) m.depart(child.path, 'its axes are others');
  if (p.affine !== c.affine || p.bias !== c.bias) m.depart(child.path, 'weight and bias are not in both');
  for (const name of c.affine ? ['weight', ...(c.bias ? ['bias'] : [])] : []) {
    const tensor = m.parent(within(parent.path, name));
    if (tensor) m.set(within(child.path, name), [x.of.length], gathered(tensor, x.of));
  }
  return changed(x);
}

/** x times its own gate channels; the squeezed channels are widened like those of any layer. */
export function followSqueezeExcite(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const [p, c] = [parent.module as Kind<'squeezeExcite'>, child.module as Kind<'squeezeExcite'>];
  if (p.fn !== c.fn) m.depart(child.path, `fn ${p.fn} became ${c.fn}`);
  if (p.gate !== c.gate) m.depart(child.path, `gate ${p.gate} became ${c.gate}`);
  const out = widened(squeezedChannels(p, x.from), squeezedChannels(c, x.of.length));
  const paths = (name: string) => [within(parent.path, name), within(child.path, name)] as const;
  const hidden = linear(m, paths('squeeze'), x, out, true);
  linear(m, paths('expand'), hidden, x.of, true);
  return changed(x, x.positive);
}

/** Two 1x1 convolutions side by side and a batch norm. */
export function followFactorizedReduce(m: Morphing, parent: Placed, child: Placed, x: Flow): Flow {
  const [p, c] = [parent.module as Kind<'factorizedReduce'>, child.module as Kind<'factorizedReduce'>];
  const [from, outputs] = [m.parentShape(parent.path)[0] ?? 2, m.childShape(child.path)[0] ?? 2];
  const halves = (channels: number) => [Math.floor(channels / 2), channels - Math.floor(channels / 2)] as const;
  const of: number[] = [];
  for (const [k, name] of (['first', 'second'] as const).entries()) {
    const [before, after] = [halves(from)[k] ?? Number.NaN, halves(outputs)[k] ?? Number.NaN];
    const out = widened(before, after);
    const weight = m.parent(within(parent.path, `${name}/weight`));
    if (weight === undefined) m.depart(child.path, 'the parent has no weights for it');
    else
      m.set(
        within(child.path, `${name}/weight`),
        [after, x.of.length, 1, 1],
        dense(m, `${child.path}/${name}`, weight, { out, x, taps: [0] }),
      );
    of.push(...out.map((channel) => channel + (k === 0 ? 0 : halves(from)[0])));
  }
  return batchNorm(m, parent.path, child.path, { of, from, positive: false }, p.affine, c.affine);
}

/** Folds a removed batch norm into the layer before it: (w · x) · s + t = (w · s) · x + t. Returns whether it could. */
export function foldBatchNorm(m: Morphing, parent: Placed, { of, producer }: Flow): boolean {
  if (producer?.bias === undefined) return false;
  const { bias, weight } = producer;
  const tensors = ['runningMean', 'runningVariance', 'weight', 'bias'].map((name) =>
    m.parent(within(parent.path, name)),
  );
  const [mean, variance, gain, shift] = tensors.map((tensor) => tensor?.data);
  if (!mean || !variance) return false;
  const each = weight.length / of.length;
  const { epsilon } = parent.module as Kind<'batchNorm'>;
  for (const [o, source] of of.entries()) {
    const scale = (gain?.[source] ?? 1) / Math.sqrt((variance[source] ?? Number.NaN) + epsilon);
    for (let i = 0; i < each; i++) weight[o * each + i] = (weight[o * each + i] ?? Number.NaN) * scale;
    bias[o] = ((bias[o] ?? Number.NaN) - (mean[source] ?? Number.NaN)) * scale + (shift?.[source] ?? 0);
  }
  return true;
}
