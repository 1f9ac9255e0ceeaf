import { rng } from '../common/random.ts';
import { batchNorm, dropout, linear, relu, sequential } from '../space/tree/builders.ts';
import { openTraining } from './loop.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { blobs } from './testing/blobs.ts';
import { trainableConformance } from './testing/conformance.ts';

const data = blobs(24, 12);
trainableConformance('supervised training of a network', {
  valid: data.valid,
  open: ({ seed, ...opening }) =>
    openTraining({
      ...opening,
      ...data,
      network: sequential(linear(6), batchNorm(), relu(), dropout(0.1), linear('outputs')),
      settings: { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8 },
      rng: (...labels) => rng('trainable', seed, ...labels),
    }),
});
