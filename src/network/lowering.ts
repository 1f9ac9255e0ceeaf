import { invalid, type UserError } from '../common/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module, Value, ValueChoice } from '../space/module.ts';
import type { ArchitectureParameter, Chosen, Initialiser, Move, Switch } from './network.ts';

export type ModuleKind = Module['kind'];
export type ModuleOf<K extends ModuleKind> = Extract<Module, { readonly kind: K }>;

/** What a module's lowering works with: the graph, and what it asks of the network around it. */
export interface Lowering {
  readonly g: GraphBuilder;
  readonly mode: 'train' | 'infer';
  /** Width of the last layer: classes, or targets of a regression. */
  readonly outputs: number;
  /** What the stack around this module has put out before x, the newest first; nothing outside a stack. */
  readonly before: readonly NodeId[];
  /** What becomes of open choices; undefined: there must be none. */
  readonly open: OpenChoices | undefined;
  /** Lowers a child under the path segment; under '', in this module's own place. Without `before`, it has none. */
  child(segment: string, module: Module, x: NodeId, before?: readonly NodeId[]): NodeId;
  /** A trained tensor of this module, `name` within its path. */
  parameter(name: string, shape: Shape, initialiser: Initialiser): NodeId;
  /** A running statistic of this module; in training, `move` says what becomes of it. */
  statistic(name: string, shape: Shape, initial: number, move?: Move): NodeId;
  /** Uniform random numbers in [0, 1), new ones at every training step. */
  random(shape: Shape): NodeId;
  /** An error at this module's place. */
  error(found: string, rule: string): UserError;
}

/** A treatment of open choices, made for one network: how its supernet computes them. */
export interface OpenChoices {
  /** The trained tensors that weigh the options. */
  readonly parameters: readonly ArchitectureParameter[];
  /** The inputs that choose. */
  readonly switches: readonly Switch[];
  /** What must be chosen for that which is being lowered to count, the outermost first. */
  readonly when: readonly Chosen[];
  /** A choice with several options. */
  choose(l: Lowering, module: ModuleOf<'choice'>, x: NodeId): NodeId;
  /** An edge of a dag that the open decision `wiring` may pick, coming from node `from`; `lower` computes it. */
  edge(lower: () => NodeId, wiring: string, from: number): NodeId;
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
export function imageShape(l: Lowering, x: NodeId): readonly [number, number, number, number] {
  const [n, c, h, w, ...rest] = l.g.shape(x);
  if (n === undefined || c === undefined || h === undefined || w === undefined || rest.length > 0) {
    throw l.error(`input is [${l.g.shape(x)}]`, 'it needs images, [N, C, H, W]');
  }
  return [n, c, h, w];
}

/** The size of axis 1: channels of images, or features. */
export function channelsOf(l: Lowering, x: NodeId): number {
  return l.g.shape(x)[1] ?? 1;
}

/** Shape that lays a tensor of axis 1's size along axis 1 of `x`: [1, C, 1, 1] or [1, F]. */
export function alongChannels(l: Lowering, x: NodeId): Shape {
  return l.g.shape(x).map((size, axis) => (axis === 1 ? size : 1));
}
