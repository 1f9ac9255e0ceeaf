import type { DagNode, Module } from '../../space/module.ts';
import { describe, FAMILIES, type Family } from './describe.ts';

/** What is drawn: a module tree without the wrappers that say nothing to the eye, equal neighbours taken together. */
export type Block =
  /** Some layers in a row, in one box: `conv 3×3, 16`, `batch norm`, `ReLU`. */
  | { readonly kind: 'layers'; readonly family: Family; readonly lines: readonly string[] }
  | { readonly kind: 'chain'; readonly blocks: readonly Block[] }
  /** An empty chain as `shortcut` is the identity. */
  | { readonly kind: 'residual'; readonly body: Block; readonly shortcut: Block }
  | { readonly kind: 'repeat'; readonly times: string; readonly body: Block }
  /** Drawn on its own, once; here only its name, and what this place has of its own: `32 channels`. */
  | { readonly kind: 'cell'; readonly name: string; readonly detail: string | undefined }
  /** A decision still open. */
  | { readonly kind: 'choice'; readonly name: string; readonly options: readonly string[] };

/** A dag with its edges. The inputs are its first nodes; the others follow in order. */
export interface Cell {
  readonly name: string;
  /** What each input goes through first, '' where it is taken as it is. */
  readonly entries: readonly string[];
  readonly nodes: readonly CellNode[];
  readonly output: 'last' | 'concat';
}
export interface CellNode {
  readonly combine: 'sum' | 'concat';
  /** What is done after combining; undefined: nothing. */
  readonly body: string | undefined;
  /** Undefined where the wiring is still open. */
  readonly edges: readonly CellEdge[];
  readonly open: string | undefined;
}
export interface CellEdge {
  readonly from: number;
  /** The operation's name: the chosen option's key, or the layers. */
  readonly operation: string;
  /** The layers behind a key. */
  readonly detail: string;
  readonly none: boolean;
}

export interface Blocks {
  readonly root: Block;
  readonly cells: readonly Cell[];
}

/** The drawing's blocks for a network, or for a space with open choices. Cells that differ only in their channels are one. */
export function blocksOf(network: Module): Blocks {
  const cells = openCells(network);
  const root = block(network, cells);
  return {
    root,
    cells: [...cells.known.values()].map(({ cell, entries }) => ({ ...cell, entries: entries.map(together) })),
  };
}

function block(module: Module, cells: Cells, scope?: string): Block {
  switch (module.kind) {
    case 'sequential':
      return chain(module.children.map((child) => block(child, cells)));
    case 'stack':
      return chain(module.cells.map((cell) => block(cell, cells)));
    case 'scope':
      return block(module.body, cells, module.name);
    case 'choice': {
      const [only, ...more] = Object.values(module.options);
      if (only !== undefined && more.length === 0) return block(only, cells, scope);
      return { kind: 'choice', name: module.name, options: Object.keys(module.options) };
    }
    case 'residual':
      return { kind: 'residual', body: block(module.body, cells), shortcut: block(module.shortcut, cells) };
    case 'repeat': {
      const body = block(module.body, cells);
      if (module.times === 0 || isEmpty(body)) return EMPTY;
      if (module.times === 1) return body;
      const times = typeof module.times === 'number' ? `×${module.times}` : `×${module.times.name}`;
      return { kind: 'repeat', times, body };
    }
    case 'dag':
      return { kind: 'cell', name: cellOf(module, cells, scope).name, detail: channelsOf(module) };
    case 'identity':
      return EMPTY;
    default:
      return { kind: 'layers', family: FAMILIES[module.kind], lines: [describe(module)] };
  }
}

const EMPTY: Block = { kind: 'chain', blocks: [] };

export function isEmpty(drawn: Block): boolean {
  return drawn.kind === 'chain' && drawn.blocks.length === 0;
}

/** Blocks in a row: nested chains spliced in, light layers put with their neighbours, equal neighbours counted. */
function chain(parts: readonly Block[]): Block {
  const merged: Block[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (part.kind === 'chain') merged.push(...part.blocks);
    else if (
      part.kind === 'layers' &&
      last?.kind === 'layers' &&
      (part.family === 'light' || last.family === 'light')
    ) {
      merged[merged.length - 1] = {
        kind: 'layers',
        family: part.family === 'light' ? last.family : part.family,
        lines: [...last.lines, ...part.lines],
      };
    } else merged.push(part);
  }
  const counted: Block[] = [];
  for (let i = 0; i < merged.length; ) {
    const one = merged[i] as Block;
    const text = JSON.stringify(one);
    let times = 1;
    while (i + times < merged.length && JSON.stringify(merged[i + times]) === text) times++;
    counted.push(times === 1 ? one : { kind: 'repeat', times: `×${times}`, body: one });
    i += times;
  }
  const [only] = counted;
  return counted.length === 1 && only !== undefined ? only : { kind: 'chain', blocks: counted };
}

type Dag = Extract<Module, { kind: 'dag' }>;

/** Cells met so far in a walk through a network: what is the same cell, and what each is called. */
export interface Cells {
  /** Whether the network has but one. */
  readonly single: boolean;
  /** By their nodes. */
  readonly known: Map<string, { readonly cell: Cell; readonly entries: readonly Set<string>[] }>;
}

export function openCells(network: Module): Cells {
  const keys = new Set<string>();
  collect(network, keys);
  return { single: keys.size === 1, known: new Map() };
}

function collect(module: Module, keys: Set<string>): void {
  if (module.kind === 'dag') keys.add(keyOfCell(module));
  else for (const child of childrenOf(module)) collect(child, keys);
}

function childrenOf(module: Module): readonly Module[] {
  switch (module.kind) {
    case 'sequential':
      return module.children;
    case 'stack':
      return module.cells;
    case 'scope':
      return [module.body];
    case 'repeat':
      return [module.body];
    case 'residual':
      return [module.body, module.shortcut];
    case 'choice':
      return Object.values(module.options);
    default:
      return [];
  }
}

/**
 * Two cells are the same when their nodes and output are: how their inputs are brought to the cell's channels (`entries`) is told
 * with the places, since DARTS's cells, all alike, differ in that.
 */
function keyOfCell({ nodes, output, entries }: Dag): string {
  return JSON.stringify([nodes, output, entries.length]);
}

/** The cell of a dag, known or new; `scope`: the name around it, which names the cell. */
export function cellOf(dag: Dag, cells: Cells, scope: string | undefined): Cell {
  const key = keyOfCell(dag);
  const entries = dag.entries.map(entryLine);
  const known = cells.known.get(key);
  if (known !== undefined) {
    for (const [i, entry] of entries.entries()) known.entries[i]?.add(entry);
    return known.cell;
  }
  const taken = new Set([...cells.known.values()].map(({ cell }) => cell.name));
  const cell: Cell = {
    name: nameFor(scope, cells, taken),
    entries,
    nodes: dag.nodes.map((node) => cellNode(node)),
    output: dag.output,
  };
  cells.known.set(key, { cell, entries: entries.map((entry) => new Set([entry])) });
  return cell;
}

/** What people call them, where a scope's name is shorter. */
const SCOPE_NAMES: Readonly<Record<string, string>> = { reduce: 'reduction' };

function nameFor(scope: string | undefined, { single, known }: Cells, taken: ReadonlySet<string>): string {
  if (scope === undefined || scope === '') return single ? 'cell' : cellName(known.size);
  const called = SCOPE_NAMES[scope] ?? scope;
  const name = /\bcell$/u.test(called) ? called : `${called} cell`;
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} ${number}`)) number++;
  return `${name} ${number}`;
}

/** What an input goes through, '' for nothing; without the numbers of channels, which differ from place to place. */
export function entryLine(entry: Module): string {
  const line = oneLine(entry).replace(/(conv \d+×\d+|factorised reduce), \d+/gu, '$1');
  return line === 'identity' ? '' : line;
}

/** `ReLU · conv 1×1 · batch norm or factorised reduce`: what an input goes through in one place or another. */
function together(entries: ReadonlySet<string>): string {
  return [...entries].map((entry) => (entry === '' && entries.size > 1 ? 'as it is' : entry)).join(' or ');
}

/** The channels that a cell's inputs are brought to, where its last entry says so. */
function channelsOf({ entries }: Dag): string | undefined {
  const last = entries.at(-1);
  const layers = last === undefined ? [] : last.kind === 'sequential' ? last.children : [last];
  const channels = layers
    .flatMap((layer) => (layer.kind === 'conv' && typeof layer.channels === 'number' ? layer.channels : []))
    .at(-1);
  return channels === undefined ? undefined : `${channels} channels`;
}

function cellNode(node: DagNode): CellNode {
  const open =
    'kind' in node.from ? `${node.from.count} of ${node.edges.length} inputs (${node.from.name})` : undefined;
  const from = 'kind' in node.from ? node.edges.map((_, j) => j) : node.from;
  const body = oneLine(node.body);
  return {
    combine: node.combine,
    body: body === 'identity' ? undefined : body,
    open,
    edges: from.map((j) => {
      const edge = node.edges[j];
      if (edge === undefined) throw new Error(`dag: a node reads node ${j}, but has ${node.edges.length} edges`);
      const detail = oneLine(edge);
      return { from: j, operation: keyOf(edge) ?? detail, detail, none: detail === 'zero' };
    }),
  };
}

/** The chosen option's key, where the module is a choice already made; options of an open one. */
export function keyOf(module: Module): string | undefined {
  if (module.kind === 'scope') return keyOf(module.body);
  if (module.kind !== 'choice') return undefined;
  return Object.keys(module.options).join(' | ');
}

/** A module in one line, structure as words: `ReLU, conv 3×3, batch norm`. */
export function oneLine(module: Module): string {
  switch (module.kind) {
    case 'sequential': {
      const words = module.children.map(oneLine).filter((word) => word !== 'identity');
      return words.length === 0 ? 'identity' : words.join(' · ');
    }
    case 'scope':
      return oneLine(module.body);
    case 'choice': {
      const options = Object.values(module.options);
      const only = options.length === 1 ? options[0] : undefined;
      return only === undefined ? `${module.name} {${Object.keys(module.options).join(' | ')}}` : oneLine(only);
    }
    case 'residual':
      return `(${oneLine(module.body)}) + ${oneLine(module.shortcut) === 'identity' ? 'input' : `(${oneLine(module.shortcut)})`}`;
    case 'repeat':
      return `(${oneLine(module.body)}) ×${typeof module.times === 'number' ? module.times : module.times.name}`;
    case 'stack':
      return module.cells.map(oneLine).join(' · ');
    case 'dag':
      return `cell of ${module.nodes.length} nodes`;
    default:
      return describe(module);
  }
}

/** The name of the cell that is met after `index` others. */
export function cellName(index: number): string {
  return `cell ${index < 26 ? String.fromCharCode(65 + index) : index + 1}`;
}
