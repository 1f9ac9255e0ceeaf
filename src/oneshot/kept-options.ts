import type { Domain, Space } from '../space/space.ts';
import { decisions } from '../space/tree/decisions.ts';
import type { OptionWeights } from '../space/tree/derive.ts';
import type { Module } from '../space/tree/module.ts';
import { mapChildren } from '../space/tree/resolve.ts';
import { childrenOf } from '../space/tree/walk.ts';

/** The options that are left of each choice, by decision; a decision that is not listed keeps all. */
export type KeptOptions = Readonly<Record<string, readonly string[]>>;

/** A supernet whose choices have only these options; the order is the supernet's own. */
export function withOptions(network: Module, kept: KeptOptions): Module {
  const restricted = mapChildren(network, (child) => withOptions(child, kept));
  if (restricted.kind !== 'choice' || !Object.hasOwn(kept, restricted.name)) return restricted;
  const left = Object.entries(restricted.options).filter(([key]) => kept[restricted.name]?.includes(key));
  return { ...restricted, options: Object.fromEntries(left) };
}

/** The choices of a space, and their options in order. */
export function choicesOf(space: Space): readonly { readonly name: string; readonly options: readonly string[] }[] {
  const optionsOf = (domain: Domain) => (domain.kind === 'values' ? domain.values.map(String) : []);
  return decisions(space)
    .map(({ name, domain }) => ({ name, options: optionsOf(domain) }))
    .filter(({ options }) => options.length > 0);
}

/** The `most` options of each choice that consist of most modules: as costly a restriction as there is, nearly. */
export function largestOptions(network: Module, most: number): KeptOptions {
  const kept: Record<string, readonly string[]> = {};
  const visit = (module: Module): void => {
    if (module.kind === 'choice') {
      const bySize = Object.entries(module.options).toSorted(([, a], [, b]) => modulesIn(b) - modulesIn(a));
      kept[module.name] = bySize.slice(0, most).map(([key]) => key);
    }
    for (const child of childrenOf(module)) visit(child);
  };
  visit(network);
  return kept;
}

/** How many modules a module consists of, itself and repetitions included. */
export function modulesIn(module: Module): number {
  const inside = childrenOf(module).reduce((sum, child) => sum + modulesIn(child), 0);
  return 1 + (module.kind === 'repeat' && typeof module.times === 'number' ? module.times * inside : inside);
}

/** The weights of a restricted supernet as weights of all options: `dropped` for those that were, 1 for one that alone is left. */
export function overAllOptions(space: Space, weights: OptionWeights, kept: KeptOptions, dropped = 0): OptionWeights {
  const rows = choicesOf(space).map(({ name, options }): [string, ArrayLike<number>] => {
    const left = Object.hasOwn(kept, name) ? (kept[name] ?? []) : options;
    const given = Object.hasOwn(weights, name) ? weights[name] : left.map(() => 1 / left.length);
    return [name, options.map((option) => (left.includes(option) ? (given?.[left.indexOf(option)] ?? 0) : dropped))];
  });
  return { ...weights, ...Object.fromEntries(rows) };
}

/** The `most` strongest options of each choice, among those that have been kept; the first of equals. */
export function strongestOptions(space: Space, weights: OptionWeights, kept: KeptOptions, most: number): KeptOptions {
  const rows = choicesOf(space).map(({ name, options }): [string, readonly string[]] => {
    const left = Object.hasOwn(kept, name) ? (kept[name] ?? []) : options;
    const weightOf = (option: string) => weights[name]?.[options.indexOf(option)] ?? 0;
    const best = left.toSorted((a, b) => weightOf(b) - weightOf(a)).slice(0, most);
    return [name, options.filter((option) => best.includes(option))];
  });
  return Object.fromEntries(rows);
}
