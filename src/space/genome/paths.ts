/** Which nodes a node's value reaches. Disabled connections count: they may be enabled again. */

interface Way {
  readonly from: number;
  readonly to: number;
}

/** The ends of the connections that leave each node. */
function leaving(connections: readonly Way[]): ReadonlyMap<number, readonly number[]> {
  const ends = new Map<number, number[]>();
  for (const { from, to } of connections) {
    const list = ends.get(from);
    if (list === undefined) ends.set(from, [to]);
    else list.push(to);
  }
  return ends;
}

/** Whether a path of connections leads from one node to the other; a node reaches itself. O(connections). */
export function leadsTo(connections: readonly Way[], from: number, to: number): boolean {
  const ends = leaving(connections);
  const [seen, open] = [new Set([from]), [from]];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === to) return true;
    for (const next of ends.get(node) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

/** Whether a node's value comes back to it. O(connections). */
export function hasCycle(connections: readonly Way[]): boolean {
  const nodes = new Set(connections.flatMap(({ from, to }) => [from, to]));
  return layersOf([...nodes], connections) === undefined;
}

/**
 * The nodes in layers: each node is one layer above the highest that it reads, so a layer reads only lower ones. Within a layer by
 * number. Undefined where connections form a cycle. O(nodes log nodes + connections).
 */
export function layersOf(
  nodes: readonly number[],
  connections: readonly Way[],
): readonly (readonly number[])[] | undefined {
  const ends = leaving(connections);
  const missing = new Map(nodes.map((node) => [node, 0]));
  for (const { to } of connections) missing.set(to, (missing.get(to) ?? 0) + 1);
  const layers: number[][] = [];
  let layer = nodes.filter((node) => missing.get(node) === 0);
  let placed = 0;
  while (layer.length > 0) {
    layers.push(layer.toSorted((a, b) => a - b));
    placed += layer.length;
    const next: number[] = [];
    for (const node of layer)
      for (const to of ends.get(node) ?? []) {
        const left = (missing.get(to) ?? 0) - 1;
        missing.set(to, left);
        if (left === 0) next.push(to);
      }
    layer = next;
  }
  return placed === missing.size ? layers : undefined;
}
