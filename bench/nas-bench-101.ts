/**
 * Counts the graphs of NAS-Bench-101 by enumeration: `node --conditions=netsmith-source bench/nas-bench-101.ts [vertices]`. For at most
 * 2, 3, ... 7 vertices and 9 edges: how many canonical graphs there are, and how many different values the benchmark's own hash has on
 * them (Ying et al. 2019: MD5, as often refined by the hashes of neighbors as there are vertices). Both are 1, 7, 91, 2,532, 64,542 and
 * 423,624: no two graphs share a hash.
 */
import { createHash } from 'node:crypto';
import {
  beginsCanonically,
  canonicalGraph,
  edgeCount,
  graphText,
  type LabeledGraph,
  pruned,
} from '../src/space/spaces/image/labeled-graph.ts';
import { nasBench101 } from '../src/space/spaces/image/nas-bench-101.ts';

const NAMES = ['conv1x1-bn-relu', 'conv3x3-bn-relu', 'maxpool3x3'];
const EDGES = 9;
const most = Number(process.argv[2] ?? 7);

/** The sets of vertices that a vertex may read, as lists. */
const subsets = (below: number) =>
  Array.from({ length: 2 ** below }, (_, bits) =>
    Array.from({ length: below }, (_, i) => i).filter((i) => bits & (1 << i)),
  );

function* graphs(vertices: number, begun: LabeledGraph = { operations: [], reads: [] }): Generator<LabeledGraph> {
  const vertex = begun.operations.length + 1;
  if (vertex === vertices - 1) {
    for (const row of subsets(vertex)) {
      const graph = { operations: begun.operations, reads: [...begun.reads, row] };
      if (edgeCount(graph) > EDGES) continue;
      const text = graphText(graph);
      const kept = pruned(graph);
      if (kept !== undefined && graphText(kept) === text && graphText(canonicalGraph(kept)) === text) yield graph;
    }
    return;
  }
  for (const row of subsets(vertex)) {
    if (row.length === 0) continue;
    for (const name of NAMES) {
      const next = { operations: [...begun.operations, name], reads: [...begun.reads, row] };
      if (edgeCount(next) <= EDGES && beginsCanonically(next, vertex)) yield* graphs(vertices, next);
    }
  }
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** The hash of the benchmark, by its paper: a vertex is its degrees and its operation, then again and again its neighbors and itself. */
function hashOf({ operations, reads }: LabeledGraph): string {
  const count = operations.length + 2;
  const labels = [-1, ...operations.map((name) => NAMES.indexOf(name)), -2];
  const into = Array.from({ length: count }, (_, to) => (to === 0 ? [] : (reads[to - 1] ?? [])));
  const out = into.map((_, from) => into.flatMap((row, to) => (row.includes(from) ? [to] : [])));
  let hashes = labels.map((label, v) => md5(`(${out[v]?.length}, ${into[v]?.length}, ${label})`));
  for (let round = 0; round < count; round++) {
    const of = (row: readonly number[] = []) =>
      row
        .map((v) => hashes[v])
        .toSorted()
        .join('');
    hashes = hashes.map((hash, v) => md5(`${of(into[v])}|${of(out[v])}|${hash}`));
  }
  return md5(hashes.toSorted().join());
}

let count = 0;
const hashes = new Set<string>();
const task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
for (let vertices = 2; vertices <= most; vertices++) {
  for (const graph of graphs(vertices)) {
    count++;
    hashes.add(hashOf(graph));
  }
  const size = nasBench101.create(task, { vertices }).membership?.size?.(nasBench101.create(task, { vertices }));
  console.log(`at most ${vertices} vertices: ${count} graphs, ${hashes.size} hashes; the space says ${size}`);
}
