import type { ReportData } from './data.ts';

/** How a report words where the values of search trials come from. */
interface Source {
  /** `reaches 91.00 % on the validation samples` */
  readonly where: string;
  /** `55.0 s of training in all` */
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
    where: 'on the validation samples',
    work: 'of training in all',
    column: 'Validation',
    part: 'validation',
    note: 'Validation: samples that the search chose by; the best of many is an optimistic figure, the mean over other seeds less so.',
    trained: true,
  },
  proxies: {
    where: 'before any training',
    work: 'of measuring in all, nothing being trained',
    column: 'Untrained:',
    part: 'untrained',
    note: 'Untrained: a score of the network with its first weights, by which architectures are ordered; how large it is means nothing.',
    trained: false,
  },
  predictor: {
    where: 'by prediction from earlier studies',
    work: 'of predicting in all, nothing being trained',
    column: 'Predicted',
    part: 'predicted',
    note: 'Predicted: from the trials of the earlier studies; the best of many predictions is an optimistic one.',
    trained: false,
  },
  table: {
    where: 'on validation samples, looked up in the table',
    work: 'of training in all, looked up and not spent',
    column: 'Validation',
    part: 'validation',
    note: 'Validation: what the table has of a short training, by which the search chose. Test: what it has of a full one.',
    trained: true,
  },
} as const satisfies Readonly<Record<ReportData['estimator'], Source>>;
