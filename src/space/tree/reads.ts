import type { DagNode, Module, Read } from './module.ts';

/** Everything that a node reads, in order; most nodes have one `Read`. */
export function readsOf(node: DagNode): readonly Read[] {
  return node.further === undefined ? [node] : [node, ...node.further];
}

/** What an edge is called in paths: `0->2`, and where it belongs to the second `Read` of its node, `0->2.2`. */
export function edgeName(from: number, to: number, read: number): string {
  return read === 0 ? `${from}->${to}` : `${from}->${to}.${read + 1}`;
}

/** The earlier nodes that a node reads over one of its `Read`s; all of them where that is still open. */
export function sourcesOf({ from, edges }: Read): readonly number[] {
  return 'kind' in from ? edges.map((_, j) => j) : from;
}

/** The nodes after the inputs that no node reads: what `loose` puts out. Undefined where some inputs are still open. */
export function looseNodes(inputs: number, nodes: readonly DagNode[]): readonly number[] | undefined {
  const reads = nodes.flatMap(readsOf);
  if (reads.some(({ from }) => 'kind' in from)) return undefined;
  const read = new Set(reads.flatMap(sourcesOf));
  return nodes.map((_, i) => inputs + i).filter((node) => !read.has(node));
}

/** Of what a dag may put out, all its nodes: what a supernet puts out where that is left open. */
export const allOutput = (outputs: readonly unknown[]): 'concat' | 'mean' | undefined =>
  (['concat', 'mean'] as const).find((one) => outputs.includes(one));

/**
 * For each node of a dag whose choices are made and each of its reads: the nodes from which something comes, which are all that it reads
 * where nothing is concatenated. Otherwise a node that gets only `none` is empty: it has no channels, and nothing comes from it. A node
 * that concatenates leaves out edges that are none; where a sum has others, zeros change nothing and stay.
 */
export function presentReads({
  entries,
  nodes,
  output,
}: Extract<Module, { kind: 'dag' }>): readonly (readonly (readonly number[])[])[] {
  const all = nodes.map((node) => readsOf(node).map(sourcesOf));
  const isAdded = output === 'last' || output === 'mean' || output === 'looseMean';
  if (isAdded && nodes.every(({ combine }) => combine === 'sum')) return all;
  const empty = new Set<number>();
  return nodes.map((node, i) => {
    const reads = readsOf(node);
    const filled = reads.map((read) => sourcesOf(read).filter((from) => !empty.has(from)));
    const open = reads.map((read, k) => (filled[k] ?? []).filter((from) => !isNone(read.edges[from])));
    if (open.every(({ length }) => length === 0)) {
      empty.add(entries.length + i);
      return open;
    }
    return node.combine === 'concat' ? open : filled;
  });
}

/** Whether a module whose choices are made puts out nothing. */
function isNone(module: Module | undefined): boolean {
  if (module?.kind === 'scope') return isNone(module.body);
  if (module?.kind !== 'choice') return module?.kind === 'zero';
  const [only, ...others] = Object.values(module.options);
  return others.length === 0 && isNone(only);
}
