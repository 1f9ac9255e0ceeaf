/** The network of a genome of layers. */
import type { Gene } from '../../genome/genes.ts';
import { layersOf as inLayers } from '../../genome/paths.ts';
import type { Task } from '../../space.ts';
import {
  activation,
  avgPool,
  type DagNodeOptions,
  dagOfNodes,
  dropout,
  identity,
  linear,
  maxPool,
  relu,
  sequential,
} from '../../tree/builders.ts';
import type { ActivationFunction, Module } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { type Ground, halved } from '../macro/ground.ts';
import { adapted, layersOf } from '../macro/layers.ts';
import { around, chosen, type Values } from '../macro/network.ts';
import { designedBins } from '../table/encoding.ts';
import { INPUT, type LayerGene, type LayerGenome, OUTPUT } from './genome.ts';

export interface LayerNetworkOptions {
  /** Of the stem. */
  readonly channels: number;
  /** Of the features before the classifier. */
  readonly dropout: number;
}

/** Layers that halve images and sequences. */
export const POOLS: Readonly<Record<string, Module>> = {
  maxPool: maxPool(3, { stride: 2 }),
  avgPool: avgPool(3, { stride: 2 }),
};

/** A node of the graph with what is known of its output. */
interface Made {
  readonly node: number;
  /** NaN: the features of a table, which depend on its encoding. */
  readonly channels: number;
  /** How often it was halved behind the stem. */
  readonly stage: number;
}

/**
 * Stem, layers and classifier, as those of the space `macro`. Only layers on an enabled way from the stem to the end take part. What meets
 * is added: what is larger is pooled to the size of the smallest, and brought by 1x1 convolutions to the channels of the widest. In a table
 * linear layers bring it to the units of the widest layer.
 */
export function layerNetwork(genome: LayerGenome, task: Task, ground: Ground, options: LayerNetworkOptions): Module {
  const bins = ground.rank === 'table' ? designedBins(task) : 0;
  const values: Values = {
    activation: 'relu',
    pool: 'average',
    dropout: options.dropout,
    bins,
    head: () => identity(),
  };
  return around(graphOf(genome, ground, options.channels), task, ground, options, values);
}

/** The connections on ways from the stem to the end. */
function liveConnections(connections: readonly Gene[]): readonly Gene[] {
  const enabled = connections.filter((one) => one.enabled);
  const reached = (start: number, step: (one: Gene) => readonly [number, number]) => {
    const seen = new Set([start]);
    for (const node of seen) for (const [at, next] of enabled.map(step)) if (at === node) seen.add(next);
    return seen;
  };
  const forward = reached(INPUT, ({ from, to }) => [from, to]);
  const back = reached(OUTPUT, ({ from, to }) => [to, from]);
  return enabled.filter(({ from, to }) => forward.has(from) && back.has(to));
}

function graphOf({ layers, connections }: LayerGenome, ground: Ground, stemChannels: number): Module {
  const { rank } = ground;
  const live = liveConnections(connections);
  const genes = new Map(layers.map((layer) => [layer.mark, layer]));
  const order = (inLayers([INPUT, ...new Set(live.map(({ to }) => to))], live) ?? []).flat();
  const nodes: DagNodeOptions[] = [];
  const add = (node: DagNodeOptions): number => nodes.push(node);
  const pooled = new Map<string, Made>();
  const made = new Map<number, Made>([
    [INPUT, { node: 0, channels: rank === 'table' ? Number.NaN : toMultiple(stemChannels, 8), stage: 0 }],
  ]);

  /** A node at the size of a stage: halved once by nodes that all readers share. */
  const at = (one: Made, stage: number): Made => {
    if (one.stage >= stage) return one;
    const before = at(one, stage - 1);
    const key = `${one.node}@${stage}`;
    const found = pooled.get(key) ?? {
      ...before,
      stage,
      node: add({ from: [before.node], edge: () => maxPool(3, { stride: 2 }) }),
    };
    pooled.set(key, found);
    return found;
  };

  for (const id of order) {
    if (id === INPUT) continue;
    const read = live.filter(({ to }) => to === id).flatMap(({ from }) => made.get(from) ?? []);
    const stage = Math.max(...read.map((one) => one.stage));
    const sources = read.map((one) => at(one, stage)).toSorted((a, b) => a.node - b.node);
    const gene = genes.get(id);
    const act = gene?.activation === undefined ? relu() : activation(gene.activation as ActivationFunction);
    const known = sources.map(({ channels }) => channels).filter((channels) => !Number.isNaN(channels));
    const isSum = sources.length > 1;
    const channels = isSum ? Math.max(...known) : (sources[0]?.channels ?? Number.NaN);
    const widths = new Map(sources.map((source) => [source.node, source.channels]));
    // The end adds nothing to the last node if it reads that alone.
    if (gene === undefined && nodes.length > 0 && sources.length === 1 && sources[0]?.node === nodes.length) continue;
    const { module, width, halvings } = layerOf(gene, { ground, stage, channels, act, stemChannels });
    const node = add({
      from: sources.map((source) => source.node),
      edge: (from) =>
        isSum && widths.has(from) && widths.get(from) !== channels
          ? adapted({ rank, act, width: channels })
          : identity(),
      body: gene === undefined ? module : chosen(gene.mark.toString(36), gene.kind, module),
    });
    made.set(id, { node, channels: width, stage: stage + halvings });
  }
  return dagOfNodes(nodes.length, (node) => nodes[node - 1] ?? {});
}

interface Place {
  readonly ground: Ground;
  readonly stage: number;
  /** Of what it reads; NaN: not known. */
  readonly channels: number;
  readonly act: Module;
  readonly stemChannels: number;
}

/** What a gene does with what it reads, how many channels it puts out and how often it halves. */
function layerOf(gene: LayerGene | undefined, { ground, stage, channels, act, stemChannels }: Place) {
  const { rank, sides } = ground;
  const pool = gene && POOLS[gene.kind];
  if (gene === undefined || pool !== undefined)
    return { module: pool ?? identity(), width: channels, halvings: Number(pool !== undefined) };
  const multiple = gene.width ?? 1;
  const width = rank === 'table' ? multiple : toMultiple(stemChannels * multiple, 8);
  const place = { rank, channels, width, sides: halved(sides, stage), act, dropout: dropout(0) };
  return { module: layersOf(rank)[gene.kind]?.(place) ?? sequential(linear(width)), width, halvings: 0 };
}
