import { globalAvgPool, linear, sequential } from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import { entranceOf, wholeSequencesOf } from './sequences.ts';

const WIDTH = 64;

/** The mean of a text's embedded tokens and a linear layer: fastText without n-grams (Joulin et al. 2017, arXiv:1607.01759). No choices. */
export const meanOfEmbeddings = defineSpace(
  'mean-of-embeddings',
  (task) => sequential(entranceOf(wholeSequencesOf(task), WIDTH), globalAvgPool(), linear('outputs')),
  { description: 'the mean of the embedded tokens of a text, and a linear layer', defaults: {} },
);
