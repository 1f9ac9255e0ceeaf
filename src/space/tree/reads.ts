import type { DagNode, Read } from './module.ts';

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
