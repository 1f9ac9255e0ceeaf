import { UserError } from '../../../common/errors.ts';
import type { Architecture, PublishedArchitectures, Task } from '../../space.ts';
import { formatDecisions } from '../../tree/architecture.ts';
import {
  attention,
  choice,
  conv,
  dropout,
  firstChannels,
  glu,
  identity,
  layerNorm,
  linear,
  relu,
  repeat,
  residual,
  sequential,
  silu,
  zero,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { trainingOf, withTraining } from '../training.ts';
import { positionsOf } from '../transformer-blocks.ts';
import { answersOf, entranceOf, type Sequences, sequencesOf, side } from './sequences.ts';

interface EvolvedOptions {
  /** Cells in a row, all alike. */
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly dropout: number;
  readonly tune: boolean;
}

const PARTS = 4;
/** Channels of what a part combines, as a multiple of the width; a branch with fewer is filled up with zeros, as in the paper. */
const INNER = 4;

interface Part {
  readonly left: string;
  readonly right?: string;
  readonly after?: string;
  readonly activation?: 'relu' | 'silu';
}

/** Whether a branch has an activation. */
const isConvolution = (name: string | undefined) => name !== undefined && /conv|wide/iu.test(name);

const ENCODER: readonly Part[] = [
  { left: 'glu' },
  { left: 'wide', right: 'conv3half', after: 'sepConv9half' },
  { left: 'attention' },
  { left: 'wide', after: 'linear' },
];

const DECODER: readonly Part[] = [
  { left: 'attentionDouble' },
  { left: 'sepConv11double', right: 'sepConv7half', after: 'sepConv7' },
  { left: 'attention' },
  { left: 'wide', after: 'linear', activation: 'silu' },
];

/** Two blocks of the original transformer. */
const TRANSFORMER: readonly Part[] = [
  { left: 'attention' },
  { left: 'wide', after: 'linear' },
  { left: 'attention' },
  { left: 'wide', after: 'linear' },
];

/**
 * Cells in the manner of the Evolved Transformer (So et al. 2019, arXiv:1901.11117), for tokens and other sequences. A cell has four parts,
 * each with a shortcut around it. A part normalizes what it reads or not, hands it to two branches, combines them by adding or
 * concatenating, and brings the result back to the width. A branch is attention, a convolution, a wide one (1x1, four times the width), a
 * separable convolution, a gated linear unit, the identity or nothing. All cells of a network are alike. As a decoder, attention sees no later
 * position and convolutions are padded before the first position alone. All decisions choose between modules, so supernets can search the
 * space. 4.2e14 architectures as a decoder.
 *
 * Differs from the paper: parts follow one another, and each reads the one before, where the paper's blocks choose what they read; there
 * are no lightweight convolutions. The paper's decoder attends to an encoder, which a language model does not have: `ET-decoder` is its cell without
 * these parts; in its second part the norm is over four times the width, half of it zeros, and both branches have an activation.
 */
export const evolvedTransformer = defineSpace(
  'evolved-transformer',
  (task, options) => {
    const network = networkOf(sequencesOf(task), options);
    return withTraining(network, task, options);
  },
  {
    description:
      'cells of four parts with two branches each: attention, wide and separable convolutions, gated linear units (the Evolved ' +
      'Transformer, So et al. 2019), as decoder or encoder; 4.2e14 architectures',
    defaults: {
      layers: { default: 2, whole: true, min: 1, max: 48 },
      width: { default: 128, whole: true, min: 4, max: 16_384 },
      heads: { default: 4, whole: true, min: 1, max: 128 },
      dropout: { default: 0, min: 0, below: 1 },
      tune: false,
    },
    handDesigned: (task, options) => designedMembers(task, options),
    published: publishedCells(),
  },
);

function networkOf(sequences: Sequences, options: EvolvedOptions): Module {
  const { width, heads, layers, dropout: rate } = options;
  if (width % (2 * heads) !== 0) {
    const rule = `must be a multiple of ${2 * heads}, twice the heads (${heads})`;
    throw new UserError(`option width is ${width}; ${rule}`);
  }
  const drop = rate === 0 ? [] : [dropout(rate)];
  const parts = Array.from({ length: PARTS }, (_, i) =>
    residual(sequential(...partOf(i + 1, sequences, options), ...drop)),
  );
  return sequential(
    entranceOf(sequences, width),
    positionsOf(),
    ...drop,
    repeat(layers, sequential(...parts)),
    layerNorm({ axes: 'channel' }),
    answersOf(sequences),
  );
}

function partOf(number: number, { isDecoder }: Sequences, { width, heads }: EvolvedOptions): readonly Module[] {
  const inner = INNER * width;
  const padding = isDecoder ? 'causal' : 'half';
  const act = choice(`activation${number}`, { relu: relu(), silu: silu() });
  const convolution = (channels: number, kernel: number) => conv(channels, kernel, { padding, bias: true });
  const separable = (channels: number, kernel: number) =>
    sequential(conv('same', kernel, { padding, groups: 'depthwise' }), linear(channels));
  const attend = (count: number) => attention(count, { causal: isDecoder });
  const operations = {
    identity: identity(),
    attention: attend(heads),
    attentionDouble: attend(2 * heads),
    glu: sequential(linear(2 * width), glu()),
    wide: sequential(linear(inner), act),
    conv3: sequential(convolution(width, 3), act),
    conv3half: sequential(convolution(width / 2, 3), act),
    sepConv5: sequential(separable(width, 5), act),
    sepConv7half: sequential(separable(width / 2, 7), act),
    sepConv11double: sequential(separable(2 * width, 11), act),
  };
  const filled = (channels: number) =>
    Object.fromEntries(
      Object.entries(operations).map(([name, module]) => [name, sequential(module, firstChannels(channels))]),
    );
  const branches = (channels: number) => [
    choice(`left${number}`, filled(channels)),
    choice(`right${number}`, { ...filled(channels), none: sequential(firstChannels(channels), zero()) }),
  ];
  const [left = identity(), right = identity()] = branches(inner);
  const norm = layerNorm({ axes: 'channel' });
  return [
    choice(`norm${number}`, { layer: norm, none: identity() }),
    choice(`combine${number}`, { add: residual(left, right), concat: side(branches(inner / 2)) }),
    choice(`after${number}`, {
      cut: firstChannels(width),
      linear: linear(width),
      sepConv7: sequential(norm, separable(width, 7)),
      sepConv9half: sequential(norm, separable(width / 2, 9), firstChannels(width)),
    }),
  ];
}

function memberOf(parts: readonly Part[], positions: string, { canTie }: Sequences): Architecture {
  const decided = parts.map(({ left, right = 'none', after = 'cut', activation = 'relu' }, i) => ({
    [`norm${i + 1}`]: 'layer',
    [`combine${i + 1}`]: 'add',
    [`left${i + 1}`]: left,
    ...((isConvolution(left) || isConvolution(right)) && { [`activation${i + 1}`]: activation }),
    [`right${i + 1}`]: right,
    [`after${i + 1}`]: after,
  }));
  return Object.assign({ positions }, ...decided, canTie ? { output: 'tied' } : {});
}

function designedMembers(task: Task, { tune }: EvolvedOptions): Readonly<Record<string, Architecture>> {
  const sequences = sequencesOf(task);
  const of = (parts: readonly Part[]) => ({
    ...memberOf(parts, 'learned', sequences),
    ...(tune && trainingOf(task)),
  });
  return { evolved: of(sequences.isDecoder ? DECODER : ENCODER), transformer: of(TRANSFORMER) };
}

/** Compared as language models, in which the encoder's cell sees no later token. */
function publishedCells(): PublishedArchitectures {
  const task: Task = { kind: 'language-model', input: [64], outputs: 65, vocabulary: 65, positions: [64] };
  const of = (parts: readonly Part[], file: string) => ({
    text: formatDecisions(memberOf(parts, 'sinusoidal', sequencesOf(task))),
    paper: 'So et al. 2019, arXiv:1901.11117, figure 3',
    source: `tensorflow/tensor2tensor models/evolved_transformer.py, ${file}`,
  });
  return {
    task,
    options: {},
    architectures: {
      'ET-encoder': of(ENCODER, 'evolved_transformer_encoder'),
      'ET-decoder': of(DECODER, 'evolved_transformer_decoder'),
    },
  };
}
