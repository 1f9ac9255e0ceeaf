import type { DatasetInfo } from '../data/dataset.ts';
import { thousands } from '../data/split.ts';
import type { TrainSettings } from './settings.ts';

/** Training settings for some data, and why, in sentences for people. */
export interface Recipe {
  readonly settings: Partial<TrainSettings>;
  readonly reasons: readonly string[];
}

/** The share of a training over which the rate rises: `warmupEpochs` is this share of the epochs. */
export const WARMUP_SHARE = 0.15;

type Described = Pick<DatasetInfo, 'kind' | 'input' | 'labels' | 'counts'>;

/**
 * Settings that train well on data like these, from what is known before any training: kind of input, number of samples,
 * names of classes. Measured on validation samples (docs/recipes.md). `epochs` is how long it will train: the warm-up is a share of
 * it. The settings fit the data (`checkSettings`).
 */
export function recipeFor(info: Described, epochs: number): Recipe {
  const recipe =
    info.kind === 'language-model'
      ? languageRecipe
      : info.kind === 'text'
        ? textRecipe
        : info.input.length === 3
          ? imageRecipe
          : featureRecipe;
  const parts = recipe(info);
  return {
    settings: Object.assign(
      { schedule: 'cosine', warmupEpochs: WARMUP_SHARE * epochs },
      ...parts.map(([, set]) => set),
    ),
    reasons: [
      ...parts.map(([reason]) => reason),
      `the rate rises over the first ${100 * WARMUP_SHARE} % of the training and falls to 0 along a cosine`,
    ],
  };
}

/** A reason and what follows from it. */
type Part = readonly [reason: string, settings: Partial<TrainSettings>];

/** As nanoGPT (Karpathy 2022) and Merity et al. 2018 clip gradients: those of a text have rare large ones. */
function languageRecipe({ counts: { train } }: Described): readonly Part[] {
  const batchSize = train >= 2000 ? 32 : 16;
  return [
    [
      'a text to continue: AdamW, weight decay 0.01, rate 0.003, gradients clipped to norm 1',
      { optimizer: 'adamw', weightDecay: 0.01, learningRate: 0.003, clipNorm: 1, labelSmoothing: 0 },
    ],
    [`${thousands(train)} windows: batches of ${batchSize}`, { batchSize }],
  ];
}

/** SGD with Nesterov momentum, as He et al. 2016 trained their ResNets, and one cycle of the rate (Smith & Topin 2018). */
function imageRecipe(info: Described): readonly Part[] {
  const { train } = info.counts;
  const batchSize = train >= 50_000 ? 128 : train >= 1000 ? 64 : 32;
  return [
    [
      'images: SGD with Nesterov momentum, rate 0.1, weight decay 0.0005',
      { optimizer: 'sgd', momentum: 0.9, nesterov: true, learningRate: 0.1, weightDecay: 5e-4, labelSmoothing: 0 },
    ],
    [`${thousands(train)} training images: batches of ${batchSize}`, { batchSize }],
    augmentation(info),
  ];
}

/** The least side of images that are taken for photographs: below it there are icons, digits and thumbnails. */
const LEAST_PHOTOGRAPH = 24;

/** Moves photographs by a few pixels and mirrors them, unless a mirrored one may be of another class. */
function augmentation({ kind, input: [channels = 0, height = 0, width = 0], labels }: Described): Part {
  const side = Math.min(height, width);
  const none = { flip: false, cropPadding: 0 };
  if (kind !== 'classification')
    return ['no classes: no crops and no flips, because a target may depend on place and direction', none];
  if (channels !== 3) return ['not in color: no crops and no flips, which could change a digit or a letter', none];
  if (side < LEAST_PHOTOGRAPH) {
    return [`smaller than ${LEAST_PHOTOGRAPH} pixels: no crops and no flips, which could cut off what matters`, none];
  }
  const cropPadding = Math.max(1, Math.round(side / 16));
  const crops = `random crops by up to ${cropPadding} pixels`;
  const sided = labels.find(isSided);
  if (sided !== undefined) {
    const why = `class ${JSON.stringify(sided)} may be another one in a mirror`;
    return [`color photographs: ${crops}; no flips, because ${why}`, { flip: false, cropPadding }];
  }
  return [`color photographs: ${crops}, and flips`, { flip: true, cropPadding }];
}

/** A digit, a letter, a number, or something with a left and a right. */
function isSided(label: string): boolean {
  return /^(.|\d+)$/u.test(label) || /\b(left|right)\b/i.test(label.replaceAll('_', ' '));
}

/** Tables end early; images improve until the rate has fallen. */
const PATIENCE = 0.25;

/** Small tables gain from an average, large ones lose nothing; images were not measured. */
const WEIGHT_AVERAGE = 0.99;

/** Adam in small batches, about as Kim 2014 and Zhang & Wallace 2017 trained networks for sentences. `run` tries other rates. */
function textRecipe({ counts: { train } }: Described): readonly Part[] {
  const batchSize = train >= 50_000 ? 128 : train >= 1000 ? 64 : 32;
  return [
    ['texts: AdamW, weight decay 0.01', { optimizer: 'adamw', weightDecay: 0.01, labelSmoothing: 0 }],
    [`${thousands(train)} training texts: batches of ${batchSize}, rate 0.002`, { batchSize, learningRate: 0.002 }],
    [
      `a training ends where the validation samples have shown no gain for ${100 * PATIENCE} % of it`,
      { patience: PATIENCE },
    ],
  ];
}

/** AdamW, as Gorishniy et al. 2021 trained networks on tables. Classes of a table are learned by heart sooner than numbers: more decay. */
function featureRecipe({ kind, input, counts: { train } }: Described): readonly Part[] {
  const stops = input.length === 1 && (kind === 'classification' || kind === 'regression');
  const what = input.length === 2 ? 'sequences' : kind === 'classification' ? 'classes of a table' : 'table';
  const weightDecay = what === 'classes of a table' ? 0.3 : 0.01;
  const [batchSize, learningRate] = train >= 50_000 ? [256, 0.01] : train >= 1000 ? [128, 0.01] : [32, 0.003];
  return [
    [`${what}: AdamW, weight decay ${weightDecay}`, { optimizer: 'adamw', weightDecay, labelSmoothing: 0 }],
    [
      `${thousands(train)} training samples: batches of ${batchSize}, rate ${learningRate}`,
      { batchSize, learningRate },
    ],
    ...(stops
      ? [
          [
            `a training ends where the validation samples have shown no gain for ${100 * PATIENCE} % of it`,
            { patience: PATIENCE },
          ] as const,
          [
            `a moving average of the weights is kept: ${100 * WEIGHT_AVERAGE} % of it stays in each step`,
            { weightAverage: WEIGHT_AVERAGE },
          ] as const,
        ]
      : []),
  ];
}
