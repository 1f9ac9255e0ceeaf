import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { readTable } from '../data/readers/csv.node.ts';
import { readImage } from '../data/readers/image.node.ts';
import { encodeRow } from '../data/table.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { INPUT_NAME, type ModelMetadata, OUTPUT_NAMES } from './export/metadata.ts';
import { modelMetadata } from './export/onnx.ts';

/** One sample's answer: of an image, or of a row of a CSV file. */
export type Prediction = {
  readonly file: string;
  /** The row of a CSV file, from 1; the header is not counted. */
  readonly row?: number;
} & (
  | { readonly class: string /** By class. */; readonly probabilities: Readonly<Record<string, number>> }
  /** Of a regression, by target, in the targets' own units. */
  | { readonly values: Readonly<Record<string, number>> }
);

/** Samples that run together. */
const BATCH = 64;

/**
 * What an exported model says of images or of the rows of CSV files, by the model's metadata alone: images are turned
 * upright, resized to the model's size and given its channels and range; rows are encoded as the training's were.
 * Throws UserError naming the file (and row) for a model that is not ours and for files that cannot be read.
 */
export async function predictFiles(
  engine: Engine,
  modelFile: string,
  files: readonly string[],
): Promise<{ readonly metadata: ModelMetadata; readonly predictions: readonly Prediction[] }> {
  const place = `model "${modelFile}"`;
  const bytes = await readNamed(place, modelFile);
  const metadata = modelMetadata(place, bytes);
  const program = await engine.load(bytes);
  try {
    const predictions: Prediction[] = [];
    if (metadata.encoding !== undefined) {
      for (const file of files) {
        for await (const batch of rowsOf(file, metadata)) predictions.push(...(await ask(program, metadata, batch)));
      }
    } else {
      for (let at = 0; at < files.length; at += BATCH) {
        predictions.push(...(await ask(program, metadata, await images(files.slice(at, at + BATCH), metadata))));
      }
    }
    return { metadata, predictions };
  } finally {
    await program.dispose();
  }
}

/** A batch of raw samples and where each comes from. */
interface Batch {
  readonly from: readonly { readonly file: string; readonly row?: number }[];
  readonly samples: readonly Float32Array[];
}

async function ask(program: Program, metadata: ModelMetadata, { from, samples }: Batch): Promise<Prediction[]> {
  const size = sizeOf(metadata.input);
  const data = new Float32Array(samples.length * size);
  for (const [i, sample] of samples.entries()) data.set(sample, i * size);
  const results = await program.run({ [INPUT_NAME]: { shape: [samples.length, ...metadata.input], data } });
  const output = results[OUTPUT_NAMES[metadata.task]] as HostTensor;
  const { labels } = metadata;
  return from.map((source, i) => {
    const row = [...output.data.slice(i * labels.length, (i + 1) * labels.length)];
    const named = Object.fromEntries(labels.map((label, k) => [label, row[k] ?? Number.NaN]));
    return metadata.task === 'regression'
      ? { ...source, values: named }
      : { ...source, class: labels[row.indexOf(Math.max(...row))] ?? '', probabilities: named };
  });
}

async function images(files: readonly string[], { input, range, decoding }: ModelMetadata): Promise<Batch> {
  if (input.length !== 3) {
    throw invalid(
      `file "${files[0]}"`,
      `the model takes ${sizeOf(input)} features and no table's encoding`,
      'a model of images or of a CSV is needed',
    );
  }
  const samples = await Promise.all(
    files.map(async (file) => {
      if (extname(file).toLowerCase() === '.csv') {
        throw invalid(`file "${file}"`, 'a table', `the model takes images of [${input.join(', ')}]`);
      }
      return readImage(file, { input, ...(range && { range }), ...(decoding && { decoding }) });
    }),
  );
  return { from: files.map((file) => ({ file })), samples };
}

async function* rowsOf(file: string, { encoding }: ModelMetadata): AsyncGenerator<Batch> {
  if (encoding === undefined) return;
  const { columns, rows } = await readTable(file);
  for (let at = 0; at < rows; at += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, rows - at) }, (_, i) => at + i);
    const samples = numbers.map((row) => {
      const cells = Object.fromEntries(columns.map(({ name, cells }) => [name, cells[row]]));
      try {
        return encodeRow(encoding, cells);
      } catch (error) {
        if (error instanceof UserError) throw new UserError(`file "${file}", row ${row + 1}: ${error.message}`);
        throw error;
      }
    });
    yield { from: numbers.map((row) => ({ file, row: row + 1 })), samples };
  }
}

async function readNamed(place: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw invalid(place, messageOf(error), 'it must be a file that can be read');
  }
}
