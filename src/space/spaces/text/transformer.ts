import type { Architecture, PublishedArchitectures, Task } from '../../space.ts';
import { formatDecisions } from '../../tree/architecture.ts';
import { dropout, positions, sequential } from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { trainingOf, withTraining } from '../training.ts';
import {
  attend,
  attendOpen,
  type BlockSize,
  type BlockStyle,
  checkSize,
  type Design,
  dropoutRate,
  memberOf,
  openBlocks,
  positionsOf,
  searchedBlocks,
  searchedMember,
  spansOf,
  widthOf,
} from '../transformer-blocks.ts';
import { answersOf, choiceIfSeveral, entranceOf, numberFrom, type Sequences, sequencesOf } from './sequences.ts';

interface TransformerOptions extends BlockSize {
  /** Blocks at most. */
  readonly layers: number;
  readonly bias: boolean;
  readonly search: boolean;
  readonly tune: boolean;
}

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
    checkSize(options);
    const network = options.search ? searchedNetwork(sequences, options) : openNetwork(sequences, options);
    return withTraining(network, task, options);
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

function openNetwork(sequences: Sequences, options: TransformerOptions): Module {
  const width = widthOf(options);
  const rate = dropoutRate();
  const style: BlockStyle = { width, isCausal: sequences.isDecoder, bias: options.bias, dropout: rate };
  const spans = Object.entries(spansOf(sequences)).map(
    ([name, window]) => [name, attendOpen(style, options, window)] as const,
  );
  const attention = choiceIfSeveral('span', Object.fromEntries(spans));
  return sequential(
    entranceOf(sequences, width),
    positionsOf(),
    dropout(rate),
    openBlocks(style, numberFrom('depth', 1, options.layers), attention),
    answersOf(sequences),
  );
}

/** Choices between modules alone. */
function searchedNetwork(sequences: Sequences, options: TransformerOptions): Module {
  const { width, heads, layers, bias } = options;
  const style: BlockStyle = { width, isCausal: sequences.isDecoder, bias, dropout: 0 };
  const { half } = spansOf(sequences);
  return sequential(
    entranceOf(sequences, width),
    positions('learned'),
    searchedBlocks(
      style,
      options,
      layers,
      half === undefined ? {} : { [`heads${heads}half`]: attend(style, heads, half) },
    ),
    answersOf(sequences),
  );
}

function decoderOrEncoder(design: Design, sequences: Sequences, options: TransformerOptions): Architecture {
  const hasSpans = Object.keys(spansOf(sequences)).length > 1;
  const member = memberOf(design, options, hasSpans ? { span: 'all' } : {});
  return { ...member, ...(sequences.canTie && { output: 'tied' }) };
}

/** GPT-2's form, the original one, and one with gated units. */
function designedMembers(task: Task, options: TransformerOptions): Readonly<Record<string, Architecture>> {
  const sequences = sequencesOf(task);
  const training = options.tune ? trainingOf(task) : {};
  const depth = Math.min(4, options.layers);
  if (options.search) {
    const blocks = searchedMember(options, options.layers, depth);
    return { gpt: { ...training, ...(sequences.canTie && { output: 'tied' }), ...blocks } };
  }
  // Texts with one answer each are fewer than the positions of a language model.
  const rate = sequences.isDecoder ? 0 : 0.1;
  const of = (design: Omit<Design, 'depth' | 'dropout'>) => ({
    ...decoderOrEncoder({ ...design, depth, dropout: rate }, sequences, options),
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
    const member = decoderOrEncoder(design, sequencesOf(task), { ...options, search: false, tune: false });
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
