import type { Json } from '../../common/json.ts';
import { describeDecoding } from '../../data/image-decoding.ts';
import { featureCount } from '../../data/table.ts';
import { isTaskKind, taskOf } from '../../task/index.ts';
import type { TensorSpecs } from '../../task/spec.ts';
import { isPlainTask, type ModelMetadata } from './metadata.ts';

/** How a reader recognizes the file. */
export const MODEL_JSON_FORMAT = 'netsmith-model';

/**
 * What `model.json` beside an ONNX file holds: the file's own metadata in a form that any program reads, since ONNX Runtime
 * shows them to no JavaScript. `file`: the ONNX file's name. Fields may be added.
 *
 * `{ format, formatVersion, netsmith, model, task, inputs: [{ name, dtype, shape, layout }], outputs: [{ name, dtype, shape, meaning }],
 * states?, lengths?, labels, preprocessing, dataset, space, architecture, training }`. The batch `N` may have any size, and all axes `time` any from
 * the first to the second of `lengths`, where these are there. `preprocessing` of images is
 * `{ kind: 'image', width, height, channels, orientation, background, values?, resize: { fit, filter }, range, normalization, text }`,
 * where 8-bit values from 0 to 255 are stretched to `range`; of a table `{ kind: 'table', columns: [{ name, kind, feature, width, ... }],
 * normalization, label, labelOffset? }` with the encoding of each column, of a text `{ kind: 'text', length, tokenizer, ... }`, else `{ kind: 'values', range?, normalization }`.
 */
export function modelJson(metadata: ModelMetadata, file: string): Readonly<Record<string, Json>> {
  const { task, input, labels, tensors } = metadata;
  const known = isPlainTask(task);
  const layout = input.length === 3 ? 'NCHW' : 'NF';
  const ends = (specs: TensorSpecs, more: object) =>
    Object.entries(specs).map(([name, { shape, dtype, axes, values, padded }]) => {
      const spec = { name, dtype, shape: ['N', ...shape] };
      return { ...spec, ...more, ...(!known && { axes, values, padded }) };
    });
  return JSON.parse(
    JSON.stringify({
      format: MODEL_JSON_FORMAT,
      formatVersion: 1,
      netsmith: metadata.version,
      model: file,
      task,
      inputs: ends(tensors.inputs, known ? { layout } : {}),
      outputs: ends(tensors.outputs, isTaskKind(task) ? { meaning: taskOf({ kind: task }).meaning } : {}),
      ...(!known && { states: ends(tensors.states, {}), lengths: metadata.lengths }),
      labels,
      preprocessing: preprocessingOf(metadata),
      dataset: metadata.dataset,
      space: metadata.space,
      architecture: metadata.architecture,
      training: metadata.training,
    }),
  );
}

/** The mean is subtracted, and the deviation divided by, inside the model. */
const NORMALIZATION = 'inside the model';

function preprocessingOf({ input, range, decoding, encoding, text }: ModelMetadata): object {
  if (text !== undefined) return { kind: 'text', length: input[0], ...text };
  const normalization = NORMALIZATION;
  if (encoding !== undefined) {
    let at = 0;
    const columns = encoding.columns.map((column) => {
      const width = featureCount({ columns: [column] });
      const placed = { ...column, feature: at, width };
      at += width;
      return placed;
    });
    const { label, labelOffset } = encoding;
    return { kind: 'table', columns, normalization, label, labelOffset };
  }
  const [channels, height, width] = input;
  if (input.length !== 3) return { kind: 'values', range, normalization };
  return {
    kind: 'image',
    width,
    height,
    channels: channels === 1 ? 'gray' : 'RGB',
    orientation: 'upright, by EXIF',
    background: decoding?.background ?? 0,
    values: decoding?.values,
    resize: { fit: 'fill', filter: 'lanczos3' },
    range: range ?? [0, 255],
    normalization,
    text: describeDecoding(decoding),
  };
}
