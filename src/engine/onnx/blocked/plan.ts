/** Which layout each tensor of a graph is best kept in: the first half of the blocked lowering. */
import type { Graph, Node, NodeId, Shape } from '../../../graph/ir.ts';
import { canConvolve, filterLayout } from './conv.ts';
import type { Arrangement, Layout } from './layout.ts';
import { findPacks } from './packs.ts';

export interface Plan {
  /** For each node. */
  readonly layouts: readonly Layout[];
  /** `reshape` nodes between a tensor and its place in a vector, where its layout does not change. */
  readonly keepLayout: ReadonlySet<NodeId>;
  /** How the tensors lie in vectors that hold several. */
  readonly arrangements: ReadonlyMap<NodeId, Arrangement>;
}

/**
 * A layout for each node. Convolutions that the blocked operators can compute want theirs; element-wise operators join
 * tensors of one shape to one class, which has one layout; pools, and joints and slices of whole channel blocks, pass it on.
 * It is a wish: where an operator has no form in a layout, its lowering converts for itself alone.
 */
export function planLayouts(graph: Graph, block: number, carries: Readonly<Record<string, string>>): Plan {
  const { nodes, outputs } = graph;
  const { classes, join } = elementwiseClasses(nodes);
  const inputs = new Map(nodes.flatMap(({ op }, id) => (op.kind === 'input' ? [[op.name, id] as const] : [])));
  const carried = Object.entries(outputs).flatMap(([name, id]) =>
    carries[name] ? [{ id, entry: carries[name] }] : [],
  );
  // What takes an entry's place is laid out as it was.
  for (const { id, entry } of carried) join(inputs.get(entry) ?? id, id);
  const { packs, keepLayout } = findPacks(graph, new Set(carried.map(({ id }) => id)), classes);
  for (const { places } of packs) {
    for (const { tensors } of places) for (const other of tensors) join(tensors[0] as NodeId, other);
  }
  const layouts: (Layout | undefined)[] = [];
  let changed = true;
  const shapeOf = (id: NodeId | undefined): Shape => nodes[id ?? -1]?.shape ?? [];
  const layoutOf = (id: NodeId): Layout | undefined => layouts[classes(id)];
  const wish = (id: NodeId | undefined, layout: Layout): void => {
    if (id === undefined || layouts[classes(id)] !== undefined || !fits(shapeOf(id), layout, block)) return;
    layouts[classes(id)] = layout;
    changed = true;
  };
  const share = (ids: readonly NodeId[]): void => {
    if (ids.some((id) => !fits(shapeOf(id), 'blocked', block))) return;
    if (ids.some((id) => layoutOf(id) === 'blocked')) for (const id of ids) wish(id, 'blocked');
  };
  const visit = (node: Node, id: NodeId): void => {
    const { op, inputs } = node;
    const [a, b] = inputs;
    switch (op.kind) {
      case 'conv':
      case 'convInputGrad':
      case 'convWeightGrad': {
        const [x, y, w] =
          op.kind === 'conv' ? [a, id, b] : op.kind === 'convInputGrad' ? [id, a, b] : ([a, b, id] as const);
        const form = canConvolve(block, shapeOf(x), shapeOf(w), op);
        if (form === undefined) return;
        wish(w, filterLayout(form));
        wish(y, 'blocked');
        if (form !== 'stem') wish(x, 'blocked');
        return;
      }
      case 'maxPool':
      case 'avgPool':
      case 'avgPoolGrad':
      case 'maxPoolScatter':
        share([...inputs, id]);
        return;
      case 'concat':
        if (op.axis === 1) share([...inputs, id]);
        return;
      case 'slice':
        if (wholeBlocks(op.starts[1], block)) share([...inputs, id]);
        return;
      case 'pad':
        if (wholeBlocks(op.before[1], block)) share([...inputs, id]);
        return;
      default:
        return;
    }
  };
  while (changed) {
    changed = false;
    for (const [id, node] of nodes.entries()) visit(node, id);
    for (let id = nodes.length - 1; id >= 0; id--) visit(nodes[id] as Node, id);
  }
  const layoutsOfAll = nodes.map((_, id) => layoutOf(id) ?? 'plain');
  const arrangements = new Map<NodeId, Arrangement>();
  for (const { members, places } of packs) {
    const parts = places.map(({ shape, tensors: [first] }) => ({
      shape,
      layout: first === undefined ? ('plain' as const) : (layoutsOfAll[first] ?? 'plain'),
    }));
    for (const id of members) arrangements.set(id, parts);
  }
  return { layouts: layoutsOfAll, keepLayout, arrangements };
}

/** Where a cut starts; that both sides of it are whole blocks, their shapes say. */
const wholeBlocks = (start: number | undefined, block: number): boolean => (start ?? 0) % block === 0;

/** Whether a tensor of this shape can be kept so. Images of one pixel have the same memory in both layouts: plain. */
function fits(shape: Shape, layout: Layout, block: number): boolean {
  const [first, channels, height, width] = shape;
  if (shape.length !== 4 || first === undefined || channels === undefined) return false;
  switch (layout) {
    case 'plain':
      return true;
    case 'blocked':
      return channels % block === 0 && (height !== 1 || width !== 1);
    case 'filter':
      return first % block === 0 && channels % block === 0;
    case 'outer':
      return first % block === 0;
  }
}

interface Classes {
  /** A node that stands for the node's class. */
  readonly classes: (id: NodeId) => NodeId;
  join(a: NodeId, b: NodeId): void;
}

/** Tensors of one shape that element-wise operators connect. */
export function elementwiseClasses(nodes: readonly Node[]): Classes {
  const parent = Int32Array.from(nodes, (_, id) => id);
  const find = (id: NodeId): NodeId => {
    let root = id;
    while (parent[root] !== root) root = parent[root] as NodeId;
    for (let at = id; at !== root; ) {
      const next = parent[at] as NodeId;
      parent[at] = root;
      at = next;
    }
    return root;
  };
  const join = (a: NodeId, b: NodeId) => {
    parent[find(a)] = find(b);
  };
  nodes.forEach(({ op, inputs, shape }, id) => {
    if (op.kind !== 'unary' && op.kind !== 'clip' && op.kind !== 'binary' && op.kind !== 'select') return;
    for (const from of inputs) if (`${nodes[from]?.shape}` === `${shape}`) join(from, id);
  });
  return { classes: find, join };
}
