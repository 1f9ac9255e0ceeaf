/** The tree of the space `macro` with its choices open, and the network of one architecture. */
import type { Architecture, Task } from '../../space.ts';
import {
  activation,
  batchNorm,
  choice,
  conv,
  type DagNodeOptions,
  dagOfNodes,
  dropout,
  embedding,
  globalPool,
  identity,
  linear,
  maxPool,
  pick,
  piecewiseLinear,
  positions,
  sequential,
  zero,
} from '../../tree/builders.ts';
import type { ActivationFunction, Module, Value } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { BINS, numbersOf } from '../table/encoding.ts';
import { fewestLayers, type Ground, halved } from './ground.ts';
import { adapted, layersOf } from './layers.ts';
import {
  COMBINES,
  combineOf,
  halvingOf,
  halvingsOf,
  kindOf,
  looseLayers,
  plannedLayers,
  readOf,
  TIMES,
  widthOf,
} from './plan.ts';

export interface MacroOptions {
  /** The most layers between stem and classifier. */
  readonly layers: number;
  /** Of the stem; layers have half, once or twice as many, times 2 for each halving before them. */
  readonly channels: number;
  /** Whether the training is searched, too. */
  readonly tune: boolean;
}

/** Of images and sequences, as a multiple of the channels; of tables, units. */
export const WIDTHS = { image: [0.5, 1, 2], sequence: [0.5, 1, 2], table: [32, 64, 128, 256, 512] } as const;
export const ACTIVATIONS = ['relu', 'silu', 'gelu'] as const satisfies readonly ActivationFunction[];
const RATES = { image: [0, 0.2], sequence: [0, 0.2], table: [0, 0.1, 0.2, 0.4] } as const;
const POOLS = ['average', 'max'] as const;
/** Units of a hidden layer behind the pooling. */
const HIDDEN = { dense64: 64, dense128: 128, dense256: 256 } as const;
const STEM_KERNEL = 3;

/** What stands around the layers: each value is open, or an architecture's. */
export interface Values {
  readonly activation: Value<ActivationFunction>;
  readonly pool: Value<'max' | 'average'>;
  readonly dropout: Value<number>;
  readonly bins: Value<number>;
  readonly head: (options: Readonly<Record<string, Module>>) => Module;
}

/** The network of stem, `body` and classifier. */
export function around(
  body: Module,
  task: Task,
  ground: Ground,
  { channels }: Pick<MacroOptions, 'channels'>,
  values: Values,
): Module {
  const act = activation(values.activation);
  const drop = dropout(values.dropout);
  if (ground.rank === 'table')
    return sequential(...(numbersOf(task) > 0 ? [piecewiseLinear(values.bins)] : []), body, linear('outputs'));
  const hidden = (units: number) => sequential(linear(units), batchNorm(), act);
  const head = Object.fromEntries(Object.entries(HIDDEN).map(([name, units]) => [name, hidden(units)]));
  return sequential(
    ...stemOf(task, ground, toMultiple(channels, 8), act),
    body,
    act,
    globalPool(values.pool),
    values.head({ none: identity(), ...head }),
    drop,
    linear('outputs'),
  );
}

/** Large inputs are halved by strides, each followed by batch norm and activation; the last layer ends in batch norm. */
function stemOf(task: Task, { rank, stemHalvings }: Ground, channels: number, act: Module): readonly Module[] {
  const halving = Array.from({ length: stemHalvings }, (_, i) => [
    ...(i > 0 ? [act] : []),
    conv(channels, STEM_KERNEL, { stride: 2 }),
    batchNorm(),
  ]).flat();
  const first = halving.length > 0 ? halving : [conv(channels, STEM_KERNEL), batchNorm()];
  if (rank === 'image') return first;
  const read = task.vocabulary === undefined ? first : [embedding('inputs', channels), ...halving];
  return [...read, positions('learned')];
}

/** The tree with all its decisions. */
export function openNetwork(task: Task, ground: Ground, options: MacroOptions): Module {
  const values: Values = {
    activation: pick('activation', ACTIVATIONS),
    pool: pick('pool', POOLS),
    dropout: pick('dropout', RATES[ground.rank]),
    bins: pick('bins', BINS),
    head: (heads) => choice('head', heads),
  };
  const fewest = fewestLayers(ground);
  const counts = Array.from({ length: options.layers - fewest + 1 }, (_, i) => fewest + i);
  const [only, ...others] = counts.map((count) => [String(count), openLayers(count, ground, values)] as const);
  const halvings = Array.from({ length: ground.halvings }, (_, h) =>
    choice(halvingOf(h + 1), Object.fromEntries(TIMES.map((time) => [time, identity()]))),
  );
  const layers =
    others.length > 0 ? choice('layers', Object.fromEntries([only, ...others].filter(isThere))) : only?.[1];
  // Halvings follow the layers, so that the number of these is the first decision.
  return around(sequential(layers ?? identity(), ...halvings), task, ground, options, values);
}

const isThere = <T>(one: T | undefined): one is T => one !== undefined;

function openLayers(count: number, { rank }: Ground, { activation: fn, dropout: rate }: Values): Module {
  const act = activation(fn);
  const drop = dropout(rate);
  const place = { rank, act, dropout: drop, channels: 8, width: 8, sides: [1] } as const;
  const kinds = Object.entries(layersOf(rank)).map(([name, layer]) => [name, layer(place)] as const);
  const combine = Object.fromEntries(COMBINES.map((one) => [one, identity()]));
  return dagOfNodes(count, (to) => ({
    edge: (from) => (to === 1 ? identity() : choice(readOf(from, to), { none: zero(), read: identity() })),
    body: sequential(
      ...(rank === 'table'
        ? [linear(pick(widthOf(to), WIDTHS.table)), batchNorm(), act, drop]
        : [
            choice(kindOf(to), Object.fromEntries(kinds)),
            conv('same', 1, { multiple: pick(widthOf(to), WIDTHS[rank]) }),
          ]),
      ...(to === 1 ? [] : [choice(combineOf(to), combine)]),
    ),
  }));
}

/** The network of a canonical architecture. */
export function closedNetwork(architecture: Architecture, task: Task, ground: Ground, options: MacroOptions): Module {
  const values: Values = {
    activation: architecture.activation as ActivationFunction,
    pool: (architecture.pool ?? 'average') as 'max' | 'average',
    dropout: Number(architecture.dropout),
    bins: Number(architecture.bins ?? 0),
    head: (heads) => chosen('head', String(architecture.head), heads[String(architecture.head)] ?? identity()),
  };
  return around(closedLayers(architecture, ground, options, values), task, ground, options, values);
}

/** A choice that is made: its key is part of the names of parameters, and of the drawing. */
export const chosen = (name: string, option: string, module: Module): Module => ({
  kind: 'choice',
  name,
  options: { [option]: module },
});

/** A node of the graph with what is known of its output. */
interface Made {
  readonly node: number;
  /** NaN: the features of a table, which depend on its encoding. */
  readonly channels: number;
  readonly stage: number;
}

function closedLayers(architecture: Architecture, ground: Ground, options: MacroOptions, values: Values): Module {
  const { rank } = ground;
  const layers = plannedLayers(architecture);
  const halvings = halvingsOf(architecture, ground);
  const stageOf = (layer: number) => halvings.filter((before) => before < layer).length;
  const act = activation(values.activation);
  const drop = dropout(values.dropout);
  const nodes: DagNodeOptions[] = [];
  const add = (node: DagNodeOptions): number => nodes.push(node);
  const known = new Map<string, Made>();
  const made: Made[] = [
    { node: 0, channels: rank === 'table' ? Number.NaN : toMultiple(options.channels, 8), stage: 0 },
  ];

  /** A layer's output at the size of a stage: halved once by a node that all readers share. */
  const at = (layer: number, stage: number): Made => {
    const own = made[layer] as Made;
    if (own.stage >= stage) return own;
    const key = `${layer}@${stage}`;
    const before = at(layer, stage - 1);
    const found = known.get(key) ?? {
      ...before,
      stage,
      node: add({ from: [before.node], edge: () => maxPool(3, { stride: 2 }) }),
    };
    known.set(key, found);
    return found;
  };

  for (const [i, layer] of layers.entries()) {
    const stage = stageOf(i + 1);
    const width = rank === 'table' ? layer.width : toMultiple(options.channels * layer.width * 2 ** stage, 8);
    const sources = layer.reads.map((from) => at(from, stage));
    const isSum = sources.length > 1 && layer.combine === 'add';
    const channels = isSum ? width : sources.reduce((sum, source) => sum + source.channels, 0);
    const place = { rank, channels, width, sides: halved(ground.sides, stage), act, dropout: drop };
    const widths = new Map(sources.map((source) => [source.node, source.channels]));
    const module = layersOf(rank)[layer.kind]?.(place) ?? identity();
    const node = add({
      from: sources.map(({ node: from }) => from).toSorted((a, b) => a - b),
      combine: isSum ? 'sum' : 'concat',
      edge: (from) => (isSum && widths.has(from) && widths.get(from) !== width ? adapted(place) : identity()),
      body: chosen(kindOf(i + 1), layer.kind, module),
    });
    made.push({ node, channels: width, stage });
  }

  const ends = looseLayers(layers).map((layer) => at(layer, stageOf(layers.length)).node);
  if (ends.length > 1) add({ from: ends.toSorted((a, b) => a - b), combine: 'concat' });
  return dagOfNodes(nodes.length, (node) => nodes[node - 1] ?? {});
}
