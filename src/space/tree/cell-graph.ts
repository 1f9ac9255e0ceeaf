import { invalid } from '../../common/errors.ts';
import type { Architecture, Space } from '../space.ts';
import { cellsOf, decisionsOf, isPresent, type Operation } from './cells.ts';
import { decided, decisions } from './decisions.ts';
import { encodeDecisions, isCellActive } from './encode.ts';

/** All cells of a space as one graph, as graph networks take it (`model/graph-network.ts`): what architectures have in common. */
export interface CellGraph {
  readonly shape: {
    /** The cell of each node. A node's number is larger than those of the nodes that it reads. */
    readonly components: readonly number[];
    readonly edges: readonly { readonly from: number; readonly to: number }[];
    /** The cells' inputs, and the nodes that are their output. */
    readonly sources: readonly number[];
    readonly sinks: readonly number[];
    readonly operations: number;
    readonly features: number;
  };
  rowOf(architecture: Architecture): CellGraphRow;
}

/**
 * An architecture: for each edge and node 0 where nothing passes (a zero, an edge that is not picked, an inactive cell), 1 where there is
 * no operation or the identity, else 2 + the operation's number. `features`: the decisions outside of cells, one-hot.
 */
export interface CellGraphRow {
  readonly edges: readonly number[];
  readonly nodes: readonly number[];
  readonly features: readonly number[];
}

const [CLOSED, OPEN, FIRST_OPERATION] = [0, 1, 2];

/** Operations of one name are one operation, whatever their cell. Throws UserError for a space without cells. */
export function cellGraph(space: Space): CellGraph {
  const cells = cellsOf(space);
  if (cells.length === 0)
    throw invalid(`space "${space.name}"`, 'has no cells', 'a graph network needs the graph of a cell');
  const placed = cells.map((cell, c) => {
    const before = cells.slice(0, c).reduce((sum, { inputs, bodies }) => sum + inputs + bodies.length, 0);
    return { cell, before, count: cell.inputs + cell.bodies.length };
  });
  const all = cells.flatMap(({ connections, bodies }) => [...connections.map(({ edge }) => edge), ...bodies]);
  const operations = [...new Set(all.flatMap((operation) => (operation ? openOptions(operation) : [])))];
  const numbers = new Map(operations.map((name, i) => [name, FIRST_OPERATION + i]));
  const numberOf = (operation: Operation | undefined, architecture: Architecture): number => {
    if (operation === undefined) return OPEN;
    const option = String(decided(architecture, operation.decision));
    if (operation.identities.includes(option)) return OPEN;
    return operation.zeros.includes(option) ? CLOSED : (numbers.get(option) ?? CLOSED);
  };
  const inCells = new Set(cells.flatMap(decisionsOf));
  const free = decisions(space).filter(({ name }) => !inCells.has(name));
  return {
    shape: {
      components: placed.flatMap(({ count }, c) => Array<number>(count).fill(c)),
      edges: placed.flatMap(({ cell, before }) =>
        cell.connections.map(({ from, to }) => ({ from: before + from, to: before + to })),
      ),
      sources: placed.flatMap(({ cell, before }) => Array.from({ length: cell.inputs }, (_, i) => before + i)),
      sinks: placed.flatMap(({ cell, before, count }) =>
        cell.output === 'last'
          ? [before + count - 1]
          : Array.from({ length: cell.bodies.length }, (_, i) => before + cell.inputs + i),
      ),
      operations: operations.length,
      features: encodeDecisions(free, {}).length,
    },
    rowOf: (architecture) => ({
      edges: cells.flatMap((cell) => {
        const active = isCellActive(cell, architecture);
        return cell.connections.map((connection) =>
          active && isPresent(connection, architecture) ? numberOf(connection.edge, architecture) : CLOSED,
        );
      }),
      nodes: cells.flatMap((cell) => [
        ...Array<number>(cell.inputs).fill(OPEN),
        ...cell.bodies.map((body) => (isCellActive(cell, architecture) ? numberOf(body, architecture) : CLOSED)),
      ]),
      features: encodeDecisions(free, architecture),
    }),
  };
}

const openOptions = ({ options, zeros, identities }: Operation) =>
  options.filter((option) => !zeros.includes(option) && !identities.includes(option));
