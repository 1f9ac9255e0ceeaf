import type { TRAINED_METRICS } from '../common/metrics.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import type { Task } from '../space/space.ts';
import type { Scorer } from './metrics.ts';

export type TaskKind = Task['kind'];

/** What a task must know of the data that it is given; a `DatasetInfo` has it all. */
export interface TaskData {
  readonly name: string;
  /** Values that the network gives for one sample. */
  readonly outputs: number;
  /** Of a task that standardizes its targets, one value for each target, in raw units. */
  readonly target?: TargetScale;
}

export interface TargetScale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** What a network is for, as functions over plain data. `TASKS` looks it up by kind; all of it runs anywhere. */
export interface TaskDefinition {
  /** What a trained network is measured by; the first is the default objective. */
  readonly metrics: readonly [keyof typeof TRAINED_METRICS, ...(keyof typeof TRAINED_METRICS)[]];
  /** Whether the targets are classes, whose distribution label smoothing can spread. */
  readonly classes: boolean;
  /** What a person calls the network's outputs. */
  readonly outputsName: { readonly one: string; readonly many: string };
  /** The output of an exported model. */
  readonly exportedName: string;
  /** Whether the targets are numbers with a mean and a deviation (`TaskData.target`). */
  readonly standardized: boolean;
  /** Values that one sample has among the raw targets of `Samples.read`. */
  targetSize(data: TaskData): number;
  /** Raw targets [N, targetSize] as training compares them with the outputs, [N, outputs]; fills `into`. */
  targets(raw: Float32Array, into: Float32Array, data: TaskData, labelSmoothing: number): void;
  /** The mean loss over the batch, []; output and targets are [B, outputs]. */
  loss(g: GraphBuilder, output: NodeId, targets: NodeId): NodeId;
  /** Changes the network's outputs [N, outputs] to the units that people know, in place. */
  restore(outputs: Float32Array, data: TaskData): void;
  /** Compares outputs (restored) with raw targets, batch by batch: no buffer of all of them is needed. */
  scorer(data: TaskData): Scorer;
  /** What an exported model answers with, of the network's output [N, outputs]. */
  answer(g: GraphBuilder, output: NodeId, data: TaskData): NodeId;
  /** The same of outputs that are restored, in float64. */
  answerOf(outputs: Float32Array, data: TaskData): Float64Array;
  /** What `predict` prints of one sample: an exported model's values, one for each label. */
  decode(labels: readonly string[], values: readonly number[]): Decoded;
}

export type Decoded =
  | { readonly class: string; readonly probabilities: Readonly<Record<string, number>> }
  | { readonly values: Readonly<Record<string, number>> };

export const byLabel = (labels: readonly string[], values: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries(labels.map((label, k) => [label, values[k] ?? Number.NaN]));
