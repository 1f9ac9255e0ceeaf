/**
 * Signs of the known failures of one-shot search, after each epoch. Most cost nothing; the dominant eigenvalue and the gap take a few
 * batches, about 5 % of an epoch of 150 steps or more (`EIGENVALUE_SHARE`, `GAP_SHARE`).
 */
import type { Samples } from '../data/dataset.ts';
import { part } from '../data/samples.ts';
import type { Feeds } from '../engine/engine.ts';
import type { ArchitectureParameter } from '../network/network.ts';
import type { Architecture, Space } from '../space/space.ts';
import { type Cell, cellsOf, isPresent, outputNodes, wiredZeros } from '../space/tree/cells.ts';
import { supernet } from '../space/tree/resolve.ts';
import type { CellShape, EpochRecord, GenotypeSigns, Guards, Mixture } from '../train/checkpoint.ts';
import { VALID_BATCH } from '../train/loop.ts';
import { type OperationKind, operationKinds, PARAMETER_FREE } from './operations.ts';

/** The part of an epoch's large runs that the eigenvalue may take, two for an iteration; at least four iterations. */
const EIGENVALUE_SHARE = 0.03;
const [LEAST_ITERATIONS, MOST_ITERATIONS] = [4, 8];
/** Validation samples that the gap is measured on, as a part of the training samples; at least 128. */
const GAP_SHARE = 0.03;
const LEAST_GAP_SAMPLES = 128;

/** How many iterations the eigenvalue gets, by the number of steps in an epoch. */
export function eigenvalueIterations(stepsPerEpoch: number): number {
  return Math.min(MOST_ITERATIONS, Math.max(LEAST_ITERATIONS, Math.floor(EIGENVALUE_SHARE * stepsPerEpoch)));
}

/** The validation samples that the gap is measured on, in whole batches: a random part, in the given order of all of them. */
export function gapSamples(
  valid: Samples,
  order: readonly number[],
  trainSamples: number,
): { readonly samples: Samples; readonly batchSize: number } {
  const batchSize = Math.min(VALID_BATCH, valid.count);
  const wanted = Math.max(LEAST_GAP_SAMPLES, Math.round(GAP_SHARE * trainSamples));
  const count = Math.floor(Math.min(wanted, valid.count) / batchSize) * batchSize;
  return { samples: part(valid, Int32Array.from(order.slice(0, count))), batchSize };
}

/** What of the guards the mixture weights and the genotype tell. */
export function guardsOf(space: Space): (mixture: Mixture) => GenotypeSigns {
  const kinds = operationKinds(supernet(space));
  const cells = cellsOf(space);
  return ({ weights, genotype }) => {
    const taken = Object.entries(genotype).flatMap(([decision, value]) => {
      const kind = kinds.get(decision)?.get(String(value));
      return kind === undefined ? [] : [{ option: String(value), kind }];
    });
    const operations = { none: 0, skip: 0, pool: 0, depthwise: 0, other: 0 };
    for (const { kind } of taken) operations[kind]++;
    const counts = [...Map.groupBy(taken, ({ option }) => option)].map(([operation, all]) => ({
      ...{ operation, edges: all.length, of: taken.length },
    }));
    const most = counts.reduce((a, b) => (b.edges > a.edges ? b : a), { operation: '', edges: 0, of: taken.length });
    const free = taken.filter(({ kind }) => PARAMETER_FREE.has(kind)).length;
    const skipWeights = Object.entries(weights).flatMap(([decision, row]) => {
      const places = [...(kinds.get(decision)?.values() ?? [])];
      const share = row.reduce((sum, value, k) => sum + (places[k] === 'skip' ? value : 0), 0);
      const skips = places.filter((kind) => kind === 'skip').length;
      return skips === 0 ? [] : [(share * row.length) / skips];
    });
    return {
      parameterFree: free / Math.max(1, taken.length),
      operations,
      most,
      entropy: mean(Object.values(weights).flatMap((row) => entropyOf(row) ?? [])) ?? 0,
      ...(skipWeights.length > 0 && { skipWeight: mean(skipWeights) ?? 0 }),
      cells: cells.flatMap((cell) => shapeOf(cell, genotype, kinds) ?? []),
    };
  };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** From 0 (one option has all the weight) to 1 (all weigh the same); undefined where there is nothing to decide. */
function entropyOf(row: readonly number[]): number | undefined {
  if (row.length < 2) return undefined;
  const nats = row.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
  return nats / Math.log(row.length);
}

type Kinds = ReturnType<typeof operationKinds>;

/** The wiring of a cell of a genotype; undefined where the genotype does not have the cell. */
function shapeOf(cell: Cell, genotype: Architecture, kinds: Kinds): CellShape | undefined {
  const { inputs, connections, bodies } = cell;
  const picked = connections.filter((one) => isPresent(one, genotype));
  const kindOf = ({ edge }: (typeof picked)[number]): OperationKind | undefined =>
    edge && kinds.get(edge.decision)?.get(String(genotype[edge.decision]));
  if (picked.length === 0 || picked.some((one) => one.edge !== undefined && kindOf(one) === undefined))
    return undefined;
  const edges = picked.filter((one) => kindOf(one) !== 'none');
  /** The longest way to each node; undefined: there is none. */
  const depths: (number | undefined)[] = Array.from({ length: inputs + bodies.length }, (_, i) =>
    i < inputs ? 0 : undefined,
  );
  for (let node = inputs; node < depths.length; node++) {
    const before = edges.flatMap(({ from, to }) => (to === node ? (depths[from] ?? []) : []));
    if (before.length > 0) depths[node] = 1 + Math.max(...before);
  }
  const depth = Math.max(0, ...[...outputNodes(cell, genotype)].map((node) => depths[node] ?? 0));
  const reading = new Set(edges.filter(({ from }) => from < inputs).map(({ to }) => to));
  const optional = connections.some(({ wiring, edge }) => wiring !== undefined || (edge?.zeros.length ?? 0) > 0);
  const isFull = optional && connections.length > bodies.length && edges.length === connections.length;
  const shape = bodies.length > 1 && depth === 1 ? 'shallow' : isFull ? 'over-connected' : undefined;
  return {
    edges: edges.length,
    of: picked.length,
    skips: edges.filter((one) => kindOf(one) === 'skip').length,
    depth,
    width: reading.size,
    ...(shape && { shape }),
  };
}

/**
 * Architecture parameters, by path, that give the genotype all the weight: its operations, and on edges that it leaves out an option
 * which puts out nothing. Undefined where such an edge has none, or its supernet has dropped it. Options of decisions that the genotype does not have weigh the same.
 */
export function genotypeFeeds(
  space: Space,
  architecture: readonly ArchitectureParameter[],
  genotype: Architecture,
): Feeds | undefined {
  // The exponential of minus this is 0 in float32, next to 1.
  const CERTAIN = 1000;
  const wired = wiredZeros(space);
  const feeds: Record<string, Feeds[string]> = {};
  for (const { path, shape, decisions } of architecture) {
    const data: number[] = [];
    for (const { name, options } of decisions) {
      const zeros = wired.get(name);
      const isLeftOut = !Object.hasOwn(genotype, name);
      if (isLeftOut && zeros?.length === 0) return undefined;
      const taken = isLeftOut ? zeros?.[0] : String(genotype[name]);
      if (taken !== undefined && !options.includes(taken)) return undefined;
      data.push(...options.map((option) => (option === taken ? CERTAIN : 0)));
    }
    feeds[path] = { shape, data: Float32Array.from(data) };
  }
  return feeds;
}

/** How many operations of one kind are suspicious: half of a cell's edges, two or more. */
const isMany = (count: number, of: number) => count >= 2 && 2 * count >= of;
/** Mixtures with a larger entropy have decided nothing yet. */
const UNDECIDED = 0.98;
/** With at least this many edges, one operation on all of them is no accident. */
const MANY_EDGES = 4;

/** The guards, if they are of a genotype. */
function signsOf(guards: Guards | undefined): GenotypeSigns | undefined {
  const hasGenotype = (all: Guards): all is Guards & GenotypeSigns => all.cells !== undefined;
  return guards !== undefined && hasGenotype(guards) ? guards : undefined;
}

/**
 * The collapse that the last records show, in words; undefined where there is none. Skip connections are named as soon as they hold half of
 * a cell's edges after two epochs in a row, and weigh more than at first. Where genotypes are drawn, that also happens by chance as long
 * as the mixtures have decided nothing.
 */
export function collapseOf(records: readonly Pick<EpochRecord, 'guards'>[]): string | undefined {
  const [last, before] = [-1, -2].map((at) => signsOf(records.at(at)?.guards));
  if (last === undefined || before === undefined) return undefined;
  /** Whether it was so after both epochs. */
  const both = (is: (guards: GenotypeSigns) => boolean) => is(last) && is(before);
  const { cells, operations, most, entropy, skipWeight = 1, isSampled } = last;
  if (isSampled && entropy > UNDECIDED) return undefined;
  const several = cells.length > 1;
  if (skipWeight > 1) {
    const place = (i: number) => (several ? ` of cell ${i + 1}` : '');
    for (const [i, { skips, of }] of cells.entries())
      if (both((guards) => isMany(guards.cells[i]?.skips ?? 0, guards.cells[i]?.of ?? 0)))
        return `skip connections hold ${skips} of ${of} edges${place(i)}`;
    if (cells.length === 0 && both((guards) => isMany(guards.operations.skip, guards.most.of)))
      return `skip connections are ${operations.skip} of ${most.of} operations`;
  }
  if (entropy > UNDECIDED) return undefined;
  const cut = cells.findIndex((_, i) => both((guards) => guards.cells[i]?.depth === 0));
  if (cut >= 0) return `no way leads through the cell${several ? ` ${cut + 1}` : ''}: it puts out nothing`;
  if (most.of > 1 && both(({ parameterFree }) => parameterFree === 1)) return 'no operation has weights';
  if (both((guards) => guards.most.of >= MANY_EDGES && guards.most.edges === guards.most.of))
    return `all ${most.of} edges have one operation, ${most.operation}`;
  return undefined;
}
