/**
 * Architectures as vectors for learned models. All encodings of one space have one length, and are 0 where a decision
 * is inactive.
 */
import { invalid } from '../../common/errors.ts';
import type { Architecture, Decision, DecisionValue, Domain, Space } from '../space.ts';
import { type Cell, cellsOf, isPresent, outputNodes } from './cells.ts';
import { allHold, decided, decisions } from './decisions.ts';

/**
 * Each decision in turn: a list's values one-hot, chosen inputs one bit for each earlier node, a range as one number
 * scaled to [0, 1] (logarithmic ranges by their logarithm).
 */
export function encodeOneHot(space: Space, architecture: Architecture): number[] {
  return encodeDecisions(decisions(space), architecture);
}

/** As `encodeOneHot`, of these decisions alone. */
export function encodeDecisions(some: readonly Decision[], architecture: Architecture): number[] {
  return some.flatMap(({ name, domain }) => encodeValue(domain, decided(architecture, name)));
}

function encodeValue(domain: Domain, value: DecisionValue | undefined): number[] {
  switch (domain.kind) {
    case 'values':
      return domain.values.map((one) => Number(one === value));
    case 'inputs':
      return Array.from({ length: domain.from }, (_, j) => Number(Array.isArray(value) && value.includes(j)));
    case 'int':
    case 'float': {
      if (typeof value !== 'number') return [0];
      const scale = domain.log ? Math.log : (v: number) => v;
      return [(scale(value) - scale(domain.min)) / (scale(domain.max) - scale(domain.min))];
    }
    default:
      return domain satisfies never;
  }
}

/**
 * The adjacency of each cell: for each pair of nodes that an edge may join, its operation one-hot (one bit where the
 * operation is fixed and only the wiring is open), all 0 where the edge is not there; for each node with an operation
 * of its own, that one-hot. NAS-Bench-201: 6 · 5 bits. Throws UserError for a space without a dag.
 */
export function encodeAdjacency(space: Space, architecture: Architecture): number[] {
  return requireCells(space).flatMap((cell) => {
    const active = isCellActive(cell, architecture);
    const bits = cell.connections.flatMap((connection) => {
      const present = active && isPresent(connection, architecture);
      if (connection.edge)
        return oneHot(connection.edge.options, present ? decided(architecture, connection.edge.decision) : undefined);
      return connection.wiring === undefined ? [] : [Number(present)];
    });
    const bodies = cell.bodies.flatMap((body) => {
      return body ? oneHot(body.options, active ? decided(architecture, body.decision) : undefined) : [];
    });
    return [...bits, ...bodies];
  });
}

/** No vector may be longer. */
const MOST_BITS = 100_000;

/**
 * The path encoding of BANANAS (White et al. 2021, section 3): for each cell, one bit for each sequence of operations,
 * 1 if some path from the cell's input to its output has it; in a cell of several inputs, bits of its own for each of
 * them. Sequences stand by length, then in the order of the operations. An operation is what a step to the next node does: its edge's, its node's, or both. NAS-Bench-201: 5 + 25
 * + 125 = 155 bits. `longest` truncates to shorter paths, as the paper does for large cells. Throws UserError for a
 * space without a dag, or when there would be more than 100,000 bits.
 */
export function encodePath(
  space: Space,
  architecture: Architecture,
  { longest = Number.POSITIVE_INFINITY }: { readonly longest?: number } = {},
): number[] {
  return requireCells(space).flatMap((cell) => {
    const alphabet = [
      [...new Set(cell.connections.flatMap(({ edge }) => edge?.options ?? ['']))],
      [...new Set(cell.bodies.flatMap((body) => body?.options ?? ['']))],
    ] as const;
    const letters = alphabet[0].length * alphabet[1].length;
    const length = Math.min(longest, cell.bodies.length);
    // starts[l]: the bit of the first sequence of l + 1 operations.
    const starts = [0];
    for (let l = 1; l <= length; l++) starts.push((starts[l - 1] ?? Number.NaN) + letters ** l);
    const each = starts[length] ?? Number.NaN;
    const total = cell.inputs * each;
    if (total > MOST_BITS) {
      const rule = `at most ${MOST_BITS}: set longest below ${length}`;
      throw invalid(`space "${space.name}"`, `its path encoding would have ${total} bits`, rule);
    }
    const bits = new Array<number>(total).fill(0);
    if (!isCellActive(cell, architecture)) return bits;

    const outputs = outputNodes(cell, architecture);
    const follow = (input: number, node: number, steps: number, sequence: number) => {
      if (outputs.has(node)) bits[input * each + (starts[steps - 1] ?? Number.NaN) + sequence] = 1;
      if (steps === length) return;
      for (const connection of cell.connections) {
        if (connection.from !== node || !isPresent(connection, architecture)) continue;
        const body = cell.bodies[connection.to - cell.inputs];
        const letter =
          alphabet[0].indexOf(String(connection.edge ? architecture[connection.edge.decision] : '')) *
            alphabet[1].length +
          alphabet[1].indexOf(String(body ? architecture[body.decision] : ''));
        follow(input, connection.to, steps + 1, sequence * letters + letter);
      }
    };
    for (let input = 0; input < cell.inputs; input++) follow(input, input, 0, 0);
    return bits;
  });
}

function requireCells(space: Space): readonly Cell[] {
  const cells = cellsOf(space);
  if (cells.length === 0) throw invalid(`space "${space.name}"`, 'has no dag', 'this encoding is of cells');
  return cells;
}

export const isCellActive = (cell: Cell, architecture: Architecture) =>
  cell.when.some((path) => allHold(path, architecture));

const oneHot = (options: readonly string[], value: DecisionValue | undefined) =>
  options.map((option) => Number(option === value));
