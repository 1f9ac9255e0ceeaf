/** The layers of the space `macro`, by what they work on. */
import {
  attention,
  avgPool,
  batchNorm,
  conv,
  layerNorm,
  linear,
  maxPool,
  recurrent,
  residual,
  rows,
  sequential,
} from '../../tree/builders.ts';
import { MOST_ATTENDED } from '../../tree/composites.ts';
import type { Module } from '../../tree/module.ts';
import type { MacroRank } from './ground.ts';

/** Where a layer stands. */
export interface LayerPlace {
  readonly rank: MacroRank;
  /** Of what it reads; NaN: not known. */
  readonly channels: number;
  readonly width: number;
  /** [height, width] or [length] of what it reads. */
  readonly sides: readonly number[];
  readonly act: Module;
  /** After each layer of a table. */
  readonly dropout: Module;
}

type Layer = (place: LayerPlace) => Module;

const HEADS = 4;
/** A convolution of more than this many times its own channels is preceded by one of 1x1 (DenseNet). */
const BOTTLENECK = 2;

/** Activation, 1x1 convolution, batch norm. */
const project: Layer = ({ act, width }) => sequential(act, conv(width, 1), batchNorm());

/** A layer that keeps its channels: behind a projection where it reads another number of them. */
const keeping =
  (layer: (place: LayerPlace) => Module): Layer =>
  (place) =>
    place.channels === place.width ? layer(place) : sequential(project(place), layer(place));

const convolution =
  (kernel: number): Layer =>
  (place) => {
    const layer = sequential(place.act, conv(place.width, kernel), batchNorm());
    return place.channels > BOTTLENECK * place.width ? sequential(project(place), layer) : layer;
  };

const separable =
  (kernel: number): Layer =>
  ({ act, width }) =>
    sequential(act, conv('same', kernel, { groups: 'depthwise' }), conv(width, 1), batchNorm());

const pooling = (pool: Module): Layer => keeping(() => sequential(pool, batchNorm()));

/** On an image row by row. */
const gru: Layer = keeping(({ rank }) => {
  const layer = residual(sequential(layerNorm({ axes: 'channel' }), recurrent('gru')));
  return sequential(rank === 'image' ? rows(layer) : layer, batchNorm());
});

const lstm: Layer = keeping(() =>
  sequential(residual(sequential(layerNorm({ axes: 'channel' }), recurrent('lstm'))), batchNorm()),
);

const selfAttention: Layer = keeping(({ rank, width, sides }) => {
  const layer = residual(sequential(layerNorm({ axes: 'channel' }), attention(width % HEADS === 0 ? HEADS : 1)));
  const pixels = sides.reduce((product, side) => product * side, 1);
  return sequential(rank === 'image' && pixels > MOST_ATTENDED ? rows(layer) : layer, batchNorm());
});

/** A dense layer at each position; of a table, one as usual, with the activation last. */
const dense: Layer = (place) =>
  place.rank === 'table' ? sequential(linear(place.width), batchNorm(), place.act, place.dropout) : project(place);

/** By rank and name; of a table all layers are dense. */
const LAYERS = {
  image: {
    conv3x3: convolution(3),
    conv5x5: convolution(5),
    sepConv3x3: separable(3),
    sepConv5x5: separable(5),
    maxPool3x3: pooling(maxPool(3)),
    avgPool3x3: pooling(avgPool(3)),
    dense,
    gru,
    attention: selfAttention,
  },
  sequence: {
    conv3: convolution(3),
    conv5: convolution(5),
    sepConv9: separable(9),
    maxPool3: pooling(maxPool(3)),
    avgPool3: pooling(avgPool(3)),
    dense,
    gru,
    lstm,
    attention: selfAttention,
  },
  table: { dense },
} as const satisfies Readonly<Record<MacroRank, Readonly<Record<string, Layer>>>>;

export const layersOf = (rank: MacroRank): Readonly<Record<string, Layer>> => LAYERS[rank];

/** What a layer that adds does first with an input of another width. */
export function adapted({ rank, act, width }: Pick<LayerPlace, 'rank' | 'act' | 'width'>): Module {
  return rank === 'table' ? sequential(linear(width), batchNorm()) : sequential(act, conv(width, 1), batchNorm());
}
