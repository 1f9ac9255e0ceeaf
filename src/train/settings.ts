import { invalid } from '../common/errors.ts';
import { showLimit } from '../common/rules.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { taskOf } from '../task/index.ts';
import type { TaskDefinition } from '../task/task.ts';

/** Every setting of a training run, with its default: what `netsmith train --help` lists and a report repeats. */
export interface TrainSettings {
  readonly epochs: number;
  /** Training samples in an epoch; each epoch continues where the last one ended. 0: all of them. */
  readonly epochSamples: number;
  /** Share of the epochs without a better value on the validation samples after which a training ends; its weights are those of the best epoch. 0: off. */
  readonly patience: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'asgd' | 'adam' | 'adamw';
  readonly learningRate: number;
  /** SGD only. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Adam and AdamW: decay of the average of the gradients, and of that of their squares. */
  readonly beta1: number;
  readonly beta2: number;
  /** asgd: its average begins once the first objective is worse than it was this many epochs before, or earlier (`weight-average.ts`). */
  readonly averageAfter: number;
  /** Added to the gradient (sgd, asgd, adam), or taken off the weight itself (adamw); of every parameter. */
  readonly weightDecay: number;
  readonly schedule: 'constant' | 'step' | 'cosine';
  /** Epochs over which the rate rises linearly from 0. */
  readonly warmupEpochs: number;
  /** schedule step: the rate is multiplied by `stepFactor` every `stepEpochs` epochs. */
  readonly stepEpochs: number;
  readonly stepFactor: number;
  /** Largest norm of all gradients together; 0: no clipping. */
  readonly clipNorm: number;
  /** Decay of the moving average of the weights that is measured and handed on in their place; 0: the weights themselves (`weight-average.ts`). */
  readonly weightAverage: number;
  /** Share of the target that is spread over all classes. */
  readonly labelSmoothing: number;
  /** balanced: all classes count the same in the training loss, however rare (`balancedWeights`). auto: a new study decides by its objective; a training by itself has none. */
  readonly classWeights: 'auto' | 'none' | 'balanced';
  /** Random crop after padding by this many pixels on each side; 0: none. */
  readonly cropPadding: number;
  readonly flip: boolean;
  /** Side of the square that cutout blanks; 0: none (DeVries & Taylor 2017). */
  readonly cutout: number;
  /** Parameter of mixup's beta distribution; 0: none (Zhang et al. 2018). */
  readonly mixup: number;
}

/**
 * Chosen on the validation samples of `digits` over random members of `small-cnn`, for the mean over architectures and not
 * for the best: a search compares networks with and without normalization, deep and shallow, under one setting, and
 * AdamW suits them all (mean accuracy 0.983; Nesterov momentum with rate 0.05 0.977). The weight decay is one that does no
 * harm with `sgd` either.
 */
export const DEFAULT_SETTINGS: TrainSettings = {
  epochs: 10,
  epochSamples: 0,
  patience: 0,
  batchSize: 32,
  optimizer: 'adamw',
  learningRate: 0.005,
  momentum: 0.9,
  nesterov: true,
  beta1: 0.9,
  beta2: 0.999,
  averageAfter: 5,
  weightDecay: 5e-4,
  schedule: 'cosine',
  warmupEpochs: 0.5,
  stepEpochs: 30,
  stepFactor: 0.1,
  clipNorm: 0,
  weightAverage: 0,
  labelSmoothing: 0,
  classWeights: 'auto',
  cropPadding: 0,
  flip: false,
  cutout: 0,
  mixup: 0,
};

/** What a setting may be, and its help text. `below`: the value itself is not allowed any more. */
export type SettingRule =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly help: string }
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly above?: true;
      readonly below?: number;
      readonly max?: number;
      readonly help: string;
    }
  | { readonly kind: 'boolean'; readonly help: string }
  | { readonly kind: 'word'; readonly words: readonly string[]; readonly help: string };

/** A training of more would not end in a lifetime; a larger number is a slip. */
const MOST_EPOCHS = 1_000_000;

/** What float32 holds; a rate that makes no sense makes a failed trial, and costs nothing. */
const MOST_RATE = 1e38;

/** The rule of each setting: the command line makes its flags from it, `checkSettings` its checks. */
export const SETTING_RULES = {
  epochs: { kind: 'integer', min: 1, max: MOST_EPOCHS, help: 'passes over the training samples' },
  epochSamples: { kind: 'integer', min: 0, max: 1_000_000_000, help: 'training samples per epoch (0 = all of them)' },
  patience: {
    kind: 'number',
    min: 0,
    max: 1,
    help: 'early stopping: end a training when the first objective has not improved on the validation samples for this fraction of its epochs, and keep the weights of the best epoch (0 = off)',
  },
  batchSize: { kind: 'integer', min: 1, max: 1_000_000, help: 'samples per training step' },
  optimizer: { kind: 'word', words: ['sgd', 'asgd', 'adam', 'adamw'], help: 'optimizer' },
  learningRate: { kind: 'number', min: 0, above: true, max: MOST_RATE, help: 'peak learning rate' },
  momentum: { kind: 'number', min: 0, below: 1, help: 'momentum (sgd)' },
  nesterov: { kind: 'boolean', help: 'Nesterov momentum (sgd)' },
  beta1: { kind: 'number', min: 0, below: 1, help: 'decay of the average of gradients (adam, adamw)' },
  beta2: { kind: 'number', min: 0, below: 1, help: 'decay of the average of squared gradients (adam, adamw)' },
  averageAfter: {
    kind: 'integer',
    min: 0,
    max: MOST_EPOCHS,
    help: 'averaged SGD (asgd): average the weights once the first objective is worse than its best more than this many epochs before; the average is measured and kept (supernets have none)',
  },
  weightDecay: {
    kind: 'number',
    min: 0,
    max: 1000,
    help: 'weight decay of all parameters: L2 penalty (sgd, asgd, adam) or decoupled (adamw)',
  },
  schedule: { kind: 'word', words: ['constant', 'step', 'cosine'], help: 'learning rate schedule' },
  warmupEpochs: { kind: 'number', min: 0, max: MOST_EPOCHS, help: 'epochs of linear learning rate warmup' },
  stepEpochs: {
    kind: 'integer',
    min: 1,
    max: MOST_EPOCHS,
    help: 'schedule step: epochs between drops of the learning rate',
  },
  stepFactor: {
    kind: 'number',
    min: 0,
    above: true,
    max: 1000,
    help: 'schedule step: factor by which each drop multiplies the learning rate',
  },
  clipNorm: { kind: 'number', min: 0, max: 1_000_000, help: 'clip the global gradient norm to this value (0 = off)' },
  weightAverage: {
    kind: 'number',
    min: 0,
    below: 1,
    help: 'measure and keep a moving average of the weights: the share of the average that stays in each step, such as 0.99 (0 = off; supernets have none)',
  },
  labelSmoothing: {
    kind: 'number',
    min: 0,
    below: 1,
    help: 'label smoothing: fraction of the target spread evenly over all classes',
  },
  classWeights: {
    kind: 'word',
    words: ['auto', 'none', 'balanced'],
    help: 'class weights in the training loss: none, balanced (rare classes count as much as frequent ones), or auto (balanced where the first objective is recall)',
  },
  cropPadding: { kind: 'integer', min: 0, max: 1024, help: 'pad images by N pixels, then crop at random (0 = off)' },
  flip: { kind: 'boolean', help: 'flip training images horizontally at random' },
  cutout: {
    kind: 'integer',
    min: 0,
    max: 4096,
    help: 'cutout: blank a random square of N x N pixels in each training image (0 = off)',
  },
  mixup: { kind: 'number', min: 0, max: 1000, help: 'mixup: parameter of its beta distribution (0 = off)' },
} as const satisfies Readonly<Record<keyof TrainSettings, SettingRule>>;

/** Settings that only make sense for images. */
const IMAGE_SETTINGS = ['cropPadding', 'flip', 'cutout'] as const;

/**
 * Returns the settings when each keeps its rule and they fit together and, where `data` is given, fit the data.
 * Throws UserError naming the setting (after `place`), the rule and the value.
 */
export function checkSettings(
  settings: TrainSettings,
  place = 'training settings',
  data?: Pick<DatasetInfo, 'name' | 'kind' | 'input' | 'outputs'>,
  own?: TaskDefinition,
): TrainSettings {
  const values = Object.entries(settings) as [string, unknown][];
  for (const [name, value] of values) {
    const rule = ruleOf(name);
    if (rule === undefined)
      throw invalid(place, `unknown setting ${JSON.stringify(name)}`, `must be one of ${names().join(', ')}`);
    const broken = brokenRule(rule, value);
    if (broken !== undefined) throw invalid(place, `${name} is ${JSON.stringify(value)}`, broken);
  }
  const missing = names().find((name) => !(name in settings));
  if (missing !== undefined) throw invalid(place, `${missing} is missing`, 'all settings are required');
  if (settings.warmupEpochs > settings.epochs) {
    throw invalid(place, `warmupEpochs is ${settings.warmupEpochs}`, `it must not exceed epochs (${settings.epochs})`);
  }
  if (settings.optimizer === 'asgd' && settings.weightAverage > 0) {
    const found = `weightAverage is ${settings.weightAverage}`;
    throw invalid(place, found, 'must be 0 with the optimizer asgd, which has an average of its own');
  }
  if (data !== undefined) {
    const task = taskOf(data, own);
    const { inputs, targets } = task.spec(data);
    const used = data.input.length === 3 ? undefined : IMAGE_SETTINGS.find((name) => Number(settings[name]) > 0);
    if (used !== undefined) {
      throw invalid(place, `${used} is ${settings[used]}`, 'it only applies to images');
    }
    if (!task.classes && settings.labelSmoothing > 0) {
      throw invalid(place, `labelSmoothing is ${settings.labelSmoothing}`, 'it only applies to classification');
    }
    if (settings.classWeights === 'balanced' && task.encoding?.weigh === undefined) {
      throw invalid(place, 'classWeights is balanced', "it only applies to classification by the task's own loss");
    }
    const mixed = Object.entries({ ...inputs, ...(task.encoding?.specs(data) ?? targets) });
    const whole = settings.mixup > 0 ? mixed.find(([, { dtype }]) => dtype === 'int32') : undefined;
    if (whole !== undefined) {
      throw invalid(place, `mixup is ${settings.mixup}`, `it cannot mix "${whole[0]}", which is whole numbers`);
    }
  }
  return settings;
}

/**
 * The settings with a candidate's hyperparameters in their place. `epochs` cannot be one: how long a candidate trains is
 * its fidelity. Throws UserError as `checkSettings` does.
 */
export function withHyperparameters(
  settings: TrainSettings,
  hyperparameters: Readonly<Record<string, number | string | boolean>>,
): TrainSettings {
  const place = 'hyperparameters';
  if ('epochs' in hyperparameters) {
    throw invalid(
      place,
      'epochs is a hyperparameter',
      'must not be a hyperparameter, because the fidelity sets the number of epochs',
    );
  }
  // The cast is what checkSettings proves: it refuses unknown names and values that break a rule.
  return checkSettings({ ...settings, ...hyperparameters } as TrainSettings, place);
}

function names(): string[] {
  return Object.keys(SETTING_RULES);
}

function ruleOf(name: string): SettingRule | undefined {
  return Object.hasOwn(SETTING_RULES, name) ? SETTING_RULES[name as keyof TrainSettings] : undefined;
}

/** The rule that the value breaks, as a sentence; undefined when it keeps it. */
function brokenRule(rule: SettingRule, value: unknown): string | undefined {
  switch (rule.kind) {
    case 'integer':
      return Number.isSafeInteger(value) && Number(value) >= rule.min && Number(value) <= rule.max
        ? undefined
        : `it must be a whole number from ${rule.min} to ${showLimit(rule.max)}`;
    case 'number': {
      const kept =
        typeof value === 'number' &&
        Number.isFinite(value) &&
        (rule.above ? value > rule.min : value >= rule.min) &&
        (rule.below === undefined || value < rule.below) &&
        (rule.max === undefined || value <= rule.max);
      const most = rule.max === undefined ? '' : ` and at most ${showLimit(rule.max)}`;
      const upper = rule.below === undefined ? most : ` and below ${rule.below}`;
      return kept ? undefined : `it must be a number ${rule.above ? 'above' : 'of at least'} ${rule.min}${upper}`;
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'it must be true or false';
    case 'word':
      return rule.words.some((word) => word === value) ? undefined : `it must be one of ${rule.words.join(', ')}`;
  }
}
