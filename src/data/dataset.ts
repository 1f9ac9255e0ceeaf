import type { EnvironmentInfo } from '../task/environment.ts';
import type { Arrays } from '../task/spec.ts';
import type { OwnTask, TaskDefinition } from '../task/task.ts';
import type { TokenKind } from './catalog.ts';
import type { TextEncoding, TokenizerData } from './text/tokenizer.ts';

/** What a dataset holds. Shapes are without the batch. */
export interface DatasetInfo {
  readonly name: string;
  /** The kind of task: classification, regression, or one of a user's own. */
  readonly kind: string;
  /** For a task of the user's own: its stored description, which needs none of its code. Absent if the task is only passed as a value. */
  readonly ownTask?: OwnTask;
  /** Shape of one sample of the main input: [C, H, W], [C, T], [F], or [T] of tokens. */
  readonly input: readonly number[];
  /** Classes, or targets of a regression; in general the values that a network gives for a sample, or for each position. */
  readonly outputs: number;
  /** Class names in the order of their numbers; names of the targets of a regression; names of tokens. */
  readonly labels: readonly string[];
  /** Smallest and largest raw value: [0, 255] for 8-bit images; undefined for tables. */
  readonly range?: readonly [number, number];
  /** Mean and deviation (never 0) of each channel or feature over the training part, in raw units. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /**
   * Of a table: for each feature the quantiles of its values over the training part, in deviations from the mean: different numbers
   * that rise from the smallest to the largest value, the most frequent values among them. [] where there are only two values, as of a
   * category's features.
   */
  readonly quantiles?: readonly (readonly number[])[];
  /** Mean and deviation of the targets of a regression over the training part; a network predicts the standardized. */
  readonly target?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Of an environment. Its samples are episodes, by number. */
  readonly environment?: EnvironmentInfo;
  /** Samples in each part. */
  readonly counts: { readonly train: number; readonly valid: number; readonly test: number };
  /** Of texts: how many different tokens there are, and the characters that each stands for (absent where each is one). */
  readonly vocabulary?: number;
  readonly tokenLengths?: readonly number[];
  /** How texts become tokens. */
  readonly text?: TextEncoding;
  /** How raw values come about, for the metadata of an export: a table's columns, categories and imputed values. */
  readonly encoding?: TableEncoding;
  /** How image files become 8-bit values, where that depends on the data; what `predict` must do too. */
  readonly decoding?: ImageDecoding;
  /** Checksum of the data as read, so that a study notices any change; absent in studies of earlier versions. */
  readonly checksums?: Checksums;
  /** Notes on what was read and how it was split, as sentences: files found, files absent, seed of the split. */
  readonly notes: readonly string[];
}

/**
 * How a row becomes features, in order. What is subtracted is subtracted in 64-bit numbers, before the 32-bit floats of a network:
 * large values that differ by little (milliseconds since 1970, map coordinates) would lose their differences there.
 */
export interface TableEncoding {
  readonly columns: readonly ColumnEncoding[];
  readonly label: string;
  /** Regression: what was subtracted from the label; the value is the network's output plus this. */
  readonly labelOffset?: number;
}

export type ColumnEncoding =
  /** 1 feature: the value less `offset`; `missing` (before that) replaces a missing one. How the numbers are written: Notation. */
  | {
      readonly name: string;
      readonly kind: 'number';
      readonly missing: number;
      readonly offset?: number;
      readonly decimal?: ',';
      readonly unit?: string;
      /** Cells that are read as missing, beside the usual markers. */
      readonly markers?: readonly string[];
    }
  /** 1 feature: days less `offset`, or the fraction of a day for the format `time`; where `timed`, also the fraction of its day. */
  | {
      readonly name: string;
      readonly kind: 'date';
      readonly format: 'ymd' | 'dmy' | 'mdy' | 'time';
      /** Days since 1970-01-01, as `offset`. */
      readonly missing: number;
      readonly offset: number;
      readonly timed?: boolean;
      readonly markers?: readonly string[];
    }
  /** 1 feature for each category; where `other`, 1 more for all further ones. The category '' is that of a missing value. */
  | {
      readonly name: string;
      readonly kind: 'category';
      readonly categories: readonly string[];
      readonly other?: boolean;
    };
/** What is absent does not occur in the data. */
export interface ImageDecoding {
  /** Gray, 0 to 255, that transparent images are laid on; 0 where absent. */
  readonly background?: number;
  /** The values that become 0 and 255 in images with more than 8 bits a sample (16-bit, 32-bit, floating point). */
  readonly values?: readonly [number, number];
}

/** SHA-256, hexadecimal. */
export interface Checksums {
  /** Names of all files in their order, those left out by `exclude` among them: how samples were divided depends on it. */
  readonly files?: string;
  /** Training and validation samples; absent where another process has just checked them. */
  readonly search?: string;
  /** Test samples: says that they are the same, and nothing else of them. */
  readonly test?: string;
}

/** A part of a dataset, random access. */
export interface Samples {
  readonly count: number;
  /**
   * Writes the samples `indices` one after another, raw, into the arrays of the tensors that are wanted. Their names, and the
   * elements of one sample, are those of the task's inputs and targets (`TaskSpec`): of a classification `input` and `target`, a
   * class number; of a regression `input` and `target`, `outputs` numbers.
   */
  read(indices: readonly number[], into: Arrays): Promise<void>;
  /**
   * Of a text that is cut into windows: as many windows that begin `share` of a window later, 0 <= share < 1. A training takes others in
   * each epoch.
   */
  shifted?(share: number): Samples;
  /** Of texts that are filled up to one length: how many tokens this sample has without the filling. */
  lengthOf?(index: number): number;
}

/** What a search may see. It has no way to the test part. */
export interface SearchData {
  readonly info: DatasetInfo;
  readonly train: Samples;
  readonly valid: Samples;
  /** What these data are for, where it is a task of the user's own. */
  readonly task?: TaskDefinition;
}

/** The whole of it; only the commands that report a test result hold one. */
export interface Dataset {
  readonly search: SearchData;
  openTest(): Promise<Samples>;
}

/** What a reader is given. */
export interface DataRequest {
  /** digits, cifar-10, cifar-100, mnist, fashion-mnist, image-folder, text-folder, text, csv; or the name of a data set of the user's own. */
  readonly name: string;
  /** File (csv) or folder. */
  readonly dir?: string | undefined;
  readonly seed: number;
  /** Share of what is not test that becomes validation, in [0, 1); 0.25 by default, 0: none. */
  readonly validShare?: number | undefined;
  /** Limits the number of training samples (stratified, seeded), for quick studies. */
  readonly trainSamples?: number | undefined;
  /** image-folder: side length that images are resized to, and channels. */
  readonly imageSize?: number | undefined;
  readonly imageChannels?: 1 | 3 | undefined;
  /**
   * What is left out. image-folder, text-folder: files, as paths within the folder (`cats/7.png`), which need not exist any more; csv: columns by
   * name.
   */
  readonly exclude?: readonly string[] | undefined;
  /** Another process has just checked the files: image files are neither decoded nor hashed when they are opened. */
  readonly checked?: boolean | undefined;
  /** Labels are not needed: image-folder takes all images below the folder, whatever their folders. */
  readonly unlabeled?: boolean | undefined;
  /** csv: the label's column; whether it is a number to predict, which the reader decides unless told. */
  readonly label?: string | undefined;
  readonly regression?: boolean | undefined;
  /** csv: the column of texts to classify. */
  readonly text?: string | undefined;
  /** Texts: what tokens are, how many different ones there are at most, and how many a sample has. */
  readonly tokens?: TokenKind | undefined;
  readonly vocabulary?: number | undefined;
  readonly textLength?: number | undefined;
  /** Texts: the vocabulary of a pretrained network, in place of one that is learned from the training part. */
  readonly tokenizer?: TokenizerData | undefined;
  /** csv: files of the same columns, whose rows are the validation and the test part. */
  readonly validFile?: string | undefined;
  readonly testFile?: string | undefined;
}
