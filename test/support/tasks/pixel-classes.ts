/** A class for each pixel: a task, and small data for it. */
import { rng } from '../../../src/common/random.ts';
import type { DatasetInfo, Samples, SearchData } from '../../../src/data/dataset.ts';
import { sizeOf } from '../../../src/graph/ir.ts';
import {
  CLASS_METRICS,
  classNumberScorer,
  crossEntropy,
  largestClasses,
  probabilities,
  probabilitiesOf,
} from '../../../src/task/class-numbers.ts';
import { floatInput } from '../../../src/task/inputs.ts';
import { scorerOf } from '../../../src/task/metrics.ts';
import { onlyOf } from '../../../src/task/spec.ts';
import type { TaskDefinition } from '../../../src/task/task.ts';

const area = ([, ...sides]: readonly number[]) => sizeOf(sides);

export const pixelClasses: TaskDefinition = {
  metrics: CLASS_METRICS,
  classes: false,
  standardized: false,
  outputsName: { one: 'class', many: 'classes' },
  meaning: 'probability of each class at each pixel',
  spec: ({ input, outputs }) => ({
    inputs: { input: floatInput(input) },
    targets: { mask: { shape: input.slice(1), dtype: 'int32', axes: ['height', 'width'], values: outputs } },
    outputs: {
      classes: { shape: [outputs, ...input.slice(1)], dtype: 'float32', axes: ['class', 'height', 'width'] },
    },
  }),
  loss: (g, outputs, targets) => crossEntropy(g, onlyOf(outputs), onlyOf(targets)),
  /** What a crop uncovers is background, as the zeros of the image are. */
  aligned: { mask: 0 },
  scorer: ({ input, outputs }) => scorerOf(classNumberScorer(outputs, area(input))),
  answer: {
    graph: (g, outputs) => ({ classes: probabilities(g, onlyOf(outputs)) }),
    host: (given, { input, outputs }) => ({ classes: probabilitiesOf(onlyOf(given), outputs, area(input)) }),
  },
  decode: (answers, labels) => ({ answer: largestClasses(onlyOf(answers), labels.length) }),
};

export const SIDE = 6;

/** Images in which a square or a bar is brighter than the rest: background 0, square 1. */
export function squares(train = 32, valid = 16): SearchData {
  const info: DatasetInfo = {
    name: 'squares',
    kind: 'pixel-classes',
    input: [1, SIDE, SIDE],
    outputs: 2,
    labels: ['background', 'square'],
    range: [0, 255],
    mean: [60],
    deviation: [80],
    counts: { train, valid, test: 0 },
    notes: [],
  };
  return { info, train: images('train', train), valid: images('valid', valid), task: pixelClasses };
}

export function images(part: string, count: number): Samples {
  const pixels = SIDE * SIDE;
  return {
    count,
    async read(indices, { input, mask }) {
      for (const [at, index] of indices.entries()) {
        const random = rng('squares', part, index);
        const [top, left] = [random.int(SIDE - 2), random.int(SIDE - 2)];
        for (let i = 0; i < pixels; i++) {
          const [y, x] = [Math.floor(i / SIDE), i % SIDE];
          const inside = y >= top && y < top + 3 && x >= left && x < left + 3;
          if (input) input[at * pixels + i] = inside ? 180 + random.int(75) : random.int(60);
          if (mask) mask[at * pixels + i] = inside ? 1 : 0;
        }
      }
    },
  };
}
