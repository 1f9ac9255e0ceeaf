import type { Rng } from '../../common/random.ts';
import type { HostTensor, Shape } from '../../graph/ir.ts';
import type { Module } from '../../space/tree/module.ts';

/** A module of a network and its path. */
export interface Placed {
  readonly module: Module;
  readonly path: string;
}

/** What a morphism works with. */
export interface Morphing {
  /** The parent's tensor, unless it lacks it. */
  parent(path: string): HostTensor | undefined;
  /** Sets a tensor of the child. Its data may still be changed by what follows it. */
  set(path: string, shape: Shape, data: Float32Array<ArrayBuffer>): void;
  /** Takes over all tensors whose path begins with these segments; whether they are all there, in the same shapes. */
  copy(parent: string, child: string): boolean;
  /** Outputs of the parent's and of the child's modules, without the batch. */
  parentShape(path: string): Shape;
  childShape(path: string): Shape;
  /** For a parameter or statistic of the child. */
  tensorShape(path: string): Shape | undefined;
  /** Notes that the child computes something else from here on. */
  depart(path: string, why: string): void;
  rng(path: string): Rng;
}

/** How a child's tensor is made of the parent's at the same place. */
export interface Flow {
  /** For each channel of the child, the parent's channel that it equals. */
  readonly of: readonly number[];
  /** How many channels the parent has. */
  readonly from: number;
  /** Never negative, so that a ReLU does not change it. */
  readonly positive: boolean;
  /** All zeros, in both. */
  readonly zero?: true;
  /** Of each channel of the child in training, where a batch norm before tells. */
  readonly moments?: Moments;
  /** The child's convolution or linear layer that ends here. */
  readonly producer?: Producer;
}

export interface Moments {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** Weight [O, ...] and bias [O] of the child, as they were set. */
export interface Producer {
  readonly weight: Float32Array;
  readonly bias?: Float32Array;
}

/** How a layer's outputs are widened: again and again in their order, so that what is added up is widened alike; narrowed: the first. */
export function widened(from: number, to: number): number[] {
  return Array.from({ length: to }, (_, i) => i % Math.max(1, from));
}

/** A flow through a place where parent and child have nothing in common. */
export function unrelated(m: Morphing, parent: string, child: string): Flow {
  const from = m.parentShape(parent)[0] ?? 1;
  return { of: widened(from, m.childShape(child)[0] ?? 1), from, positive: false };
}

/** The channels alone, with what is known to hold after a change of the values. */
export function changed({ of, from }: Flow, positive = false): Flow {
  return { of, from, positive };
}

/** What is added up must lie alike. */
export function sumOf(m: Morphing, path: string, flows: readonly Flow[]): Flow | undefined {
  const [first] = flows;
  if (first === undefined || flows.length === 1) return first;
  const present = flows.filter(({ zero }) => !zero);
  const [one = first, ...others] = present;
  const alike = others.every((other) => other.from === one.from && String(other.of) === String(one.of));
  if (!alike) m.depart(path, 'what is added up is widened in different ways');
  const positive = flows.every((flow) => flow.positive);
  return present.length === 0 ? { ...changed(one, true), zero: true } : changed(one, positive);
}

/** Side by side along the channels. */
export function joinOf(flows: readonly Flow[]): Flow {
  let from = 0;
  const of = flows.flatMap((flow) => {
    const start = from;
    from += flow.from;
    return flow.of.map((channel) => start + channel);
  });
  return { of, from, positive: flows.every(({ positive }) => positive) };
}

/** The child's channels of each of the parent's. */
export function replicas({ of, from }: Flow): number[][] {
  const found = Array.from({ length: from }, (): number[] => []);
  for (const [i, channel] of of.entries()) found[channel]?.push(i);
  return found;
}

/** A choice with its one option is the option, under its key. An auxiliary head is no part of what a network computes. */
export function opened({ module, path }: Placed): Placed {
  if (module.kind === 'auxiliary') return opened({ module: module.body, path });
  if (module.kind !== 'choice') return { module, path };
  const [only] = Object.entries(module.options);
  return only ? opened({ module: only[1], path: within(path, only[0]) }) : { module, path };
}

/** The modules of a sequence or repeat; undefined for other kinds. */
export function chainOf({ module, path }: Placed): readonly Placed[] | undefined {
  if (module.kind === 'sequential')
    return module.children.map((child, i) => ({ module: child, path: within(path, String(i)) }));
  if (module.kind !== 'repeat') return undefined;
  const { body } = module;
  return Array.from({ length: Number(module.times) }, (_, i) => ({ module: body, path: within(path, String(i)) }));
}

export function within(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** Whether a module puts out what it reads. */
export function isIdentity(placed: Placed, x: Flow): boolean {
  const { module } = opened(placed);
  switch (module.kind) {
    case 'identity':
    case 'dropout':
    case 'dropPath':
      return true;
    case 'activation':
      return module.fn === 'relu' && x.positive;
    case 'flatten':
      return false;
    default: {
      const chain = chainOf({ module, path: '' });
      return chain?.every((child) => isIdentity(child, x)) ?? false;
    }
  }
}
