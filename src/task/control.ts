/** What a policy is for: it reads observations of an environment and decides on actions. It learns from rewards, not from samples. */
import { invalid } from '../common/errors.ts';
import { TRAINED_METRICS } from '../common/metrics.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { type ContinuousActions, type EnvironmentInfo, outputsOf } from './environment.ts';
import type { Axis, FloatArrays, Nodes, TensorSpec, TensorSpecs } from './spec.ts';
import type { TaskData, TaskDefinition } from './task.ts';

/** How far standardized observations may be from 0, as in training. */
export const LARGEST_OBSERVATION = 10;

function environmentOf({ name, environment }: TaskData): EnvironmentInfo {
  if (environment === undefined)
    throw invalid(`data set "${name}"`, 'its task is control', 'only an environment can be: --environment');
  return environment;
}

/** What an exported policy answers with. Where it remembers, a last axis of one step follows. */
function answersOf(data: TaskData): TensorSpecs {
  const { action, form } = environmentOf(data);
  const vector = (size: number): TensorSpec =>
    data.input.length === 2
      ? { shape: [size, 1], dtype: 'float32', axes: ['feature', 'time'] }
      : { shape: [size], dtype: 'float32', axes: ['feature'] };
  if (form === 'genome') return { output: vector(outputsOf(action, form)) };
  if (form === 'action-values') return { values: vector(outputsOf(action, form)) };
  return action.kind === 'discrete'
    ? { probabilities: vector(action.count), value: vector(1) }
    : { action: vector(action.size), deviations: vector(action.size), value: vector(1) };
}

const AXES: Readonly<Record<number, readonly Axis[]>> = {
  1: ['feature'],
  2: ['feature', 'time'],
  3: ['channel', 'height', 'width'],
};

/** [size] numbers along axis 1 of a tensor of `rank` axes. */
const alongFeatures = (g: GraphBuilder, values: readonly number[], rank: number): NodeId =>
  ops.constant(
    g,
    values,
    Array.from({ length: rank }, (_, axis) => (axis === 1 ? values.length : 1)),
  );

/** Half of the range of each number of an action, and its middle. */
function rangeOf({ low, high }: ContinuousActions) {
  return {
    half: low.map((least, i) => ((high[i] as number) - least) / 2),
    middle: low.map((least, i) => (least + (high[i] as number)) / 2),
  };
}

/**
 * A policy in an environment. Metrics are means over episodes that no training has played. `mean` and `deviation` of the data, one for each
 * number of an observation, are the running statistics that the policy was trained with: an exported file has them and takes raw
 * observations.
 */
export const control: TaskDefinition = {
  metrics: [
    { metric: 'return', ...TRAINED_METRICS.return },
    { metric: 'success', ...TRAINED_METRICS.success },
    { metric: 'steps', ...TRAINED_METRICS.steps },
    { metric: 'fitness', ...TRAINED_METRICS.fitness },
  ],
  classes: false,
  standardized: false,
  fromRewards: true,
  outputsName: { one: 'number', many: 'numbers' },
  meaning: 'what the policy makes of an observation',
  spec: (data) => ({
    inputs: { observation: { shape: data.input, dtype: 'float32', axes: AXES[data.input.length] ?? [] } },
    targets: {},
    outputs: answersOf(data),
    recurrent: data.input.length === 2,
  }),
  prepare(g, { observation }, { mean = [], deviation = [], input }) {
    if (observation === undefined) throw new Error('there is no observation');
    if (mean.length === 0) return observation;
    const shape = [1, ...input];
    const shifted = ops.sub(g, observation, ops.constant(g, mean, shape));
    const scaled = ops.mul(
      g,
      shifted,
      ops.constant(
        g,
        deviation.map((one) => 1 / one),
        shape,
      ),
    );
    return ops.clip(g, scaled, -LARGEST_OBSERVATION, LARGEST_OBSERVATION);
  },
  loss: () => {
    throw new Error('a policy learns from rewards; it has no loss over samples');
  },
  /** Observations have no right answer: episodes measure a policy. */
  scorer: () => ({ add: () => {}, result: () => ({ metrics: {} }) }),
  answer: {
    graph(g, outputs, data): Nodes {
      const { action, form } = environmentOf(data);
      if (form !== 'actor-critic') return outputs;
      const { probabilities, action: means, deviations, value } = outputs;
      const rank = 1 + data.input.length === 3 ? 3 : 2;
      if (action.kind === 'discrete' && probabilities !== undefined && value !== undefined)
        return { probabilities: ops.exp(g, ops.logSoftmax(g, probabilities, 1)), value };
      if (action.kind === 'discrete' || means === undefined || deviations === undefined || value === undefined)
        throw new Error('the network has no actions');
      const { half, middle } = rangeOf(action);
      const factor = alongFeatures(g, half, rank);
      const within = ops.clip(g, means, -1, 1);
      return {
        action: ops.add(g, ops.mul(g, within, factor), alongFeatures(g, middle, rank)),
        deviations: ops.mul(g, ops.exp(g, deviations), factor),
        value,
      };
    },
    host(outputs: FloatArrays, data) {
      const { action, form } = environmentOf(data);
      const plain = Object.entries(outputs).map(([name, values]) => [name, Float64Array.from(values)] as const);
      const all: Record<string, Float64Array> = Object.fromEntries(plain);
      if (form !== 'actor-critic') return all;
      if (action.kind === 'discrete') {
        softmaxRows(all.probabilities ?? new Float64Array(), action.count);
        return all;
      }
      const { half, middle } = rangeOf(action);
      all.action?.forEach((mean, i, means) => {
        const at = i % action.size;
        means[i] = Math.min(Math.max(mean, -1), 1) * (half[at] as number) + (middle[at] as number);
      });
      all.deviations?.forEach((log, i, logs) => {
        logs[i] = Math.exp(log) * (half[i % action.size] as number);
      });
      return all;
    },
  },
  decode: (answers) => ({
    answer: Object.fromEntries(Object.entries(answers).map(([name, values]) => [name, [...values]])),
  }),
};

function softmaxRows(values: Float64Array, count: number): void {
  for (let at = 0; at < values.length; at += count) {
    const row = values.subarray(at, at + count);
    const top = Math.max(...row);
    let total = 0;
    row.forEach((value, i) => {
      row[i] = Math.exp(value - top);
      total += row[i] as number;
    });
    row.forEach((value, i) => {
      row[i] = value / total;
    });
  }
}
