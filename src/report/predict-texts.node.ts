/** Texts that an exported model reads: rows of a table, text files. */
import { TEXT_NAME } from '../data/catalog.ts';
import { readTable, type Table } from '../data/readers/table.node.ts';
import { readText } from '../data/readers/text-bytes.node.ts';
import { textTokens } from '../data/text/labeled.ts';
import type { Arrays } from '../task/spec.ts';
import type { ModelMetadata } from './export/metadata.ts';
import { attempt, namedFiles, TABLE_NAME } from './predict-files.node.ts';
import type { ValueSample } from './predict-values.node.ts';

/** Whether a model takes one text a sample. */
export const readsTexts = ({ text }: Pick<ModelMetadata, 'text'>): boolean => text?.padded === true;

/** A text as the model takes it. `metadata.text` must be `padded`. */
export function textReader({ text, input, tensors }: ModelMetadata): (text: string) => Arrays | string {
  if (text === undefined) throw new Error('predict: the model reads no texts');
  const [name = ''] = Object.keys(tensors.inputs);
  const [length = 0] = input;
  const encode = textTokens(text);
  return (given) => {
    if (given.trim() === '') return 'there is no text';
    const tokens = new Int32Array(length);
    tokens.set(encode(given, length));
    return { [name]: tokens };
  };
}

/**
 * A sample of each text file, and of each row of the tables among the files: of the column that the model was trained on, by its name. What
 * cannot be read has a reason in its place.
 */
export async function* textSamples(names: readonly string[], metadata: ModelMetadata): AsyncGenerator<ValueSample> {
  const read = textReader(metadata);
  for await (const named of namedFiles(names, new RegExp(`${TEXT_NAME.source}|${TABLE_NAME.source}`, 'i'))) {
    const { file } = named;
    if ('error' in named) yield { from: { file }, read: named.error };
    else if (TABLE_NAME.test(file)) yield* rowsOf(file, metadata, read);
    else yield { from: { file }, read: await attempt(file, async () => read(await readText(file))) };
  }
}

async function* rowsOf(
  file: string,
  { text }: ModelMetadata,
  read: (text: string) => Arrays | string,
): AsyncGenerator<ValueSample> {
  const bad: { readonly row: number; readonly why: string }[] = [];
  const table = await attempt(file, () => readTable(file, (row, why) => bad.push({ row, why })));
  const column = typeof table === 'string' ? table : columnOf(table, text?.column);
  if (typeof table === 'string' || typeof column === 'string') {
    yield { from: { file }, read: typeof column === 'string' ? column : 'it cannot be read' };
    return;
  }
  let next = 0;
  const until = function* (row: number): Generator<ValueSample> {
    for (; (bad[next]?.row ?? row) < row; next++)
      yield { from: { file, row: bad[next]?.row ?? 0 }, read: bad[next]?.why ?? '' };
  };
  for (const [i, row] of table.numbers.entries()) {
    yield* until(row);
    yield { from: { file, row }, read: read(column[i] ?? '') };
  }
  yield* until(Number.POSITIVE_INFINITY);
}

/** The cells of the column of texts, or why there are none. A model of text files knows no column: then the only one of the table. */
function columnOf({ columns }: Table, name: string | undefined): readonly string[] | string {
  const found = name === undefined && columns.length === 1 ? columns[0] : columns.find((one) => one.name === name);
  if (found !== undefined) return found.cells;
  return name === undefined
    ? 'the model was trained on text files; a table of texts must have one column'
    : `there is no column "${name}", which has the texts`;
}
