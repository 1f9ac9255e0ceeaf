/** Writes the training and test files of a task, which all contestants see alike. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { Samples } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { divide } from '../../src/data/split.ts';
import type { ImageTask, TableTask, Task } from './tasks.ts';

export interface ImageFiles {
  /** What Netsmith reads; undefined: the bundled digits. */
  readonly dir: string | undefined;
  /** Folder of train-x.npy, train-y.npy, test-x.npy and test-y.npy: uint8 images [N, C, H, W], int64 classes [N]. */
  readonly arrays: string;
  readonly trainCount: number;
  readonly testCount: number;
  /** Of one image: [C, H, W]. */
  readonly shape: readonly number[];
}

export interface TableFiles {
  readonly train: string;
  readonly test: string;
  readonly label: string;
}

export type FilesOf<T extends Task> = T extends ImageTask ? ImageFiles : TableFiles;

/** Where the original files are. */
export interface Sources {
  readonly shared: string;
  readonly fashionMnist: string;
}

/** Seed 0 where the task's own division does not depend on it. */
export const splitOf = (task: Task, seed: number): number =>
  task.splits !== undefined || task.name === 'digits' ? seed : 0;

/** Writes the files of a division into `folder`, unless they are there. Throws Error where the original files are absent. */
export async function imageFiles(task: ImageTask, seed: number, sources: Sources, folder: string): Promise<ImageFiles> {
  const dir =
    task.data === 'digits'
      ? undefined
      : task.data === 'fashion-mnist'
        ? sources.fashionMnist
        : join(sources.shared, task.folder ?? '');
  if (dir !== undefined) present(dir);
  const about = join(folder, 'arrays.json');
  if (!existsSync(about)) {
    mkdirSync(folder, { recursive: true });
    const { search, openTest } = await openDataset({ name: task.data, dir, seed: splitOf(task, seed), validShare: 0 });
    const shape = search.info.input;
    const test = await openTest();
    await writeArrays(join(folder, 'train'), search.train, shape);
    await writeArrays(join(folder, 'test'), test, shape);
    writeFileSync(about, JSON.stringify({ trainCount: search.train.count, testCount: test.count, shape }));
  }
  return { dir, arrays: folder, ...JSON.parse(readFileSync(about, 'utf8')) };
}

async function writeArrays(name: string, samples: Samples, shape: readonly number[]): Promise<void> {
  const elements = shape.reduce((product, n) => product * n, 1);
  const { count } = samples;
  const [x, y] = [new Uint8Array(count * elements), new BigInt64Array(count)];
  const chunk = 500;
  const into = { input: new Float32Array(chunk * elements), target: new Float32Array(chunk) };
  for (let start = 0; start < count; start += chunk) {
    const length = Math.min(chunk, count - start);
    await samples.read(
      Array.from({ length }, (_, k) => start + k),
      into,
    );
    x.set(into.input.subarray(0, length * elements), start * elements);
    y.set(
      Array.from(into.target.subarray(0, length), (value) => BigInt(value)),
      start,
    );
  }
  writeNpy(`${name}-x.npy`, '|u1', [count, ...shape], x);
  writeNpy(`${name}-y.npy`, '<i8', [count], new Uint8Array(y.buffer));
}

/** NumPy's file format, version 1.0: magic, length of the header, header padded to 64 bytes, the values. */
function writeNpy(file: string, type: string, shape: readonly number[], bytes: Uint8Array): void {
  const fields = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.map((n) => `${n},`).join(' ')}), }`;
  const header = `${fields.padEnd(Math.ceil((fields.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(header.length, 8);
  writeFileSync(file, Buffer.concat([head, Buffer.from(header, 'latin1'), bytes]));
}

/** The values of a file that `writeNpy` wrote. */
export function readNpy(file: string): Uint8Array {
  const bytes = readFileSync(file);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

/** Writes train.csv and test.csv of a division into `folder`. Throws Error where the original file is absent. */
export function tableFiles(task: TableTask, seed: number, { shared }: Sources, folder: string): TableFiles {
  const files = { train: join(folder, 'train.csv'), test: join(folder, 'test.csv'), label: task.label };
  if (existsSync(files.test)) return files;
  const all = readRows(join(shared, task.file));
  const [train, test] =
    task.test !== undefined ? [all, readRows(join(shared, task.test))] : divided(task, all, splitOf(task, seed));
  mkdirSync(folder, { recursive: true });
  writeRows(files.train, train, task.without);
  writeRows(files.test, test, task.without);
  return files;
}

type Row = Readonly<Record<string, string>>;

function divided(task: TableTask, rows: readonly Row[], seed: number): readonly [readonly Row[], readonly Row[]] {
  if (task.testFrom !== undefined) return [rows.slice(0, task.testFrom), rows.slice(task.testFrom)];
  const names = [...new Set(rows.map((row) => row[task.label] ?? ''))].sort();
  const classes = { of: rows.map((row) => names.indexOf(row[task.label] ?? '')), names };
  const parts = divide(
    { place: task.name, count: rows.length, ...(task.metric === 'accuracy' && { classes }), ownTest: false },
    { seed, validShare: 0 },
  );
  const taken = (indices: Int32Array) => Array.from(indices, (index) => rows[index] as Row);
  return [taken(parts.train), taken(parts.test)];
}

/** The rows of a CSV file by column, cells as they are written there. */
export function readRows(file: string): readonly Row[] {
  present(file);
  const bytes = readFileSync(file);
  return parse(file.endsWith('.gz') ? gunzipSync(bytes) : bytes, { columns: true, skip_empty_lines: true }) as Row[];
}

function writeRows(file: string, rows: readonly Row[], without: readonly string[] = []): void {
  const columns = Object.keys(rows[0] ?? {}).filter((name) => !without.includes(name));
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ''))];
  writeFileSync(file, `${lines.map((cells) => cells.map(cell).join(',')).join('\n')}\n`);
}

function present(path: string): void {
  if (!existsSync(path)) throw new Error(`the data are absent: ${path}`);
}
