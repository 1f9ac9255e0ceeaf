/** The data that recipes are measured on, and the network that each is measured with. */
import { join, resolve } from 'node:path';
import type { DataRequest, DatasetInfo, SearchData } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/open.node.ts';
import {
  type Module,
  mlp,
  parseArchitecture,
  residualCnn,
  residualMlp,
  resolve as resolveNetwork,
  type SpaceDefinition,
} from '../../src/space/index.ts';
import type { TrainSettings } from '../../src/train/settings.ts';

/** Training settings that differ from those it is compared with. */
type Settings = Partial<TrainSettings>;
type Network = (info: DatasetInfo) => Module;

/** Settings, or another network; with `recipe`, all settings that it does not name are those of `recipeFor`. */
export type Change = Settings & { readonly network?: Network; readonly recipe?: true };

export interface RecipeTask {
  readonly request: Omit<DataRequest, 'seed'>;
  readonly epochs: number;
  readonly network: Network;
  /** What all settings start from. */
  readonly base: Settings;
  /** One change each. */
  readonly changes: Readonly<Record<string, Change>>;
}

const shared = (...path: readonly string[]) => resolve(import.meta.dirname, '../../../shared/data', join(...path));
const fashionMnist = process.env.NETSMITH_FASHION_MNIST ?? '/usr/share/datasets/fashion-mnist';

/** The member of a space by its text. */
const member =
  (space: SpaceDefinition, text: string): Network =>
  (info) => {
    const created = space.create(info);
    return resolveNetwork(created, parseArchitecture(created, text));
  };
const handDesigned =
  (space: SpaceDefinition, name: string): Network =>
  (info) =>
    resolveNetwork(space.create(info), space.handDesigned?.(info)[name] ?? {});
const resnet8 = handDesigned(residualCnn, 'resnet-8');
/** A member of `residual-mlp`, with numbers encoded by that many bins. */
const table = (bins: number, text: string) => ({ network: member(residualMlp, `bins=${bins}, ${text}`) });
/** Two hidden layers of one width. */
const twoLayers = (width: number, dropout: number) =>
  `body=plain, depth=2, layer/0/width=${width}, layer/1/width=${width}, activation=relu, dropout=${dropout}`;
const residual = (width: number, blocks: number, dropout: number) =>
  `body=residual, width=${width}, blocks=${blocks}, hidden=${2 * width}, activation=relu, dropout=${dropout}`;
const plainMlp = table(0, twoLayers(128, 0)).network;

/** SGD as in He et al. 2016, the rate by one cycle: the base for images. */
const momentum: Settings = {
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
const cnn = (text: string) => ({ network: member(residualCnn, text) });
const noExtra = 'extraBlocks1=0, extraBlocks2=0, extraBlocks3=0';
const IMAGE_NETWORKS: Readonly<Record<string, Change>> = {
  'stem 2': cnn(`activation=relu, block=basic, stemStride=2, width1=16, width2=32, width3=64, ${noExtra}`),
  'stem 2, 32-64-128': cnn(`activation=relu, block=basic, stemStride=2, width1=32, width2=64, width3=128, ${noExtra}`),
  '16-32-128': cnn(`activation=relu, block=basic, stemStride=1, width1=16, width2=32, width3=128, ${noExtra}`),
  silu: cnn(`activation=silu, block=basic, stemStride=1, width1=16, width2=32, width3=64, ${noExtra}`),
  separable: cnn(`activation=relu, block=separable, stemStride=1, width1=16, width2=32, width3=64, ${noExtra}`),
  'separable 32-64-128': cnn(
    `activation=relu, block=separable, stemStride=1, width1=32, width2=64, width3=128, ${noExtra}`,
  ),
};
/** AdamW as in Gorishniy et al. 2021: the base for tables. */
const adamw: Settings = { optimizer: 'adamw', learningRate: 0.003, batchSize: 128, weightDecay: 0.01 };
const TABLES: Readonly<Record<string, Change>> = {
  'rate 0.001': { learningRate: 0.001 },
  'rate 0.01': { learningRate: 0.01 },
  'batch 32': { batchSize: 32 },
  'batch 64': { batchSize: 64 },
  'batch 256': { batchSize: 256 },
  'batch 256, rate 0.01': { batchSize: 256, learningRate: 0.01 },
  'decay 0.1': { weightDecay: 0.1 },
  'decay 0.0001': { weightDecay: 1e-4 },
  'sgd 0.05': { optimizer: 'sgd', learningRate: 0.05, weightDecay: 5e-4 },
};
const TABLE_NETWORKS: Readonly<Record<string, Change>> = {
  linear: table(0, 'body=plain, depth=0'),
  'linear, rate 0.03': { ...table(0, 'body=plain, depth=0'), learningRate: 0.03 },
  'resnet-mlp': table(0, residual(128, 2, 0.1)),
  'resnet-mlp, rate 0.001': { ...table(0, residual(128, 2, 0.1)), learningRate: 0.001 },
  'resnet-mlp, rate 0.01': { ...table(0, residual(128, 2, 0.1)), learningRate: 0.01 },
  'resnet-mlp, batch 256': { ...table(0, residual(128, 2, 0.1)), batchSize: 256 },
  'resnet-mlp, dropout 0.4': table(0, residual(128, 2, 0.4)),
  'resnet-mlp 256': table(0, residual(256, 3, 0.1)),
  'mlp 64-32': table(0, 'body=plain, depth=2, layer/0/width=64, layer/1/width=32, activation=relu, dropout=0'),
  'mlp, dropout 0.2': table(0, twoLayers(128, 0.2)),
  'mlp, dropout 0.4': table(0, twoLayers(128, 0.4)),
  'mlp 256-256': table(0, twoLayers(256, 0.1)),
  'mlp 256-256, rate 0.01': { ...table(0, twoLayers(256, 0.1)), learningRate: 0.01 },
  ...Object.fromEntries([8, 16, 32].map((bins) => [`${bins} bins`, table(bins, twoLayers(128, 0))])),
  '16 bins, dropout 0.2': table(16, twoLayers(128, 0.2)),
  '16 bins, dropout 0.4': table(16, twoLayers(128, 0.4)),
  '16 bins, dropout 0.2, decay 0.3': { ...table(16, twoLayers(128, 0.2)), weightDecay: 0.3 },
  '16 bins, dropout 0.4, decay 0.3': { ...table(16, twoLayers(128, 0.4)), weightDecay: 0.3 },
  '16 bins, 256-256, dropout 0.4': table(16, twoLayers(256, 0.4)),
  '16 bins, linear': table(16, 'body=plain, depth=0'),
  'mlp, no norm': {
    network: member(
      mlp,
      'depth=2, layer/0/width=128, layer/1/width=128, normalisation=none, activation=relu, dropout=0',
    ),
  },
};
/** The hand-designed multilayer perceptron with the recipe, by its bins and by its averages. */
const byRecipe = (dropout: number): Readonly<Record<string, Change>> => {
  const recipe = (bins: number, change: Settings = {}): Change => ({
    ...table(bins, twoLayers(128, dropout)),
    weightAverage: 0,
    ...change,
    recipe: true,
  });
  return {
    ...Object.fromEntries([0, 16, 32, 64].map((bins) => [`recipe, ${bins} bins`, recipe(bins)])),
    'recipe, 64 bins, average 0.99': recipe(64, { weightAverage: 0.99 }),
    'recipe, 64 bins, constant rate': recipe(64, { schedule: 'constant' }),
    'recipe, 64 bins, constant rate, average 0.99': recipe(64, { schedule: 'constant', weightAverage: 0.99 }),
  };
};
const NUMBERS = { ...TABLES, ...TABLE_NETWORKS, ...byRecipe(0.2) } satisfies Readonly<Record<string, Change>>;
const CLASSES = {
  ...TABLES,
  ...TABLE_NETWORKS,
  ...byRecipe(0.4),
  'smoothing 0.1': { labelSmoothing: 0.1 },
  'class weights': { classWeights: 'balanced' },
} satisfies Readonly<Record<string, Change>>;
const csv = (dir: string, label: string, regression = false) => ({ name: 'csv', dir, label, regression });

export const TASKS: Readonly<Record<string, RecipeTask>> = {
  'fashion-mnist': {
    request: { name: 'fashion-mnist', dir: fashionMnist, validShare: 1 / 6, trainSamples: 12_000 },
    epochs: 5,
    network: resnet8,
    base: momentum,
    changes: { ...IMAGES, ...IMAGE_NETWORKS },
  },
  'cifar-10': {
    request: { name: 'cifar-10', dir: shared('cifar-10-batches-bin'), validShare: 0.25, trainSamples: 6000 },
    epochs: 13,
    network: resnet8,
    base: momentum,
    changes: {
      ...IMAGES,
      ...IMAGE_NETWORKS,
      'crop 4': { cropPadding: 4 },
      'flip, crop 2': { flip: true, cropPadding: 2 },
      'flip, crop 4': { flip: true, cropPadding: 4 },
      'batch 64, flip': { batchSize: 64, flip: true },
      'batch 64, flip, crop 2': { batchSize: 64, flip: true, cropPadding: 2 },
    },
  },
  eurosat: {
    request: { name: 'image-folder', dir: shared('eurosat-small'), imageSize: 64, validShare: 0.25 },
    epochs: 6,
    network: resnet8,
    base: { ...momentum, batchSize: 64 },
    changes: {},
  },
  digits: {
    request: { name: 'digits' },
    epochs: 30,
    network: resnet8,
    base: momentum,
    changes: {
      ...IMAGES,
      'crop 1': { cropPadding: 1 },
      'batch 32, rate 0.05': { batchSize: 32, learningRate: 0.05 },
      'batch 32, adamw 0.005': { batchSize: 32, optimizer: 'adamw', learningRate: 0.005, weightDecay: 0.05 },
      'batch 64, adamw 0.005': { batchSize: 64, optimizer: 'adamw', learningRate: 0.005, weightDecay: 0.05 },
    },
  },
  adult: {
    request: csv(shared('adult', 'adult-train.csv.gz'), 'income'),
    epochs: 12,
    network: plainMlp,
    base: adamw,
    changes: CLASSES,
  },
  california: {
    request: csv(shared('california-housing', 'housing.csv.gz'), 'median_house_value', true),
    epochs: 30,
    network: plainMlp,
    base: adamw,
    changes: NUMBERS,
  },
  diamonds: {
    request: csv(shared('diamonds', 'diamonds.csv.gz'), 'price', true),
    epochs: 10,
    network: plainMlp,
    base: adamw,
    changes: NUMBERS,
  },
  abalone: {
    request: csv(shared('abalone', 'abalone.csv'), 'rings', true),
    epochs: 30,
    network: plainMlp,
    base: adamw,
    changes: NUMBERS,
  },
  'credit-g': {
    request: csv(shared('credit-g', 'credit-g.csv'), 'class'),
    epochs: 30,
    network: plainMlp,
    base: adamw,
    changes: CLASSES,
  },
  titanic: {
    request: csv(shared('titanic', 'titanic.csv'), 'survived'),
    epochs: 30,
    network: plainMlp,
    base: adamw,
    changes: CLASSES,
  },
};

/** Its training and validation samples; the test part is never opened. */
export async function dataOf({ request }: RecipeTask, seed: number): Promise<SearchData> {
  return (await openDataset({ ...request, seed })).search;
}
