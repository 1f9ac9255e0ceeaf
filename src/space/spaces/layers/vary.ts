/** First members, mutation, crossover and alignment of genomes of layers. */
import type { Rng } from '../../../common/random.ts';
import { alignGenes, crossGenes, newGene, reenabled, splitGene } from '../../genome/genes.ts';
import { markOf, splitMark } from '../../genome/marks.ts';
import type { Alignment, CrossRates, WeightRates } from '../../genome/moves.ts';
import {
  ENDS,
  FIXED,
  INPUT,
  isConnected,
  type LayerGene,
  type LayerGenome,
  type LayerShape,
  layerGenomeOf,
  OUTPUT,
  type Settings,
  way,
} from './genome.ts';

/** Random settings; each kind is as likely as another. */
function randomSettings({ kinds, pools, widths, activations }: LayerShape, stream: Rng): Settings {
  const kind = stream.pick([...kinds, ...pools]);
  return pools.includes(kind) ? { kind } : { kind, width: stream.pick(widths), activation: stream.pick(activations) };
}

/** A network of one layer with a width, of random settings, which has split the connection from the stem to the end. */
export function firstLayer(shape: LayerShape, stream: Rng): LayerGenome {
  const mark = splitMark(markOf(INPUT, OUTPUT, FIXED), 0);
  const settings = randomSettings({ ...shape, pools: [] }, stream);
  return layerGenomeOf([{ mark, ...settings }], [way(INPUT, mark), way(mark, OUTPUT), way(INPUT, OUTPUT, false)]);
}

/** A random member has one more connection for each two of its layers. */
const LAYERS_EACH = 2;

/** A network of 1 to `most` layers, grown from the first one: connections are split at random, and others added. */
export function randomNetwork(shape: LayerShape, most: number, stream: Rng): LayerGenome {
  const count = 1 + stream.int(most);
  let genome = firstLayer(shape, stream);
  for (let left = count - 1; left > 0; left--) genome = addLayer(genome, shape, stream) ?? genome;
  for (let left = Math.floor(count / LAYERS_EACH); left > 0; left--) genome = addConnection(genome, stream) ?? genome;
  return genome;
}

/** An enabled connection is disabled and a layer of random settings put in its place; undefined where there are as many as may be. */
export function addLayer(genome: LayerGenome, shape: LayerShape, stream: Rng): LayerGenome | undefined {
  const { layers, connections } = genome;
  if (layers.length >= shape.layers) return undefined;
  const found = splitGene(marksOf(genome), connections, ENDS, stream);
  if (found === undefined) return undefined;
  const { split, node } = found;
  const others = connections.map((one) => (one === split ? { ...one, enabled: false } : one));
  return layerGenomeOf(
    [...layers, { mark: node, ...randomSettings(shape, stream) }],
    [...others, way(split.from, node), way(node, split.to)],
  );
}

const marksOf = ({ layers }: LayerGenome): readonly number[] => layers.map(({ mark }) => mark);

export function addConnection(genome: LayerGenome, stream: Rng): LayerGenome | undefined {
  const { layers, connections } = genome;
  const added = newGene(marksOf(genome), connections, ENDS, (from, to) => way(from, to), stream);
  return added && layerGenomeOf(layers, [...connections, added]);
}

export function reenable({ layers, connections }: LayerGenome, stream: Rng): LayerGenome | undefined {
  const enabled = reenabled(connections, stream);
  return enabled && layerGenomeOf(layers, enabled);
}

/**
 * A layer at random gets another kind, width or activation; with probability `replaced` all three are drawn again. The result differs, unless
 * there are no layers.
 */
export function changeLayer(
  genome: LayerGenome,
  shape: LayerShape,
  { replaced }: Pick<WeightRates, 'replaced'>,
  stream: Rng,
): LayerGenome {
  const { layers, connections } = genome;
  if (layers.length === 0) return genome;
  const chosen = stream.pick(layers);
  const { mark } = chosen;
  const redrawn = stream.float() < replaced ? randomSettings(shape, stream) : chosen;
  const changed = settingsDiffer(redrawn, chosen) > 0 ? redrawn : otherSettings(chosen, shape, stream);
  return layerGenomeOf([...layers.filter((one) => one !== chosen), { mark, ...changed }], connections);
}

/** One setting is another. */
function otherSettings({ mark: _, ...settings }: LayerGene, shape: LayerShape, stream: Rng): Settings {
  const { kind, width, activation } = settings;
  const others = <T>(all: readonly T[], now: T | undefined) => all.filter((one) => one !== now);
  const kinds = others([...shape.kinds, ...shape.pools], kind);
  const widths = width === undefined ? [] : others(shape.widths, width);
  const activations = activation === undefined ? [] : others(shape.activations, activation);
  const open = (['kind', 'width', 'activation'] as const).filter(
    (name) => ({ kind: kinds, width: widths, activation: activations })[name].length > 0,
  );
  if (open.length === 0) return settings;
  const what = stream.pick(open);
  if (what === 'width') return { ...settings, width: stream.pick(widths) };
  if (what === 'activation') return { ...settings, activation: stream.pick(activations) };
  const next = stream.pick(kinds);
  if (shape.pools.includes(next)) return { kind: next };
  return {
    kind: next,
    width: width ?? stream.pick(shape.widths),
    activation: activation ?? stream.pick(shape.activations),
  };
}

/**
 * A child with the layers and connections of `better` (`crossGenes`). Layers that both parents have take their settings from either, by
 * chance. Where connections that `other` has disabled leave no way through the network, all are as in `better`.
 */
export function cross(better: LayerGenome, other: LayerGenome, { disabled }: CrossRates, stream: Rng): LayerGenome {
  const matches = new Map(other.layers.map((layer) => [layer.mark, layer]));
  const layers = better.layers.map((layer) => {
    const match = matches.get(layer.mark);
    return match === undefined || stream.float() < 0.5 ? layer : match;
  });
  const connections = crossGenes(better.connections, other.connections, disabled, (one) => one, stream);
  return layerGenomeOf(layers, isConnected(connections) ? connections : better.connections);
}

/**
 * How the connections of two genomes align by innovation number: each layer brings two of its own. The difference is the mean over the layers
 * that both have, from 0 to 1: 1 for another kind, else 1/2 for another width and 1/2 for another activation.
 */
export function align(a: LayerGenome, b: LayerGenome): Alignment {
  const connections = alignGenes(a.connections, b.connections, () => 0);
  const numbered = ({ layers }: LayerGenome) => layers.map((layer) => ({ ...layer, innovation: layer.mark }));
  return { ...connections, difference: alignGenes(numbered(a), numbered(b), settingsDiffer).difference };
}

function settingsDiffer(a: Settings, b: Settings): number {
  if (a.kind !== b.kind) return 1;
  return (Number(a.width !== b.width) + Number(a.activation !== b.activation)) / 2;
}
