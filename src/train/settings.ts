/** Every setting of a training run, with its default: what `netsmith train --help` lists and a report repeats. */
export interface TrainSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'adam' | 'adamw';
  readonly learningRate: number;
  /** SGD only. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Added to the gradient (sgd, adam), or taken off the weight itself (adamw); of every parameter. */
  readonly weightDecay: number;
  readonly schedule: 'constant' | 'step' | 'cosine';
  /** Epochs over which the rate rises linearly from 0. */
  readonly warmupEpochs: number;
  /** schedule step: the rate is multiplied by `stepFactor` every `stepEpochs` epochs. */
  readonly stepEpochs: number;
  readonly stepFactor: number;
  /** Largest norm of all gradients together; 0: no clipping. */
  readonly clipNorm: number;
  /** Share of the target that is spread over all classes. */
  readonly labelSmoothing: number;
  /** Random crop after padding by so many pixels on each side; 0: none. */
  readonly cropPadding: number;
  readonly flip: boolean;
  /** Side of the square that cutout blanks; 0: none (DeVries & Taylor 2017). */
  readonly cutout: number;
  /** Parameter of mixup's beta distribution; 0: none (Zhang et al. 2018). */
  readonly mixup: number;
}

export const DEFAULT_SETTINGS: TrainSettings = {
  epochs: 10,
  batchSize: 64,
  optimizer: 'sgd',
  learningRate: 0.05,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
  schedule: 'cosine',
  warmupEpochs: 0,
  stepEpochs: 30,
  stepFactor: 0.1,
  clipNorm: 0,
  labelSmoothing: 0,
  cropPadding: 0,
  flip: false,
  cutout: 0,
  mixup: 0,
};
