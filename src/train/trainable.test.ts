import { rng } from '../common/random.ts';
import { batchNorm, dropout, linear, relu, sequential } from '../space/tree/builders.ts';
import { openTraining } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs } from './testing/blobs.ts';
import { trainableConformance } from './testing/conformance.ts';

const data = blobs(24, 12);
for (const [what, change] of [
  ['supervised training of a network', {}],
  ['a moving average of its weights', { weightAverage: 0.9 }],
  ['averaged SGD', { optimizer: 'asgd', averageAfter: 0, learningRate: 0.1 }],
] as const)
  trainableConformance(what, {
    valid: data.valid,
    open: ({ seed, ...opening }) =>
      openTraining({
        ...opening,
        ...data,
        network: sequential(linear(6), batchNorm(), relu(), dropout(0.1), linear('outputs')),
        // The best epoch is the one of the largest loss, so that averaged SGD begins to average.
        objective: { metric: 'loss', direction: 'maximize' },
        settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8, ...change },
        rng: (...labels) => rng('trainable', seed, ...labels),
      }),
  });
