import { largest } from '../../common/extremes.ts';
import type { LayerCosts } from '../../network/network.ts';
import type { Module } from '../../space/tree/module.ts';
import { edgeName, readsOf, sourcesOf } from '../../space/tree/reads.ts';
import { showCount, showLarge } from '../numbers.ts';
import { type Cells, cellOf, entryLine, openCells } from './cells.ts';
import { describe, describeCell, keyOf, oneLine } from './describe.ts';

/** One line of the text: what it is, how deep it stands, and the path of the module whose costs it shows. */
interface Line {
  readonly depth: number;
  readonly text: string;
  readonly path: string;
}

/**
 * A network as indented text, one layer a line, for the terminal. With the layers of `networkCosts`, each line also
 * shows the output's shape (without the batch), the parameters and the FLOPs of everything below it; inside a repeat,
 * those of all repetitions together. The last line has the totals. Equal cells are written out once.
 */
export function architectureText(network: Module, layers?: readonly LayerCosts[]): string {
  const lines: Line[] = [];
  write(network, '', 0, lines, openCells(network));
  const labels = lines.map(({ depth, text }) => '  '.repeat(depth) + text);
  if (layers === undefined) return labels.join('\n');
  const rows = lines.map(({ path }, i) => [labels[i] as string, ...costCells(path, layers)]);
  return alignColumns([['layer', 'output', 'params', 'FLOPs'], ...rows, ['total', ...costCells('', layers)]]);
}

function write(module: Module, path: string, depth: number, lines: Line[], cells: Cells): void {
  const below = (segment: string) => (path === '' ? segment : `${path}/${segment}`);
  const line = (text: string) => lines.push({ depth, text, path });
  switch (module.kind) {
    case 'sequential':
      if (module.children.length === 0) line('identity');
      for (const [i, child] of module.children.entries()) write(child, below(String(i)), depth, lines, cells);
      return;
    case 'stack':
      line('stack');
      for (const [i, cell] of module.cells.entries()) write(cell, below(String(i)), depth + 1, lines, cells);
      return;
    case 'shared':
      line(`shared ${module.name}`);
      write(module.body, path, depth + 1, lines, cells);
      return;
    case 'recurrentCell':
      line(describeCell(module));
      write(module.body, below('body'), depth + 1, lines, cells);
      return;
    case 'rows':
      line('each row');
      write(module.body, below('body'), depth + 1, lines, cells);
      return;
    case 'auxiliary':
      write(module.body, path, depth, lines, cells);
      return;
    case 'scope':
      write(module.body, below(module.name), depth, lines, cells);
      return;
    case 'choice': {
      const [only, ...more] = Object.entries(module.options);
      if (only !== undefined && more.length === 0) {
        write(only[1], below(only[0]), depth, lines, cells);
        return;
      }
      line(`choice ${module.name}`);
      for (const [key, option] of Object.entries(module.options)) {
        lines.push({ depth: depth + 1, text: `${key}:`, path: below(key) });
        write(option, below(key), depth + 2, lines, cells);
      }
      return;
    }
    case 'repeat': {
      const times = typeof module.times === 'number' ? module.times : undefined;
      if (times === 1) {
        write(module.body, below('0'), depth, lines, cells);
        return;
      }
      line(`repeat ×${times ?? (module.times as { name: string }).name}`);
      if (times !== 0) write(module.body, below(EACH), depth + 1, lines, cells);
      return;
    }
    case 'residual':
      line('residual');
      lines.push({ depth: depth + 1, text: 'body', path: below('body') });
      write(module.body, below('body'), depth + 2, lines, cells);
      if (module.shortcut.kind === 'identity') {
        lines.push({ depth: depth + 1, text: '+ input', path: below('shortcut') });
        return;
      }
      lines.push({ depth: depth + 1, text: '+ shortcut', path: below('shortcut') });
      write(module.shortcut, below('shortcut'), depth + 2, lines, cells);
      return;
    case 'dag': {
      const before = cells.known.size;
      const { name, entries: first } = cellOf(module, cells);
      const isNew = cells.known.size > before;
      line(isNew ? name : `${name}, as above`);
      for (const [i, entry] of module.entries.entries()) {
        // Cells that are otherwise alike may differ in how they take their inputs.
        if (entry.kind === 'identity' || (!isNew && entryLine(entry) === first[i])) continue;
        lines.push({ depth: depth + 1, text: `input ${i}`, path: below(String(i)) });
        write(entry, below(String(i)), depth + 2, lines, cells);
      }
      if (!isNew) return;
      for (const [i, node] of module.nodes.entries()) {
        const to = module.entries.length + i;
        const edges = readsOf(node).flatMap((read, k) => sourcesOf(read).map((j) => [j, k, read.edges[j]] as const));
        for (const [j, k, edge] of edges) {
          if (edge === undefined) continue;
          const segment = below(edgeName(j, to, k));
          const [operation, layers] = [keyOf(edge), oneLine(edge)];
          const plain = layers === 'identity' || layers === 'zero';
          const label = operation ?? (plain ? layers : undefined);
          lines.push({
            depth: depth + 1,
            text: `${j} -> ${to}${label === undefined ? '' : ` ${label}`}`,
            path: segment,
          });
          if (!plain) write(edge, segment, depth + 2, lines, cells);
        }
        if (node.body.kind !== 'identity') {
          lines.push({ depth: depth + 1, text: `${to}, after ${node.combine}`, path: below(String(to)) });
          write(node.body, below(String(to)), depth + 2, lines, cells);
        }
      }
      return;
    }
    default:
      line(describe(module));
  }
}

/** In a path: each repetition of a repeat. */
const EACH = '*';

/** Output shape, parameters and FLOPs of all layers at or below a path. */
function costCells(path: string, layers: readonly LayerCosts[]): string[] {
  const wanted = path.split('/');
  const at = (layer: LayerCosts, exact: boolean) => {
    const segments = layer.path.split('/');
    const isThere = wanted.every((one, i) => one === segments[i] || (one === EACH && segments[i] !== undefined));
    return isThere && (!exact || segments.length === wanted.length);
  };
  const below = layers.filter((layer) => path === '' || at(layer, false));
  // The last repetition: its output is the output of all.
  const own = layers.findLast((layer) => (path === '' ? layer.path === '' : at(layer, true))) ?? below.at(-1);
  if (own === undefined) return ['', '', ''];
  const sum = (value: (layer: LayerCosts) => number) => below.reduce((total, layer) => total + value(layer), 0);
  const [params, flops] = [sum((layer) => layer.params), sum((layer) => layer.flops)];
  return [`[${own.output.join(', ')}]`, params === 0 ? '' : showCount(params), flops === 0 ? '' : showLarge(flops)];
}

/** Columns of text: the first aligned left, the others right. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => largest(rows.map((row) => [...(row[column] ?? '')].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const space = ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length));
          return column === 0 ? cell + space : space + cell;
        })
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
