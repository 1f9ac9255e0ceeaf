/** What the decisions of the space `macro` say, and which of them say the same. */
import type { Architecture, DecisionValue, Domain, Membership, OpenTree, TreeArchitecture } from '../../space.ts';
import { decisions } from '../../tree/decisions.ts';
import { inDomain } from '../../tree/domain.ts';
import type { Ground } from './ground.ts';

/** Where in its part of the layers a halving stands: in the h-th of H parts, after none, a third or two thirds of it. */
export const TIMES = ['early', 'middle', 'late'] as const;
export const COMBINES = ['add', 'concat'] as const;

export interface PlannedLayer {
  readonly kind: string;
  /** Channels as a multiple of those at its size; of a table, units. */
  readonly width: number;
  /** The layers that it reads, rising; 0 is the stem. */
  readonly reads: readonly number[];
  readonly combine: string;
}

/** Decisions: the kind of layer N, its width, how it combines what it reads, and whether it reads an earlier one. */
export const kindOf = (layer: number): string => `kind${layer}`;
export const widthOf = (layer: number): string => `width${layer}`;
export const combineOf = (layer: number): string => `combine${layer}`;
export const readOf = (from: number, to: number): string => `${from}->${to}`;
export const halvingOf = (halving: number): string => `halving${halving}`;

/** Whether a decision is of the layers, or of their number. */
export const isOfLayer = (name: string): boolean => name === 'layers' || /^(?:kind|width|combine)\d|->/u.test(name);

/** How many layers an architecture has. */
export function layerCount(architecture: Architecture): number {
  let count = 0;
  while (architecture[widthOf(count + 1)] !== undefined) count++;
  return count;
}

export function plannedLayers(architecture: Architecture): readonly PlannedLayer[] {
  return Array.from({ length: layerCount(architecture) }, (_, i) => {
    const layer = i + 1;
    const earlier = Array.from({ length: layer }, (_, from) => from);
    return {
      kind: String(architecture[kindOf(layer)] ?? 'dense'),
      width: Number(architecture[widthOf(layer)]),
      // The first layer reads the stem.
      reads: earlier.filter((from) => layer === 1 || architecture[readOf(from, layer)] === 'read'),
      combine: String(architecture[combineOf(layer)] ?? 'add'),
    };
  });
}

/** Of each halving, after how many layers it stands. */
export function halvingsOf(architecture: Architecture, { halvings }: Ground): readonly number[] {
  const count = layerCount(architecture);
  return Array.from({ length: halvings }, (_, h) => layersBefore(h, halvings, count, architecture[halvingOf(h + 1)]));
}

/** How many layers are before a halving, counted from 0, of so many. */
export function layersBefore(halving: number, halvings: number, layers: number, time: unknown): number {
  const times: readonly unknown[] = TIMES;
  const third = Math.max(0, times.indexOf(time));
  return Math.round(((halving + third / TIMES.length) / halvings) * layers);
}

/** The layers that no other reads, rising: what the network puts out. */
export function looseLayers(layers: readonly PlannedLayer[]): readonly number[] {
  const read = new Set(layers.flatMap(({ reads }) => reads));
  return layers.map((_, i) => i + 1).filter((layer) => !read.has(layer));
}

/**
 * A layer that reads nothing reads the one before it, or the nearest that constraints allow. How a layer combines one input, and which of
 * several times of a halving gives one place, has no effect: the first value that constraints allow stands for all.
 */
export function membershipOf(ground: Ground): Omit<Membership, 'network' | 'size'> {
  return {
    refusal(architecture, tree) {
      const read = withReads(architecture, tree);
      const idle = plannedLayers(read).findIndex(({ reads }) => reads.length === 0);
      if (idle < 0) return undefined;
      return { found: `layer ${idle + 1} reads nothing`, rule: 'each layer must read one before it' };
    },
    // Only constraints leave a layer without inputs, and they leave it so in all architectures of as many layers.
    repair: (architecture) => architecture,
    canonical(architecture, tree) {
      const domains = domainsOf(tree);
      const read = withReads(architecture, tree);
      const layers = plannedLayers(read);
      return Object.freeze(
        Object.fromEntries(
          Object.entries(read).map(([name, value]) => [name, standIn(name, value, domains.get(name), layers, ground)]),
        ),
      );
    },
    deadEnd(architecture, tree) {
      const domains = domainsOf(tree);
      const layers = plannedLayers(architecture);
      const hasNoEffect = ([name, value]: readonly [string, DecisionValue]) => {
        const [, from, to] = /^(\d+)->(\d+)$/u.exec(name) ?? [];
        // After the last edge of a layer it is known that it reads nothing.
        if (to !== undefined) return Number(from) === Number(to) - 1 && layers[Number(to) - 1]?.reads.length === 0;
        return standIn(name, value, domains.get(name), layers, ground) !== value;
      };
      return Object.entries(architecture).find(hasNoEffect)?.[0];
    },
    counts(architecture, decision) {
      const [, layer] = /^combine(\d+)$/u.exec(decision) ?? [];
      return layer === undefined || (plannedLayers(architecture)[Number(layer) - 1]?.reads.length ?? 0) > 1;
    },
  };
}

/** Trees are frozen, so what was found for one stays true. */
const known = new WeakMap<OpenTree, ReadonlyMap<string, Domain>>();

function domainsOf(tree: OpenTree): ReadonlyMap<string, Domain> {
  const found = known.get(tree) ?? new Map(decisions(tree).map(({ name, domain }) => [name, domain]));
  known.set(tree, found);
  return found;
}

/** The value that stands for this one. */
function standIn(
  name: string,
  value: DecisionValue,
  domain: Domain | undefined,
  layers: readonly PlannedLayer[],
  { halvings }: Ground,
): DecisionValue {
  if (domain?.kind !== 'values') return value;
  const [, layer] = /^combine(\d+)$/u.exec(name) ?? [];
  if (layer !== undefined)
    return (layers[Number(layer) - 1]?.reads.length ?? 0) > 1 ? value : (domain.values[0] ?? value);
  const [, halving] = /^halving(\d+)$/u.exec(name) ?? [];
  if (halving === undefined) return value;
  const place = (time: unknown) => layersBefore(Number(halving) - 1, halvings, layers.length, time);
  return domain.values.find((time) => place(time) === place(value)) ?? value;
}

function withReads(architecture: TreeArchitecture, tree: OpenTree): TreeArchitecture {
  const idle = plannedLayers(architecture).flatMap(({ reads }, i) => (reads.length === 0 ? [i + 1] : []));
  if (idle.length === 0) return architecture;
  const domains = domainsOf(tree);
  const read = idle.flatMap((to) => {
    const nearest = Array.from({ length: to }, (_, i) => readOf(to - 1 - i, to)).find((name) => {
      const domain = domains.get(name);
      return domain !== undefined && inDomain(domain, 'read');
    });
    return nearest === undefined ? [] : [[nearest, 'read'] as const];
  });
  return Object.freeze({ ...architecture, ...Object.fromEntries(read) });
}
