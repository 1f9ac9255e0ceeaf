import { invalid, UserError } from '../../../common/errors.ts';
import type {
  Architecture,
  DecisionValue,
  Membership,
  OpenTree,
  Task,
  TextForm,
  TreeArchitecture,
} from '../../space.ts';
import {
  batchNorm,
  choice,
  conv,
  dagOfNodes,
  firstChannels,
  globalAvgPool,
  identity,
  linear,
  maxPool,
  relu,
  repeat,
  sequential,
  zero,
} from '../../tree/builders.ts';
import { convBnRelu } from '../../tree/composites.ts';
import { decisions } from '../../tree/decisions.ts';
import { defineSpace } from '../../tree/define.ts';
import { first, successor } from '../../tree/enumerate.ts';
import type { Module } from '../../tree/module.ts';
import { imageOf } from './images.ts';
import {
  beginsCanonically,
  canonicalGraph,
  edgeCount,
  graphText,
  type LabeledGraph,
  pruned,
  repaired,
} from './labeled-graph.ts';

/** The benchmark's own names. */
const OPERATIONS = {
  'conv1x1-bn-relu': convBnRelu(1),
  'conv3x3-bn-relu': convBnRelu(3),
  maxpool3x3: maxPool(3),
} as const satisfies Readonly<Record<string, Module>>;
const NAMES: readonly string[] = Object.keys(OPERATIONS);

/** Graphs of at most 2, 3, ... 7 vertices with at most 9 edges; the paper quotes the last, bench/nas-bench-101.ts counts all. */
const COUNTS = [1, 7, 91, 2_532, 64_542, 423_624];
const MOST_EDGES = 9;
/** Spaces with other options are counted by enumeration, up to this many vertices. */
const COUNTABLE = 5;

/** Options of the space that its graphs depend on. */
interface Limits {
  readonly vertices: number;
  readonly edges: number;
}

/**
 * NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): one cell, a graph of up to 7 vertices, input and output included, with at most 9 edges
 * and one of 3 operations in each vertex between. Vertices on no path from the input to the output are pruned, and isomorphic graphs are
 * one architecture: 423,624 in all. Each is stored with its vertices in one order (`canonicalGraph`), so that two architectures are equal
 * exactly if the networks are. 3 stacks of `cells` cells, with max pooling of stride 2 between them, and `channels` channels in the first,
 * twice and four times as many after. Written as a list of vertices, each with what it reads (`conv3x3-bn-relu<-0, output<-0+1`), or as the
 * benchmark does: an adjacency matrix and a list of operations.
 *
 * The channels of a cell's output are divided among the vertices that it reads; other vertices have as many as the widest of those that
 * read them, and pass the first ones on where a reader has fewer. What is read from the input goes through a 1x1 convolution. The output
 * concatenates what it reads, and adds the input.
 *
 * Differs: batch norm has PyTorch's momentum, since the paper's, 0.003, needs trainings of tens of thousands of steps.
 */
export const nasBench101 = defineSpace(
  'nas-bench-101',
  (task, { cells, channels, vertices }) => {
    const { height, width } = imageOf(task);
    if (height % 4 !== 0 || width % 4 !== 0)
      throw new UserError(`images are ${height}x${width}; both sides must be multiples of 4 to be halved twice`);
    return skeleton(cells, channels, (wide) => sequential(convBnRelu(1, wide), openCell(vertices - 1)));
  },
  {
    description:
      'NAS-Bench-101 (Ying et al. 2019): a cell of up to 7 vertices and 9 edges with 3 operations; 423,624 architectures',
    defaults: {
      cells: { default: 3, whole: true, min: 1, max: 64 },
      channels: { default: 128, whole: true, min: 8, max: 1024 },
      vertices: { default: 7, whole: true, min: 2, max: 7 },
      edges: { default: MOST_EDGES, whole: true, min: 1, max: 21 },
    },
    text: textForm,
    membership: (_, { cells, channels, ...limits }) => ({
      ...membershipOf(limits),
      network: (architecture) => {
        const graph = pruned(graphOf(architecture));
        if (graph === undefined) throw new RangeError('a member has a path from input to output');
        return skeleton(cells, channels, (wide) => closedCell(graph, wide));
      },
    }),
  },
);

function skeleton(cells: number, channels: number, cell: (channels: number) => Module): Module {
  const halve = maxPool(2, { stride: 2, padding: 0 });
  return sequential(
    conv(channels, 3),
    batchNorm(),
    relu(),
    repeat(cells, cell(channels)),
    halve,
    repeat(cells, cell(2 * channels)),
    halve,
    repeat(cells, cell(4 * channels)),
    globalAvgPool(),
    linear('outputs'),
  );
}

const edgeOf = (from: number, to: number) => `${from}->${to}`;
const operationOf = (vertex: number) => `op${vertex}`;
const EDGE = { none: zero(), edge: identity() } as const;

/** The choices of a cell whose output is vertex `output`. Widths are those of `closedCell`, once they are made. */
function openCell(output: number): Module {
  return dagOfNodes(output, (to) => ({
    edge: (from) => choice(edgeOf(from, to), EDGE),
    ...(to < output && { body: choice(operationOf(to), OPERATIONS) }),
  }));
}

/** The cell of a pruned graph that puts out `channels` channels. */
function closedCell(graph: LabeledGraph, channels: number): Module {
  const { operations, reads } = graph;
  const output = operations.length + 1;
  const ends = reads[output - 1] ?? [];
  const project = (wide: number) => convBnRelu(1, wide);
  if (operations.length === 0) return project(channels);
  const widths = widthsOf(graph, channels);
  const inner = ends.filter((from) => from > 0);
  const withInput = ends.length > inner.length;
  return dagOfNodes(operations.length + 1 + Number(withInput), (to) => {
    if (to === output) return { from: inner, combine: 'concat' };
    if (to > output)
      return { from: [0, output], edge: (from) => (from === 0 ? project(channels) : firstChannels(channels)) };
    const wide = widths[to] ?? channels;
    const body = OPERATIONS[operations[to - 1] as keyof typeof OPERATIONS];
    const edge = (from: number) =>
      from === 0 ? project(wide) : widths[from] === wide ? identity() : firstChannels(wide);
    return { from: reads[to - 1] ?? [], edge, body };
  });
}

/** How many channels each vertex has. The first of those that end in the output have one more where the division leaves a rest. */
export function widthsOf({ operations, reads }: LabeledGraph, channels: number): readonly number[] {
  const output = operations.length + 1;
  const ends = (reads[output - 1] ?? []).filter((from) => from > 0);
  const widths = new Array<number>(output).fill(0);
  for (const [i, vertex] of ends.entries())
    widths[vertex] = Math.floor(channels / ends.length) + Number(i < channels % ends.length);
  for (let vertex = output - 1; vertex > 0; vertex--) {
    if (ends.includes(vertex)) continue;
    for (let to = vertex + 1; to < output; to++)
      if (reads[to - 1]?.includes(vertex)) widths[vertex] = Math.max(widths[vertex] ?? 0, widths[to] ?? 0);
  }
  return widths;
}

/** The graph that the decisions describe, unused vertices included. */
export function graphOf(architecture: Architecture): LabeledGraph {
  const operations: string[] = [];
  while (architecture[operationOf(operations.length + 1)] !== undefined)
    operations.push(String(architecture[operationOf(operations.length + 1)]));
  const reads = Array.from({ length: operations.length + 1 }, (_, i) =>
    Array.from({ length: i + 1 }, (_, from) => from).filter((from) => architecture[edgeOf(from, i + 1)] === 'edge'),
  );
  return { operations, reads };
}

/**
 * The decisions of a space of `vertices` vertices that describe a graph of as many or fewer. The vertices of the graph come first;
 * those left over have no edges and the operation `idle`.
 */
export function decisionsOf({ operations, reads }: LabeledGraph, vertices: number, idle: string): TreeArchitecture {
  const output = vertices - 1;
  const found: Record<string, DecisionValue> = {};
  for (let to = 1; to <= output; to++) {
    const row = to === output ? reads.at(-1) : to <= operations.length ? reads[to - 1] : [];
    for (let from = 0; from < to; from++) found[edgeOf(from, to)] = row?.includes(from) ? 'edge' : 'none';
    if (to < output) found[operationOf(to)] = operations[to - 1] ?? idle;
  }
  return Object.freeze(found);
}

function membershipOf({ vertices, edges }: Limits): Membership {
  return {
    refusal(architecture) {
      const graph = pruned(graphOf(architecture));
      const rule = `must have a path from input to output, and at most ${edges} edge${edges === 1 ? '' : 's'} on such paths`;
      if (graph === undefined) return { found: 'its cell has no path from input to output', rule };
      const count = edgeCount(graph);
      return count > edges ? { found: `its cell has ${count} edges`, rule } : undefined;
    },
    repair: (architecture, tree) => decisionsOf(repaired(graphOf(architecture), edges), vertices, idleIn(tree)),
    canonical(architecture, tree) {
      const graph = pruned(graphOf(architecture));
      return graph === undefined ? architecture : decisionsOf(canonicalGraph(graph), vertices, idleIn(tree));
    },
    counts: (architecture, name) => !name.startsWith('op') || isUsed(architecture, Number(name.slice(2))),
    unnamed: 'vertices have no fixed numbers, as isomorphic graphs are one architecture; name an operation alone',
    deadEnd(architecture, tree) {
      const graph = graphOf(architecture);
      const idle = idleIn(tree);
      let [used, count] = [0, 0];
      for (let vertex = 1; vertex <= graph.operations.length; vertex++) {
        const row = graph.reads[vertex - 1] ?? [];
        count += row.length;
        const isUsed = row.length > 0;
        // Unused vertices come last, are read by none, and have the first operation.
        const fits = isUsed ? used === vertex - 1 : graph.operations[vertex - 1] === idle;
        if (isUsed) used = vertex;
        if (!fits || count > edges || (isUsed && !beginsCanonically(graph, vertex))) return operationOf(vertex);
      }
      return undefined;
    },
    size(space) {
      if (edges === MOST_EDGES && operationsIn(space).length === NAMES.length) return BigInt(COUNTS[vertices - 2] ?? 1);
      if (vertices > COUNTABLE) return undefined;
      let count = 0n;
      for (let one: Architecture | undefined = first(space); one; one = successor(space, one)) count++;
      return count;
    },
  };
}

/** Whether a vertex of a canonical member reads anything. */
function isUsed(architecture: TreeArchitecture, vertex: number): boolean {
  return Array.from({ length: vertex }, (_, from) => edgeOf(from, vertex)).some(
    (name) => architecture[name] === 'edge',
  );
}

/** The operation that vertices have that are left over. */
const idleIn = (tree: OpenTree | undefined) => String((tree ? operationsIn(tree) : NAMES)[0]);

/** The operations that a vertex can have; all of them where there is no vertex between input and output. */
function operationsIn(tree: OpenTree): readonly DecisionValue[] {
  const domain = decisions(tree).find(({ name }) => name === operationOf(1))?.domain;
  return domain?.kind === 'values' ? domain.values : NAMES;
}

function textForm(_task: Task, { vertices }: Limits): TextForm {
  return {
    format: (architecture) => {
      const graph = pruned(graphOf(architecture));
      return graph === undefined ? '' : graphText(graph);
    },
    parse(text, tree) {
      const graph = text.startsWith('[') ? graphOfMatrix(text) : graphOfText(text);
      const count = graph.operations.length + 2;
      if (count > vertices)
        throw invalid(
          placeOf(text),
          `has ${count} vertices`,
          `must have at most ${vertices}, input and output included`,
        );
      return decisionsOf(graph, vertices, idleIn(tree));
    },
  };
}

const placeOf = (text: string) => `architecture "${text.length > 60 ? `${text.slice(0, 60)}...` : text}"`;

function graphOfText(text: string): LabeledGraph {
  const refuse = (found: string, rule: string) => invalid(placeOf(text), found, rule);
  const parts = text.split(',').map((part) => part.trim());
  const operations: string[] = [];
  const reads = parts.map((part, i) => {
    const [name = '', list, ...more] = part.split('<-');
    const isLast = i === parts.length - 1;
    if (list === undefined || more.length > 0)
      throw refuse(
        `vertex ${i + 1} is "${part}"`,
        'must be OPERATION<-NUMBERS, the vertices that it reads: output<-0+1',
      );
    if (isLast ? name !== 'output' : !NAMES.includes(name))
      throw refuse(
        `vertex ${i + 1} is "${name}"`,
        isLast ? 'the last must be "output"' : `must be one of ${NAMES.join(', ')}`,
      );
    if (!isLast) operations.push(name);
    const numbers = list.split('+').map((number) => (/^\d+$/u.test(number) ? Number(number) : Number.NaN));
    if (!numbers.every((from, k) => from <= i && (k === 0 || from > (numbers[k - 1] ?? from))))
      throw refuse(`vertex ${i + 1} reads "${list}"`, `must be different numbers from 0 to ${i}, rising`);
    return numbers;
  });
  return { operations, reads };
}

/** `[[0,1,1],[0,0,1],[0,0,0]], [input, conv3x3-bn-relu, output]`, with quotes or without. */
function graphOfMatrix(text: string): LabeledGraph {
  const refuse = (found: string, rule: string) => invalid(placeOf(text), found, rule);
  const [, matrix = '', list] = /^\[\s*(\[.*\])\s*\]\s*,?\s*\[([^[\]]*)\]$/su.exec(text) ?? [];
  if (list === undefined) throw refuse('is no matrix with operations', 'must be [[0,1],[0,0]], [input, output]');
  const rows = [...matrix.matchAll(/\[([^[\]]*)\]/gu)].map(([, row = '']) => row.split(',').map((one) => one.trim()));
  const names = list.split(',').map((one) => one.trim().replaceAll(/^["']|["']$/gu, ''));
  const output = names.length - 1;
  if (output < 1 || rows.length !== names.length || rows.some(({ length }) => length !== names.length))
    throw refuse(
      `has ${rows.length} rows and ${names.length} operations`,
      'must have a square matrix and an operation for each vertex, 2 at least',
    );
  for (const [from, row] of rows.entries()) {
    const wrong = row.findIndex((bit, to) => bit !== '0' && !(bit === '1' && to > from));
    if (wrong >= 0)
      throw refuse(`row ${from}, column ${wrong} is "${row[wrong]}"`, 'must be 0, or 1 to the right of the diagonal');
  }
  const operations = names.slice(1, -1);
  const unknown = operations.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw refuse(`operation "${unknown}"`, `must be one of ${NAMES.join(', ')}`);
  return {
    operations,
    reads: Array.from({ length: output }, (_, i) =>
      Array.from({ length: i + 1 }, (_, from) => from).filter((from) => rows[from]?.[i + 1] === '1'),
    ),
  };
}
