import { UserError } from '../../../common/errors.ts';
import type { Architecture, PublishedArchitectures, Task } from '../../space.ts';
import { formatDecisions } from '../../tree/architecture.ts';
import { choice, dropout, pick, positions, repeat, scoped, sequential, zero } from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { toMultiple } from '../../tree/widths.ts';
import { distinct, openIfSeveral } from '../image/images.ts';
import { trainingChoices, trainingOf } from '../training.ts';
import { answersOf, choiceIfSeveral, entranceOf, numberFrom, type Sequences, sequencesOf } from './sequences.ts';
import {
  around,
  attend,
  type BlockStyle,
  feedForward,
  GATED,
  type NormPlace,
  norm,
  PLAIN,
  positionsOf,
  spansOf,
  widened,
} from './transformer-blocks.ts';

interface TransformerOptions {
  /** Blocks at most. */
  readonly layers: number;
  /** Channels, which a decision multiplies. */
  readonly width: number;
  /** Heads of attention, which a decision halves or doubles. */
  readonly heads: number;
  readonly bias: boolean;
  readonly search: boolean;
  readonly tune: boolean;
}

const WIDTHS = [0.5, 1, 1.5, 2] as const;
const RATIOS = [1, 2, 4] as const;
const RATES = [0, 0.1, 0.2, 0.3] as const;
/** Feed-forward layers of the form for supernets: activation and ratio. */
const SEARCHED = { gelu1: ['gelu', 1], gelu2: ['gelu', 2], gelu4: ['gelu', 4], swiglu2: ['swiglu', 2] } as const;

/**
 * Transformers (Vaswani et al. 2017) for tokens and other sequences. A task with an answer at each position, such as a language model,
 * has the decoder form: attention is causal. Any other has the encoder form: the mean over the positions that a sample has, and a linear
 * layer.
 *
 * Decided are width, depth, place of the layer norms (before a part, as in GPT-2, or after it), positions, activation of the feed-forward
 * layers (gated ones: Shazeer 2020, arXiv:2002.05202), dropout, and in a decoder whether the output layer is the table of tokens; and for
 * each block, as in HAT (Wang et al. 2020, arXiv:2005.14187) and AutoFormer (Chen et al. 2021, arXiv:2107.00651), its heads, the ratio of
 * its feed-forward layer and how far it sees. A gated layer of the same ratio has one and a half times the parameters. 2.6e11 architectures
 * as a decoder.
 *
 * The option `search` fixes all but the blocks, whose parts are then choices between modules, for supernets. Differs from GPT-2 and nanoGPT:
 * no dropout of attention weights; GELU is exact; weights start as Glorot has it, not with a deviation of 0.02.
 */
export const transformer = defineSpace(
  'transformer',
  (task, options) => {
    const sequences = sequencesOf(task);
    if (options.width % (2 * options.heads) !== 0) {
      const rule = `must be a multiple of ${2 * options.heads}, twice the heads (${options.heads})`;
      throw new UserError(`option width is ${options.width}; ${rule}`);
    }
    const network = options.search ? searchedNetwork(sequences, options) : openNetwork(sequences, options);
    return options.tune ? { network, hyperparameters: trainingChoices(task) } : network;
  },
  {
    description:
      'transformers for tokens and sequences, as decoder (language models) or encoder: depth, width, heads, feed-forward ratio and ' +
      'activation, place of norms, positions, attention span, dropout, tied output; 2.6e11 architectures',
    defaults: {
      layers: { default: 6, whole: true, min: 1, max: 96 },
      width: { default: 128, whole: true, min: 2, max: 16_384 },
      heads: { default: 4, whole: true, min: 1, max: 128 },
      bias: false,
      search: false,
      tune: false,
    },
    handDesigned: (task, options) => designedMembers(task, options),
    published: publishedTransformers(),
  },
);

const headsOf = ({ heads }: TransformerOptions) => distinct([heads % 2 === 0 ? heads / 2 : 1, heads, 2 * heads]);

function widthsOf({ width, heads }: TransformerOptions): readonly number[] {
  return distinct(WIDTHS.map((times) => toMultiple(width * times, 2 * heads)));
}

function openNetwork(sequences: Sequences, options: TransformerOptions): Module {
  const width = openIfSeveral('width', widthsOf(options));
  const rate = pick('dropout', RATES);
  const style: BlockStyle = { width, isCausal: sequences.isDecoder, bias: options.bias, dropout: rate };
  const heads = (window: number | 'all') =>
    choiceIfSeveral(
      'heads',
      Object.fromEntries(headsOf(options).map((count) => [String(count), attend(style, count, window)])),
    );
  const spans = Object.entries(spansOf(sequences)).map(([name, window]) => [name, heads(window)] as const);
  const hidden = (times: 1 | 2) =>
    scoped(
      'block',
      choice('ratio', Object.fromEntries(RATIOS.map((ratio) => [String(ratio), widened(style, times * ratio)]))),
    );
  const activations = Object.keys({ ...PLAIN, ...GATED }).map((name) => [name, feedForward(style, hidden, name)]);
  const blocks = (place: NormPlace) =>
    repeat(
      numberFrom('depth', 1, options.layers),
      sequential(
        around(place, style, scoped('block', choiceIfSeveral('span', Object.fromEntries(spans)))),
        around(place, style, choice('activation', Object.fromEntries(activations))),
      ),
    );
  return sequential(
    entranceOf(sequences, width),
    positionsOf(),
    dropout(rate),
    choice('norm', { pre: sequential(blocks('pre'), norm(style)), post: blocks('post') }),
    answersOf(sequences),
  );
}

/** Choices between modules alone: of each block its attention and its feed-forward layer, either of which may be left out. */
function searchedNetwork(sequences: Sequences, options: TransformerOptions): Module {
  const style: BlockStyle = {
    width: options.width,
    isCausal: sequences.isDecoder,
    bias: options.bias,
    dropout: 0,
  };
  const { half } = spansOf(sequences);
  const attentions = Object.fromEntries(headsOf(options).map((heads) => [`heads${heads}`, attend(style, heads)]));
  const local = half !== undefined && { [`heads${options.heads}half`]: attend(style, options.heads, half) };
  const dense = Object.entries(SEARCHED).map(([key, [name, ratio]]) => {
    return [key, feedForward(style, (times) => widened(style, times * ratio), name)] as const;
  });
  const block = sequential(
    around('pre', style, choice('attention', { none: zero(), ...attentions, ...local })),
    around('pre', style, choice('feedForward', { none: zero(), ...Object.fromEntries(dense) })),
  );
  return sequential(
    entranceOf(sequences, options.width),
    positions('learned'),
    repeat(options.layers, scoped('block', block)),
    norm(style),
    answersOf(sequences),
  );
}

interface Design {
  readonly norm: NormPlace;
  readonly positions: 'learned' | 'sinusoidal';
  readonly activation: string;
  readonly ratio: number;
  readonly dropout: number;
  readonly depth: number;
}

function memberOf(design: Design, { canTie, length }: Sequences, options: TransformerOptions): Architecture {
  const { depth, ratio, ...others } = design;
  const blocks = Array.from({ length: depth }, (_, i) => ({
    ...(Object.keys(spansOf({ length })).length > 1 && { [`block/${i}/span`]: 'all' }),
    [`block/${i}/heads`]: String(options.heads),
    [`block/${i}/ratio`]: String(ratio),
  }));
  return Object.assign(
    { width: options.width, ...others, ...(options.layers > 1 && { depth }), ...(canTie && { output: 'tied' }) },
    ...blocks,
  );
}

/** GPT-2's form, the original one, and one with gated units. */
function designedMembers(task: Task, options: TransformerOptions): Readonly<Record<string, Architecture>> {
  const sequences = sequencesOf(task);
  const training = options.tune ? trainingOf(task) : {};
  const depth = Math.min(4, options.layers);
  if (options.search) {
    const blocks = Array.from({ length: options.layers }, (_, i) => ({
      [`block/${i}/attention`]: i < depth ? `heads${options.heads}` : 'none',
      [`block/${i}/feedForward`]: i < depth ? 'gelu4' : 'none',
    }));
    return { gpt: Object.assign({ ...training, ...(sequences.canTie && { output: 'tied' }) }, ...blocks) };
  }
  // Texts with one answer each are fewer than the positions of a language model.
  const rate = sequences.isDecoder ? 0 : 0.1;
  const of = (design: Omit<Design, 'depth' | 'dropout'>) => ({
    ...memberOf({ ...design, depth, dropout: rate }, sequences, options),
    ...training,
  });
  return {
    gpt: of({ norm: 'pre', positions: 'learned', activation: 'gelu', ratio: 4 }),
    gated: of({ norm: 'pre', positions: 'learned', activation: 'swiglu', ratio: 2 }),
    original: of({ norm: 'post', positions: 'sinusoidal', activation: 'relu', ratio: 4 }),
  };
}

/** Compared for characters of tiny-shakespeare in a context of 64, as nanoGPT's README has it for a CPU. */
function publishedTransformers(): PublishedArchitectures {
  const task: Task = { kind: 'language-model', input: [64], outputs: 65, vocabulary: 65, positions: [64] };
  const of = (options: Pick<TransformerOptions, 'layers' | 'width' | 'heads' | 'bias'>, rate: number) => {
    const design: Design = {
      ...{ norm: 'pre', positions: 'learned', activation: 'gelu', ratio: 4 },
      ...{ depth: options.layers, dropout: rate },
    };
    const member = memberOf(design, sequencesOf(task), { ...options, search: false, tune: false });
    return { text: formatDecisions(member), options };
  };
  return {
    task,
    options: {},
    architectures: {
      'nanoGPT-CPU': {
        ...of({ layers: 4, width: 128, heads: 4, bias: false }, 0),
        paper: 'Karpathy 2022, nanoGPT, configuration for a CPU',
        source: 'karpathy/nanoGPT README.md, model.py',
      },
      'GPT-2-small': {
        ...of({ layers: 12, width: 768, heads: 12, bias: true }, 0.1),
        paper: 'Radford et al. 2019, "Language models are unsupervised multitask learners"',
        source: 'openai/gpt-2 src/model.py',
      },
    },
  };
}
