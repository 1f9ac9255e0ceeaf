import type { Hyperparameters, Task } from '../space.ts';
import { float, pick } from '../tree/builders.ts';
import type { Built } from '../tree/define.ts';
import type { Module } from '../tree/module.ts';

/** What only one kind of task has a use for. */
const OF_KIND: Readonly<Record<string, Hyperparameters>> = {
  classification: { labelSmoothing: pick('labelSmoothing', [0, 0.05, 0.1]) },
  text: { labelSmoothing: pick('labelSmoothing', [0, 0.05, 0.1]) },
};

/**
 * Training settings as decisions beside those of the architecture, for a joint search (Zela et al. 2018, "Towards automated deep
 * learning: efficient joint neural architecture and hyperparameter search"): optimizer, learning rate and schedule, weight decay
 * and batch size; for classes also label smoothing, for images crops and mirroring. The rest are the study's settings. Ranges are
 * wide enough for every optimizer, each on the scale that it matters on. Networks that read tokens have their gradients clipped at a norm of
 * 1, as is usual for language models.
 */
export function trainingChoices({ kind, input, vocabulary }: Task): Hyperparameters {
  return {
    optimizer: pick('optimizer', ['sgd', 'adamw']),
    learningRate: float('learningRate', 3e-4, 0.1, { log: true }),
    schedule: pick('schedule', ['constant', 'cosine']),
    weightDecay: float('weightDecay', 1e-6, 0.1, { log: true }),
    batchSize: pick('batchSize', [16, 32, 64, 128]),
    ...(Object.hasOwn(OF_KIND, kind) && OF_KIND[kind]),
    ...(vocabulary !== undefined && { clipNorm: 1 }),
    ...(input.length === 3 && { cropPadding: pick('cropPadding', [0, 1, 2, 4]), flip: pick('flip', [false, true]) }),
  };
}

/** A usual training as values of these choices: what a hand-designed network is trained with where the training is searched. */
export function trainingOf({ kind, input, vocabulary }: Task): Readonly<Record<string, number | string | boolean>> {
  const isImage = input.length === 3;
  // That of nanoGPT's small configurations.
  if (vocabulary !== undefined)
    return {
      ...{ optimizer: 'adamw', learningRate: 1e-3, weightDecay: 0.1, schedule: 'cosine', batchSize: 16 },
      ...(Object.hasOwn(OF_KIND, kind) && { labelSmoothing: 0 }),
    };
  return {
    ...(isImage
      ? { optimizer: 'sgd', learningRate: 0.1, weightDecay: 5e-4 }
      : { optimizer: 'adamw', learningRate: 0.01, weightDecay: 0.01 }),
    schedule: 'cosine',
    batchSize: 128,
    ...(kind === 'classification' && { labelSmoothing: 0 }),
    ...(isImage && { cropPadding: 0, flip: false }),
  };
}

/** What a space builds: a network, and with `tune` the training as decisions beside it. */
export const withTraining = (network: Module, task: Task, { tune }: { readonly tune: boolean }): Built =>
  tune ? { network, hyperparameters: trainingChoices(task) } : network;
