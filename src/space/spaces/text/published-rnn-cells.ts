/** Recurrent cells that papers have published, with the figures that they quote: perplexity on the test split of Penn Treebank. */
import type { Published } from '../../space.ts';

/** Of the space `rnn-cell`; in the notation and under the names of the published file. */
export const RNN_CELLS = {
  DARTS_V1: {
    text: "Genotype(recurrent=[('relu', 0), ('relu', 1), ('tanh', 2), ('relu', 3), ('relu', 4), ('identity', 1), ('relu', 5), ('relu', 1)], concat=range(1, 9))",
    paper: 'Liu et al. 2019, arXiv:1806.09055, first order',
    source: 'quark0/darts@f276dd3 rnn/genotypes.py',
    quoted: { params: 23e6, testError: 'perplexity 57.6' },
  },
  DARTS_V2: {
    text: "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), ('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9))",
    paper: 'Liu et al. 2019, arXiv:1806.09055, second order',
    source: 'quark0/darts@f276dd3 rnn/genotypes.py',
    quoted: { params: 23e6, testError: 'perplexity 55.7' },
  },
  ENAS: {
    text: "Genotype(recurrent=[('tanh', 0), ('tanh', 1), ('relu', 1), ('tanh', 3), ('tanh', 3), ('relu', 3), ('relu', 4), ('relu', 7), ('relu', 8), ('relu', 8), ('relu', 8)], concat=[2, 5, 6, 9, 10, 11])",
    paper: 'Pham et al. 2018, arXiv:1802.03268, as listed by Liu et al.',
    source: 'quark0/darts@f276dd3 rnn/genotypes.py',
    quoted: { params: 24e6, testError: 'perplexity 55.8' },
    options: { nodes: 11 },
  },
} as const satisfies Readonly<Record<string, Published>>;
