/** A class and a number, with a target each: a task, and small data for it. */
import { TRAINED_METRICS } from '../../../src/common/metrics.ts';
import { rng } from '../../../src/common/random.ts';
import type { DatasetInfo, Samples, SearchData } from '../../../src/data/dataset.ts';
import * as ops from '../../../src/graph/ops.ts';
import {
  CLASS_METRICS,
  classNumberScorer,
  crossEntropy,
  largestClasses,
  probabilities,
  probabilitiesOf,
} from '../../../src/task/class-numbers.ts';
import { floatInput } from '../../../src/task/inputs.ts';
import { regressionScorer } from '../../../src/task/metrics.ts';
import type { TaskDefinition } from '../../../src/task/task.ts';

/** How large the number is, about. */
const SCALE = 10;

export const classAndNumber: TaskDefinition = {
  metrics: [...CLASS_METRICS, { metric: 'r2', ...TRAINED_METRICS.r2 }],
  classes: false,
  standardized: false,
  outputsName: { one: 'value', many: 'values' },
  meaning: 'probability of each class, and the number',
  spec: ({ input, outputs }) => ({
    inputs: { input: floatInput(input) },
    targets: {
      class: { shape: [], dtype: 'int32', axes: [], values: outputs - 1 },
      height: { shape: [1], dtype: 'float32', axes: ['feature'] },
    },
    outputs: {
      probabilities: { shape: [outputs - 1], dtype: 'float32', axes: ['class'] },
      number: { shape: [1], dtype: 'float32', axes: ['feature'] },
    },
  }),
  loss(g, { probabilities: logits = 0, number = 0 }, { class: wanted = 0, height = 0 }) {
    const difference = ops.sub(g, number, ops.scale(g, height, 1 / SCALE));
    return ops.add(g, crossEntropy(g, logits, wanted), ops.reduceMean(g, ops.mul(g, difference, difference), [0, 1]));
  },
  restore({ number }) {
    number?.forEach((value, i) => {
      number[i] = SCALE * value;
    });
  },
  scorer({ outputs }) {
    const [classes, numbers] = [classNumberScorer(outputs - 1), regressionScorer(1, [SCALE])];
    return {
      add(given, targets, count) {
        classes.add(given.probabilities ?? [], targets.class ?? [], count);
        numbers.add(given.number ?? [], targets.height ?? [], count);
      },
      result() {
        const [one, other] = [classes.result().metrics, numbers.result().metrics];
        return {
          metrics: { accuracy: one.accuracy ?? 0, r2: other.r2 ?? 0, loss: (one.loss ?? 0) + (other.loss ?? 0) },
        };
      },
    };
  },
  answer: {
    graph: (g, { probabilities: logits = 0, number = 0 }) => ({
      probabilities: probabilities(g, logits),
      number: ops.scale(g, number, SCALE),
    }),
    host: ({ probabilities: logits = new Float32Array(), number = new Float32Array() }, { outputs }) => ({
      probabilities: probabilitiesOf(logits, outputs - 1),
      number: Float64Array.from(number),
    }),
  },
  decode: ({ probabilities: shares = [], number = [] }, labels) => ({
    answer: { class: labels[largestClasses(shares, shares.length)[0] ?? 0] ?? '', height: number[0] ?? Number.NaN },
  }),
};

/** Points in the plane: which side they are on, and how far up. */
export function points(train = 64, valid = 32): SearchData {
  const info: DatasetInfo = {
    name: 'points',
    kind: 'class-and-number',
    input: [2],
    outputs: 3,
    labels: ['left', 'right', 'height'],
    mean: [0, 0],
    deviation: [4, 4],
    counts: { train, valid, test: 0 },
    notes: [],
  };
  return { info, train: plane('train', train), valid: plane('valid', valid), task: classAndNumber };
}

export function plane(part: string, count: number): Samples {
  return {
    count,
    async read(indices, { input, class: side, height }) {
      for (const [at, index] of indices.entries()) {
        const random = rng('points', part, index);
        const [x, y] = [4 * random.normal(), 4 * random.normal()];
        input?.set([x, y], 2 * at);
        if (side) side[at] = x > 0 ? 1 : 0;
        if (height) height[at] = 5 + y;
      }
    },
  };
}
