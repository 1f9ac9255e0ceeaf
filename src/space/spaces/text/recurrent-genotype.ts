/**
 * The notation of the published DARTS code for recurrent cells: for each node after the first, its activation and the node that it reads,
 * and the nodes whose mean the cell puts out, `Genotype(recurrent=[('sigmoid', 0), ...], concat=range(1, 9))`.
 */
import { invalid } from '../../../common/errors.ts';
import type { Architecture, Published, TextForm } from '../../space.ts';
import { pairsOf } from '../image/genotype.ts';

/** The longest text that is read; the published cells have 300 characters. */
const MOST_CHARACTERS = 20_000;

/** The text form of cells of `nodes` nodes. `parse` also takes `recurrent=[...]` alone, all nodes put out, and the names of `published`. */
export function recurrentGenotype(nodes: number, published: Readonly<Record<string, Published>>): TextForm {
  const range = `range(1, ${nodes + 1})`;
  const numbers = Array.from({ length: nodes }, (_, i) => i + 1);
  const looseOf = (sources: readonly number[]) => numbers.filter((node) => !sources.includes(node));

  function sourceOf(architecture: Architecture, to: number): number {
    const picked = architecture[`${to}<-`];
    return Array.isArray(picked) ? Number(picked[0]) : 0;
  }

  return {
    format(architecture) {
      const sources = numbers.map((to) => sourceOf(architecture, to));
      const pairs = numbers.map((to, i) => `('${architecture[`${sources[i]}->${to}`]}', ${sources[i]})`);
      const concat = architecture.output === 'looseMean' ? `[${looseOf(sources).join(', ')}]` : range;
      return `Genotype(recurrent=[${pairs.join(', ')}], concat=${concat})`;
    },
    parse(text) {
      const written = Object.hasOwn(published, text) ? (published[text]?.text ?? text) : text;
      const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
      const refuse = (found: string, rule: string) => invalid(`architecture "${shown}"`, found, rule);
      if (written.length > MOST_CHARACTERS)
        throw refuse(`has ${written.length} characters`, `at most ${MOST_CHARACTERS} are read`);
      const list = /(?:^|\W)recurrent\s*=\s*\[([^\]]*)\]/u.exec(written)?.[1];
      const pairs = list === undefined ? undefined : pairsOf(list);
      if (pairs === undefined)
        throw refuse(
          'has no recurrent=[...]',
          `must be recurrent=[('ACTIVATION', NODE), ...], or one of ${Object.keys(published).join(', ')}`,
        );
      if (pairs.length !== nodes)
        throw refuse(`recurrent has ${pairs.length} pairs`, `must have ${nodes}, as the option nodes says`);
      const late = pairs.findIndex(([, from], i) => from > i);
      if (late >= 0) throw refuse(`node ${late + 1} reads ${pairs[late]?.[1]}`, `must be a node below ${late + 1}`);
      const decisions = pairs.flatMap(([activation, from], i) => [
        ...(i === 0 ? [] : [[`${i + 1}<-`, [from]] as const]),
        [`${from}->${i + 1}`, activation] as const,
      ]);
      const loose = looseOf(pairs.map(([, from]) => from)).join(',');
      const concat = /(?:^|\W)concat\s*=\s*(range\([^)]*\)|\[[^\]]*\])/u.exec(written)?.[1] ?? range;
      const bare = concat.replaceAll(/\s/gu, '');
      const isAll = bare === range.replace(' ', '') || bare === `[${numbers}]`;
      if (!isAll && bare !== `[${loose}]`)
        throw refuse(
          `concat is ${concat.slice(0, 60)}`,
          `must be ${range}, or the nodes that no other reads, [${loose.replaceAll(',', ', ')}]`,
        );
      // A list of all nodes says loose where no node reads another one.
      const isLoose = bare === `[${loose}]`;
      return Object.fromEntries([...decisions, ['output', isLoose ? 'looseMean' : 'mean']]) satisfies Architecture;
    },
  };
}
