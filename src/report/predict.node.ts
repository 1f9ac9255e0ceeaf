import { readFile, stat } from 'node:fs/promises';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { IMAGE_NAME } from '../data/catalog.ts';
import { readImage } from '../data/readers/image.node.ts';
import { readTable, type Table } from '../data/readers/table.node.ts';
import { encodeRow } from '../data/table.ts';
import type { Engine } from '../engine/engine.ts';
import { sizeOf } from '../graph/ir.ts';
import { type Arrays, allocate } from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';
import { INPUT_NAME, type ModelMetadata } from './export/metadata.ts';
import { modelProperties, type ReadModel, readModel } from './export/onnx.ts';
import { checkSeal } from './export/seal.node.ts';
import { type Answer, type ExportedModel, openModel } from './exported-model.ts';
import { attempt, type Named, namedFiles, TABLE_NAME } from './predict-files.node.ts';
import { readsTexts, textReader, textSamples } from './predict-texts.node.ts';
import { VALUES_NAME, type ValueSample, valueSamples } from './predict-values.node.ts';

/** One sample's answer, of an image or of a row of a CSV file, or why there is none: for the row, or for the whole file. */
export type Prediction = {
  readonly file: string;
  /** The row of a CSV file, from 1; the header is not counted. */
  readonly row?: number;
} & Answer;

/** The answer to a text, or why there is none. */
export type TextPrediction = { readonly text: string } & Answer;

/** Images decoded at the same time. */
const TOGETHER = 8;
/** protobuf's own limit. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** A model that has been checked and loaded. */
export interface Predictor {
  readonly metadata: ModelMetadata;
  /**
   * What the model says of images or of the rows of CSV files, in the order named, a few at a time: images are turned upright,
   * resized to the model's size and given its channels and range; rows are encoded as the training's were; texts are read from .txt files and from the column of CSV files. Of any model, raw values
   * are read from JSON files: `{ "NAME": values }` of each input, or a list of such. `names` are files, folders with such, and
   * patterns (`photos/*.jpg`). What cannot be read has an `error` in its answer's place. Throws UserError
   * when the model itself cannot be run.
   */
  predict(names: readonly string[]): AsyncGenerator<Prediction>;
  /** What a model of texts says of each text, in order, a few at a time. Throws UserError for a model of anything else. */
  predictTexts(texts: readonly string[]): AsyncGenerator<TextPrediction>;
  /** What the model says of raw samples, by input name: see `ExportedModel`. */
  readonly answer: ExportedModel['answer'];
  dispose(): Promise<void>;
}

/**
 * Opens an exported model. Nothing in the file is trusted: a model of another tool, a damaged one, or one whose metadata and graph
 * do not agree is refused with a UserError that names it. `own` is the model's task, where that is one of the user's own.
 */
export async function openPredictor(engine: Engine, modelFile: string, own?: TaskDefinition): Promise<Predictor> {
  const place = `model "${modelFile}"`;
  const model = await openModel(engine, place, await readModelFile(place, modelFile), own);
  const { metadata } = model;
  return {
    metadata,
    predict: (names) => answersTo({ place, model }, names),
    predictTexts: (texts) => answerTexts({ place, model }, texts),
    answer: model.answer,
    dispose: model.dispose,
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
  readonly model: ExportedModel;
}

/** Where a sample comes from, and its raw values or why there are none. */
interface Sample {
  readonly from: { readonly file: string; readonly row?: number };
  readonly read: Float32Array | string;
}

/** In the order of the names: those of JSON files, and those of the files that the model was trained on. */
async function* answersTo(loaded: Loaded, names: readonly string[]): AsyncGenerator<Prediction> {
  const { metadata } = loaded.model;
  const ofFiles =
    metadata.encoding !== undefined ? answerTables : readsTexts(metadata) ? answerTextFiles : answerImages;
  for (let at = 0; at < names.length; ) {
    const isValues = (name: string | undefined) => name !== undefined && VALUES_NAME.test(name);
    const first = isValues(names[at]);
    const next = names.findIndex((name, i) => i > at && isValues(name) !== first);
    const some = names.slice(at, next < 0 ? names.length : next);
    yield* first ? answerValues(loaded, some) : ofFiles(loaded, some);
    at += some.length;
  }
}

const answerValues = ({ model }: Loaded, names: readonly string[]): AsyncGenerator<Prediction> =>
  answersIn(model, valueSamples(names, model.metadata.tensors.inputs));

const answerTextFiles = ({ model }: Loaded, names: readonly string[]): AsyncGenerator<Prediction> =>
  answersIn(model, textSamples(names, model.metadata));

async function* answerTexts({ place, model }: Loaded, texts: readonly string[]): AsyncGenerator<TextPrediction> {
  if (!readsTexts(model.metadata))
    throw invalid(place, `its task is ${model.metadata.task}`, 'must be a model that classifies texts');
  const read = textReader(model.metadata);
  for (let from = 0; from < texts.length; from += model.batch) {
    const some = texts.slice(from, from + model.batch);
    const answers = await askValues(model, some.map(read));
    for (const [i, text] of some.entries()) yield { text, ...(answers[i] ?? NO_ANSWER) };
  }
}

async function* answersIn(model: ExportedModel, samples: AsyncIterable<ValueSample>): AsyncGenerator<Prediction> {
  for await (const batch of batches(samples, model.batch)) {
    const answers = await askValues(
      model,
      batch.map(({ read }) => read),
    );
    for (const [i, { from }] of batch.entries()) yield { ...from, ...(answers[i] ?? NO_ANSWER) };
  }
}

/** The answers to raw samples that run together; to a reason, the reason. */
async function askValues(model: ExportedModel, samples: readonly (Arrays | string)[]): Promise<readonly Answer[]> {
  const good = samples.flatMap((read) => (typeof read === 'string' ? [] : [read]));
  const together = allocate(model.metadata.tensors.inputs, good.length);
  for (const [i, sample] of good.entries())
    for (const [name, values] of Object.entries(sample)) together[name]?.set(values, i * values.length);
  const answers = good.length === 0 ? [] : (await model.answer(together, good.length)).answers;
  let next = 0;
  return samples.map((read) => (typeof read === 'string' ? { error: read } : (answers[next++] ?? NO_ANSWER)));
}

const NO_ANSWER = { error: 'the model has no answer' };

/** The answers to samples that run together. */
async function ask({ model }: Loaded, samples: readonly Sample[]): Promise<Prediction[]> {
  const size = sizeOf(model.metadata.input);
  const good = samples.flatMap(({ read }) => (typeof read === 'string' ? [] : [read]));
  const input = new Float32Array(good.length * size);
  for (const [i, values] of good.entries()) input.set(values, i * size);
  const answers = good.length === 0 ? [] : (await model.answer({ [INPUT_NAME]: input }, good.length)).answers;
  let next = 0;
  return samples.map(({ from, read }) => {
    if (typeof read === 'string') return { ...from, error: read };
    return { ...from, ...(answers[next++] ?? NO_ANSWER) };
  });
}

/** Files give the one input `input`. Throws UserError for a model that takes something else. */
function checkInput({ place, model }: Loaded): void {
  const { inputs, states } = model.metadata.tensors;
  const names = Object.keys({ ...inputs, ...states });
  if (names.length !== 1 || inputs[INPUT_NAME]?.dtype !== 'float32')
    throw invalid(
      place,
      `it takes ${names.join(', ')}`,
      'must be given the values of its inputs in a JSON file (docs/tasks.md)',
    );
}

async function* answerImages(loaded: Loaded, names: readonly string[]): AsyncGenerator<Prediction> {
  const { input, range, decoding } = loaded.model.metadata;
  checkInput(loaded);
  if (input.length !== 3 || (input[0] !== 1 && input[0] !== 3)) {
    const found = `its input is [${input.join(', ')}], without an encoding for tables`;
    throw invalid(
      loaded.place,
      found,
      'it must be a model for grayscale or color images, or for CSV rows, or be given its values in a JSON file',
    );
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
  checkInput(loaded);
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
