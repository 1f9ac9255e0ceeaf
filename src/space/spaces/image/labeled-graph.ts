/** Graphs whose vertices have operations, as the cells of NAS-Bench-101 are. Pure data; nothing here knows of networks. */

/** Vertex 0 is the input, the last one the output. Each vertex reads vertices of smaller numbers. */
export interface LabeledGraph {
  /** Of each vertex between input and output, in their order. */
  readonly operations: readonly string[];
  /** Of each vertex after the input, the output included: the vertices that it reads, rising. */
  readonly reads: readonly (readonly number[])[];
}

export function edgeCount({ reads }: LabeledGraph): number {
  return reads.reduce((sum, { length }) => sum + length, 0);
}

/** The vertices on some path from the input to the output, rising, both included; none where there is no such path. */
function verticesOnPaths({ operations, reads }: LabeledGraph): readonly number[] {
  const output = operations.length + 1;
  const reached = new Set([0]);
  for (let to = 1; to <= output; to++) if (reads[to - 1]?.some((from) => reached.has(from))) reached.add(to);
  const needed = new Set([output]);
  for (let to = output; to > 0; to--) if (needed.has(to)) for (const from of reads[to - 1] ?? []) needed.add(from);
  if (!reached.has(output)) return [];
  return Array.from({ length: output + 1 }, (_, vertex) => vertex).filter((one) => reached.has(one) && needed.has(one));
}

/** The graph without vertices that are on no path from the input to the output; undefined where there is no such path. */
export function pruned(graph: LabeledGraph): LabeledGraph | undefined {
  const kept = verticesOnPaths(graph);
  if (kept.length === 0) return undefined;
  const numbers = new Map(kept.map((vertex, i) => [vertex, i]));
  return {
    operations: kept.slice(1, -1).map((vertex) => graph.operations[vertex - 1] ?? ''),
    reads: kept.slice(1).map((to) => (graph.reads[to - 1] ?? []).flatMap((from) => numbers.get(from) ?? [])),
  };
}

/** Vertices that have been numbered, in the order of their numbers after 0, by their numbers in the given graph. */
type Order = readonly number[];

/**
 * The graph with its vertices numbered so that isomorphic graphs become equal, and no others. Of all orders in which each vertex
 * follows those that it reads, it takes one with the least sequence of operations and reads. It builds them from the front and keeps
 * those that are least so far, so that what it does grows with the symmetries of the graph. All vertices must be on a path from the
 * input to the output (`pruned`).
 */
export function canonicalGraph({ operations, reads }: LabeledGraph): LabeledGraph {
  const least = leastSequence(operations, reads);
  const last = least.orders.map((order) => renumbered(reads[operations.length] ?? [], order) ?? []);
  const leastLast = last.reduce((one, row) => (`${row}` < `${one}` ? row : one));
  return { operations: least.operations, reads: [...least.reads, leastLast] };
}

/** Whether the first `count` vertices after the input are numbered as canonical graphs that begin with them number them. */
export function beginsCanonically({ operations, reads }: LabeledGraph, count: number): boolean {
  const [names, rows] = [operations.slice(0, count), reads.slice(0, count)];
  const least = leastSequence(names, rows);
  return `${least.operations}` === `${names}` && least.reads.join(';') === rows.join(';');
}

/** The least sequence, without the output, and all orders that give it. */
function leastSequence(
  operations: LabeledGraph['operations'],
  reads: LabeledGraph['reads'],
): LabeledGraph & { readonly orders: readonly Order[] } {
  const output = operations.length + 1;
  let orders: readonly Order[] = [[]];
  const numbered: string[] = [];
  const rows: (readonly number[])[] = [];
  for (let number = 1; number < output; number++) {
    let least: { readonly key: string; readonly reads: readonly number[]; readonly orders: Order[] } | undefined;
    for (const order of orders) {
      for (let vertex = 1; vertex < output; vertex++) {
        if (order.includes(vertex)) continue;
        const row = renumbered(reads[vertex - 1] ?? [], order);
        if (row === undefined) continue;
        const key = `${operations[vertex - 1]} ${row}`;
        if (least === undefined || key < least.key) least = { key, reads: row, orders: [[...order, vertex]] };
        else if (key === least.key) least.orders.push([...order, vertex]);
      }
    }
    if (least === undefined) throw new RangeError('the graph has a vertex that reads itself or a later one');
    orders = least.orders;
    numbered.push(operations[(orders[0]?.at(-1) ?? 0) - 1] ?? '');
    rows.push(least.reads);
  }
  return { operations: numbered, reads: rows, orders };
}

/** What a vertex reads, by the new numbers, rising; undefined where it reads one that has none yet. */
function renumbered(row: readonly number[], order: Order): readonly number[] | undefined {
  const numbers = row.map((from) => (from === 0 ? 0 : order.indexOf(from) + 1));
  if (row.some((from, i) => from !== 0 && numbers[i] === 0)) return undefined;
  return numbers.sort((a, b) => a - b);
}

/** The graph as text, equal for graphs that are equal: `conv3x3-bn-relu<-0, maxpool3x3<-0+1, output<-1+2`. */
export function graphText({ operations, reads }: LabeledGraph): string {
  return [...operations, 'output'].map((name, i) => `${name}<-${reads[i]?.join('+')}`).join(', ');
}

/** Identifies a graph: two have one hash exactly if pruning and renumbering makes them equal. Undefined: it has no path from input to output. */
export function graphHash(graph: LabeledGraph): string | undefined {
  const kept = pruned(graph);
  return kept && graphText(canonicalGraph(kept));
}

/** A similar graph with a path from input to output and at most `edges` edges on such paths: it loses edges, the last ones first. */
export function repaired(graph: LabeledGraph, edges: number): LabeledGraph {
  const direct: LabeledGraph = { operations: [], reads: [[0]] };
  let now = pruned(graph) ?? direct;
  while (edgeCount(now) > edges) {
    const next = withoutAnEdge(now);
    if (next === undefined) return direct;
    now = next;
  }
  return now;
}

function withoutAnEdge(graph: LabeledGraph): LabeledGraph | undefined {
  for (let i = graph.reads.length - 1; i >= 0; i--) {
    for (const from of (graph.reads[i] ?? []).toReversed()) {
      const reads = graph.reads.with(i, graph.reads[i]?.filter((one) => one !== from) ?? []);
      const next = pruned({ ...graph, reads });
      if (next !== undefined) return next;
    }
  }
  return undefined;
}
