/**
 * The notation of the published DARTS code: for each kind of cell, `kept` pairs of an operation and the node that it reads
 * for each of the `nodes` nodes after the two inputs, and the nodes that are put out,
 * `Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))`.
 */
import { invalid, type UserError } from '../../../common/errors.ts';
import type { Architecture, Published, TextForm } from '../../space.ts';

export const CELLS = ['normal', 'reduce'] as const;
/** A cell reads the outputs of the two before it. */
export const INPUTS = 2;

export type Pair = readonly [operation: string, from: number];

export interface CellGenotype {
  /** As many for each node, node after node. */
  readonly pairs: readonly Pair[];
  /** The nodes that are put out: all, as a range, or those of a list. Undefined: not said. */
  readonly concat: 'all' | readonly number[] | undefined;
}

/** What a space's cells are in this notation. */
export interface GenotypeForm {
  /** Nodes of a cell after its two inputs, and how many pairs each has. */
  readonly nodes: number;
  readonly kept: number;
  /** Members by name, which `parse` takes in place of their text. */
  readonly published: Readonly<Record<string, Published>>;
  cellOf(architecture: Architecture, cell: string): CellGenotype;
  /** The decisions of a cell. `refuse` makes the error that throws. */
  decisionsOf(
    cell: string,
    genotype: CellGenotype,
    refuse: (found: string, rule: string) => UserError,
  ): readonly (readonly [string, Architecture[string]])[];
}

/** One pair and what stands before the next; `y`: nothing is skipped and nothing is tried in two ways. */
const PAIR = /\s*\(\s*['"](\w+)['"]\s*,\s*(\d+)\s*\)\s*,?/uy;
/** The longest text that is read; the largest of the papers' have 700 characters. */
const MOST_CHARACTERS = 20_000;

/** The text form of such a space. `parse` also takes the cells without `Genotype(...)` and the `_concat` fields, and the names of `published`. */
export function genotypeText({ nodes, kept, published, cellOf, decisionsOf }: GenotypeForm): TextForm {
  const range = `range(${INPUTS}, ${INPUTS + nodes})`;

  function formatCell(architecture: Architecture, cell: string): string {
    const { pairs, concat } = cellOf(architecture, cell);
    const list = pairs.map(([operation, from]) => `('${operation}', ${from})`);
    const written = concat === 'all' || concat === undefined ? range : `[${concat.join(', ')}]`;
    return `${cell}=[${list.join(', ')}], ${cell}_concat=${written}`;
  }

  function parseCell(text: string, cell: string) {
    const refuse = (found: string, rule: string) => invalid(`architecture "${shortened(text)}"`, found, rule);
    if (text.length > MOST_CHARACTERS)
      throw refuse(`has ${text.length} characters`, `at most ${MOST_CHARACTERS} are read`);
    const list = new RegExp(String.raw`(?:^|[^\w])${cell}\s*=\s*\[([^\]]*)\]`, 'u').exec(text)?.[1];
    const pairs = list === undefined ? undefined : pairsOf(list);
    if (pairs === undefined) {
      const names = Object.keys(published);
      const named = names.length === 0 ? '' : `, or one of ${names.join(', ')}`;
      throw refuse(`has no ${cell}=[...]`, `must be normal=[('OPERATION', INPUT), ...], reduce=[...]${named}`);
    }
    if (pairs.length !== nodes * kept) {
      throw refuse(
        `${cell} has ${pairs.length} pairs`,
        `must have ${nodes * kept}, ${kept} for each of ${nodes} nodes`,
      );
    }
    const late = pairs.findIndex(([, from], i) => from >= INPUTS + Math.floor(i / kept));
    if (late >= 0) {
      const to = INPUTS + Math.floor(late / kept);
      throw refuse(`node ${to} of ${cell} reads ${pairs[late]?.[1]}`, `must be a node below ${to}`);
    }
    return decisionsOf(cell, { pairs, concat: concatOf(text, cell, refuse) }, refuse);
  }

  function concatOf(text: string, cell: string, refuse: (found: string, rule: string) => UserError) {
    const found = new RegExp(String.raw`${cell}_concat\s*=\s*(range\([^)]*\)|\[[^\]]*\])`, 'u').exec(text)?.[1];
    if (found === undefined) return undefined;
    const bare = found.replaceAll(/\s/gu, '');
    if (bare === range.replace(' ', '')) return 'all';
    const numbers = /^\[[\d,]*\]$/u.test(bare) ? bare.slice(1, -1).split(',').filter(Boolean).map(Number) : [];
    const isList = numbers.every((node, i) => node < INPUTS + nodes && node >= INPUTS && node > (numbers[i - 1] ?? 0));
    if (numbers.length > 0 && isList) return numbers;
    throw refuse(`${cell}_concat is ${shortened(found)}`, `must be nodes, rising, such as ${range}`);
  }

  return {
    format: (architecture) => `Genotype(${CELLS.map((cell) => formatCell(architecture, cell)).join(', ')})`,
    parse(text) {
      const written = Object.hasOwn(published, text) ? (published[text]?.text ?? text) : text;
      return Object.fromEntries(CELLS.flatMap((cell) => parseCell(written, cell))) satisfies Architecture;
    },
  };
}

/** The pairs of a list, `('OPERATION', NODE), ...`; undefined where something else stands in it. */
export function pairsOf(list: string): Pair[] | undefined {
  const pairs: Pair[] = [];
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
