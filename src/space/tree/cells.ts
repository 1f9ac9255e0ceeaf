import { deepFreeze } from '../../common/json.ts';
import type { Architecture, Condition, Domain, Space } from '../space.ts';
import { decided } from './decisions.ts';
import { inDomain, nodesOf } from './domain.ts';
import { isValueChoice } from './fields.ts';
import type { DagOutput, Module } from './module.ts';
import { readsOf } from './reads.ts';
import { type Dag, enterScope, type Place, walk } from './walk.ts';

/** A choice of operation, by the full name of its decision. */
export interface Operation {
  readonly decision: string;
  readonly options: readonly string[];
  /** Those of them that put out nothing. */
  readonly zeros: readonly string[];
  /** Those of them that put out what they read. */
  readonly identities: readonly string[];
}

/** A step from one node of a cell to a later one. */
export interface Connection {
  readonly from: number;
  readonly to: number;
  /** The decision whose inputs say whether the step is there; undefined: always. */
  readonly wiring?: string;
  /** The operation on the edge; undefined: it is fixed. */
  readonly edge?: Operation;
}

/** A dag of a space, as the encodings see it. */
export interface Cell {
  readonly connections: readonly Connection[];
  /** How many of its nodes, the first ones, are its inputs. */
  readonly inputs: number;
  /** The operation in each node after the inputs; undefined: it is fixed. */
  readonly bodies: readonly (Operation | undefined)[];
  readonly output: DagOutput | { readonly decision: string };
  /** The places where it stands: active where one of them holds. */
  readonly when: readonly (readonly Condition[])[];
}

/** Spaces are frozen, so what was found for one stays true. */
const known = new WeakMap<Space, readonly Cell[]>();

/** The different cells of a space, in the order of the walk: dags of the same decisions are one. */
export function cellsOf(space: Space): readonly Cell[] {
  const cells = known.get(space) ?? findCells(space);
  known.set(space, cells);
  return cells;
}

/** The names of all decisions of a cell. */
export function decisionsOf({ connections, bodies }: Cell): string[] {
  const ofConnections = connections.flatMap(({ wiring, edge }) => [
    ...(wiring ? [wiring] : []),
    ...(edge ? [edge.decision] : []),
  ]);
  return [...ofConnections, ...bodies.flatMap((body) => (body ? [body.decision] : []))];
}

function findCells(space: Space): readonly Cell[] {
  const found = new Map<string, Cell>();
  walk(
    space,
    () => undefined,
    (dag, place) => {
      const cell = describe(dag, place);
      const key = JSON.stringify(cell);
      found.set(key, { ...cell, when: [...(found.get(key)?.when ?? []), place.path] });
    },
  );
  return deepFreeze([...found.values()]);
}

function describe(dag: Dag, place: Place): Omit<Cell, 'when'> {
  const inputs = dag.entries.length;
  const connections = dag.nodes.flatMap((node, i) =>
    readsOf(node).flatMap(({ from, edges }) =>
      edges.flatMap((edge, j): Connection[] => {
        if (!('kind' in from) && !from.includes(j)) return [];
        if ('kind' in from && !mayRead(place.domains?.[place.prefix + from.name], j)) return [];
        const operation = operationOf(edge, place);
        const wiring = 'kind' in from ? { wiring: place.prefix + from.name } : {};
        return [{ from: j, to: inputs + i, ...wiring, ...(operation && { edge: operation }) }];
      }),
    ),
  );
  const output = isValueChoice(dag.output) ? { decision: place.prefix + dag.output.name } : dag.output;
  return { inputs, connections, bodies: dag.nodes.map(({ body }) => operationOf(body, place)), output };
}

/** Whether constraints have left the node among the inputs. */
const mayRead = (domain: Domain | undefined, node: number) =>
  domain?.kind !== 'inputs' || nodesOf(domain).includes(node);

/** The choice that the whole module is, or the first one in its sequence (a drop path may follow it). */
function operationOf(module: Module, place: Place): Operation | undefined {
  switch (module.kind) {
    case 'choice': {
      const decision = place.prefix + module.name;
      const domain = place.domains?.[decision];
      const options = Object.entries(module.options).filter(([key]) => domain === undefined || inDomain(domain, key));
      const optionsOf = (kind: Module['kind']) =>
        options.flatMap(([key, option]) => (option.kind === kind ? [key] : []));
      return {
        decision,
        options: options.map(([key]) => key),
        zeros: optionsOf('zero'),
        identities: optionsOf('identity'),
      };
    }
    case 'scope':
      return operationOf(module.body, enterScope(module.name, place));
    case 'sequential': {
      for (const child of module.children) {
        const operation = operationOf(child, place);
        if (operation) return operation;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Whether an architecture has the connection: its wiring includes it, or there is nothing to decide (zero may still be its operation). */
export function isPresent({ wiring, from }: Connection, architecture: Architecture): boolean {
  if (wiring === undefined) return true;
  const inputs = decided(architecture, wiring);
  return Array.isArray(inputs) && inputs.includes(from);
}

/** The nodes that the cell of an architecture puts out. */
export function outputNodes(
  { inputs, bodies, connections, output: given }: Cell,
  architecture: Architecture,
): ReadonlySet<number> {
  const output = typeof given === 'object' ? decided(architecture, given.decision) : given;
  const nodes = bodies.map((_, i) => inputs + i);
  if (output === 'concat' || output === 'mean') return new Set(nodes);
  if (output !== 'loose' && output !== 'looseMean') return new Set(nodes.slice(-1));
  const read = new Set(connections.flatMap((one) => (isPresent(one, architecture) ? [one.from] : [])));
  return new Set(nodes.filter((node) => !read.has(node)));
}

/** The edges that a cell's wiring may leave out, by decision, with their options that put out nothing. */
export function wiredZeros(space: Space): ReadonlyMap<string, readonly string[]> {
  return new Map(
    cellsOf(space).flatMap(({ connections }) =>
      connections.flatMap(({ wiring, edge }) =>
        wiring !== undefined && edge ? [[edge.decision, edge.zeros] as const] : [],
      ),
    ),
  );
}
