import type { ReportData } from './data.ts';

/** How a report words where the values of search trials come from. */
interface Source {
  /** `Best so far and each trial, on the validation set` */
  readonly where: string;
  /** `55.0 s of training` */
  readonly work: string;
  /** What stands before the metric at the head of a column. */
  readonly column: string;
  /** What the axis of a figure says. */
  readonly part: string;
  /** What a reader should know of the values. */
  readonly note: string;
  /** Whether they are of trained networks, so that test values can be held against them. */
  readonly trained: boolean;
}

export const SOURCES = {
  train: {
    where: 'on the validation set',
    work: 'of training',
    column: 'Validation',
    part: 'validation',
    note: 'Validation values selected the winner, so they are optimistic; the test set was used once, after the search.',
    trained: true,
  },
  proxies: {
    where: 'before any training',
    work: 'of measuring (nothing was trained)',
    column: 'Untrained',
    part: 'untrained',
    note: 'Untrained: a score of the network with its initial weights; only the order of scores counts, not their size.',
    trained: false,
  },
  predictor: {
    where: 'predicted from earlier studies',
    work: 'of predicting (nothing was trained)',
    column: 'Predicted',
    part: 'predicted',
    note: 'Predicted from the trials of earlier studies; the best of many predictions is optimistic.',
    trained: false,
  },
  shared: {
    where: 'with the weights of the supernet',
    work: 'of training and measuring the supernet',
    column: 'Shared weights',
    part: 'shared weights',
    note: 'Shared weights: the validation value of the network with the weights of the supernet, without training of its own; only the order counts.',
    trained: false,
  },
  own: {
    where: 'by its own estimator',
    work: 'of estimating',
    column: 'Estimated',
    part: 'estimated',
    note: 'Estimated by a file that the command line named; the best of many estimates is optimistic.',
    trained: false,
  },
  function: {
    where: "by the program's own function",
    work: "in the program's own function",
    column: 'Search',
    part: 'search',
    note: 'The values are what the function of the program returned; they selected the best network, so they are optimistic.',
    trained: false,
  },
  table: {
    where: 'on the validation set, from the table',
    work: 'of training, looked up in the table',
    column: 'Validation',
    part: 'validation',
    note: 'Validation: from a short training in the table, used to select the winner. Test: from a full training in the table.',
    trained: true,
  },
} as const satisfies Readonly<Record<ReportData['estimator'], Source>>;
