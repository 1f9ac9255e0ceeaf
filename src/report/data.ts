import type { Json } from '../common/json.ts';
import type { Metrics, Objective } from '../common/metrics.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import type { Costs, LayerCosts } from '../network/network.ts';
import type { Genome, GenomeShape } from '../space/genome/genome.ts';
import type { SpaceOptions } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import type { Account } from '../study/account.ts';
import type { Agreement } from '../study/agreement.ts';
import type { Coverage } from '../study/ranking.ts';
import type { Trial } from '../study/store/store.ts';
import type { ShownEpisode } from './figures/episode.ts';
import type { ReturnCurve } from './figures/returns.ts';
import type { TestSamples } from './samples.ts';

/** A trial as a report shows it: the store's, its architecture in the space's own notation. */
export type ReportTrial = Pick<
  Trial,
  | 'trial'
  | 'purpose'
  | 'repeats'
  | 'state'
  | 'metrics'
  | 'costs'
  | 'curve'
  | 'seconds'
  | 'startedAt'
  | 'endedAt'
  | 'reason'
> & { readonly architecture: string };

/** What the search found. With several objectives, the best by the first of the Pareto front, or the one that was evaluated. */
export interface Winner {
  /** The search trial. Its confirmations are the trials that repeat it. */
  readonly trial: number;
  readonly architecture: string;
  /** How it was found to be best, to begin a sentence: `The best by mean accuracy over search trial and confirmations`. */
  readonly by?: string;
  /** Resolved. Absent where the members of the space are no networks, or the study does not have the code that builds them. */
  readonly network?: Module;
  /** In a space of genomes. */
  readonly genome?: { readonly genome: Genome; readonly shape: GenomeShape };
  readonly costs?: Costs & { readonly layers: readonly LayerCosts[] };
  /** Means over all complete trainings of the architecture in the search, confirmations included, and how many there are. */
  readonly metrics: Metrics;
  readonly runs: number;
}

export interface ShownCost {
  /** Its name among the costs of a trial. */
  readonly name: string;
  /** Formatted, with its unit. */
  readonly label: string;
  readonly direction: Objective['direction'];
}

/** A network trained from scratch with several seeds and then tested: one element of `metrics` for each seed. */
export interface TestResult {
  readonly name: string;
  readonly seeds: readonly number[];
  /** Metrics on the test part. */
  readonly metrics: readonly Metrics[];
  readonly costs?: { readonly params: number; readonly flops: number };
}

/** A baseline that is no network, and was measured on the test split. */
export interface TestedBaseline {
  readonly name: string;
  readonly validation: Metrics;
  readonly test: Metrics;
  readonly seconds: number;
  /** The ONNX file, as a path within the study. */
  readonly exported?: string;
  readonly notes: readonly string[];
}

/** Everything a report says; plain data, which `app/` gathers from the store. */
export interface ReportData {
  /** Name of the study. */
  readonly name: string;
  /** Its folder, as commands name it. */
  readonly dir: string;
  /** Flags that name the user's own files again, which commands on the study need: ` --data ./mine.ts`. */
  readonly files?: { readonly resume: string; readonly evaluate: string };
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Whether the search has finished; a running or interrupted study can have a report, too. */
  readonly finished: boolean;
  readonly space: {
    readonly name: string;
    readonly options: SpaceOptions;
    /** Number of architectures. */
    readonly size?: string;
    /** It is code of the program that made the study: no command can continue or evaluate it, and no data belong to it. */
    readonly isCode?: boolean;
  };
  readonly strategy: string;
  /** Where the values of search trials come from. */
  readonly estimator: 'train' | 'proxies' | 'predictor' | 'shared' | 'own' | 'function' | 'table';
  readonly seed: number;
  readonly objectives: readonly [Objective, ...Objective[]];
  /** Costs that trials are shown with: parameters and FLOPs where there are networks, and the measures that the search has to do with. */
  readonly costs: readonly ShownCost[];
  /** What trained networks are shown by: the first objective, unless that is known or guessed without training. */
  readonly tested: Objective;
  readonly data: DatasetInfo;
  readonly trials: readonly ReportTrial[];
  /** Computing time of all trials together, in seconds (`computingSeconds`). */
  readonly seconds: number;
  /** For which the search was running, in seconds; on a table, simulated ones. */
  readonly searchSeconds: number;
  /** Trials of the Pareto front, best first by the first objective; of one objective, the winner alone. */
  readonly front: readonly number[];
  /** With several objectives: the hypervolume that the search covers, and how it grew. */
  readonly coverage?: Coverage;
  /** Size of `best/model.onnx`, if it is the winner's. */
  readonly modelBytes?: number;
  /** Earlier studies that the strategy started from: how many trials, and the metrics of the best of them. */
  readonly earlier?: readonly { readonly study: string; readonly trials: number; readonly best: Metrics }[];
  /** How what was measured cheaply ranks architectures, against the best that is known of them. */
  readonly agreements: readonly Agreement[];
  /** What the time of the workers went to during the search, if that was recorded. */
  readonly account?: Account;
  /** Of a one-shot search. */
  readonly supernet?: {
    readonly method: string;
    /** Trained so far, and in all. */
    readonly epochs: number;
    readonly of: number;
    readonly seconds: number;
    /** `weights`: mixture weights by decision, in the order of `options`. */
    readonly curve: readonly {
      readonly epoch: number;
      readonly metrics: Metrics;
      readonly weights?: Readonly<Record<string, readonly number[]>>;
    }[];
    readonly options: Readonly<Record<string, readonly string[]>>;
    /** The architecture that would be derived after the last epoch. */
    readonly genotype?: string;
    /** A collapse of the search, in words. */
    readonly collapse?: string;
    readonly reason?: string;
  };
  readonly winner?: Winner;
  /** `evaluate` of the winner. Absent: the test part has not been opened, or for another trial (`testedInstead`). */
  readonly test?: TestResult & {
    /** [true class][predicted class], samples of all seeds together. */
    readonly confusion?: readonly (readonly number[])[];
    /** Samples it was trained on, e.g. `train + valid`. */
    readonly trainedOn: string;
    /** Metrics of the weights that `export` writes, which are those of one seed. */
    readonly ofFile?: Metrics;
    /** Some test samples and the first seed's predictions for them. */
    readonly samples?: TestSamples;
  };
  /** Of an environment. */
  readonly policy?: {
    /** Environment steps of an epoch of a trial; absent for genomes, which are not trained. */
    readonly stepsPerEpoch?: number;
    /** The final trainings, by seed. */
    readonly curves: readonly ReturnCurve[];
    /** An episode of the test by the policy that `export` writes. */
    readonly episode?: ShownEpisode;
  };
  /** The trial that `evaluate` tested where that is not the winner, whose test is then absent. */
  readonly testedInstead?: number;
  readonly baselines: readonly TestResult[];
  /** Baselines that are no networks. */
  readonly classical?: readonly TestedBaseline[];
  /** Every setting, as the study's record keeps them. */
  readonly settings: Json;
  /** Commands that repeat the study, in order. */
  readonly commands: readonly string[];
  /** netsmith, node, onnxruntime, ...; and the machine. */
  readonly versions: Readonly<Record<string, string>>;
}
