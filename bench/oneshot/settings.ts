/**
 * The settings of each method in the comparison on NAS-Bench-201. They are to be chosen by the table's validation column (`c10_val_12`), with
 * its test column closed; docs/one-shot.md says how far that is. The supernets are smaller than the networks of the table, so
 * that many steps fit into minutes: three cells in a stage in place of five, half of the channels, half of the resolution.
 */
import type { ONE_SHOT } from '../../src/oneshot/index.ts';

type Values = Readonly<Record<string, number | string | boolean>>;

/** What all share; names that are not settings of training or of the bench are options of the method. */
const SHARED: Values = {
  cells: 3,
  channels: 8,
  search: true,
  resolution: 0.5,
  // For the methods that find weights: the proposals of evolution, how many of the best cells that are unlike one another are then trained from
  // scratch (1: none), and the samples of each of these trainings.
  evaluations: 500,
  confirm: 1,
  confirmSamples: 50_000,
  epochs: 50,
  batchSize: 64,
  optimizer: 'sgd',
  learningRate: 0.025,
  momentum: 0.9,
  weightDecay: 3e-4,
  schedule: 'cosine',
  clipNorm: 5,
  cropPadding: 4,
  flip: true,
};

/**
 * The paper's rate and weight decay of the architecture (Ye et al. 2022). Every epoch has the same number of samples on any machine, so that a
 * search can be repeated; all of them take about three quarters of an hour of one core.
 */
const BETA: Values = {
  ...SHARED,
  ...{ cells: 5, epochs: 25, epochSamples: 20_000, archLearningRate: 3e-4, archWeightDecay: 1e-3 },
};

/**
 * A step trains one option of each edge, a fifth of them, so the supernet needs more steps than a mixture does. All of them take about 50 minutes
 * of one core, and the 20 short trainings 8 more; with a fifth of them the supernet does not rank cells (docs/one-shot.md).
 */
const SINGLE_PATH: Values = {
  ...SHARED,
  ...{ sampling: 'fair', epochs: 120, epochSamples: 37_500, learningRate: 0.1 },
  // One path after each epoch, and fewer batches for its statistics: measuring would take a tenth of the time.
  ...{ validationPaths: 1, recalibrate: 8 },
  // The longer evolution goes by shared weights, the more alike are the cells that it ends among.
  ...{ evaluations: 150, confirm: 20 },
};

export const SETTINGS: Readonly<Partial<Record<keyof typeof ONE_SHOT, Values>>> = {
  'beta-darts': BETA,
  'darts-pt': SHARED,
  darts: SHARED,
  'darts-second-order': SHARED,
  snas: SHARED,
  'pc-darts': SHARED,
  'p-darts': SHARED,
  gdas: SHARED,
  enas: SHARED,
  'single-path': SINGLE_PATH,
  'path-dropout': SHARED,
  // As many samples as single path has. Measuring four paths after each epoch would take longer than the training.
  smash: { ...SHARED, epochs: 120, epochSamples: 37_500, validationPaths: 1, evaluations: 300 },
};

export const METHOD_NAMES = Object.keys(SETTINGS) as readonly (keyof typeof ONE_SHOT)[];
