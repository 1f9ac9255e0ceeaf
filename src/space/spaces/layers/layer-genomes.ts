import { UserError } from '../../../common/errors.ts';
import type { Rng } from '../../../common/random.ts';
import type { GenomeMoves } from '../../genome/moves.ts';
import type { OpenMembers, Task } from '../../space.ts';
import { defineOpenSpace } from '../../tree/define.ts';
import { groundOf, type MacroRank } from '../macro/ground.ts';
import { layersOf } from '../macro/layers.ts';
import { ACTIVATIONS, WIDTHS } from '../macro/network.ts';
import { checkLayerGenome, formatLayerGenome, type LayerGenome, type LayerShape, parseLayerGenome } from './genome.ts';
import { layerNetwork, POOLS } from './network.ts';
import { addConnection, addLayer, align, changeLayer, cross, firstLayer, randomNetwork, reenable } from './vary.ts';

/** Kinds of layers with weights, of `kinds=convolutional`. */
const CONVOLUTIONAL = {
  image: ['conv3x3', 'conv5x5', 'sepConv3x3', 'sepConv5x5', 'dense'],
  sequence: ['conv3', 'conv5', 'sepConv9', 'dense'],
  table: ['dense'],
} as const satisfies Readonly<Record<MacroRank, readonly string[]>>;
/** Of `kinds=all` also these. */
const OTHERS = ['gru', 'lstm', 'attention'];
/** Multiples of the channels of the stem; of a table, units. */
const MULTIPLES = { image: [0.5, 1, 2, 4, 8], sequence: [0.5, 1, 2, 4, 8], table: WIDTHS.table } as const;

/** What `mutate` does, in turn; everything else changes the settings of a layer. */
const [ADD_LAYER, ADD_CONNECTION, REENABLE] = [0.3, 0.2, 0.05];
const REPLACED = { replaced: 0.1 } as const;
const CROSSING = { disabled: 0.75, averaging: 0 } as const;

export interface LayerGenomeOptions {
  readonly start: string;
  readonly startLayers: number;
  readonly layers: number;
  readonly channels: number;
  readonly kinds: string;
  readonly dropout: number;
}

/**
 * Genomes of layers: NEAT (Stanley & Miikkulainen 2002) with layers in place of single nodes, as in DeepNEAT (Miikkulainen et al. 2017,
 * arXiv:1703.00548, section 3.1), trained by gradients like all networks. A genome holds layers (kind, width, activation) and connections
 * between them, which may be disabled, each with a number that is equal for equal history (genome/marks.ts): so genomes of any structure
 * can be crossed and compared. It grows: a layer splits a connection, connections are added.
 *
 * Stem, classifier and layers are those of the space `macro`; poolings halve. What meets at a layer is added: what is larger is pooled,
 * and what has fewer channels is projected (network.ts). The text of a member is in genome.ts.
 *
 * Samples have one layer (`start=minimal`), or 1 to `startLayers` layers (`start=random`: for random search). `crossover` knows no fitness:
 * the child has the structure of the first parent.
 *
 * Differs from DeepNEAT: layers read the sum of their inputs, connections are genes with innovation numbers of their own, no training
 * setting is evolved. Throws UserError for a task that asks for an answer at each position.
 */
export const layerGenomes = defineOpenSpace('layer-genomes', (task, options) => membersOf(task, options), {
  description:
    'networks that grow: genomes of layers with innovation numbers, for the strategy layer-neat; images, sequences and tables ' +
    '(Stanley & Miikkulainen 2002; Miikkulainen et al. 2017); unlimited',
  defaults: {
    start: { default: 'minimal', words: ['minimal', 'random'] },
    startLayers: { default: 8, whole: true, min: 1, max: 100 },
    layers: { default: 20, whole: true, min: 1, max: 100 },
    channels: { default: 16, whole: true, min: 8, max: 1024 },
    kinds: { default: 'convolutional', words: ['convolutional', 'all'] },
    dropout: { default: 0, min: 0, max: 0.9 },
  },
});

function shapeOf(rank: MacroRank, { kinds, layers }: LayerGenomeOptions): LayerShape {
  const known: readonly string[] = Object.keys(layersOf(rank));
  const others = kinds === 'all' ? OTHERS.filter((kind) => known.includes(kind)) : [];
  return Object.freeze({
    kinds: [...CONVOLUTIONAL[rank], ...others],
    pools: rank === 'table' ? [] : Object.keys(POOLS),
    widths: MULTIPLES[rank],
    activations: ACTIVATIONS,
    layers,
  });
}

function membersOf(task: Task, options: LayerGenomeOptions): OpenMembers {
  const place = 'architecture of space "layer-genomes"';
  const ground = groundOf(task);
  const shape = shapeOf(ground.rank, options);
  const { start, startLayers, layers } = options;
  if (start === 'random' && startLayers > layers)
    throw new UserError(`option startLayers is ${startLayers}; must be at most layers, ${layers}`);

  // The very objects that are known to be members: moves need not check them again.
  const members = new WeakSet<object>();
  const isMember = (found: unknown): found is LayerGenome =>
    typeof found === 'object' && found !== null && members.has(found);
  const own = (genome: LayerGenome): LayerGenome => {
    members.add(genome);
    return genome;
  };
  const ownIf = (genome: LayerGenome | undefined): LayerGenome | undefined => genome && own(genome);
  const check = (found: unknown) => (isMember(found) ? found : own(checkLayerGenome(found, shape, place)));

  const genome: GenomeMoves = {
    grows: true,
    align: (a, b) => align(check(a), check(b)),
    cross: (better, other, rates, stream) => own(cross(check(better), check(other), rates, stream)),
    perturb: (one, rates, stream) => own(changeLayer(check(one), shape, rates, stream)),
    addNode: (one, stream) => ownIf(addLayer(check(one), shape, stream)),
    addConnection: (one, stream) => ownIf(addConnection(check(one), stream)),
    reenable: (one, stream) => ownIf(reenable(check(one), stream)),
    genes: (one) => check(one).connections.length,
  };

  function mutate(parent: LayerGenome, stream: Rng): LayerGenome {
    const kind = parent.layers.length === 0 ? 0 : stream.float();
    const moved =
      kind < ADD_LAYER
        ? addLayer(parent, shape, stream)
        : kind < ADD_LAYER + ADD_CONNECTION
          ? addConnection(parent, stream)
          : kind < ADD_LAYER + ADD_CONNECTION + REENABLE
            ? reenable(parent, stream)
            : undefined;
    return moved ?? changeLayer(parent, shape, REPLACED, stream);
  }

  return {
    genome,
    check,
    sample: (stream) =>
      own(start === 'minimal' ? firstLayer(shape, stream) : randomNetwork(shape, startLayers, stream)),
    mutate: (architecture, stream) => own(mutate(check(architecture), stream)),
    crossover(a, b, stream) {
      const [one, other] = [check(a), check(b)];
      // The same member twice: its disabled genes stay disabled.
      return formatLayerGenome(one) === formatLayerGenome(other) ? one : own(cross(one, other, CROSSING, stream));
    },
    format: (architecture) => formatLayerGenome(check(architecture)),
    parse: (text) => check(parseLayerGenome(text, place)),
    build: (architecture) => layerNetwork(check(architecture), task, ground, options),
  };
}
