import type { onnx } from 'onnx-proto';

/**
 * The nodes in the order in which they are best listed: those on large tensors as they are, and every other node as soon as
 * what it reads is there. ONNX Runtime orders nodes several times over when it makes a session, and each time walks a list
 * of those that are ready but listed later: with thousands of them that takes minutes (bench/engine/sessions.ts).
 */
export function listingOrder(
  nodes: readonly onnx.INodeProto[],
  isLarge: (node: onnx.INodeProto) => boolean,
): onnx.INodeProto[] {
  /** After how many nodes on large tensors a value is there. */
  const known = new Map<string, number>();
  const turns: onnx.INodeProto[][] = [[]];
  for (const node of nodes) {
    const ready = (node.input ?? []).reduce((latest, name) => Math.max(latest, known.get(name) ?? 0), 0);
    const waits = isLarge(node) && (ready > 0 || node.domain !== '' || node.opType === 'If');
    const turn = waits ? turns.length : ready;
    if (waits) turns.push([node]);
    else turns[turn]?.push(node);
    for (const name of node.output ?? []) known.set(name, turn);
  }
  return turns.flat();
}
