import { invalid } from '../../../common/errors.ts';
import type { Architecture, TextForm } from '../../space.ts';

/** Genotypes that Liu et al. (2019) publish: found by first order (V1) and by second order (V2). */
export const GENOTYPES = {
  DARTS_V1:
    "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])",
  DARTS_V2:
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])",
} as const;

const CELLS = ['normal', 'reduce'] as const;
const INPUTS = 2;
/** One pair and what stands before the next; `y`: nothing is skipped and nothing is tried in two ways. */
const PAIR = /\s*\(\s*['"](\w+)['"]\s*,\s*(\d+)\s*\)\s*,?/uy;
/** The longest text that is read; the largest of the paper's have 500 characters. */
const MOST_CHARACTERS = 20_000;

/**
 * The notation of the published DARTS code: for each kind of cell, `kept` pairs of an operation and the node that it reads
 * for each of the `nodes` nodes after the two inputs,
 * `Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))`.
 * `parse` also takes it without `Genotype(...)` and the `_concat` fields, and the names of `GENOTYPES`.
 */
export function genotypeText(nodes: number, kept: number): TextForm {
  const numbers = Array.from({ length: nodes }, (_, i) => INPUTS + i);

  function formatCell(architecture: Architecture, cell: string): string {
    const pairs = numbers.flatMap((to) => {
      const from = inputsOf(architecture, cell, to);
      return from.map((one) => `('${architecture[`${cell}/${one}->${to}`]}', ${one})`);
    });
    return `${cell}=[${pairs.join(', ')}], ${cell}_concat=range(${INPUTS}, ${INPUTS + nodes})`;
  }

  function inputsOf(architecture: Architecture, cell: string, to: number): readonly number[] {
    const picked = architecture[`${cell}/${to}<-`];
    return Array.isArray(picked) ? picked : Array.from({ length: to }, (_, from) => from);
  }

  function parseCell(text: string, cell: string): [string, string | readonly number[]][] {
    const refuse = (found: string, rule: string) => invalid(`architecture "${shortened(text)}"`, found, rule);
    if (text.length > MOST_CHARACTERS)
      throw refuse(`has ${text.length} characters`, `at most ${MOST_CHARACTERS} are read`);
    const list = new RegExp(String.raw`(?:^|[^\w])${cell}\s*=\s*\[([^\]]*)\]`, 'u').exec(text)?.[1];
    const pairs = list === undefined ? undefined : pairsOf(list);
    if (pairs === undefined)
      throw refuse(`has no ${cell}=[...]`, "must be normal=[('OPERATION', INPUT), ...], reduce=[...]");
    const concat = new RegExp(String.raw`${cell}_concat\s*=\s*(range\([^)]*\)|\[[^\]]*\])`, 'u').exec(text)?.[1];
    const all = [`range(${INPUTS},${INPUTS + nodes})`, `[${numbers}]`];
    if (concat !== undefined && !all.includes(concat.replaceAll(/\s/gu, ''))) {
      throw refuse(`${cell}_concat is ${concat}`, `must be all nodes, ${all[0]}`);
    }
    if (pairs.length !== nodes * kept) {
      throw refuse(
        `${cell} has ${pairs.length} pairs`,
        `must have ${nodes * kept}, ${kept} for each of ${nodes} nodes`,
      );
    }
    return numbers.flatMap((to, i) => {
      const own = pairs.slice(i * kept, (i + 1) * kept).toSorted(([, a], [, b]) => a - b);
      const from = own.map(([, one]) => one);
      if (new Set(from).size < kept || from.some((one) => one >= to)) {
        throw refuse(
          `node ${to} of ${cell} reads ${from.join(' and ')}`,
          `must be ${kept} different nodes below ${to}`,
        );
      }
      const edges = own.map(([operation, one]): [string, string] => [`${cell}/${one}->${to}`, operation]);
      return to > kept ? [[`${cell}/${to}<-`, from] as [string, readonly number[]], ...edges] : edges;
    });
  }

  return {
    format: (architecture) => `Genotype(${CELLS.map((cell) => formatCell(architecture, cell)).join(', ')})`,
    parse(text) {
      const known = Object.entries(GENOTYPES).find(([name]) => name === text);
      const written = known?.[1] ?? text;
      return Object.fromEntries(CELLS.flatMap((cell) => parseCell(written, cell))) satisfies Architecture;
    },
  };
}

/** The pairs of a list; undefined where something else stands in it. */
function pairsOf(list: string): (readonly [operation: string, from: number])[] | undefined {
  const pairs: (readonly [string, number])[] = [];
  let at = 0;
  for (;;) {
    PAIR.lastIndex = at;
    const found = PAIR.exec(list);
    if (found === null) return list.slice(at).trim() === '' ? pairs : undefined;
    pairs.push([found[1] ?? '', Number(found[2])]);
    at = PAIR.lastIndex;
  }
}

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}...` : text);
