import type { Architecture, PublishedArchitectures, Task } from '../../space.ts';
import { formatDecisions } from '../../tree/architecture.ts';
import {
  activation,
  batchNorm,
  choice,
  conv,
  dropout,
  globalPool,
  identity,
  linear,
  maxPool,
  pick,
  residual,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module, Value } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { distinct, openIfSeveral } from '../image/images.ts';
import { trainingOf, withTraining } from '../training.ts';
import { entranceOf, type Sequences, side, wholeSequencesOf } from './sequences.ts';

interface TextCnnOptions {
  readonly embedding: number;
  readonly filters: number;
  readonly tune: boolean;
}

/** Widths of the filters that stand side by side. */
const WIDTHS = { w3: [3], w5: [5], w234: [2, 3, 4], w345: [3, 4, 5], w357: [3, 5, 7], w2345: [2, 3, 4, 5] } as const;
const TIMES = [0.5, 1, 2] as const;
const RATES = [0, 0.1, 0.3, 0.5] as const;
const ACTIVATIONS = ['relu', 'gelu', 'tanh'] as const;
/** Blocks of two convolutions before the filters; each but the first halves the sequence first. */
const DEPTHS = [0, 1, 2] as const;

/**
 * Convolutional networks for texts (Kim 2014, arXiv:1408.5882), with one answer for each: filters of several widths side by side, of each
 * its largest value anywhere in the text, and a linear layer. Decided are the channels of the embedding, the widths of the filters and
 * their number, up to two residual blocks of two convolutions before them, between which the sequence is halved (as in Conneau et al.
 * 2017, arXiv:1606.01781, and Johnson & Zhang 2017), whether the mean stands beside the maximum (Zhang & Wallace 2017 compare both),
 * activation and dropout of embedded texts, of whole tokens and before the last layer. Kim's network is a member. 15,552 architectures.
 *
 * Differs from Kim: no pretrained vectors, no limit on the norm of the last layer's weights, and texts are padded before their first token
 * and not behind their last.
 */
export const textCnn = defineSpace(
  'text-cnn',
  (task, options) => {
    const network = networkOf(wholeSequencesOf(task), options);
    return withTraining(network, task, options);
  },
  {
    description:
      'convolutional networks for texts (Kim 2014): widths and number of parallel filters, embedding, blocks before them, pooling, ' +
      'dropout; 15,552 architectures',
    defaults: {
      embedding: { default: 64, whole: true, min: 2, max: 4096 },
      filters: { default: 64, whole: true, min: 2, max: 4096 },
      tune: false,
    },
    handDesigned: (task, options) => designedMembers(task, options),
    published: publishedNetworks(),
  },
);

const multiplesOf = (number: number) => distinct(TIMES.map((times) => toMultiple(number * times, 1)));

function networkOf(sequences: Sequences, { embedding, filters }: TextCnnOptions): Module {
  const channels = openIfSeveral('embedding', multiplesOf(embedding));
  const count = openIfSeveral('filters', multiplesOf(filters));
  const act = activation(pick('activation', ACTIVATIONS));
  const tokenDropout = sequences.hasTokens ? pick('tokenDropout', [0, 0.1]) : 0;
  return sequential(
    entranceOf(sequences, channels, tokenDropout),
    dropout(pick('inputDropout', [0, 0.2])),
    choice('depth', Object.fromEntries(DEPTHS.map((depth) => [String(depth), blocks(depth, channels, act)]))),
    choice(
      'widths',
      Object.fromEntries(Object.entries(WIDTHS).map(([name, widths]) => [name, parallel(widths, count, act)])),
    ),
    dropout(pick('dropout', RATES)),
    linear('outputs'),
  );
}

/** x + conv(act(norm(conv(act(norm(x)))))), after a pooling of stride 2 in all blocks but the first. */
function blocks(depth: number, channels: Value<number>, act: Module): Module {
  const half = () => [batchNorm(), act, conv(channels, 3)];
  const block = residual(sequential(...half(), ...half()));
  if (depth === 0) return identity();
  const further = Array.from({ length: depth - 1 }, () => [maxPool(3, { stride: 2, padding: 1 }), block]).flat();
  return sequential(block, ...further);
}

/** The filters of each width, pooled, one after another along the channels. */
function parallel(widths: readonly number[], filters: Value<number>, act: Module): Module {
  const branches = (pool: Module) =>
    side(widths.map((width) => sequential(conv(filters, width, { bias: true, padding: 'causal' }), act, pool)));
  const max = globalPool('max');
  return choice('pool', { max: branches(max), both: branches(side([max, globalPool('average')])) });
}

interface Design {
  readonly depth: 0 | 1 | 2;
  readonly widths: keyof typeof WIDTHS;
  readonly pool: 'max' | 'both';
  readonly dropout: number;
}

function memberOf(design: Design, hasTokens: boolean, { embedding, filters }: TextCnnOptions): Architecture {
  const { depth, widths, pool, dropout: rate } = design;
  return {
    ...{ embedding, ...(hasTokens && { tokenDropout: 0 }), inputDropout: 0, depth: String(depth), activation: 'relu' },
    ...{ widths, pool, filters, dropout: rate },
  };
}

function designedMembers(task: Task, options: TextCnnOptions): Readonly<Record<string, Architecture>> {
  const { hasTokens } = wholeSequencesOf(task);
  const of = (design: Design) => ({ ...memberOf(design, hasTokens, options), ...(options.tune && trainingOf(task)) });
  return {
    kim: of({ depth: 0, widths: 'w345', pool: 'max', dropout: 0.5 }),
    deep: of({ depth: 2, widths: 'w3', pool: 'both', dropout: 0.3 }),
  };
}

/** Compared for questions of TREC, whose vocabulary has 9,592 words (Kim 2014, table 1). */
function publishedNetworks(): PublishedArchitectures {
  const options = { embedding: 300, filters: 100 };
  const kim = memberOf({ depth: 0, widths: 'w345', pool: 'max', dropout: 0.5 }, true, { ...options, tune: false });
  return {
    task: { kind: 'text', input: [40], outputs: 6, vocabulary: 9592, padded: true },
    options,
    architectures: {
      Kim2014: {
        text: formatDecisions(kim),
        paper: 'Kim 2014, arXiv:1408.5882 (CNN-rand)',
        source: 'yoonkim/CNN_sentence conv_net_sentence.py',
      },
    },
  };
}
