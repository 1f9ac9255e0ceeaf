/** Baselines that are not neural networks: what a search should beat, fitted in seconds. */
import type { DatasetInfo } from '../data/dataset.ts';
import type { Table } from '../model/forest.ts';
import type { LinearModel } from '../model/linear.ts';
import type { TreeEnsemble } from '../model/trees.ts';
import type { TaskDefinition } from '../task/task.ts';

/** What a baseline is for. */
export interface BaselineTask {
  readonly info: DatasetInfo;
  readonly task: TaskDefinition;
  readonly loss: 'log-loss' | 'squared-error';
  /** What a sample is: numbers, or the tokens of a text, which end in padding (token 0). */
  readonly reads: 'numbers' | 'tokens';
}

/** Samples in memory. */
export interface Rows {
  /** Raw inputs [rows, columns]. */
  readonly table: Table & { readonly data: Float32Array };
  /** Class numbers [rows], or standardized numbers [rows, outputs]. */
  readonly targets: Float32Array;
}

export interface BaselineData extends BaselineTask {
  readonly train: Rows;
  /** Rows that say when to end; absent: none are left for it. */
  readonly valid?: Rows;
}

export interface FitOptions {
  /** When to return the best so far, by `now`. */
  readonly deadline?: number | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Rounds or iterations, as an earlier fit found them; without it, validation rows decide. */
  readonly effort?: number | undefined;
  /** Milliseconds; `performance.now` by default. */
  readonly now?: () => number;
}

/** What can be exported as ONNX: the outputs by formula. */
export type BaselineForm =
  /** Of raw inputs. */
  | { readonly kind: 'trees'; readonly trees: TreeEnsemble }
  /** Of standardized inputs. */
  | { readonly kind: 'linear'; readonly model: LinearModel };

export interface FittedBaseline {
  /** Outputs [count, outputs] of raw inputs [count, width], as a network gives them: logits, or standardized numbers. */
  predict(inputs: Float32Array, count: number): Float32Array;
  /** Absent: it cannot be exported. */
  readonly form?: BaselineForm;
  /** Rounds or iterations that it took to the best. */
  readonly effort?: number;
  /** The deadline ended it. */
  readonly stopped?: boolean;
  /** What one should know, in sentences. */
  readonly notes: readonly string[];
}

export interface Baseline {
  readonly name: string;
  /** Undefined where it can serve these data; else why not, after `boosted-trees: `. */
  unfit(task: BaselineTask): string | undefined;
  /** Throws the signal's reason when aborted. Past the deadline it returns the best so far. */
  fit(data: BaselineData, options: FitOptions): Promise<FittedBaseline>;
}
