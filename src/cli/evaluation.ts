import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Metrics } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Dataset, Samples } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import { deviation, mean } from '../report/numbers.ts';
import { type Architecture, resolve, resolveHyperparameters, type Space } from '../space/index.ts';
import { BASELINES } from '../space/spaces/index.ts';
import { writeWhole } from '../study/store/files.node.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts';
import { trainNetwork } from '../train/loop.ts';
import type { Programs } from '../train/programs.ts';
import { concatSamples } from '../train/samples.ts';
import { type TrainSettings, withHyperparameters } from '../train/settings.ts';
import type { RetrainJob } from './retraining.ts';
import type { Setup } from './setup.ts';

/** One member of a space, to be trained from scratch. */
export interface Contestant {
  readonly space: Space;
  readonly architecture: Architecture;
}

/** The study's member or the baseline that a job names. Throws UserError where the baseline cannot serve the task. */
export function contestantOf({ space }: Setup, { baseline, architecture }: RetrainJob): Contestant {
  if (baseline === undefined) return { space, architecture };
  return BASELINES[baseline as keyof typeof BASELINES](space.task);
}

export interface Retraining {
  readonly engine: Engine;
  readonly programs?: Programs;
  readonly dataset: Dataset;
  readonly training: TrainSettings;
  /** The study's seed; with `repetition` it names every stream of the run. */
  readonly seed: number;
  readonly repetition: number;
  readonly signal?: AbortSignal;
}

/** Trains on train + valid together; the test part is opened only if `test` is given. */
export async function retrain(
  { space, architecture }: Contestant,
  { engine, programs, dataset, training, seed, repetition, signal }: Retraining,
  test?: Samples,
): Promise<{
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly metrics: Metrics;
  readonly confusion?: readonly (readonly number[])[];
}> {
  const { info, train, valid } = dataset.search;
  const trained = await trainNetwork({
    engine,
    ...(programs && { programs }),
    network: resolve(space, architecture),
    info,
    train: concatSamples(info, train, valid),
    settings: withHyperparameters(training, resolveHyperparameters(space, architecture)),
    rng: (...labels) => rng(seed, 'evaluate', repetition, ...labels),
    ...(signal !== undefined && { signal }),
  });
  try {
    const measured = test === undefined ? { metrics: {} } : await trained.measure(test);
    return { weights: await trained.weights(), ...measured };
  } finally {
    await trained.dispose();
  }
}

/** Mean, sample deviation and values of each metric, one value for each seed. */
export type Summary = Readonly<
  Record<string, { readonly mean: number; readonly sd: number; readonly values: readonly number[] }>
>;

export function summarise(metrics: readonly Metrics[]): Summary {
  const names = Object.keys(metrics[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const values = metrics.map((one) => one[name] ?? Number.NaN);
      return [name, { mean: mean(values), sd: deviation(values), values }];
    }),
  );
}

/** What `evaluate` keeps in `best/evaluation.json`, for the report and for the export. */
export interface EvaluationRecord {
  readonly trial: number;
  readonly architecture: Architecture;
  /** Repetitions, from 0: each trained with streams of its own. */
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly metrics: readonly Metrics[];
  /** [true class][predicted class], all repetitions together. */
  readonly confusion?: readonly (readonly number[])[];
  readonly trainedOn: string;
  readonly baselines: readonly {
    readonly name: string;
    readonly architecture: Architecture;
    readonly seeds: readonly number[];
    readonly metrics: readonly Metrics[];
    readonly costs: { readonly params: number; readonly flops: number };
  }[];
}

export function writeEvaluation(dir: string, record: EvaluationRecord): void {
  writeWhole(join(dir, 'best', 'evaluation.json'), `${JSON.stringify(record, null, 2)}\n`);
}

/** Undefined where the study has not been evaluated. */
export function readEvaluation(dir: string): EvaluationRecord | undefined {
  const path = join(dir, 'best', 'evaluation.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as EvaluationRecord) : undefined;
}

/** What `best/weights.json` says of `best/weights.bin`: weights of an architecture after its final training. */
interface FinalWeights {
  readonly architecture: Architecture;
  readonly epochs: number;
  /** The repetition whose weights they are. */
  readonly seed: number;
  /** Of these very weights, on the test samples; absent: they were trained for the export alone. */
  readonly test?: Metrics;
}

/** Of weights.bin. The two files are two writes: after a kill between them the label is not that of the weights. */
interface WeightsFile extends FinalWeights {
  readonly sha256: string;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function writeWeights(dir: string, about: FinalWeights, tensors: Readonly<Record<string, HostTensor>>): void {
  const bytes = encodeCheckpoint({ history: [], steps: 0, tensors });
  writeWhole(join(dir, 'best', 'weights.bin'), bytes);
  const of: WeightsFile = { ...about, sha256: sha256Of(bytes) };
  writeWhole(join(dir, 'best', 'weights.json'), `${JSON.stringify(of, null, 2)}\n`);
}

/** The weights that `evaluate` or an earlier `export` left, of however many epochs, if they are of this architecture. */
export function readWeights(
  dir: string,
  architecture: Architecture,
): (FinalWeights & { readonly tensors: Readonly<Record<string, HostTensor>> }) | undefined {
  const [file, about] = [join(dir, 'best', 'weights.bin'), join(dir, 'best', 'weights.json')];
  if (!existsSync(file) || !existsSync(about)) return undefined;
  const bytes = readFileSync(file);
  const found = JSON.parse(readFileSync(about, 'utf8')) as WeightsFile;
  const fits = found.sha256 === sha256Of(bytes) && isDeepStrictEqual(found.architecture, architecture);
  return fits ? { ...found, tensors: decodeCheckpoint(bytes).tensors } : undefined;
}
