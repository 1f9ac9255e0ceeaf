import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import { largest } from '../../common/extremes.ts';
import { coordinate } from '../markup.ts';
import { type Block, isEmpty } from './blocks.ts';
import type { Cell, CellNode } from './cells.ts';
import type { Family } from './describe.ts';

/** How a shape is painted. */
export type Style = Family | 'cell' | 'choice' | 'group' | 'join' | 'fork' | 'end' | 'node' | 'none';

/** A shape at its place; x and y are its top left corner, all in pixels. */
export interface PlacedShape {
  readonly style: Style;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
  /** Shown when the pointer rests on it. */
  readonly hint: string | undefined;
}
export interface PlacedEdge {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly dashed: boolean;
}
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly PlacedShape[];
  readonly edges: readonly PlacedEdge[];
}

/** Font size of labels and the average advance of a character, in pixels: enough to size boxes without a browser. */
export const FONT_SIZE = 13;
const CHARACTER = 6.9;
export const LINE = 18;
const PAD_X = 12;
const PAD_Y = 7;
/** Longest line before it is broken at a space. */
const MAX_CHARACTERS = 34;

interface Drawn {
  readonly style: Style;
  readonly lines: readonly string[];
  readonly hint: string | undefined;
}

/** A flow graph in the making: shapes by id, groups nested, edges between any of them. */
interface Flow {
  readonly drawn: Map<string, Drawn>;
  readonly dashed: Set<string>;
  readonly edges: ElkExtendedEdge[];
}

const ROOT_OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.spacing.nodeNodeBetweenLayers': '20',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.randomSeed': '1',
  'elk.padding': '[top=4,left=4,bottom=4,right=4]',
};

/** Places the main chain of blocks, from `input` to `output`, top to bottom. */
export async function layoutBlocks(root: Block): Promise<Placed> {
  const flow: Flow = { drawn: new Map(), dashed: new Set(), edges: [] };
  const children: ElkNode[] = [];
  const first = place(flow, children, 'end', ['input']);
  const last = append(flow, children, root, first);
  link(flow, last, place(flow, children, 'end', ['output']));
  return layout(flow, children);
}

/** Places a cell: its nodes, and on each edge the operation's name. */
export async function layoutCell(cell: Cell): Promise<Placed> {
  const flow: Flow = { drawn: new Map(), dashed: new Set(), edges: [] };
  const children: ElkNode[] = [];
  const values = cell.entries.map((entry, i) => {
    const input = place(flow, children, 'end', [inputName(i, cell.entries.length)]);
    return entry === '' ? input : linked(flow, input, place(flow, children, 'light', wrap(entry)));
  });
  for (const node of cell.nodes) {
    const id = place(flow, children, 'node', nodeLines(node, values.length));
    for (const edge of node.edges) {
      const from = values[edge.from];
      if (from === undefined) throw new Error(`${cell.name}: node ${values.length} reads node ${edge.from}`);
      const hint = edge.detail === edge.operation ? undefined : edge.detail;
      const operation = place(flow, children, edge.none ? 'none' : 'light', wrap(edge.operation), hint);
      link(flow, from, operation, edge.none);
      link(flow, operation, id, edge.none);
    }
    values.push(id);
  }
  const output = place(flow, children, 'end', [OUTPUTS[cell.output]]);
  for (const node of outputNodes(cell)) link(flow, values[node] as string, output);
  return layout(flow, children);
}

/** A shape of a plain graph, and a connection with its label. */
export interface GraphShape {
  readonly key: string;
  readonly style: Style;
  readonly label: string;
}
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Absent: the edge is drawn without one. */
  readonly label?: string;
  readonly dashed: boolean;
}

/** Places the nodes of a graph, cycles allowed, and a box with its label on each edge that has one. Throws for an edge without its ends. */
export async function layoutGraph(nodes: readonly GraphShape[], edges: readonly GraphEdge[]): Promise<Placed> {
  const flow: Flow = { drawn: new Map(), dashed: new Set(), edges: [] };
  const children: ElkNode[] = [];
  const ids = new Map(nodes.map(({ key, style, label }) => [key, place(flow, children, style, [label])]));
  for (const { from, to, label, dashed } of edges) {
    const [start, end] = [ids.get(from), ids.get(to)];
    if (start === undefined || end === undefined) throw new Error(`drawing: no node ${from} or ${to}`);
    if (label === undefined) {
      link(flow, start, end, dashed);
      continue;
    }
    const box = place(flow, children, dashed ? 'none' : 'light', [label]);
    link(flow, start, box, dashed);
    link(flow, box, end, dashed);
  }
  return layout(flow, children);
}

const OUTPUTS: Readonly<Record<Cell['output'], string>> = {
  last: 'output',
  concat: 'output: all nodes, concatenated',
  loose: 'output: nodes that no other reads, concatenated',
  mean: 'output: mean of all nodes',
  looseMean: 'output: mean of the nodes that no other reads',
  open: 'output: all nodes, or those that no other reads',
};

function outputNodes({ entries, nodes, output }: Cell): readonly number[] {
  const numbers = nodes.map((_, i) => entries.length + i);
  if (output === 'last') return numbers.slice(-1);
  const read = new Set(nodes.flatMap(({ edges }) => edges.map(({ from }) => from)));
  return output === 'loose' || output === 'looseMean' ? numbers.filter((node) => !read.has(node)) : numbers;
}

/** Of several inputs (`stack`), the last is the output of the cell before, the one before it that of the cell before that. */
function inputName(i: number, count: number): string {
  if (count === 1) return 'input';
  return i === count - 1 ? 'previous cell' : i === count - 2 ? 'cell before the previous' : `cell ${count - i} before`;
}

function nodeLines(node: CellNode, number: number): string[] {
  const combine = node.edges.length < 2 ? `${number}` : `${number}  ${node.combine === 'sum' ? '+' : 'concat'}`;
  return [
    combine,
    ...(node.open === undefined ? [] : wrap(node.open)),
    ...(node.body === undefined ? [] : wrap(node.body)),
  ];
}

/** Appends a block after the shape `from`; returns the shape that its output leaves. */
function append(flow: Flow, into: ElkNode[], block: Block, from: string): string {
  switch (block.kind) {
    case 'layers':
      return linked(flow, from, place(flow, into, block.family, block.lines.flatMap(wrap)));
    case 'cell':
      return linked(flow, from, place(flow, into, 'cell', [[block.name, block.detail].filter(Boolean).join(', ')]));
    case 'choice':
      return linked(flow, from, place(flow, into, 'choice', [block.name, ...wrap(block.options.join(' | '))]));
    case 'chain':
      return block.blocks.reduce((at, child) => append(flow, into, child, at), from);
    case 'repeat': {
      const group = place(flow, into, 'group', [block.times]);
      const inside = into.at(-1) as ElkNode;
      const simple = block.body.kind === 'layers' || block.body.kind === 'cell';
      if (simple) {
        into.pop();
        flow.drawn.delete(group);
        const id = append(flow, into, block.body, from);
        const shape = flow.drawn.get(id) as Drawn;
        const node = into.at(-1) as ElkNode;
        flow.drawn.set(id, {
          ...shape,
          lines: [...shape.lines.slice(0, -1), `${shape.lines.at(-1) ?? ''}   ${block.times}`],
        });
        Object.assign(node, sizeFor(flow.drawn.get(id) as Drawn));
        return id;
      }
      delete inside.width;
      delete inside.height;
      inside.children = [];
      inside.layoutOptions = { 'elk.padding': '[top=12,left=12,bottom=12,right=44]' };
      return append(flow, inside.children, block.body, from);
    }
    case 'residual': {
      const fork = linked(flow, from, place(flow, into, 'fork', []));
      const join = place(flow, into, 'join', ['+']);
      link(flow, isEmpty(block.body) ? fork : append(flow, into, block.body, fork), join);
      link(flow, isEmpty(block.shortcut) ? fork : append(flow, into, block.shortcut, fork), join);
      return join;
    }
  }
}

function linked(flow: Flow, from: string, to: string): string {
  link(flow, from, to);
  return to;
}

function link(flow: Flow, from: string, to: string, dashed = false): void {
  const id = `e${flow.edges.length}`;
  flow.edges.push({ id, sources: [from], targets: [to] });
  if (dashed) flow.dashed.add(id);
}

function place(flow: Flow, into: ElkNode[], style: Style, lines: readonly string[], hint?: string): string {
  const id = `n${flow.drawn.size}-${flow.edges.length}-${into.length}`;
  const drawn = { style, lines, hint };
  flow.drawn.set(id, drawn);
  into.push({ id, ...sizeFor(drawn) });
  return id;
}

function sizeFor({ style, lines }: Drawn): { width: number; height: number } {
  if (style === 'fork') return { width: 5, height: 5 };
  if (style === 'join') return { width: 22, height: 22 };
  const longest = Math.max(2, largest(lines.map((line) => line.length)));
  return { width: Math.ceil(longest * CHARACTER) + 2 * PAD_X, height: lines.length * LINE + 2 * PAD_Y };
}

/** Breaks a long line at spaces. */
function wrap(line: string): string[] {
  const lines: string[] = [];
  for (const word of line.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < MAX_CHARACTERS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

async function layout(flow: Flow, children: ElkNode[]): Promise<Placed> {
  // Loaded when something is drawn: it is large.
  const { default: ELK } = await import('elkjs/lib/elk.bundled.js');
  const elk = new ELK.default();
  const flat: ElkNode = { id: 'root', layoutOptions: ROOT_OPTIONS, children, edges: flow.edges };
  const root = await elk.layout(flat);
  const shapes: PlacedShape[] = [];
  const corners = new Map<string, { x: number; y: number }>([['root', { x: 0, y: 0 }]]);
  const collect = (nodes: readonly ElkNode[], dx: number, dy: number) => {
    for (const { id, x = 0, y = 0, width = 0, height = 0, children: inner = [] } of nodes) {
      const drawn = flow.drawn.get(id);
      if (drawn === undefined) throw new Error(`drawing: the layout names a shape ${id} that is not drawn`);
      corners.set(id, { x: x + dx, y: y + dy });
      shapes.push({ ...drawn, x: x + dx, y: y + dy, width, height });
      collect(inner, x + dx, y + dy);
    }
  };
  collect(root.children ?? [], 0, 0);
  // An edge's coordinates are relative to the lowest group that holds both its ends; ELK names it `container`.
  const edges = (root.edges ?? []).map((edge) => {
    const corner = corners.get(edge.container ?? 'root') ?? { x: 0, y: 0 };
    const points = (edge.sections ?? []).flatMap((section) => [
      section.startPoint,
      ...(section.bendPoints ?? []),
      section.endPoint,
    ]);
    const rounded = points.map((p) => ({ x: coordinate(p.x + corner.x), y: coordinate(p.y + corner.y) }));
    // An edge through a group's border has the point there twice.
    const bends = rounded.filter((p, i) => p.x !== rounded[i - 1]?.x || p.y !== rounded[i - 1]?.y);
    return { points: bends, dashed: flow.dashed.has(edge.id) };
  });
  return { width: root.width ?? 0, height: root.height ?? 0, shapes, edges };
}
