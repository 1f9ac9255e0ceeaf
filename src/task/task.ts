import type { Json } from '../common/json.ts';
import type { Objective } from '../common/metrics.ts';
import type { Rng } from '../common/random.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import type { Task } from '../space/space.ts';
import type { Baseline } from '../space/spaces/index.ts';
import type { EnvironmentInfo } from './environment.ts';
import type { Scorer } from './metrics.ts';
import type { Arrays, FloatArrays, Nodes, TaskSpec, TensorSpecs } from './spec.ts';

/** What a task must know of the data that it is given; a `DatasetInfo` has it all. */
export interface TaskData {
  readonly name: string;
  /** Shape of one sample of the main input. */
  readonly input: Shape;
  /** Values that the network gives for one sample, or for one position of it. */
  readonly outputs: number;
  /** Names of classes, targets or tokens. */
  readonly labels?: readonly string[];
  /** Of each channel or feature of the main input, in raw units. */
  readonly mean?: readonly number[];
  readonly deviation?: readonly number[];
  /** Of each feature of a table, standardized: `DatasetInfo.quantiles`. */
  readonly quantiles?: readonly (readonly number[])[];
  /** For a task that standardizes its targets: one value per target, in raw units. */
  readonly target?: TargetScale;
  /** Of texts with a class: how many different tokens there are. Of a language model they are its outputs. */
  readonly vocabulary?: number;
  /** Of a language model: the characters that each token stands for; absent where each is one character. */
  readonly tokenLengths?: readonly number[];
  /** For the task `control`. */
  readonly environment?: EnvironmentInfo;
}

export interface TargetScale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** What can be said of a task without running it: plain JSON. */
export interface TaskFacts {
  /** What a trained network is measured by; the first is the default objective. `loss` is what training minimizes. */
  readonly metrics: readonly [Objective, ...Objective[]];
  /** Whether each sample is of one class: a target that label smoothing can spread. */
  readonly classes: boolean;
  /** Whether the targets are numbers with a mean and a deviation (`TaskData.target`). */
  readonly standardized: boolean;
  /** It learns from the rewards of an environment: there are no samples, and no loss over them. */
  readonly fromRewards?: true;
  /** A readable name of the network's outputs. */
  readonly outputsName: { readonly one: string; readonly many: string };
  /** What a value of each answer means: `probability of each label`. */
  readonly meaning: string;
}

/** What a study stores of a task of a user's own, since reading a study runs no code. */
export interface OwnTask extends TaskFacts {
  /** What a search space needs to know about it. */
  readonly space: Omit<Task, 'kind'>;
}

/**
 * What a network is for, as functions over plain data; all of it runs anywhere. `TASKS` lists the tasks that Netsmith knows;
 * a task of a user's own is passed in where data are. Tensors have the names of `spec`.
 */
export interface TaskDefinition extends TaskFacts {
  /** The tensors. */
  spec(data: TaskData): TaskSpec;
  /** What the network reads, of the raw inputs; by default the only input, standardized by channel where it is float32. */
  prepare?(g: GraphBuilder, inputs: Nodes, data: TaskData): NodeId;
  /** Targets in the form that the loss takes, where it is another than the one they are read in. */
  readonly encoding?: TargetEncoding;
  /** The mean loss over the batch, []. `targets` are encoded. */
  loss(g: GraphBuilder, outputs: Nodes, targets: Nodes, data: TaskData): NodeId;
  /**
   * Targets that lie on the image's grid, [H, W] or [C, H, W]: crops and flips move them with the image. The number is what
   * stands where nothing of the target is left.
   */
  readonly aligned?: Readonly<Record<string, number>>;
  /** Changes one training sample, inputs and raw targets together, in place; after crops and flips. */
  augment?(sample: Arrays, random: Rng, data: TaskData): void;
  /** Changes the network's outputs to their original units, in place. */
  restore?(outputs: FloatArrays, data: TaskData): void;
  /** Compares outputs (restored) with raw targets, batch by batch: no buffer of all of them is needed. */
  scorer(data: TaskData): Scorer;
  /** What an exported model answers with, where it is not the outputs themselves. */
  readonly answer?: Answering;
  /** What `predict` prints of one sample. `answers`: an exported model's values, by output. */
  decode(answers: Readonly<Record<string, readonly number[]>>, labels: readonly string[]): Decoded;
  /** Baselines by name, those that can serve this task; `evaluate` trains and tests them as the network that was found. Default: none. */
  baselines?(task: Task): Readonly<Record<string, Baseline>>;
}

/** What the graph of a training step is built from. */
export type StepTask = Pick<TaskDefinition, 'spec' | 'prepare' | 'encoding' | 'loss'>;

/** How raw targets become those that the loss takes. Runs on the host, batch by batch. */
export interface TargetEncoding {
  specs(data: TaskData): TensorSpecs;
  /** Fills `into` from the raw targets of the same number of samples. */
  fill(raw: Arrays, into: FloatArrays, data: TaskData, labelSmoothing: number): void;
  /** Multiplies the part of each sample in the loss by the weight of its class; absent where the loss has no such form. */
  weigh?(raw: Arrays, into: FloatArrays, data: TaskData, weights: Float64Array): void;
}

/** What an exported model answers with, computed twice: the export is checked against it. */
export interface Answering {
  /** Of the network's outputs. */
  graph(g: GraphBuilder, outputs: Nodes, data: TaskData): Nodes;
  /** The same of outputs that are restored, in float64. */
  host(outputs: FloatArrays, data: TaskData): Readonly<Record<string, Float64Array>>;
}

export type Decoded =
  | { readonly class: string; readonly probabilities: Readonly<Record<string, number>> }
  | { readonly values: Readonly<Record<string, number>> }
  /** Of any other task. */
  | { readonly answer: Json };

export const byLabel = (labels: readonly string[], values: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries(labels.map((label, k) => [label, values[k] ?? Number.NaN]));
