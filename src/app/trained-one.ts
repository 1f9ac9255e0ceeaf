/** What `train` is asked for and gives, of a network on samples or a policy. */
import type { Metrics } from '../common/metrics.ts';
import type { EpochRecord } from '../train/checkpoint.ts';

export interface TrainOneOptions {
  /** Whether it is measured on the test split at the end. */
  readonly test: boolean;
  /** The trained network is written to this ONNX file; see `checkOut`. */
  readonly out?: string;
  /** Trains as many epochs as fit in what is left of the time of the command. */
  readonly time?: CommandTime;
  readonly signal: AbortSignal;
}

/** The time of a whole command. */
export interface CommandTime {
  readonly seconds: number;
  /** Until now. */
  elapsed(): number;
  /** Whether the settings say how many epochs there are at most; otherwise that follows from the data. */
  readonly isCapped: boolean;
}

/** Progress of a single training. */
export interface TrainOneEvents {
  /** How far it is, from 0 to `epochs`, which with a time limit is an estimate: after each step. */
  onProgress?(epoch: number, epochs: number): void;
  onEpoch?(record: EpochRecord): void;
  /** Before the test. */
  onTrained?(): void;
}

export interface TrainedOne {
  readonly epochs: readonly EpochRecord[];
  /** Metrics on the test split, if requested. */
  readonly test: Metrics | undefined;
  /** What was written: the ONNX file, the JSON file beside it, and how far its outputs are from those of the training engine. */
  readonly model?: { readonly file: string; readonly about: string; readonly parity: number; readonly samples: number };
}
