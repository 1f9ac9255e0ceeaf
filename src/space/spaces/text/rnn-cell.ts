import { UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';
import {
  batchNorm,
  choice,
  dagOfNodes,
  dropout,
  embedding,
  highway,
  identity,
  last,
  linear,
  pick,
  pickInputs,
  recurrentCell,
  sequential,
  shared,
  zero,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { RNN_CELLS } from './published-rnn-cells.ts';
import { recurrentGenotype } from './recurrent-genotype.ts';

/** In the order of the published code. */
const ACTIVATIONS = ['tanh', 'relu', 'sigmoid', 'identity'] as const;

/** Penn Treebank as ENAS and DARTS train on it: 10,000 words, windows of 35. */
const PENN_TREEBANK: Task = {
  kind: 'language-model',
  input: [35],
  positions: [35],
  vocabulary: 10_000,
  outputs: 10_000,
};

interface CellOptions {
  readonly nodes: number;
  readonly units: number;
  readonly dropout: number;
  readonly search: boolean;
}

/**
 * The recurrent cells of ENAS (Pham et al. 2018, arXiv:1802.03268, section 2.1) and DARTS (Liu et al. 2019, arXiv:1806.09055, section
 * 3.2 and appendix A.1.2), in the network of DARTS: an embedding, one layer of the cell, and an output layer tied to the embedding.
 * Node 0 is h + σ(c) · (tanh(a) − h), [c, a] = W [x; h]. Each further node i reads one earlier node j: h_j + σ(c) · (f(a) − h_j), [c, a] =
 * W_i h_j, with one of 4 activations f. The next state is the mean of all nodes but node 0 (`output` is mean), or of those that no
 * other reads (looseMean, as in ENAS). 2 · 4^8 · 8! = 5.3e9 cells of 8 nodes. Written as the published genotypes are, or named as one of
 * them (`RNN_CELLS`).
 *
 * `search`: the network that DARTS searches with. `none` is a fifth activation, to weigh an edge against nothing, and batch norm without
 * weights stands behind every node. Decisions are the same. All edges into a node share its W, in a supernet too, as in both papers' code.
 *
 * Tokens with an answer at each position make a language model; with one answer, the last position is classified. Sequences of numbers
 * have no embedding.
 *
 * Differs: weights start in ±1/√units. Dropout is of the states where they meet weights, one mask over time for each product (DARTS: one
 * for all products), of what the cell reads and of what it puts out, one mask over time each. ENAS has a W for each pair of nodes while it
 * searches.
 */
export const rnnCell = defineSpace(
  'rnn-cell',
  (task, options) => {
    const { units, inputDropout, outputDropout } = options;
    const cell = [
      ...maskOf(inputDropout),
      recurrentCell(units, nodesOf(options), { dropout: options.dropout }),
      ...maskOf(outputDropout),
    ];
    if (task.vocabulary === undefined) {
      if (task.input.length !== 2)
        throw new UserError(`input is [${task.input}]; must be tokens or sequences, [channels, time]`);
      return sequential(...cell, ...headOf(task));
    }
    if (!options.tied || task.positions === undefined || task.outputs !== task.vocabulary)
      return sequential(embedding('inputs', units), ...cell, ...headOf(task));
    return sequential(shared('tokens', embedding('inputs', units)), ...cell, shared('tokens', linear('outputs')));
  },
  {
    description: 'recurrent cells of ENAS and DARTS (Pham et al. 2018, Liu et al. 2019), for text and sequences; 5.3e9',
    defaults: {
      nodes: { default: 8, whole: true, min: 1, max: 24 },
      units: { default: 256, whole: true, min: 1, max: 65_536 },
      dropout: { default: 0, min: 0, max: 0.9 },
      inputDropout: { default: 0, min: 0, max: 0.9 },
      outputDropout: { default: 0, min: 0, max: 0.9 },
      tied: true,
      search: false,
    },
    text: (_task, { nodes }) => recurrentGenotype(nodes, RNN_CELLS),
    published: { architectures: RNN_CELLS, options: { units: 850 }, task: PENN_TREEBANK },
  },
);

/** One mask over time. */
const maskOf = (rate: number): readonly Module[] => (rate > 0 ? [dropout(rate, { over: 'channels' })] : []);

const headOf = ({ positions }: Task): readonly Module[] => [
  ...(positions === undefined ? [last()] : []),
  linear('outputs'),
];

function nodesOf({ nodes, dropout: rate, search }: CellOptions): Module {
  const norm = () => (search ? batchNorm({ affine: false }) : identity());
  return dagOfNodes(
    nodes,
    (to) => ({
      ...(to > 1 && { from: pickInputs(`${to}<-`, 1) }),
      edge: (from) => {
        const options = ACTIVATIONS.map((fn) => [fn, shared(`node${to}`, highway(fn, { dropout: rate }))] as const);
        return choice(`${from}->${to}`, { ...(search && { none: zero() }), ...Object.fromEntries(options) });
      },
      body: norm(),
    }),
    { entries: [norm()], output: pick('output', ['mean', 'looseMean']) },
  );
}
