/** Samples in memory, as rows of numbers. */
import { rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { sizeOf } from '../graph/ir.ts';
import { taskOf } from '../task/index.ts';
import { allocate, onlyOf, type TaskSpec } from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';
import type { BaselineTask, Rows } from './baseline.ts';

/** Inputs that are held in memory at most: 256 MiB of float32. */
const MOST_VALUES = 2 ** 26;
/** Samples that are read at once. */
export const CHUNK = 256;

/** What baselines can make of these data; undefined where they are not one class or some numbers for each sample of float32, or a class for each text. */
export function baselineTask(info: DatasetInfo, own?: TaskDefinition): BaselineTask | undefined {
  const task = taskOf(info, own);
  const { inputs, targets, outputs } = task.spec(info);
  const [input, ...otherInputs] = Object.values(inputs);
  const [target, ...otherTargets] = Object.values(targets);
  const [output, ...otherOutputs] = Object.values(outputs);
  if (input === undefined || otherInputs.length + otherTargets.length + otherOutputs.length > 0) return undefined;
  const reads = input.dtype === 'float32' ? 'numbers' : 'tokens';
  if (reads === 'tokens' && input.padded !== true) return undefined;
  if (target === undefined || output === undefined || sizeOf(output.shape) !== info.outputs) return undefined;
  if (task.classes && sizeOf(target.shape) === 1) return { info, task, loss: 'log-loss', reads };
  if (task.standardized && sizeOf(target.shape) === info.outputs) return { info, task, loss: 'squared-error', reads };
  return undefined;
}

/** The samples `indices` as the task reads them. */
export async function readRaw(samples: Samples, spec: TaskSpec, indices: readonly number[]) {
  const arrays = { inputs: allocate(spec.inputs, indices.length), targets: allocate(spec.targets, indices.length) };
  await samples.read(indices, { ...arrays.inputs, ...arrays.targets });
  return arrays;
}

/** All samples, or as many as fit in memory, drawn by the seed. */
export async function loadRows(
  { info, task, loss }: BaselineTask,
  samples: Samples,
  seed: number,
  signal?: AbortSignal,
): Promise<Rows> {
  const spec = task.spec(info);
  const columns = sizeOf(onlyOf(spec.inputs).shape);
  const outputs = loss === 'log-loss' ? 1 : info.outputs;
  const all = Array.from({ length: samples.count }, (_, i) => i);
  const kept = drawn(all, Math.floor(MOST_VALUES / columns), seed);
  const data = new Float32Array(kept.length * columns);
  const targets = new Float32Array(kept.length * outputs);
  for (let from = 0; from < kept.length; from += CHUNK) {
    const indices = kept.slice(from, from + CHUNK);
    const raw = await readRaw(samples, spec, indices);
    signal?.throwIfAborted();
    data.set(onlyOf(raw.inputs), from * columns);
    const into = targets.subarray(from * outputs, (from + indices.length) * outputs);
    if (loss === 'log-loss' || task.encoding === undefined) into.set(onlyOf(raw.targets));
    else {
      const encoded = { ...raw.targets };
      const [name = ''] = Object.keys(spec.targets);
      task.encoding.fill(encoded, { [name]: into }, info, 0);
    }
  }
  return { table: { rows: kept.length, columns, data }, targets };
}

/** `most` of them at most, in their order. */
export function drawn(indices: readonly number[], most: number, seed: number): readonly number[] {
  if (indices.length <= most) return indices;
  return rng(seed, 'baseline')
    .shuffle(indices)
    .slice(0, Math.max(1, most))
    .sort((a, b) => a - b);
}

/** `most` rows at most, drawn by the seed. */
export function someRows(rows: Rows, most: number, seed: number): Rows {
  const { table, targets } = rows;
  const kept = drawn(
    Array.from({ length: table.rows }, (_, i) => i),
    most,
    seed,
  );
  if (kept.length === table.rows) return rows;
  return {
    table: { ...table, rows: kept.length, data: picked(table.data, table.columns, kept) },
    targets: picked(targets, targets.length / table.rows, kept),
  };
}

function picked(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (const [to, row] of rows.entries()) out.set(values.subarray(row * width, (row + 1) * width), to * width);
  return out;
}

/** Training and validation rows together. */
export function concatRows(first: Rows, second: Rows): Rows {
  const joined = (a: Float32Array, b: Float32Array) => {
    const out = new Float32Array(a.length + b.length);
    out.set(a);
    out.set(b, a.length);
    return out;
  };
  const { columns } = first.table;
  return {
    table: {
      rows: first.table.rows + second.table.rows,
      columns,
      data: joined(first.table.data, second.table.data),
    },
    targets: joined(first.targets, second.targets),
  };
}

/** (x - mean) / deviation by channel or feature, as networks see their inputs. */
export function standardized({ mean, deviation }: DatasetInfo, values: Float32Array, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  const channels = mean.length;
  const area = columns / channels;
  const [shift, scale] = [new Float64Array(columns), new Float64Array(columns)];
  for (let f = 0; f < columns; f++) {
    const channel = Math.floor(f / area);
    shift[f] = mean[channel] ?? 0;
    scale[f] = 1 / (deviation[channel] ?? 1);
  }
  for (let start = 0; start < values.length; start += columns)
    for (let f = 0; f < columns; f++)
      out[start + f] = ((values[start + f] as number) - (shift[f] as number)) * (scale[f] as number);
  return out;
}
