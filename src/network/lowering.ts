import { invalid, type UserError } from '../common/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module, Read, Size, Value, ValueChoice } from '../space/tree/module.ts';
import type {
  ArchitectureParameter,
  Chosen,
  Initializer,
  Move,
  Parameter,
  RandomInput,
  Role,
  Switch,
} from './network.ts';

export type ModuleKind = Module['kind'];
export type ModuleOf<K extends ModuleKind> = Extract<Module, { readonly kind: K }>;

/** What a module's lowering works with: the graph, and what it asks of the network around it. */
export interface Lowering {
  readonly g: GraphBuilder;
  readonly mode: 'train' | 'infer';
  /** Width of the last layer: classes, or targets of a regression. */
  readonly outputs: number;
  /** Size of the vocabulary; undefined where the task has no tokens. */
  readonly vocabulary: number | undefined;
  /** Of a sequence x: 1 where it has a position, 0 behind its end, [N, 1, T]; undefined where all samples have all positions. */
  filled(x: NodeId): NodeId | undefined;
  /** Quantiles of each feature that the whole network reads; undefined where it reads no table. */
  readonly quantiles: readonly (readonly number[])[] | undefined;
  /** Shape of what the whole network reads. */
  readonly input: Shape;
  /** Of tokens [N, T]: T of the longest samples, where those of `input` are cut to fewer; else undefined. */
  readonly longest: number | undefined;
  /** What the stack around this module has put out before x, the newest first; nothing outside a stack. */
  readonly before: readonly NodeId[];
  /** What becomes of open choices; undefined: there must be none. */
  readonly open: OpenChoices | undefined;
  /** Lowers a child under the path segment; under '', in this module's own place. Without `before`, it has none. */
  child(segment: string, module: Module, x: NodeId, before?: readonly NodeId[]): NodeId;
  /** Lowers a body in this module's own place, with its parameters named `shared/NAME/...`: those of all uses of the name. */
  shared(name: string, body: Module, x: NodeId): NodeId;
  /** A trained tensor of this module, `name` within its path. */
  parameter(name: string, shape: Shape, initializer: Initializer, role?: Role): NodeId;
  /** A running statistic of this module; in training, `move` says what becomes of it. */
  statistic(name: string, shape: Shape, initial: number, move?: Move): NodeId;
  /** Uniform random numbers in [0, 1), new ones at every training step. */
  random(shape: Shape): NodeId;
  /**
   * Lowers time step after time step. What modules ask for in it is made once for all steps: parameters, and random numbers; a running
   * statistic moves by the mean over the steps.
   */
  overTime<T>(steps: number, step: (time: number) => T): readonly T[];
  /** The input that brings a state of this module in; undefined where it begins with zeros. */
  stateIn(name: string, shape: Shape): NodeId | undefined;
  /** What the state of that name is after the run. */
  stateOut(name: string, output: NodeId): void;
  /** How much of a training is done, [], from 0 in its first epoch to below 1. */
  progress(): NodeId;
  /** Adds an auxiliary output, where they are asked for: `lower` computes it. */
  auxiliary(weight: number, lower: () => NodeId): void;
  /** An error at this module's place. */
  error(found: string, rule: string): UserError;
}

/** A treatment of open choices, made for one network: how its supernet computes them. */
export interface OpenChoices {
  /** The trained tensors that weigh the options. */
  readonly parameters: readonly ArchitectureParameter[];
  /** The inputs that choose. */
  readonly switches: readonly Switch[];
  /** The random numbers that weigh or choose; none where absent. */
  readonly randomInputs?: readonly RandomInput[];
  /** Further weights of the supernet, which no module has; none where absent. */
  readonly weights?: readonly Parameter[];
  /** What modules use in the place of a tensor of theirs; `part` gives a further tensor of the same place, named under it. */
  generate?(base: NodeId, part: (name: string, shape: Shape, initializer: Initializer) => NodeId): NodeId;
  /** What must be chosen for that which is being lowered to count, the outermost first. */
  readonly when: readonly Chosen[];
  /** A choice with several options. */
  choose(l: Lowering, module: ModuleOf<'choice'>, x: NodeId): NodeId;
  /**
   * What a node of a dag combines over one of its reads, whose inputs are open or fixed: `edges` computes the edge from each of its
   * sources (`sourcesOf`).
   */
  read(l: Lowering, read: Read, edges: readonly (() => NodeId)[]): readonly NodeId[];
}

export type Lower<K extends ModuleKind> = (l: Lowering, module: ModuleOf<K>, x: NodeId) => NodeId;

/** A field's value in a network whose choices are closed. */
export function closed<T extends number | string | boolean>(value: Value<T>): T {
  if (isValueChoice(value)) {
    throw invalid('network', `choice "${value.name}" is open`, 'resolve the space with an architecture first');
  }
  return value;
}

function isValueChoice(value: unknown): value is ValueChoice {
  return typeof value === 'object' && value !== null;
}

/** The sum of at least one tensor, all of one shape. */
export function sum(l: Lowering, values: readonly NodeId[]): NodeId {
  return values.reduce((total, value) => {
    const [a, b] = [l.g.shape(total), l.g.shape(value)];
    if (String(a) !== String(b)) throw l.error(`[${a}] and [${b}] meet`, 'what is added must have one shape');
    return ops.add(l.g, total, value);
  });
}

/** [N, C, H, W], or the error that this module needs images. */
export function imageShape(
  l: Lowering,
  x: NodeId,
  rule = 'it needs images, [N, C, H, W]',
): readonly [number, number, number, number] {
  const [n, c, h, w, ...rest] = l.g.shape(x);
  if (n === undefined || c === undefined || h === undefined || w === undefined || rest.length > 0) {
    throw l.error(`input is [${l.g.shape(x)}]`, rule);
  }
  return [n, c, h, w];
}

/** [N, C, T], or the error that this module needs sequences. */
export function sequenceShape(l: Lowering, x: NodeId): readonly [number, number, number] {
  const [n, c, t, ...rest] = l.g.shape(x);
  if (n === undefined || c === undefined || t === undefined || rest.length > 0) {
    throw l.error(`input is [${l.g.shape(x)}]`, 'it needs sequences, [N, C, T]');
  }
  return [n, c, t];
}

/** What a module does to images, done to images or to sequences, which are then images one pixel high. */
export function overImages(
  l: Lowering,
  x: NodeId,
  body: (images: NodeId, shape: readonly [number, number, number, number]) => NodeId,
): NodeId {
  const { g } = l;
  if (!isSequence(l, x)) {
    return body(x, imageShape(l, x, 'it needs images, [N, C, H, W], or sequences, [N, C, T]'));
  }
  const [n, c, t] = sequenceShape(l, x);
  const y = body(ops.reshape(g, x, [n, c, 1, t]), [n, c, 1, t]);
  const [, channels = 1, , length = 1] = g.shape(y);
  return ops.reshape(g, y, [n, channels, length]);
}

export const isSequence = (l: Lowering, x: NodeId): boolean => l.g.shape(x).length === 3;

/** [height, width] of a window over x; over sequences the height is 1, whatever one number says. */
export function sizeOfWindow(l: Lowering, x: NodeId, size: Size): readonly [number, number] {
  if (!Array.isArray(size)) {
    const one = closed(size as Value<number>);
    return [isSequence(l, x) ? 1 : one, one];
  }
  const [height, width] = size as readonly [Value<number>, Value<number>];
  const pair = [closed(height), closed(width)] as const;
  if (isSequence(l, x) && pair[0] !== 1)
    throw l.error(`a window of ${pair[0]}x${pair[1]} over a sequence`, 'it takes one number, or [1, length]');
  return pair;
}

/** A window's size in an error: one number where it is square. */
export function showWindow([height, width]: readonly [number, number]): string {
  return height === width ? `${height}` : `${height}x${width}`;
}

/** The size of axis 1: channels of images, or features. */
export function channelsOf(l: Lowering, x: NodeId): number {
  return l.g.shape(x)[1] ?? 1;
}

/** Shape that lays a tensor of axis 1's size along axis 1 of `x`: [1, C, 1, 1] or [1, F]. */
export function alongChannels(l: Lowering, x: NodeId): Shape {
  return l.g.shape(x).map((size, axis) => (axis === 1 ? size : 1));
}
