/**
 * Architectures as points of a Gaussian process or rows of a table: the paths through each cell, and what is decided
 * outside of cells.
 */
import type { Metric } from '../../model/gaussian-process.ts';
import type { SparseRow } from '../../model/sparse.ts';
import type { Architecture, Decision, DecisionValue, Space } from '../../space/space.ts';
import { architectureKey } from '../../space/tree/architecture.ts';
import { type Cell, cellsOf, decisionsOf, isPresent, type Operation, outputNodes } from '../../space/tree/cells.ts';
import { allHold, decided, decisions } from '../../space/tree/decisions.ts';
import { formatValue } from '../../space/tree/domain.ts';
import { toUnit } from '../scale.ts';

/**
 * An architecture as its features. `sets` are multisets as sorted numbers: a cell's paths, a decision's chosen inputs;
 * undefined where inactive. `values` are single decisions: a number from 0 to 1, or an option's index; NaN where
 * inactive.
 */
export interface Point {
  readonly sets: readonly (Uint32Array | undefined)[];
  readonly values: Float64Array;
  /** `joint`: the value of each decision of a cell. */
  readonly codes?: Int32Array;
}

/** How to turn architectures of a space into points, and how far points are apart. */
export interface Features {
  readonly metric: Metric<Point>;
  pointOf(architecture: Architecture): Point;
  /** Equal for architectures whose points do not differ, which need no second evaluation. */
  keyOf(architecture: Architecture): string;
  /**
   * The same as a sparse row: how often a path is there, 1 for a decision's value or a chosen input; for a range 1
   * where it is active, and its place on the scale.
   */
  rowOf(architecture: Architecture): SparseRow;
}

/** With more decisions than this, those outside of cells have one lengthscale together. */
const MOST_GROUPS = 16;
/** A cell with more paths is described by the first ones. */
const MOST_PATHS = 256;

type Kernel = 'path' | 'hamming' | 'joint';

type Difference = (a: number, b: number) => number;

/**
 * `path`: each cell is one group, by the paths through it; each decision outside of cells is one, too. `hamming`: each
 * decision is a group. `joint`: the groups of `path`, and where there are cells one of all decisions together: cells
 * that compute the same may differ in what they cost, so their points and keys differ.
 *
 * A path is the sequence of operations from an input of the cell to its output (as in the path encoding of BANANAS,
 * White et al. 2021). Differs: a path through an operation that puts out nothing does not count, identities are left
 * out of the sequence, and a path that occurs twice counts twice, so that cells that compute the same are one point.
 * Paths are compared by their Jaccard distance, as multisets. Lists of numbers are half ordered (an equal share of
 * Hamming distance and of distance in rank), other lists by Hamming distance, ranges by their scale, chosen inputs by
 * Jaccard distance; a decision that is active in one of two architectures alone is as far apart as can be.
 */
export function featuresOf(space: Space, kernel: Kernel): Features {
  const kept = known.get(space) ?? new Map<string, Features>();
  known.set(space, kept);
  const features = kept.get(kernel) ?? (kernel === 'joint' ? jointFeatures(space) : makeFeatures(space, kernel));
  kept.set(kernel, features);
  return features;
}

/** Spaces are frozen, so what was found for one stays true. */
const known = new WeakMap<Space, Map<string, Features>>();

function makeFeatures(space: Space, kernel: Exclude<Kernel, 'joint'>): Features {
  const cells = kernel === 'path' ? cellsOf(space) : [];
  const inCells = new Set(cells.flatMap(decisionsOf));
  const free = decisions(space).filter(({ name }) => !inCells.has(name));
  const inputs = free.filter(({ domain }) => domain.kind === 'inputs');
  const single = free.filter(({ domain }) => domain.kind !== 'inputs');
  const scales = single.map(scaleOf);
  const differences = single.map(differenceOf);
  const together = free.length > MOST_GROUPS;
  const letters = cells.map(alphabetOf);
  const keys = new WeakMap<Architecture, string>();

  const pointOf = (architecture: Architecture): Point => ({
    sets: [
      ...cells.map((cell, i) => pathsOf(cell, letters[i] ?? new Map(), architecture)),
      ...inputs.map(({ name }) => {
        const value = decided(architecture, name);
        return Array.isArray(value) ? Uint32Array.from(value) : undefined;
      }),
    ],
    values: Float64Array.from(single, ({ name }, k) => scales[k]?.(decided(architecture, name)) ?? Number.NaN),
  });
  return {
    pointOf,
    keyOf(architecture) {
      const found = keys.get(architecture);
      if (found !== undefined) return found;
      const { sets, values } = pointOf(architecture);
      const key = `${sets.map((set) => set?.join() ?? '-').join(';')};${values.join()}`;
      if (Object.isFrozen(architecture)) keys.set(architecture, key);
      return key;
    },
    rowOf(architecture) {
      const { sets, values } = pointOf(architecture);
      const row = new Map<number, number>();
      for (const [i, set] of sets.entries()) {
        for (const element of set ?? []) {
          const feature = spell(spell(element, i + 1), 1);
          row.set(feature, (row.get(feature) ?? 0) + 1);
        }
      }
      for (const [k, value] of values.entries()) {
        if (Number.isNaN(value)) continue;
        const of = spell(k, 2);
        if (single[k]?.domain.kind === 'values') row.set(spell(of, value + 3), 1);
        else row.set(of, 1).set(spell(of, 2), value);
      }
      return row;
    },
    metric: {
      groups: cells.length + (together ? 1 : free.length),
      distances(a, b, out, at) {
        for (let i = 0; i < cells.length; i++) out[at + i] = jaccard(a.sets[i], b.sets[i]);
        let sum = 0;
        for (let i = 0; i < free.length; i++) {
          const k = i - inputs.length;
          const apart =
            k < 0
              ? jaccard(a.sets[cells.length + i], b.sets[cells.length + i])
              : unlessInactive(a.values[k] ?? Number.NaN, b.values[k] ?? Number.NaN, differences[k] as Difference);
          if (together) sum += apart;
          else out[at + cells.length + i] = apart;
        }
        if (together) out[at + cells.length] = sum / free.length;
      },
    },
  };
}

/** The paths, and the decisions of cells as numbers of their values. */
function jointFeatures(space: Space): Features {
  const paths = featuresOf(space, 'path');
  const names = [...new Set(cellsOf(space).flatMap(decisionsOf))];
  if (names.length === 0) return { ...paths, keyOf: architectureKey };
  const numbers = names.map(() => new Map<string, number>());
  const codeOf = (value: DecisionValue | undefined, i: number): number => {
    const known = numbers[i] as Map<string, number>;
    const text = value === undefined ? '' : formatValue(value);
    const code = known.get(text) ?? known.size;
    known.set(text, code);
    return code;
  };
  const { groups } = paths.metric;
  return {
    ...paths,
    pointOf: (architecture) => ({
      ...paths.pointOf(architecture),
      codes: Int32Array.from(names, (name, i) => codeOf(decided(architecture, name), i)),
    }),
    keyOf: architectureKey,
    metric: {
      groups: groups + 1,
      distances(a, b, out, at) {
        paths.metric.distances(a, b, out, at);
        let apart = 0;
        for (let i = 0; i < names.length; i++) apart += Number(a.codes?.[i] !== b.codes?.[i]);
        out[at + groups] = apart / names.length;
      },
    },
  };
}

function scaleOf({ domain }: Decision): (value: DecisionValue | undefined) => number {
  switch (domain.kind) {
    case 'values': {
      const places = new Map<DecisionValue, number>(domain.values.map((value, i) => [value, i]));
      return (value) => (value === undefined ? Number.NaN : (places.get(value) ?? Number.NaN));
    }
    case 'int':
    case 'float':
      return (value) => (value === undefined ? Number.NaN : toUnit(domain, Number(value)));
    case 'inputs':
      return () => Number.NaN;
    default:
      return domain satisfies never;
  }
}

function differenceOf({ domain }: Decision): Difference {
  if (domain.kind !== 'values') return (a, b) => Math.abs(a - b);
  const most = Math.max(1, domain.values.length - 1);
  if (domain.values.every((value) => typeof value === 'number'))
    return (a, b) => (a === b ? 0 : 0.5 + (0.5 * Math.abs(a - b)) / most);
  return (a, b) => Number(a !== b);
}

function unlessInactive(a: number, b: number, difference: Difference): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : 1;
  return difference(a, b);
}

/** The distance of sorted multisets: 1 - |a ∩ b| / |a ∪ b|; 0 for two that are empty or not there. */
function jaccard(a: Uint32Array | undefined, b: Uint32Array | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : 1;
  let [i, j, common] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? Number.NaN, b[j] ?? Number.NaN];
    if (x === y) common++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  const union = a.length + b.length - common;
  return union === 0 ? 0 : 1 - common / union;
}

/**
 * Numbers the operations of a cell, from 1; 0: an identity, which has no letter; -1: a zero, through which nothing
 * comes.
 */
function alphabetOf({ connections, bodies }: Cell): ReadonlyMap<string, number> {
  const letters = new Map<string, number>();
  const enter = (operation: Operation | undefined) => {
    for (const option of operation?.options ?? []) {
      if (operation?.zeros.includes(option)) letters.set(option, -1);
      else if (operation?.identities.includes(option)) letters.set(option, 0);
      else if (!letters.has(option)) letters.set(option, letters.size + 1);
    }
  };
  for (const { edge } of connections) enter(edge);
  for (const body of bodies) enter(body);
  return letters;
}

/** The paths of a cell as sorted hashes of their sequences; undefined where the cell is inactive. */
function pathsOf(
  cell: Cell,
  letters: ReadonlyMap<string, number>,
  architecture: Architecture,
): Uint32Array | undefined {
  if (!cell.when.some((conditions) => allHold(conditions, architecture))) return undefined;
  const outputs = outputNodes(cell, architecture);
  const found: number[] = [];
  const letterOf = (operation: Operation | undefined) =>
    operation === undefined ? 0 : (letters.get(String(architecture[operation.decision])) ?? -1);
  const present = cell.connections.filter((one) => isPresent(one, architecture));
  const follow = (node: number, sequence: number) => {
    if (outputs.has(node)) found.push(sequence);
    for (const { from, to, edge } of present) {
      if (from !== node || found.length >= MOST_PATHS) continue;
      const [connection, body] = [letterOf(edge), letterOf(cell.bodies[to - cell.inputs])];
      if (connection >= 0 && body >= 0) follow(to, spell(spell(sequence, connection), body));
    }
  };
  for (let input = 0; input < cell.inputs; input++) follow(input, spell(2166136261, input + 1));
  return Uint32Array.from(found).sort();
}

/** The hash of a sequence with one more letter (FNV-1a). */
function spell(sequence: number, letter: number): number {
  return letter === 0 ? sequence : Math.imul(sequence ^ letter, 16777619) >>> 0;
}
