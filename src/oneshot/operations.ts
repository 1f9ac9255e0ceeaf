import type { Module } from '../space/tree/module.ts';
import { childrenOf } from '../space/tree/walk.ts';

/**
 * What an operation is: `none` puts out zeros, `skip` what it reads (perhaps with half of the pixels), `pool` pools; these have no weights
 * but in a normalization or in halving. `depthwise`: with a convolution in groups. `other`: with any other weights.
 */
export type OperationKind = 'none' | 'skip' | 'pool' | 'depthwise' | 'other';

export const PARAMETER_FREE: ReadonlySet<OperationKind> = new Set(['none', 'skip', 'pool']);

/** Kinds of modules that have weights, beside normalization and what a skip connection needs to halve the pixels. */
const WEIGHTED: ReadonlySet<Module['kind']> = new Set([
  'conv',
  'convTranspose',
  'linear',
  'embedding',
  'attention',
  'recurrent',
  'recurrentCell',
  'recurrentGraph',
  'highway',
  'squeezeExcite',
]);

/** The kinds of the options of each open choice of a supernet, by decision and option. */
export function operationKinds(
  network: Module,
  found = new Map<string, ReadonlyMap<string, OperationKind>>(),
): ReadonlyMap<string, ReadonlyMap<string, OperationKind>> {
  if (network.kind === 'choice' && !found.has(network.name)) {
    const kinds = Object.entries(network.options).map(([key, option]) => [key, kindOf(option)] as const);
    found.set(network.name, new Map(kinds));
  }
  for (const child of childrenOf(network)) operationKinds(child, found);
  return found;
}

function kindOf(module: Module): OperationKind {
  const all = [...within(module)];
  if (all.some(({ kind }) => kind === 'zero')) return 'none';
  if (all.some((one) => one.kind === 'conv' && one.groups !== 1)) return 'depthwise';
  if (all.some(({ kind }) => WEIGHTED.has(kind))) return 'other';
  return all.some(({ kind }) => kind === 'pool' || kind === 'globalPool') ? 'pool' : 'skip';
}

function* within(module: Module): Generator<Module> {
  yield module;
  for (const child of childrenOf(module)) yield* within(child);
}
