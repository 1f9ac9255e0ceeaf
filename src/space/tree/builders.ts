import { UserError } from '../../common/errors.ts';
import { checkedChoice, checkNodeCount, inputsChoice, node, quoted, valueChoice } from './fields.ts';
import type {
  ActivationFunction,
  DagNode,
  DagOutput,
  InputsChoice,
  Module,
  Read,
  RecurrentNode,
  Size,
  Value,
  ValueChoice,
} from './module.ts';

/**
 * One builder for each module kind and each kind of choice, with defaults. Each checks what it is given and throws
 * UserError naming the field, the value and the rule; what it returns is frozen.
 */
type Kind<K extends Module['kind']> = Extract<Module, { kind: K }>;

export interface ConvOptions {
  readonly stride?: Size;
  readonly dilation?: Size;
  readonly groups?: Value<number> | 'depthwise';
  /** Without by default: a normalization nearly always follows and would undo it. */
  readonly bias?: boolean;
  /** With channels 'same': this many times as many as come in, rounded. */
  readonly multiple?: Value<number>;
  /** causal, of sequences: all zeros before, so that no position sees a later one; half by default. */
  readonly padding?: 'half' | 'causal';
}

/**
 * [N, C, H, W] -> [N, channels, ⌈H/stride⌉, ⌈W/stride⌉], or [N, C, T] -> [N, channels, ⌈T/stride⌉], for odd kernels. Kernel, stride
 * and dilation are one number for both sides, or [height, width]. Stride, dilation, groups and multiple 1, no bias.
 */
export function conv(
  channels: Value<number> | 'same',
  kernel: Size,
  { stride = 1, dilation = 1, groups = 1, bias = false, multiple = 1, padding = 'half' }: ConvOptions = {},
): Kind<'conv'> {
  if (multiple !== 1 && channels !== 'same')
    throw new UserError(`multiple of conv is ${quoted(multiple)} beside channels; must be 1, or channels 'same'`);
  return node({ kind: 'conv', channels, multiple, kernel, stride, dilation, groups, bias, padding });
}

/**
 * Transposed convolution: [N, C, H, W] -> [N, channels, stride·H, stride·W], or [N, C, T] -> [N, channels, stride·T]. The stride is
 * the kernel by default; no bias.
 */
export function convTranspose(
  channels: Value<number> | 'same',
  kernel: Size,
  { stride = kernel, bias = false }: { readonly stride?: Size; readonly bias?: boolean } = {},
): Kind<'convTranspose'> {
  return node({ kind: 'convTranspose', channels, kernel, stride, bias });
}

/** Sides times `factor`, or the size of the network's input; nearest by default, or bilinear. */
export function resize(
  factor: Value<number> | 'input',
  { mode = 'nearest' }: { readonly mode?: Value<'nearest' | 'bilinear'> } = {},
): Kind<'resize'> {
  return node({ kind: 'resize', mode, factor });
}

/** Momentum is the share of the new batch in the running statistics, as in PyTorch. */
export function batchNorm({ affine = true, momentum = 0.1, epsilon = 1e-5 } = {}): Kind<'batchNorm'> {
  return node({ kind: 'batchNorm', affine, momentum, epsilon });
}

export interface LayerNormOptions {
  readonly affine?: boolean;
  /** Whether it has a bias beside its weight, where it is affine; true by default. */
  readonly bias?: boolean;
  readonly epsilon?: number;
  /** all (the default): over all axes but the batch; channel: over the channels at each position, as in transformers. */
  readonly axes?: Value<'all' | 'channel'>;
}

export function layerNorm({
  affine = true,
  bias = true,
  epsilon = 1e-5,
  axes = 'all',
}: LayerNormOptions = {}): Kind<'layerNorm'> {
  return node({ kind: 'layerNorm', affine, bias, epsilon, axes });
}

export function activation(fn: Value<ActivationFunction>): Kind<'activation'> {
  return node({ kind: 'activation', fn });
}

export const relu = (): Kind<'activation'> => activation('relu');
/** min(max(x, 0), 6) */
export const relu6 = (): Kind<'activation'> => activation('relu6');
export const sigmoid = (): Kind<'activation'> => activation('sigmoid');
/** min(max(x + 3, 0), 6) / 6 */
export const hardSigmoid = (): Kind<'activation'> => activation('hardSigmoid');
export const tanh = (): Kind<'activation'> => activation('tanh');
export const silu = (): Kind<'activation'> => activation('silu');
export const gelu = (): Kind<'activation'> => activation('gelu');
export const hardSwish = (): Kind<'activation'> => activation('hardSwish');

/**
 * Gated linear unit: [N, 2·C, ...] -> [N, C, ...], the first half of the channels times `fn` of the second; `sigmoid` as in
 * Dauphin et al. 2017, `gelu` (GEGLU) and `silu` (SwiGLU) as in Shazeer 2020.
 */
export const glu = (fn: Value<ActivationFunction> = 'sigmoid'): Kind<'glu'> => node({ kind: 'glu', fn });

export interface PoolOptions {
  /** 1 by default, as in cells; not the kernel's size as in PyTorch. */
  readonly stride?: Size;
  readonly padding?: number | 'half' | readonly [number, number];
}

export function pool(
  op: Value<'max' | 'average'>,
  kernel: Size,
  { stride = 1, padding = 'half' }: PoolOptions = {},
): Kind<'pool'> {
  return node({ kind: 'pool', op, kernel, stride, padding });
}

export const maxPool = (kernel: Size, options?: PoolOptions): Kind<'pool'> => pool('max', kernel, options);
export const avgPool = (kernel: Size, options?: PoolOptions): Kind<'pool'> => pool('average', kernel, options);

/** [N, C, H, W] or [N, C, T] -> [N, C] */
export function globalPool(op: Value<'max' | 'average'>): Kind<'globalPool'> {
  return node({ kind: 'globalPool', op });
}

export const globalAvgPool = (): Kind<'globalPool'> => globalPool('average');
export const globalMaxPool = (): Kind<'globalPool'> => globalPool('max');

/** [N, C, T] -> [N, C]: the last position, or the first (`at: 'start'`), where a recurrent layer that reads backwards ends. */
export const last = ({ at = 'end' }: { readonly at?: 'end' | 'start' } = {}): Kind<'last'> =>
  node({ kind: 'last', at });

/** Tokens, int32 [N, T], to vectors, [N, channels, T]; 'inputs': the vocabulary of the task. `dropout` drops whole tokens. */
export function embedding(
  vocabulary: Value<number> | 'inputs',
  channels: Value<number>,
  { dropout = 0 }: { readonly dropout?: Value<number> } = {},
): Kind<'embedding'> {
  return node({ kind: 'embedding', vocabulary, channels, dropout });
}

/** Adds where it stands to each position: learned for up to `length` positions (by default those of the input), or by sines. */
export function positions(
  encoding: Value<'learned' | 'sinusoidal'> = 'learned',
  { length = 'input' }: { readonly length?: number | 'input' } = {},
): Kind<'positions'> {
  return node({ kind: 'positions', encoding, length });
}

/** [N, C, H, W] -> [N, C·size², T]: an image as a sequence of its patches; `linear` behind it makes vectors of them, as a convolution would. */
export const patches = (size: Value<number>): Kind<'patches'> => node({ kind: 'patches', size });

/** [N, C, T] -> [N, C, T+1]: a learned position before the first, whose output `last({ at: 'start' })` takes. */
export const classToken = (): Kind<'classToken'> => node({ kind: 'classToken' });

/** [N, F] -> [N, F + encoded]: the features of a table, and up to `bins` more for each that is a number. The first of a network. */
export function piecewiseLinear(bins: Value<number>): Kind<'piecewiseLinear'> {
  return node({ kind: 'piecewiseLinear', bins });
}

export interface AttentionOptions {
  /** Whether positions are kept from seeing later ones; false by default. */
  readonly causal?: boolean;
  /** Positions see those less than this far away; all by default. */
  readonly window?: Value<number> | 'all';
  /** Whether scores depend on how far away a position is, by learned numbers; false by default. */
  readonly relative?: boolean;
  /** Dropout rate of the attention weights; 0 by default. */
  readonly dropout?: Value<number>;
  /** Whether the projections have a bias; true by default. */
  readonly bias?: boolean;
}

/** Multi-head self-attention, [N, C, T] -> [N, C, T], or over the pixels of [N, C, H, W]; `heads` divides C. */
export function attention(
  heads: Value<number>,
  { causal = false, window = 'all', relative = false, dropout = 0, bias = true }: AttentionOptions = {},
): Kind<'attention'> {
  return node({ kind: 'attention', heads, causal, window, relative, dropout, bias });
}

export interface RecurrentOptions {
  /** Rate at which the weights of the hidden state are dropped in training, one draw for all steps; 0 by default. */
  readonly weightDrop?: Value<number>;
  /** Whether it reads from the last position to the first; false by default. */
  readonly reverse?: boolean;
}

/** [N, C, T] -> [N, units, T], one position after another; `last()` behind it takes the last. */
export function recurrent(
  cell: Value<'rnn' | 'gru' | 'lstm'>,
  units: Value<number> | 'same' = 'same',
  { weightDrop = 0, reverse = false }: RecurrentOptions = {},
): Kind<'recurrent'> {
  return node({ kind: 'recurrent', cell, units, weightDrop, reverse });
}

export interface LinearOptions {
  readonly bias?: boolean;
  /** With units 'same': this many times as many as come in, rounded. */
  readonly multiple?: Value<number>;
}

/**
 * [N, C, T] -> [N, units, T] with a cell of modules: `body` reads the gated sum of x and the state at each step, [N, units], and gives the
 * next state. `dropout`: of the state where it meets the weights; 0 by default.
 */
export function recurrentCell(
  units: Value<number> | 'same',
  body: Module,
  { dropout = 0 }: { readonly dropout?: Value<number> } = {},
): Kind<'recurrentCell'> {
  return node({ kind: 'recurrentCell', units, dropout, body });
}

/** [N, C, T] -> [N, units, T] with a cell of vectors: see `RecurrentNode`. */
export function recurrentGraph(units: Value<number>, nodes: readonly RecurrentNode[]): Kind<'recurrentGraph'> {
  return node({ kind: 'recurrentGraph', units, nodes: structuredClone(nodes) });
}

/** x + σ(c) · (fn(a) − x), [c, a] = W x; `dropout` is of x where it meets W, 0 by default. */
export function highway(
  fn: Value<ActivationFunction | 'identity'>,
  { dropout = 0 }: { readonly dropout?: Value<number> } = {},
): Kind<'highway'> {
  return node({ kind: 'highway', fn, dropout });
}

/** [N, F] -> [N, units], or [N, C, T] -> [N, units, T], with a bias by default. */
export function linear(
  units: Value<number> | 'outputs' | 'same',
  { bias = true, multiple = 1 }: LinearOptions = {},
): Kind<'linear'> {
  if (multiple !== 1 && units !== 'same')
    throw new UserError(`multiple of linear is ${quoted(multiple)} beside units; must be 1, or units 'same'`);
  return node({ kind: 'linear', units, multiple, bias });
}

/** [N, C, H, W] -> [N, C·H·W], [N, C, T] -> [N, C·T] */
export const flatten = (): Kind<'flatten'> => node({ kind: 'flatten' });
/** The first `channels` channels, and zeros where there are fewer. */
export const firstChannels = (channels: Value<number>): Kind<'firstChannels'> =>
  node({ kind: 'firstChannels', channels });
/** over 'channels': the same mask at all positions of a sample (variational dropout); by default each element has its own draw. */
export const dropout = (
  rate: Value<number>,
  { over = 'elements' }: { readonly over?: 'elements' | 'channels' } = {},
): Kind<'dropout'> => node({ kind: 'dropout', rate, over });
/** growing: from 0 to the rate over the epochs; by default the rate is always the same. */
export const dropPath = (rate: Value<number>, { growing = false } = {}): Kind<'dropPath'> =>
  node({ kind: 'dropPath', rate, growing });
export const identity = (): Kind<'identity'> => node({ kind: 'identity' });
export const zero = (stride: Value<number> = 1): Kind<'zero'> => node({ kind: 'zero', stride });

export function sequential(...children: readonly Module[]): Kind<'sequential'> {
  return node({ kind: 'sequential', children });
}

/** body(x) + shortcut(x) */
export function residual(body: Module, shortcut: Module = identity()): Kind<'residual'> {
  return node({ kind: 'residual', body, shortcut });
}

/** Weight tying: all uses of one name read the same parameters, `shared/NAME/...`; their shapes must be the same. */
export function shared(name: string, body: Module): Kind<'shared'> {
  return node({ kind: 'shared', name, body });
}

/** [N, C, H, W]: `body` reads each row as a sequence (`recurrent`, or `attention` within the row). */
export function rows(body: Module): Kind<'rows'> {
  return node({ kind: 'rows', body });
}

/** `body`, with a head in training whose loss counts `weight` times; 0.4 as in DARTS. */
export function auxiliary(body: Module, head: Module, weight = 0.4): Kind<'auxiliary'> {
  return node({ kind: 'auxiliary', body, head, weight });
}

/** 0 times is the identity. */
export function repeat(times: Value<number>, body: Module): Kind<'repeat'> {
  return node({ kind: 'repeat', times, body });
}

export interface SqueezeExciteOptions {
  /** Between the two layers; relu by default. */
  readonly fn?: Value<ActivationFunction>;
  readonly gate?: Value<'sigmoid' | 'hardSigmoid'>;
  /** What the squeezed channels are rounded to a multiple of; 1 by default. */
  readonly divisor?: number;
}

/** Squeezed to C · ratio channels, rounded, at least 1; 1/16 as in the paper. */
export function squeezeExcite(
  ratio: Value<number> = 1 / 16,
  { fn = 'relu', gate = 'sigmoid', divisor = 1 }: SqueezeExciteOptions = {},
): Kind<'squeezeExcite'> {
  return node({ kind: 'squeezeExcite', ratio, fn, gate, divisor });
}

export function factorizedReduce(
  channels: Value<number> | 'same' = 'same',
  { affine = true } = {},
): Kind<'factorizedReduce'> {
  return node({ kind: 'factorizedReduce', channels, affine });
}

/** A choice between modules; at least 2 options. */
export function choice(name: string, options: Readonly<Record<string, Module>>): Kind<'choice'> {
  return checkedChoice({ kind: 'choice', name, options: { ...options } });
}

/** Names inside `body` get the prefix `name/`, in repeats `name/i/`; see `Module`. */
export function scoped(name: string, body: Module): Kind<'scope'> {
  return node({ kind: 'scope', name, body });
}

/** One of at least 2 different values. */
export function pick(name: string, values: readonly (number | string | boolean)[]): ValueChoice {
  return valueChoice({ kind: 'pick', name, values: [...values] });
}

/** A whole number from `min` to `max`, both included; `log`: sampled evenly on a logarithmic scale. */
export function int(name: string, min: number, max: number, { log = false } = {}): ValueChoice {
  return valueChoice({ kind: 'int', name, min, max, log });
}

/** A number from `min` to `max`, both included. */
export function float(name: string, min: number, max: number, { log = false } = {}): ValueChoice {
  return valueChoice({ kind: 'float', name, min, max, log });
}

/** `count` different ones of the earlier nodes of a dag. */
export function pickInputs(name: string, count: number): InputsChoice {
  return inputsChoice({ kind: 'inputs', name, count });
}

export interface DagOptions {
  /** What each input goes through first; one unchanged input by default. */
  readonly entries?: readonly Module[];
  /**
   * last: the last node; concat: all nodes after the inputs along the channels, loose: those of them that no node reads; mean and
   * looseMean: the mean of these.
   */
  readonly output?: Value<DagOutput>;
  readonly combine?: 'sum' | 'concat';
  /** Nodes read this many of the earlier nodes, by the decision `NODE<-`; without it, all of them. */
  readonly inputs?: number;
}

/**
 * A cell with its operations on the edges: `nodes` nodes after the inputs, an edge `edge(from, to)` from each earlier
 * node to each of them (NAS-Bench-201; with two entries, `inputs: 2` and `output: 'concat'`, DARTS).
 */
export function dag(
  nodes: number,
  edge: (from: number, to: number) => Module,
  { entries, output = 'last', combine = 'sum', inputs }: DagOptions = {},
): Kind<'dag'> {
  return dagOfNodes(
    nodes,
    (to) => ({
      edge: (from) => edge(from, to),
      combine,
      ...(inputs === undefined || inputs >= to ? {} : { from: pickInputs(`${to}<-`, inputs) }),
    }),
    { output, ...(entries && { entries }) },
  );
}

export interface ReadOptions {
  /** All earlier nodes by default. */
  readonly from?: readonly number[] | InputsChoice;
  /** The identity by default. */
  readonly edge?: (from: number) => Module;
}

export interface DagNodeOptions extends ReadOptions {
  /** sum by default. */
  readonly combine?: 'sum' | 'concat';
  /** The identity by default. */
  readonly body?: Module;
  /** What the node reads besides, over edges of their own. */
  readonly further?: readonly ReadOptions[];
}

/** A cell with its operations in the nodes (NAS-Bench-101, ENAS); `describe` is asked for the `nodes` after the inputs. */
export function dagOfNodes(
  nodes: number,
  describe: (node: number) => DagNodeOptions,
  { entries = [identity()], output = 'last' }: Pick<DagOptions, 'entries' | 'output'> = {},
): Kind<'dag'> {
  checkNodeCount(nodes);
  const built = Array.from({ length: nodes }, (_, i): DagNode => {
    const number = entries.length + i;
    const earlier = Array.from({ length: number }, (_, j) => j);
    const read = ({ from = earlier, edge = identity }: ReadOptions): Read => ({
      from: 'kind' in from ? from : [...from],
      edges: earlier.map((j) => edge(j)),
    });
    const { combine = 'sum', body = identity(), further, ...first } = describe(number);
    return { ...read(first), combine, body, ...(further && { further: further.map(read) }) };
  });
  return node({ kind: 'dag', entries: [...entries], nodes: built, output });
}

/** Cells in a row, each of which may read the outputs of several before it. */
export function stack(...cells: readonly Module[]): Kind<'stack'> {
  return node({ kind: 'stack', cells });
}
