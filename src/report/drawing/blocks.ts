import type { Module } from '../../space/tree/module.ts';
import { type Cell, type Cells, cellOf, channelsOf, openCells, together } from './cells.ts';
import { describe, describeCell, FAMILIES, type Family } from './describe.ts';

/** The blocks of a drawing: a module tree without invisible wrappers, with equal neighbors merged. */
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

function block(module: Module, cells: Cells): Block {
  switch (module.kind) {
    case 'sequential':
      return chain(module.children.map((child) => block(child, cells)));
    case 'stack':
      return chain(module.cells.map((cell) => block(cell, cells)));
    case 'scope':
    case 'shared':
    case 'rows':
    case 'auxiliary':
      return block(module.body, cells);
    case 'recurrentCell': {
      const gate: Block = { kind: 'layers', family: 'linear', lines: [describeCell(module)] };
      return chain([gate, block(module.body, cells)]);
    }
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
      return { kind: 'cell', name: cellOf(module, cells).name, detail: channelsOf(module) };
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

/** Blocks in a row: nested chains spliced in, light layers put with their neighbors, equal neighbors counted. */
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
