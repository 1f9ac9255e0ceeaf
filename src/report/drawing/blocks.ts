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
  /** Drawn on its own, once; here only its name. */
  | { readonly kind: 'cell'; readonly name: string }
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

/** The drawing's blocks for a network, or for a space with open choices. Equal cells are one cell. */
export function blocksOf(network: Module): Blocks {
  const cells = new Map<string, Cell>();
  const root = block(network, cells);
  return { root, cells: [...cells.values()] };
}

function block(module: Module, cells: Map<string, Cell>): Block {
  switch (module.kind) {
    case 'sequential':
      return chain(module.children.map((child) => block(child, cells)));
    case 'stack':
      return chain(module.cells.map((cell) => block(cell, cells)));
    case 'scope':
      return block(module.body, cells);
    case 'choice': {
      const [only, ...more] = Object.values(module.options);
      if (only !== undefined && more.length === 0) return block(only, cells);
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
      return { kind: 'cell', name: cellOf(module, cells).name };
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
    if (part.kind === 'chain') {
      for (const block of part.blocks) merged.push(block);
    } else if (
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

function cellOf(dag: Extract<Module, { kind: 'dag' }>, cells: Map<string, Cell>): Cell {
  const key = JSON.stringify(dag);
  const known = cells.get(key);
  if (known !== undefined) return known;
  const nodes = dag.nodes.map((node) => cellNode(node));
  const entries = dag.entries.map(oneLine).map((line) => (line === 'identity' ? '' : line));
  const cell: Cell = { name: cellName(cells.size), entries, nodes, output: dag.output };
  cells.set(key, cell);
  return cell;
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
