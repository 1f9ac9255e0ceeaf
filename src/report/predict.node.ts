import { readFile, stat } from 'node:fs/promises';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { IMAGE_NAME, readImage } from '../data/readers/image.node.ts';
import { readTable, type Table } from '../data/readers/table.node.ts';
import { encodeRow } from '../data/table.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { sizeOf } from '../graph/ir.ts';
import { INPUT_NAME, type ModelMetadata, OUTPUT_NAMES } from './export/metadata.ts';
import { modelProperties, type ReadModel, readModel } from './export/onnx.ts';
import { checkSeal } from './export/seal.node.ts';
import { type Named, namedFiles } from './predict-files.node.ts';

/** One sample's answer: of an image, or of a row of a CSV file. */
export type Prediction = {
  readonly file: string;
  /** The row of a CSV file, from 1; the header is not counted. */
  readonly row?: number;
} & (
  | { readonly class: string /** By class. */; readonly probabilities: Readonly<Record<string, number>> }
  /** Of a regression, by target, in the targets' own units. */
  | { readonly values: Readonly<Record<string, number>> }
  /** Why there is no answer: for the row, or without one for the whole file. */
  | { readonly error: string }
);

/** Images decoded at the same time. */
const TOGETHER = 8;
/** Names of tables. */
const TABLE_NAME = /\.(csv|tsv)(\.gz)?$/i;
/** protobuf's own limit. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** A model that has been checked and loaded. */
export interface Predictor {
  readonly metadata: ModelMetadata;
  /**
   * What the model says of images or of the rows of CSV files, in the order named, a few at a time: images are turned upright,
   * resized to the model's size and given its channels and range; rows are encoded as the training's were. `names` are files,
   * folders with such, and patterns (`photos/*.jpg`). What cannot be read has an `error` in its answer's place. Throws UserError
   * when the model itself cannot be run.
   */
  predict(names: readonly string[]): AsyncGenerator<Prediction>;
  dispose(): Promise<void>;
}

/**
 * Opens an exported model. Nothing in the file is trusted: a model of another tool, a damaged one, or one whose metadata and graph
 * do not agree is refused with a UserError that names it.
 */
export async function openPredictor(engine: Engine, modelFile: string): Promise<Predictor> {
  const place = `model "${modelFile}"`;
  const model = await readModelFile(place, modelFile);
  const { metadata } = model;
  const program = await engine.load(model.model).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    throw invalid(place, 'ONNX Runtime cannot load its graph', 'the file is damaged, or Netsmith did not export it');
  });
  const answers = metadata.encoding === undefined ? answerImages : answerTables;
  return {
    metadata,
    predict: (names) => answers({ place, model, program }, names),
    dispose: () => program.dispose(),
  };
}

/** All answers at once: see `openPredictor`. */
export async function predictFiles(
  engine: Engine,
  modelFile: string,
  files: readonly string[],
): Promise<{ readonly metadata: ModelMetadata; readonly predictions: readonly Prediction[] }> {
  const predictor = await openPredictor(engine, modelFile);
  try {
    const predictions: Prediction[] = [];
    for await (const prediction of predictor.predict(files)) predictions.push(prediction);
    return { metadata: predictor.metadata, predictions };
  } finally {
    await predictor.dispose();
  }
}

async function readModelFile(place: string, file: string): Promise<ReadModel> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new UserError(`Model file not found: ${file}`);
  if (!found.isFile()) throw invalid(place, 'it is not a file', 'it must be a model exported by Netsmith');
  if (found.size > MAX_MODEL_BYTES) throw invalid(place, 'it is larger than 2 GiB', 'ONNX files cannot be larger');
  const bytes = await readFile(file).catch((error: unknown) => {
    throw invalid(place, messageOf(error), 'it must be a readable file');
  });
  checkSeal(place, bytes, modelProperties(place, bytes));
  return readModel(place, bytes);
}

interface Loaded {
  readonly place: string;
  readonly model: ReadModel;
  readonly program: Program;
}

/** Where a sample comes from, and its raw values or why there are none. */
interface Sample {
  readonly from: { readonly file: string; readonly row?: number };
  readonly read: Float32Array | string;
}

/** The answers to samples that run together. */
async function ask({ place, model, program }: Loaded, samples: readonly Sample[]): Promise<Prediction[]> {
  const { input, task, labels } = model.metadata;
  const size = sizeOf(input);
  const good = samples.flatMap(({ read }) => (typeof read === 'string' ? [] : [read]));
  const data = new Float32Array(good.length * size);
  for (const [i, values] of good.entries()) data.set(values, i * size);
  let output: Float32Array = new Float32Array();
  if (good.length > 0) {
    const feeds = { [INPUT_NAME]: { shape: [good.length, ...input], data } };
    const results = await program.run(feeds).catch(() => ({}) as Awaited<ReturnType<Program['run']>>);
    output = results[OUTPUT_NAMES[task]]?.data ?? output;
    if (output.length !== good.length * labels.length)
      throw invalid(place, 'ONNX Runtime cannot run it', 'the file is damaged, or there is too little memory for it');
  }
  let next = 0;
  return samples.map(({ from, read }) => {
    if (typeof read === 'string') return { ...from, error: read };
    const at = next++ * labels.length;
    return { ...from, ...answer(model.metadata, [...output.subarray(at, at + labels.length)]) };
  });
}

type Answer = Prediction extends infer P ? (P extends unknown ? Omit<P, 'file' | 'row'> : never) : never;

function answer({ task, labels, encoding }: ModelMetadata, values: readonly number[]): Answer {
  if (!values.every(Number.isFinite)) return { error: 'the model answers with numbers that are not finite' };
  const offset = encoding?.labelOffset ?? 0;
  const named = Object.fromEntries(labels.map((label, k) => [label, (values[k] ?? Number.NaN) + offset]));
  if (task === 'regression') return { values: named };
  const best = values.reduce((largest, value, k) => (value > (values[largest] ?? 0) ? k : largest), 0);
  return { class: labels[best] ?? '', probabilities: named };
}

async function* answerImages(loaded: Loaded, names: readonly string[]): AsyncGenerator<Prediction> {
  const { input, range, decoding } = loaded.model.metadata;
  if (input.length !== 3 || (input[0] !== 1 && input[0] !== 3)) {
    const found = `its input is [${input.join(', ')}], without an encoding for tables`;
    throw invalid(loaded.place, found, 'it must be a model for grayscale or color images, or for CSV rows');
  }
  const info = { input, ...(range && { range }), ...(decoding && { decoding }) };
  const sampleOf = async (named: Named): Promise<Sample> => {
    const from = { file: named.file };
    if ('error' in named) return { from, read: named.error };
    if (TABLE_NAME.test(named.file)) return { from, read: `it is a table; the model takes images` };
    return { from, read: await attempt(named.file, () => readImage(named.file, info)) };
  };
  for await (const batch of batches(namedFiles(names, IMAGE_NAME), loaded.model.batch)) {
    const samples: Sample[] = [];
    for (let at = 0; at < batch.length; at += TOGETHER)
      samples.push(...(await Promise.all(batch.slice(at, at + TOGETHER).map(sampleOf))));
    yield* await ask(loaded, samples);
  }
}

async function* answerTables(loaded: Loaded, names: readonly string[]): AsyncGenerator<Prediction> {
  const { encoding } = loaded.model.metadata;
  if (encoding === undefined) return;
  const needed = encoding.columns.map(({ name }) => name);
  for await (const named of namedFiles(names, TABLE_NAME)) {
    const { file } = named;
    if ('error' in named) {
      yield { file, error: named.error };
      continue;
    }
    const bad: Sample[] = [];
    const table = await attempt(file, () =>
      readTable(file, (row, why) => bad.push({ from: { file, row }, read: why })),
    );
    const known = new Set(typeof table === 'string' ? [] : table.columns.map(({ name }) => name));
    const absent = typeof table === 'string' ? undefined : needed.find((name) => !known.has(name));
    if (typeof table === 'string') yield { file, error: table };
    else if (absent !== undefined)
      yield { file, error: `there is no column "${absent}"; the columns needed are ${shorten(needed)}` };
    else {
      const read = (row: number) => attempt(file, async () => encodeRow(encoding, cellsOf(table, row)));
      for (let [start, next] = [0, 0]; start < table.rows || next < bad.length; ) {
        const samples: Sample[] = [];
        // In the order of the file.
        while (samples.length < loaded.model.batch && (start < table.rows || next < bad.length)) {
          const row = table.numbers[start] ?? Number.POSITIVE_INFINITY;
          const wrong = bad[next];
          if (wrong !== undefined && (wrong.from.row ?? 0) < row) {
            samples.push(wrong);
            next++;
          } else samples.push({ from: { file, row }, read: await read(start++) });
        }
        yield* await ask(loaded, samples);
      }
    }
  }
}

function cellsOf({ columns }: Table, row: number): Record<string, string | undefined> {
  return Object.fromEntries(columns.map(({ name, cells }) => [name, cells[row]]));
}

function shorten(names: readonly string[]): string {
  return names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
}

/** What was read, or why not, in a person's words and without the file's name, which stands beside them. */
async function attempt<T extends object>(file: string, read: () => Promise<T>): Promise<T | string> {
  try {
    return await read();
  } catch (error) {
    const reason = messageOf(error).replaceAll(/\s+/g, ' ');
    return reason
      .replace(/^table row[,:]? */, '')
      .replace(/^(image|csv file|file) "/, '"')
      .replace(`"${file}"`, '')
      .replace(/^[:,]? */, '');
  }
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
