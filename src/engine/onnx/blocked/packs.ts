/**
 * Vectors that hold many tensors end to end: what an optimizer works on, and state is kept in. Its rule does not care in which
 * order the numbers lie, so each tensor can go in, and come out again, in its own layout.
 */
import { type Graph, type Node, type NodeId, type Shape, sizeOf } from '../../../graph/ir.ts';

/** A tensor's place in a vector. */
export interface Place {
  readonly start: number;
  /** Of the tensor; of one axis where the vector's numbers are used as they lie. */
  readonly shape: Shape;
  /** The tensors that are put there, or taken from there, in their own layout: one for all of them. */
  readonly tensors: readonly NodeId[];
}

/** A class of vectors that are worked on together, element by element. */
export interface Pack {
  readonly members: readonly NodeId[];
  /** In order, without gaps. */
  readonly places: readonly Place[];
}

export interface Packs {
  readonly packs: readonly Pack[];
  /** `reshape` nodes that flatten a tensor for a vector, or give one its shape again: they keep its layout. */
  readonly keepLayout: ReadonlySet<NodeId>;
}

/** A tensor of several axes that goes to or comes from a place, or numbers that are used as they lie. */
interface Access {
  readonly start: number;
  readonly end: number;
  readonly tensor?: { readonly id: NodeId; readonly reshape: NodeId };
}

/**
 * Finds the vectors that are joined from whole tensors, fed and carried, worked on element by element, summed up, and cut at
 * the places where they were joined. `carried` are the outputs that become state again.
 */
export function findPacks(graph: Graph, carried: ReadonlySet<NodeId>, classOf: (id: NodeId) => NodeId): Packs {
  const { nodes } = graph;
  const consumers = nodes.map((): NodeId[] => []);
  nodes.forEach(({ inputs }, id) => {
    for (const from of inputs) consumers[from]?.push(id);
  });
  const outputs = new Set(Object.values(graph.outputs));
  const classes = Map.groupBy(
    nodes.flatMap(({ shape }, id) => (shape.length === 1 && (shape[0] ?? Number.NaN) > 1 ? [id] : [])),
    classOf,
  );
  const packs: Pack[] = [];
  const keepLayout = new Set<NodeId>();
  for (const members of classes.values()) {
    const accesses = members.map((id) => {
      const returned = outputs.has(id) && !carried.has(id);
      return returned ? undefined : accessesOf(nodes, id, consumers, outputs, classOf);
    });
    if (accesses.includes(undefined)) continue;
    const places = placesOf(nodes, accesses.flat() as Access[], nodes[members[0] ?? -1]?.shape[0] ?? 0, keepLayout);
    if (places !== undefined) packs.push({ members, places });
  }
  return { packs, keepLayout };
}

/** What is put into a vector and taken from it; undefined where it is used in a way in which the order of its numbers counts. */
function accessesOf(
  nodes: readonly Node[],
  id: NodeId,
  consumers: readonly (readonly NodeId[])[],
  outputs: ReadonlySet<NodeId>,
  classOf: (id: NodeId) => NodeId,
): Access[] | undefined {
  const { op, inputs, shape } = nodes[id] as Node;
  const accesses: Access[] = [];
  switch (op.kind) {
    case 'concat': {
      let start = 0;
      for (const from of inputs) {
        const { op: made, inputs: sources, shape: own } = nodes[from] as Node;
        const end = start + (own[0] ?? Number.NaN);
        const [source = -1] = sources;
        const flattened =
          made.kind === 'reshape' && (nodes[source]?.shape.length ?? 0) > 1 && consumers[from]?.length === 1;
        accesses.push({ start, end, ...(flattened && { tensor: { id: source, reshape: from } }) });
        start = end;
      }
      break;
    }
    case 'broadcastTo':
      if (sizeOf(nodes[inputs[0] ?? -1]?.shape ?? []) !== 1) return undefined;
      break;
    case 'input':
    case 'unary':
    case 'binary':
    case 'clip':
    case 'select':
      break;
    default:
      return undefined;
  }
  for (const to of consumers[id] ?? []) {
    const reader = nodes[to] as Node;
    if (reader.op.kind === 'slice') {
      const [only = -1, ...others] = consumers[to] as NodeId[];
      const whole = nodes[only]?.op.kind === 'reshape' && others.length === 0 && !outputs.has(to);
      const [start = 0, end = 0] = [reader.op.starts[0], reader.op.ends[0]];
      accesses.push({ start, end, ...(whole && { tensor: { id: only, reshape: only } }) });
    } else if (reader.op.kind !== 'reduce' && (classOf(to) !== classOf(id) || `${reader.shape}` !== `${shape}`)) {
      return undefined;
    }
  }
  return accesses;
}

/** The places that all accesses agree on, those that none has among them; undefined where two of them overlap. */
function placesOf(
  nodes: readonly Node[],
  accesses: readonly Access[],
  length: number,
  keepLayout: Set<NodeId>,
): readonly Place[] | undefined {
  const byStart = [...Map.groupBy(accesses, ({ start }) => start)].sort(([a], [b]) => a - b);
  const places: Place[] = [];
  let at = 0;
  const asItLies = (start: number, end: number) => {
    if (end > start) places.push({ start, shape: [end - start], tensors: [] });
  };
  for (const [start, group] of byStart) {
    const end = group[0]?.end ?? start;
    if (start < at || group.some((access) => access.end !== end)) return undefined;
    asItLies(at, start);
    const tensors = group.flatMap(({ tensor }) => tensor ?? []);
    const shape = nodes[tensors[0]?.id ?? -1]?.shape;
    const agreed = tensors.length === group.length && tensors.every(({ id }) => `${nodes[id]?.shape}` === `${shape}`);
    if (shape !== undefined && agreed) {
      places.push({ start, shape, tensors: tensors.map(({ id }) => id) });
      for (const { reshape } of tensors) keepLayout.add(reshape);
    } else asItLies(start, end);
    at = end;
  }
  asItLies(at, length);
  return places;
}
