import { invalid } from '../../common/errors.ts';
import type { Genome } from './genome.ts';
import { markOf } from './marks.ts';

/**
 * A genome as one line: `FROM>TO:WEIGHT` for each connection, with `!` after a disabled one, and the number alone for a hidden node
 * without connections. `empty`: neither nodes nor connections.
 */
export function formatGenome({ hidden, connections }: Genome): string {
  const ends = new Set(connections.flatMap(({ from, to }) => [from, to]));
  const parts = [
    ...hidden.filter((id) => !ends.has(id)).map(String),
    ...connections.map(({ from, to, weight, enabled }) => `${from}>${to}:${weight}${enabled ? '' : '!'}`),
  ];
  return parts.length === 0 ? 'empty' : parts.join(' ');
}

/** Reads what `formatGenome` wrote, as plain data; `fixed`: how many nodes all members have. Throws UserError with the place in the text. */
export function parseGenome(text: string, fixed: number, place: string): unknown {
  const parts = text.trim() === 'empty' ? [] : text.trim().split(/\s+/);
  const hidden = new Set<number>();
  const connections = parts.flatMap((part, i) => {
    const found = /^(\d+)(?:>(\d+):(-?[\d.]+(?:e[+-]?\d+)?)(!?))?$/.exec(part);
    if (found === null)
      throw invalid(place, `part ${i + 1} is "${part}"`, 'must be FROM>TO:WEIGHT, FROM>TO:WEIGHT! or a node');
    const [, from, to, weight, off] = found;
    for (const end of [from, to]) if (Number(end) >= fixed) hidden.add(Number(end));
    if (to === undefined) return [];
    const ends = [Number(from), Number(to)] as const;
    return [
      { innovation: markOf(...ends, fixed), from: ends[0], to: ends[1], weight: Number(weight), enabled: off === '' },
    ];
  });
  return { hidden: [...hidden], connections };
}
