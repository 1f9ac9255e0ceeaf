import { isValueChoice } from '../../space/tree/fields.ts';
import type { DagNode, DagOutput, Module } from '../../space/tree/module.ts';
import { readsOf, sourcesOf } from '../../space/tree/reads.ts';
import { keyOf, oneLine } from './describe.ts';

/** A dag with its edges. The inputs are its first nodes; the others follow in order. */
export interface Cell {
  readonly name: string;
  /** What each input goes through first, '' where it is used unchanged. */
  readonly entries: readonly string[];
  readonly nodes: readonly CellNode[];
  readonly output: DagOutput | 'open';
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

type Dag = Extract<Module, { kind: 'dag' }>;

/** Cells met so far in a walk through a network: what is the same cell, and what each is called. */
export interface Cells {
  /** How the network's different cells are distinguished. */
  readonly naming: 'only' | 'normal and reduction' | 'letters';
  /** By their nodes. */
  readonly known: Map<string, { readonly cell: Cell; readonly entries: readonly Set<string>[] }>;
}

export function openCells(network: Module): Cells {
  const found = new Map<string, boolean>();
  collect(network, found);
  const kinds = new Set(found.values());
  return {
    naming: found.size === 1 ? 'only' : kinds.size === 2 ? 'normal and reduction' : 'letters',
    known: new Map(),
  };
}

function collect(module: Module, found: Map<string, boolean>): void {
  if (module.kind === 'dag') found.set(keyOfCell(module), isReduction(module));
  else for (const child of childrenOf(module)) collect(child, found);
}

/** Whether a cell makes its input smaller: one of its edges does. */
function isReduction({ nodes }: Dag): boolean {
  return nodes.some((node) => [...readsOf(node).flatMap(({ edges }) => edges), node.body].some(shrinks));
}

function shrinks(module: Module): boolean {
  switch (module.kind) {
    case 'conv':
    case 'pool':
    case 'zero':
      return typeof module.stride === 'number' && module.stride > 1;
    case 'factorizedReduce':
      return true;
    default:
      return childrenOf(module).some(shrinks);
  }
}

function childrenOf(module: Module): readonly Module[] {
  switch (module.kind) {
    case 'sequential':
      return module.children;
    case 'stack':
      return module.cells;
    case 'scope':
    case 'auxiliary':
      return [module.body];
    case 'repeat':
    case 'rows':
    case 'shared':
    case 'recurrentCell':
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

/** The cell of a dag, known or new. */
export function cellOf(dag: Dag, cells: Cells): Cell {
  const key = keyOfCell(dag);
  const entries = dag.entries.map(entryLine);
  const known = cells.known.get(key);
  if (known !== undefined) {
    for (const [i, entry] of entries.entries()) known.entries[i]?.add(entry);
    return known.cell;
  }
  const taken = new Set([...cells.known.values()].map(({ cell }) => cell.name));
  const cell: Cell = {
    name: nameFor(dag, cells, taken),
    entries,
    nodes: dag.nodes.map((node) => cellNode(node)),
    output: isValueChoice(dag.output) ? 'open' : dag.output,
  };
  cells.known.set(key, { cell, entries: entries.map((entry) => new Set([entry])) });
  return cell;
}

function nameFor(dag: Dag, { naming, known }: Cells, taken: ReadonlySet<string>): string {
  if (naming === 'only') return 'cell';
  if (naming === 'letters') return cellName(known.size);
  const name = isReduction(dag) ? 'reduction cell' : 'normal cell';
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} ${number}`)) number++;
  return `${name} ${number}`;
}

/** What an input goes through, '' for nothing; without the numbers of channels, which differ from place to place. */
export function entryLine(entry: Module): string {
  const line = oneLine(entry).replace(/(conv \d+×\d+|factorized reduce), \d+/gu, '$1');
  return line === 'identity' ? '' : line;
}

/** `ReLU · conv 1×1 · batch norm or factorized reduce`: what an input goes through in one place or another. */
export function together(entries: ReadonlySet<string>): string {
  return [...entries].map((entry) => (entry === '' && entries.size > 1 ? 'identity' : entry)).join(' or ');
}

/** The channels that a cell's inputs are brought to, where its last entry says so. */
export function channelsOf({ entries }: Dag): string | undefined {
  const last = entries.at(-1);
  const layers = last === undefined ? [] : last.kind === 'sequential' ? last.children : [last];
  const channels = layers
    .flatMap((layer) => (layer.kind === 'conv' && typeof layer.channels === 'number' ? layer.channels : []))
    .at(-1);
  return channels === undefined ? undefined : `${channels} channels`;
}

function cellNode(node: DagNode): CellNode {
  const reads = readsOf(node);
  const open = reads.flatMap(({ from, edges }) =>
    'kind' in from ? [`${from.count} of ${edges.length} inputs (${from.name})`] : [],
  );
  const body = oneLine(node.body);
  return {
    combine: node.combine,
    body: body === 'identity' ? undefined : body,
    open: open.length === 0 ? undefined : open.join(', '),
    edges: reads.flatMap((read) =>
      sourcesOf(read).map((j) => {
        const edge = read.edges[j];
        if (edge === undefined) throw new Error(`dag: a node reads node ${j}, but has ${read.edges.length} edges`);
        const detail = oneLine(edge);
        return { from: j, operation: keyOf(edge) ?? detail, detail, none: detail === 'zero' };
      }),
    ),
  };
}

/** The name of the cell that is met after `index` others. */
function cellName(index: number): string {
  return `cell ${index < 26 ? String.fromCharCode(65 + index) : index + 1}`;
}
