/** The data that recipes are measured on, and the network that each is measured with. */
import { join, resolve } from 'node:path';
import { openDataset } from '../../src/data/open.node.ts';
import type { DataRequest, DatasetInfo, SearchData } from '../../src/data/dataset.ts';
import { type Module, mlp, parseArchitecture, resnet, resolve as resolveNetwork } from '../../src/space/index.ts';
import type { TrainSettings } from '../../src/train/settings.ts';

/** Training settings that differ from those it is compared with. */
export type Change = Partial<TrainSettings>;

export interface RecipeTask {
  readonly request: Omit<DataRequest, 'seed'>;
  readonly epochs: number;
  readonly network: (info: DatasetInfo) => Module;
  /** What all settings start from. */
  readonly base: Change;
  /** One change each. */
  readonly changes: Readonly<Record<string, Change>>;
}

const shared = (...path: readonly string[]) => resolve(import.meta.dirname, '../../../shared/data', join(...path));
const fashionMnist = process.env.NETSMITH_FASHION_MNIST ?? '/usr/share/datasets/fashion-mnist';

const resnet8 = (info: DatasetInfo) => resnet.create(info, { depth: 8 }).root;
/** Two hidden layers of 128 with batch norm and ReLU. */
const mlpOf = (widths: readonly number[], dropout = 0) => (info: DatasetInfo) => {
  const space = mlp.create(info);
  const layers = widths.map((width, i) => `layer/${i}/width=${width}`);
  const text = `depth=${widths.length}, ${layers.join(', ')}, normalisation=batch, activation=relu, dropout=${dropout}`;
  return resolveNetwork(space, parseArchitecture(space, text));
};

/** SGD as in He et al. 2016, the rate by one cycle: the base for images. */
const momentum: Change = {
  optimizer: 'sgd',
  learningRate: 0.1,
  batchSize: 128,
  weightDecay: 5e-4,
  labelSmoothing: 0,
};
const IMAGES: Readonly<Record<string, Change>> = {
  'rate 0.05': { learningRate: 0.05 },
  'rate 0.2': { learningRate: 0.2 },
  'batch 64': { batchSize: 64 },
  'batch 64, rate 0.05': { batchSize: 64, learningRate: 0.05 },
  'adamw 0.005': { optimizer: 'adamw', learningRate: 0.005, weightDecay: 0.05 },
  'adamw 0.01': { optimizer: 'adamw', learningRate: 0.01, weightDecay: 0.05 },
  'smoothing 0.1': { labelSmoothing: 0.1 },
  flip: { flip: true },
  'crop 2': { cropPadding: 2 },
};
/** AdamW as in Gorishniy et al. 2021: the base for tables. */
const adamw: Change = { optimizer: 'adamw', learningRate: 0.003, batchSize: 128, weightDecay: 0.01 };
const TABLES: Readonly<Record<string, Change>> = {
  'rate 0.001': { learningRate: 0.001 },
  'rate 0.01': { learningRate: 0.01 },
  'batch 32': { batchSize: 32 },
  'batch 64': { batchSize: 64 },
  'batch 256': { batchSize: 256 },
  'decay 0.1': { weightDecay: 0.1 },
  'decay 0.0001': { weightDecay: 1e-4 },
  'sgd 0.05': { optimizer: 'sgd', learningRate: 0.05, weightDecay: 5e-4 },
};
const CLASSES = { ...TABLES, 'smoothing 0.1': { labelSmoothing: 0.1 } };
const csv = (dir: string, label: string, regression = false) => ({ name: 'csv', dir, label, regression });

export const TASKS: Readonly<Record<string, RecipeTask>> = {
  'fashion-mnist': {
    request: { name: 'fashion-mnist', dir: fashionMnist, validShare: 1 / 6, trainSamples: 12_000 },
    epochs: 5,
    network: resnet8,
    base: momentum,
    changes: IMAGES,
  },
  'cifar-10': {
    request: { name: 'cifar-10', dir: shared('cifar-10-batches-bin'), validShare: 0.25, trainSamples: 6000 },
    epochs: 13,
    network: resnet8,
    base: momentum,
    changes: {
      ...IMAGES,
      'crop 4': { cropPadding: 4 },
      'flip, crop 2': { flip: true, cropPadding: 2 },
      'flip, crop 4': { flip: true, cropPadding: 4 },
    },
  },
  digits: { request: { name: 'digits' }, epochs: 30, network: resnet8, base: momentum, changes: {
      ...IMAGES,
      'crop 1': { cropPadding: 1 }, 'batch 32, rate 0.05': { batchSize: 32, learningRate: 0.05 }, } },
  adult: {
    request: csv(shared('adult', 'adult-train.csv.gz'), 'income'),
    epochs: 12,
    network: mlpOf([128, 128]),
    base: adamw,
    changes: CLASSES,
  },
  california: {
    request: csv(shared('california-housing', 'housing.csv.gz'), 'median_house_value', true),
    epochs: 30,
    network: mlpOf([128, 128]),
    base: adamw,
    changes: TABLES,
  },
  'credit-g': {
    request: csv(shared('credit-g', 'credit-g.csv'), 'class'),
    epochs: 30,
    network: mlpOf([128, 128]),
    base: adamw,
    changes: CLASSES,
  },
  titanic: {
    request: csv(shared('titanic', 'titanic.csv'), 'survived'),
    epochs: 30,
    network: mlpOf([128, 128]),
    base: adamw,
    changes: CLASSES,
  },
};

/** Its training and validation samples; the test part is never opened. */
export async function dataOf({ request }: RecipeTask, seed: number): Promise<SearchData> {
  return (await openDataset({ ...request, seed })).search;
}
