import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import { type Json, parseJson } from '../../common/json.ts';
import { printable } from '../../common/text.ts';
import type { ImageDecoding, TableEncoding } from '../../data/dataset.ts';
import { encodingSchema } from '../../data/encoding.ts';
import { describeDecoding, readDecoding } from '../../data/image-decoding.ts';
import { featureCount } from '../../data/table.ts';
import { openTokenizer, parseTextEncoding, type TextEncoding } from '../../data/text/tokenizer.ts';
import { type TaskKind, taskOf } from '../../task/index.ts';
import { mapValues, type TensorSpec, type TensorSpecs } from '../../task/spec.ts';

/**
 * What an exported model says of itself: enough to feed it and to read its answer without this project. Stored as the
 * ONNX file's `metadata_props`, texts by these keys:
 *
 * | key | text |
 * |---|---|
 * | `netsmith.version` | version that wrote the file |
 * | `netsmith.task` | `classification`, `regression`, `language-model`, `text`, or the kind of a user's own task |
 * | `netsmith.tensors` | of other tasks than the first two, JSON: `{ inputs, outputs, states }`, each by name `{ shape, dtype, axes, values?, padded? }`, the shape without the batch; a state `NAME` comes out as `next:NAME`. The keys of input and output below say less, and some are absent |
 * | `netsmith.input.name` | `input` |
 * | `netsmith.input.shape` | JSON, the batch first: `["N",3,32,32]` or `["N",13]` |
 * | `netsmith.input.layout` | `NCHW` (images: red, green, blue) or `NF` (features) |
 * | `netsmith.input.format` | `float32` |
 * | `netsmith.input.channels` | images: `RGB` or `gray` |
 * | `netsmith.input.image` | images: how a file becomes an input, in words: turned upright by EXIF, transparency on black, stretched to the size |
 * | `netsmith.input.decoding` | JSON, the same as {@link ImageDecoding}; absent where it is `{}` |
 * | `netsmith.input.range` | JSON, smallest and largest raw value: `[0,255]`; absent for tables |
 * | `netsmith.output.name` | `probabilities` [N, classes] or `values` [N, targets], in the targets' own units |
 * | `netsmith.output.labels` | JSON, names of the classes or targets in order |
 * | `netsmith.encoding` | JSON, a table's columns as {@link TableEncoding}; absent for images |
 * | `netsmith.text` | JSON, how a text becomes tokens, as {@link TextEncoding}; absent where the input is no text |
 * | `netsmith.lengths` | JSON, the least and the largest number of tokens of a sample, `[1,64]`: all sizes of axes `time` may be any between; absent where they are as the shapes say |
 * | `netsmith.dataset`, `netsmith.space`, `netsmith.architecture` | where it comes from; of a baseline that is no network the space is `baseline` |
 * | `netsmith.training` | JSON, a summary of the training |
 * | `netsmith.sha256` | of all bytes before this entry, which is the file's last: see seal.node.ts; absent unless sealed |
 */
export interface ModelMetadata {
  readonly version: string;
  readonly task: string;
  /** Shape of the main input, without the batch: [C, H, W], [C, T], [F], or [T] of tokens. */
  readonly input: readonly number[];
  /** What the model takes and gives, by name. */
  readonly tensors: ModelTensors;
  readonly range: readonly [number, number] | undefined;
  readonly decoding: ImageDecoding | undefined;
  readonly labels: readonly string[];
  readonly encoding: TableEncoding | undefined;
  readonly text: TextEncoding | undefined;
  /** The least and the largest size of axes `time`; undefined where they are as the shapes say. */
  readonly lengths: readonly [number, number] | undefined;
  readonly dataset: string;
  readonly space: string;
  readonly architecture: string;
  readonly training: Json;
}

/** Inputs and outputs of an exported model, without the batch. The state NAME is an input; `nextState(NAME)` is the output. */
export interface ModelTensors {
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly states: TensorSpecs;
}

export const INPUT_NAME = 'input';

/** The tensors of a model whose length is open, for samples of this length. */
export function tensorsAt(tensors: ModelTensors, length: number): ModelTensors {
  const at = (specs: TensorSpecs) =>
    mapValues(specs, (spec) => ({
      ...spec,
      shape: spec.shape.map((size, axis) => (spec.axes[axis] === 'time' ? length : size)),
    }));
  return { inputs: at(tensors.inputs), outputs: at(tensors.outputs), states: at(tensors.states) };
}

/** The tensors of a task of Netsmith follow from its shapes. Throws UserError for the kind of another task. */
export function knownTensors(kind: string, input: readonly number[], outputs: number): ModelTensors {
  const spec = taskOf({ kind }).spec({ name: kind, input, outputs });
  return { inputs: spec.inputs, outputs: spec.outputs, states: {} };
}

/** Tasks whose one input `input` the other keys say all of. */
const PLAIN_TASKS = ['classification', 'regression'] as const satisfies readonly TaskKind[];

/** Whether the tensors of a task follow from its shapes. */
export const isPlainTask = (kind: string): boolean => PLAIN_TASKS.some((known) => known === kind);

/** As the texts of the table above. */
export function writeMetadata(metadata: ModelMetadata): Record<string, string> {
  const { task, input, range, decoding, encoding, text, tensors, lengths } = metadata;
  const known = isPlainTask(task);
  return {
    'netsmith.version': metadata.version,
    'netsmith.task': task,
    ...(!known && { 'netsmith.tensors': JSON.stringify(tensors) }),
    ...(known && {
      'netsmith.input.name': INPUT_NAME,
      'netsmith.input.layout': input.length === 3 ? 'NCHW' : 'NF',
      'netsmith.input.format': 'float32',
      'netsmith.output.name': Object.keys(tensors.outputs)[0] ?? '',
    }),
    'netsmith.input.shape': JSON.stringify(['N', ...input]),
    ...(input.length === 3 && {
      'netsmith.input.channels': input[0] === 1 ? 'gray' : 'RGB',
      'netsmith.input.image': describeDecoding(decoding),
    }),
    ...(decoding !== undefined && { 'netsmith.input.decoding': JSON.stringify(decoding) }),
    ...(range !== undefined && { 'netsmith.input.range': JSON.stringify(range) }),
    'netsmith.output.labels': JSON.stringify(metadata.labels),
    ...(encoding !== undefined && { 'netsmith.encoding': JSON.stringify(encoding) }),
    ...(text !== undefined && { 'netsmith.text': JSON.stringify(text) }),
    ...(lengths !== undefined && { 'netsmith.lengths': JSON.stringify(lengths) }),
    'netsmith.dataset': metadata.dataset,
    'netsmith.space': metadata.space,
    'netsmith.architecture': metadata.architecture,
    'netsmith.training': JSON.stringify(metadata.training),
  };
}

/** Elements of one sample that are read at most: an image of 4096 by 4096 in color. */
const MAX_INPUT = 3 * 4096 * 4096;
const MAX_LABELS = 100_000;

const size = z.int().min(1).max(MAX_INPUT);
const shapeSchema = z
  .union([
    z.tuple([z.literal('N'), size]),
    z.tuple([z.literal('N'), size, size]),
    z.tuple([z.literal('N'), size, size, size]),
  ])
  .transform(([, ...input]): number[] => input)
  .refine((input) => input.reduce((product, n) => product * n, 1) <= MAX_INPUT);
const rangeSchema = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high);
const lengthsSchema = z.tuple([size, size]).refine(([least, most]) => least < most);
const tensorSchema = z
  .strictObject({
    shape: z
      .array(size)
      .max(4)
      .refine((shape) => shape.reduce((product, n) => product * n, 1) <= MAX_INPUT),
    dtype: z.enum(['float32', 'int32']),
    axes: z.array(z.enum(['channel', 'feature', 'class', 'height', 'width', 'time'])),
    values: size.exactOptional(),
    padded: z.literal(true).exactOptional(),
  })
  .refine(({ shape, axes }) => shape.length === axes.length)
  .refine(({ dtype, values }) => dtype === 'int32' || values === undefined);
const MAX_TENSORS = 1000;
const namedTensors = z
  .record(z.string().min(1), tensorSchema)
  .refine((tensors) => Object.keys(tensors).length <= MAX_TENSORS);
const tensorsSchema = z
  .strictObject({ inputs: namedTensors, outputs: namedTensors, states: namedTensors })
  .refine(({ inputs, outputs, states }) => {
    const names = [inputs, outputs, states].flatMap((tensors) => Object.keys(tensors));
    return distinct(names) && Object.keys(inputs).length > 0 && Object.keys(outputs).length > 0;
  });
const distinct = (names: readonly string[]) => new Set(names).size === names.length;
const labelsSchema = z.array(z.string()).min(1).max(MAX_LABELS).refine(distinct);

/**
 * Reads the texts back and checks each, as the file may come from an untrusted source; `place` names it in errors. Throws
 * UserError for a model that Netsmith did not write, or whose metadata is damaged.
 */
export function readMetadata(place: string, texts: Readonly<Record<string, string>>): ModelMetadata {
  if (!Object.keys(texts).some((key) => key.startsWith('netsmith.'))) {
    throw invalid(place, 'it was not exported by Netsmith', 'it must be a model exported by Netsmith');
  }
  const text = (key: string): string => {
    const found = Object.hasOwn(texts, key) ? texts[key] : undefined;
    if (found === undefined) {
      throw invalid(place, `it has no metadata "${key}"`, 'it must be a model exported by Netsmith');
    }
    return found;
  };
  const refuse = (key: string, rule: string) => {
    const found = text(key);
    const shown = found.length > 80 ? `${found.slice(0, 80)}...` : found;
    return invalid(place, `metadata "${key}" is ${printable(shown)}`, `it must be ${rule}`);
  };
  const fixed = <T extends string>(key: string, allowed: readonly T[]): T => {
    const found = allowed.find((one) => one === text(key));
    if (found === undefined) throw refuse(key, allowed.join(' or '));
    return found;
  };
  const json = (key: string): Json => {
    const value = parseJson(text(key), `${place}, metadata "${key}"`);
    // JSON.parse makes Infinity of 1e999.
    if (!allFinite(value)) throw refuse(key, 'JSON with finite numbers');
    return value;
  };
  const parsed = <T>(key: string, schema: z.ZodType<T>, rule: string): T => {
    const result = schema.safeParse(json(key));
    if (!result.success) throw refuse(key, rule);
    return result.data;
  };
  const optional = <T>(key: string, schema: z.ZodType<T>, rule: string): T | undefined =>
    Object.hasOwn(texts, key) ? parsed(key, schema, rule) : undefined;

  const own = Object.hasOwn(texts, 'netsmith.tensors');
  const task = own ? text('netsmith.task') : fixed('netsmith.task', PLAIN_TASKS);
  if (own && isPlainTask(task))
    throw refuse('netsmith.task', `another name than ${task} where there is netsmith.tensors`);
  const shapeRule = 'a list: "N", then one to three whole sizes, and together no more than can be read';
  const input = parsed('netsmith.input.shape', shapeSchema, shapeRule);
  const labels = parsed('netsmith.output.labels', labelsSchema, `a list of at most ${MAX_LABELS} different names`);
  const tensors = own
    ? parsed('netsmith.tensors', tensorsSchema, 'the inputs, outputs and states, each with shape, dtype and axes')
    : knownTensors(task, input, labels.length);
  if (!own) {
    fixed('netsmith.input.name', [INPUT_NAME]);
    fixed('netsmith.input.format', ['float32']);
    fixed('netsmith.output.name', Object.keys(tensors.outputs));
  }
  const encoding = optional('netsmith.encoding', encodingSchema, 'the columns of a table');
  if (encoding !== undefined && (input.length !== 1 || featureCount(encoding) !== input[0])) {
    throw refuse('netsmith.encoding', `columns that make the input [${input.join(', ')}]`);
  }
  const lengths = optional('netsmith.lengths', lengthsSchema, 'two whole sizes, the smaller one first');
  const isTime = ({ axes }: TensorSpec, size: number) => axes.join() === 'time' && size === lengths?.[1];
  if (lengths !== undefined && !Object.values(tensors.inputs).every((spec) => isTime(spec, spec.shape[0] ?? 0)))
    throw refuse('netsmith.lengths', `up to the length of the model's inputs, which are tokens`);
  return {
    version: text('netsmith.version'),
    task,
    input,
    tensors,
    range: optional('netsmith.input.range', rangeSchema, 'two numbers, the smaller one first'),
    decoding: decodingIn(place, texts['netsmith.input.decoding']),
    labels,
    encoding,
    text: textIn(place, texts['netsmith.text'], tensors),
    lengths,
    dataset: text('netsmith.dataset'),
    space: text('netsmith.space'),
    architecture: text('netsmith.architecture'),
    training: json('netsmith.training'),
  };
}

/** How texts become tokens; they must be numbers that the model's one input can have. */
function textIn(place: string, text: string | undefined, { inputs }: ModelTensors): TextEncoding | undefined {
  if (text === undefined) return undefined;
  const where = `${place}, metadata "netsmith.text"`;
  const encoding = parseTextEncoding(parseJson(text, where), where);
  const [tokens, ...others] = Object.values(inputs);
  const length = openTokenizer(encoding.tokenizer).vocabulary.length + (encoding.padded === true ? 1 : 0);
  if (others.length > 0 || tokens?.dtype !== 'int32' || (tokens.values ?? 0) < length)
    throw invalid(where, `${length} tokens`, 'must be no more than the model takes, as its only input');
  return encoding;
}

function decodingIn(place: string, text: string | undefined): ImageDecoding | undefined {
  if (text === undefined) return undefined;
  const where = `${place}, metadata "netsmith.input.decoding"`;
  const decoding = readDecoding(parseJson(text, where));
  if (decoding === undefined)
    throw invalid(where, printable(text.slice(0, 80)), 'a background from 0 to 255, and two values');
  return decoding;
}

function allFinite(value: Json): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value !== 'object' || Object.values(value).every(allFinite);
}
