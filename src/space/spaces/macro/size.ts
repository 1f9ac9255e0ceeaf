import type { Domain, Space } from '../../space.ts';
import { decisions } from '../../tree/decisions.ts';
import { domainSize } from '../../tree/domain.ts';
import type { Ground } from './ground.ts';
import { combineOf, halvingOf, isOfLayer, kindOf, layersBefore, readOf, widthOf } from './plan.ts';

/** How many members the space `macro` has under its constraints, those that are alike counted once; undefined: there are continuous decisions. */
export function macroSize(space: Space, { halvings }: Ground): bigint | undefined {
  const domains = new Map(decisions(space).map(({ name, domain }) => [name, domain]));
  const valuesOf = (name: string): readonly unknown[] => listOf(domains.get(name));
  let around = 1n;
  for (const [name, domain] of domains) {
    const size = domainSize(domain);
    if (size === undefined) return undefined;
    if (!isOfLayer(name) && !isHalving(name)) around *= size;
  }
  const most = [...domains.keys()].filter((name) => /^width\d+$/u.test(name)).length;
  const counts = domains.has('layers') ? valuesOf('layers').map(Number) : [most];
  const total = counts.reduce((sum, count) => {
    let members = 1n;
    for (let layer = 1; layer <= count; layer++) {
      members *= BigInt(valuesOf(widthOf(layer)).length * Math.max(1, valuesOf(kindOf(layer)).length));
      if (layer > 1) members *= wirings(layer, valuesOf);
    }
    for (let h = 0; h < halvings; h++)
      members *= BigInt(new Set(valuesOf(halvingOf(h + 1)).map((time) => layersBefore(h, halvings, count, time))).size);
    return sum + members;
  }, 0n);
  return around * total;
}

const listOf = (domain: Domain | undefined): readonly unknown[] => (domain?.kind === 'values' ? domain.values : []);
const isHalving = (name: string) => /^halving\d+$/u.test(name);

/** What a layer can read, and how it combines it: one way for a single input. */
function wirings(layer: number, valuesOf: (name: string) => readonly unknown[]): bigint {
  const edges = Array.from({ length: layer }, (_, from) => valuesOf(readOf(from, layer)));
  const fixed = edges.filter((values) => !values.includes('none')).length;
  const open = edges.filter((values) => values.length > 1).length;
  const singles = fixed === 0 ? open : fixed === 1 ? 1 : 0;
  const several = 2n ** BigInt(open) - BigInt(singles) - (fixed === 0 ? 1n : 0n);
  return BigInt(singles) + several * BigInt(valuesOf(combineOf(layer)).length);
}
