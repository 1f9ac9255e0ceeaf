import { invalid } from '../../common/errors.ts';
import { type Json, parseJson } from '../../common/json.ts';
import type { DatasetInfo, ImageDecoding, TableEncoding } from '../../data/dataset.ts';
import { describeDecoding, readDecoding } from '../../data/image-decoding.ts';

/**
 * What an exported model says of itself: enough to feed it and to read its answer without this project. Stored as the
 * ONNX file's `metadata_props`, texts by these keys:
 *
 * | key | text |
 * |---|---|
 * | `netsmith.version` | version that wrote the file |
 * | `netsmith.task` | `classification` or `regression` |
 * | `netsmith.input.name` | `input` |
 * | `netsmith.input.shape` | JSON, the batch first: `["N",3,32,32]` or `["N",13]` |
 * | `netsmith.input.layout` | `NCHW` (images: red, green, blue) or `NF` (features) |
 * | `netsmith.input.format` | `float32` |
 * | `netsmith.input.channels` | images: `RGB` or `grey` |
 * | `netsmith.input.image` | images: how a file becomes an input, in words: turned upright by EXIF, transparency on black, stretched to the size |
 * | `netsmith.input.decoding` | JSON, the same as {@link ImageDecoding}; absent where it is `{}` |
 * | `netsmith.input.range` | JSON, smallest and largest raw value: `[0,255]`; absent for tables |
 * | `netsmith.output.name` | `probabilities` [N, classes] or `values` [N, targets], in the targets' own units |
 * | `netsmith.output.labels` | JSON, names of the classes or targets in order |
 * | `netsmith.encoding` | JSON, a table's columns as {@link TableEncoding}; absent for images |
 * | `netsmith.dataset`, `netsmith.space`, `netsmith.architecture` | where it comes from |
 * | `netsmith.training` | JSON, a summary of the training |
 */
export interface ModelMetadata {
  readonly version: string;
  readonly task: 'classification' | 'regression';
  /** Without the batch: [C, H, W] or [F]. */
  readonly input: readonly number[];
  readonly range: readonly [number, number] | undefined;
  readonly decoding: ImageDecoding | undefined;
  readonly labels: readonly string[];
  readonly encoding: TableEncoding | undefined;
  readonly dataset: string;
  readonly space: string;
  readonly architecture: string;
  readonly training: Json;
}

export const INPUT_NAME = 'input';
export const OUTPUT_NAMES = { classification: 'probabilities', regression: 'values' } as const satisfies Record<
  DatasetInfo['kind'],
  string
>;

/** As the texts of the table above. */
export function writeMetadata(metadata: ModelMetadata): Record<string, string> {
  const { task, input, range, decoding, encoding } = metadata;
  return {
    'netsmith.version': metadata.version,
    'netsmith.task': task,
    'netsmith.input.name': INPUT_NAME,
    'netsmith.input.shape': JSON.stringify(['N', ...input]),
    'netsmith.input.layout': input.length === 3 ? 'NCHW' : 'NF',
    'netsmith.input.format': 'float32',
    ...(input.length === 3 && {
      'netsmith.input.channels': input[0] === 1 ? 'grey' : 'RGB',
      'netsmith.input.image': describeDecoding(decoding),
    }),
    ...(decoding !== undefined && { 'netsmith.input.decoding': JSON.stringify(decoding) }),
    ...(range !== undefined && { 'netsmith.input.range': JSON.stringify(range) }),
    'netsmith.output.name': OUTPUT_NAMES[task],
    'netsmith.output.labels': JSON.stringify(metadata.labels),
    ...(encoding !== undefined && { 'netsmith.encoding': JSON.stringify(encoding) }),
    'netsmith.dataset': metadata.dataset,
    'netsmith.space': metadata.space,
    'netsmith.architecture': metadata.architecture,
    'netsmith.training': JSON.stringify(metadata.training),
  };
}

/**
 * Reads the texts back; `place` names the file in errors. Throws UserError for a model that Netsmith did not write, or
 * whose metadata somebody damaged.
 */
export function readMetadata(place: string, texts: Readonly<Record<string, string>>): ModelMetadata {
  const text = (key: string): string => {
    const found = texts[key];
    if (found === undefined) {
      throw invalid(place, `it has no metadata "${key}"`, 'it must be a model that netsmith export wrote');
    }
    return found;
  };
  const parsed = <T>(key: string, check: (value: unknown) => value is T, rule: string): T => {
    let value: unknown;
    try {
      value = JSON.parse(text(key));
    } catch {
      value = undefined;
    }
    if (!check(value)) throw invalid(place, `metadata "${key}" is ${text(key).slice(0, 80)}`, rule);
    return value;
  };
  const optional = <T>(key: string, check: (value: unknown) => value is T, rule: string): T | undefined =>
    texts[key] === undefined ? undefined : parsed(key, check, rule);

  const task = text('netsmith.task');
  if (task !== 'classification' && task !== 'regression') {
    throw invalid(place, `metadata "netsmith.task" is ${task}`, 'classification or regression');
  }
  const shape = parsed('netsmith.input.shape', isShape, 'a list: "N", then one whole size, or three');
  return {
    version: text('netsmith.version'),
    task,
    input: shape.slice(1) as number[],
    range: optional('netsmith.input.range', isRange, 'a list of two numbers'),
    decoding: decodingIn(place, texts['netsmith.input.decoding']),
    labels: parsed('netsmith.output.labels', isTexts, 'a list of texts'),
    encoding: optional('netsmith.encoding', isEncoding, 'the columns of a table'),
    dataset: text('netsmith.dataset'),
    space: text('netsmith.space'),
    architecture: text('netsmith.architecture'),
    training: parsed('netsmith.training', (value): value is Json => value !== undefined, 'JSON'),
  };
}

function decodingIn(place: string, text: string | undefined): ImageDecoding | undefined {
  if (text === undefined) return undefined;
  const where = `${place}, metadata "netsmith.input.decoding"`;
  const decoding = readDecoding(parseJson(text, where));
  if (decoding === undefined) throw invalid(where, text.slice(0, 80), 'a background from 0 to 255, and two values');
  return decoding;
}

function isShape(value: unknown): value is [string, ...number[]] {
  if (!Array.isArray(value) || value[0] !== 'N' || (value.length !== 2 && value.length !== 4)) return false;
  return value.slice(1).every((size) => Number.isInteger(size) && size > 0);
}

function isRange(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isEncoding(value: unknown): value is TableEncoding {
  if (typeof value !== 'object' || value === null || !('columns' in value) || !('label' in value)) return false;
  return Array.isArray(value.columns) && value.columns.every(isColumn) && typeof value.label === 'string';
}

function isColumn(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('kind' in value)) return false;
  if (typeof value.name !== 'string') return false;
  if (value.kind === 'number') return 'missing' in value && Number.isFinite(value.missing);
  return value.kind === 'category' && 'categories' in value && isTexts(value.categories);
}
