import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { invalid, messageOf } from '../../common/errors.ts';
import { type Json, parseJson } from '../../common/json.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { deviation, mean } from '../../report/numbers.ts';
import type { Architecture } from '../../space/index.ts';
import { checkWritable, folderOf, readPlain, writeInStudy } from '../../study/store/files.node.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import { commandName, hint } from '../invocation.ts';

/** Mean, sample deviation and values of each metric, one value for each seed. */
export type Summary = Readonly<
  Record<string, { readonly mean: number; readonly sd: number; readonly values: readonly number[] }>
>;

export function summarize(metrics: readonly Metrics[]): Summary {
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

/** Throws as `writeWhole` where nothing can be kept in `best/`. Ask before a training, not after it. */
export function checkKeeps(dir: string): void {
  const best = join(dir, 'best');
  checkWritable(lstatSync(best, { throwIfNoEntry: false }) ? folderOf(dir, 'best') : dir);
}

const EVALUATION = 'evaluation.json';

export function writeEvaluation(dir: string, record: EvaluationRecord): void {
  const text = JSON.stringify(withChecksum(record), null, 2);
  writeInStudy(dir, ['best', EVALUATION], `${text}\n`);
}

/** The checksum of the record as it is in the file, including unknown fields. */
function checksumOf(record: object): string {
  return sha256Of(Buffer.from(JSON.stringify(record))).slice(0, 32);
}

/** As `checkedRecord` reads it. */
export function withChecksum<T extends object>(record: T): T & { readonly checksum: string } {
  return { ...record, checksum: checksumOf(record) };
}

const count = z.int().min(0);
/** A network that diverged may have no finite loss, and JSON has no other. */
const metrics = z.array(z.record(z.string(), z.number().nullable()));
const architecture = z.record(z.string(), z.json());
const evaluationSchema = z.looseObject({
  trial: count,
  architecture,
  seeds: z.array(count),
  epochs: count,
  metrics,
  confusion: z.array(z.array(z.number())).optional(),
  trainedOn: z.string(),
  baselines: z.array(
    z.looseObject({
      name: z.string(),
      architecture,
      seeds: z.array(count),
      metrics,
      costs: z.looseObject({ params: z.number(), flops: z.number() }),
    }),
  ),
});

/**
 * Undefined where the study has not been evaluated. Throws UserError for a file that is not what was written: its values are in
 * the report and on the model card.
 */
export function readEvaluation(dir: string): EvaluationRecord | undefined {
  const path = join(dir, 'best', EVALUATION);
  const found = readJson(path);
  if (found === undefined) return undefined;
  const rule = `delete it and run ${hint('evaluate', dir)} again`;
  return checkedRecord(found, evaluationSchema, path, rule) as EvaluationRecord;
}

/** What stands in a file of `best/`, without its checksum. Throws UserError where that or the form is not what was written. */
export function checkedRecord(found: Json, schema: z.ZodType, path: string, rule: string): unknown {
  const place = `file "${path}"`;
  const result = schema.safeParse(found);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalid(place, `${issue?.path.map(String).join('.') || 'its content'} is not valid`, rule);
  }
  // Files of earlier versions have none.
  const { checksum, ...record } = found as { readonly checksum?: Json };
  if (checksum !== undefined && checksum !== checksumOf(record))
    throw invalid(place, 'has changed since it was written (its checksum differs)', rule);
  return record;
}

/** A file of `best/`; undefined where there is none. Throws UserError where it is no plain file or no JSON. */
export function readJson(path: string): Json | undefined {
  const bytes = readPlain(path);
  return bytes === undefined
    ? undefined
    : parseJson(new TextDecoder().decode(bytes), `file "${path}" (delete it and run ${commandName()} evaluate again)`);
}

/** What `best/weights.json` says of `best/weights.bin`: weights of an architecture after its final training. */
interface FinalWeights {
  readonly architecture: Architecture;
  readonly epochs: number;
  /** The repetition whose weights they are. */
  readonly seed: number;
  /** They are those of a search trial, which saw the training samples alone. */
  readonly ofTrial?: true;
  /** Test metrics of these weights; absent if they were trained only for the export. */
  readonly test?: Metrics;
}

const weightsSchema = z.looseObject({
  architecture,
  epochs: count,
  seed: count.optional(),
  ofTrial: z.literal(true).optional(),
  test: z.record(z.string(), z.number().nullable()).optional(),
  sha256: z.string(),
});

/** Of weights.bin. The two files are two writes: after a kill between them the label is not that of the weights. */
interface WeightsFile extends FinalWeights {
  readonly sha256: string;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Weights as the bytes of a file. */
export function encodeWeights(tensors: Readonly<Record<string, HostTensor>>): Uint8Array {
  return encodeCheckpoint({ history: [], steps: 0, tensors });
}

/** What `encodeWeights` wrote. Throws Error where the bytes are damaged. */
function decodeWeights(bytes: Uint8Array): Readonly<Record<string, HostTensor>> {
  return decodeCheckpoint(bytes).tensors;
}

/** `bytes`: of `encodeWeights`. */
export function writeWeights(dir: string, about: FinalWeights, bytes: Uint8Array): void {
  writeInStudy(dir, ['best', 'weights.bin'], bytes);
  const of: WeightsFile = { ...about, sha256: sha256Of(bytes) };
  const text = JSON.stringify(withChecksum(of), null, 2);
  writeInStudy(dir, ['best', 'weights.json'], `${text}\n`);
}

/** The weights that `evaluate` or an earlier `export` left, of however many epochs, if they are of this architecture. */
export function readWeights(dir: string, architecture: Architecture): Omit<KeptWeights, 'sha256'> | undefined {
  const kept = keptWeights(dir);
  return kept !== undefined && isDeepStrictEqual(kept.architecture, architecture) ? kept : undefined;
}

interface KeptWeights extends WeightsFile {
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** The weights of whichever architecture that a study has kept; undefined where there are none. Throws UserError for a damaged file. */
export function keptWeights(dir: string): KeptWeights | undefined {
  const [file, about] = [join(dir, 'best', 'weights.bin'), join(dir, 'best', 'weights.json')];
  const bytes = readPlain(file, Number.POSITIVE_INFINITY);
  const found = readJson(about);
  if (bytes === undefined || found === undefined) return undefined;
  const rule = 'delete it, and export retrains the network';
  // Labels of earlier versions name no seed: their weights are those of the first.
  const label = checkedRecord(found, weightsSchema, about, rule) as Omit<WeightsFile, 'seed'> & {
    readonly seed?: number;
  };
  const { sha256, seed = 0 } = label;
  if (sha256 !== sha256Of(bytes)) return undefined;
  try {
    return { ...label, seed, tensors: decodeWeights(bytes) };
  } catch (error) {
    throw invalid(`file "${file}"`, messageOf(error), rule);
  }
}
