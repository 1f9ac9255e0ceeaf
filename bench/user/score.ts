/** The value of an exported network on the test file that all contestants share. */
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type ImageFiles, readNpy, readRows, type TableFiles } from './data.ts';
import { runPinned } from './process.ts';

/** The command line of this repository. */
export const BIN = join(import.meta.dirname, '../../bin/netsmith.js');

/** Accuracy of a model of images, in ONNX Runtime: it takes raw values, [N, C, H, W], and gives a score for each class. */
export async function imageScore(model: string, { arrays, shape, testCount }: ImageFiles): Promise<number> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const [input = '', output = ''] = [session.inputNames[0], session.outputNames[0]];
  const x = readNpy(join(arrays, 'test-x.npy'));
  const y = readNpy(join(arrays, 'test-y.npy'));
  const classOf = new DataView(y.buffer, y.byteOffset);
  const elements = shape.reduce((product, n) => product * n, 1);
  let hits = 0;
  for (let start = 0; start < testCount; start += 500) {
    const count = Math.min(500, testCount - start);
    const values = Float32Array.from(x.subarray(start * elements, (start + count) * elements));
    const result = await session.run({ [input]: new Tensor('float32', values, [count, ...shape]) });
    const scores = result[output]?.data;
    if (!(scores instanceof Float32Array)) throw new Error(`${model}: the output is no float32 tensor`);
    const classes = scores.length / count;
    for (let k = 0; k < count; k++) {
      const own = scores.subarray(k * classes, (k + 1) * classes);
      if (own.indexOf(Math.max(...own)) === Number(classOf.getBigInt64((start + k) * 8, true))) hits++;
    }
  }
  await session.release();
  return hits / testCount;
}

/** What `netsmith predict --json` says of a row. */
interface Predicted {
  readonly class?: string;
  readonly values?: Readonly<Record<string, number>>;
  readonly error?: string;
}

/** Accuracy or R2 of a model of a table, by `netsmith predict`. A row without a prediction is an error here. */
export async function tableScore(
  model: string,
  { test, label }: TableFiles,
  metric: 'accuracy' | 'r2',
  core: number,
): Promise<number> {
  const args = [BIN, 'predict', model, test, '--json'];
  const { stdout, stderr, code } = await runPinned({ command: process.execPath, args }, core, 600);
  if (code !== 0) throw new Error(`predict ended with ${code}: ${stderr}`);
  const predicted = JSON.parse(stdout) as Predicted[];
  const wanted = readRows(test).map((row) => row[label] ?? '');
  if (predicted.length !== wanted.length) throw new Error(`predict gave ${predicted.length} of ${wanted.length} rows`);
  if (metric === 'accuracy') return mean(wanted.map((value, k) => (predicted[k]?.class === value ? 1 : 0)));
  return r2(
    wanted.map(Number),
    predicted.map(({ values }) => values?.[label] ?? Number.NaN),
  );
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Coefficient of determination: 1 less the squared errors over the squared differences from the mean. */
function r2(wanted: readonly number[], predicted: readonly number[]): number {
  const center = mean(wanted);
  const total = mean(wanted.map((value) => (value - center) ** 2));
  return 1 - mean(wanted.map((value, k) => (value - (predicted[k] ?? Number.NaN)) ** 2)) / total;
}
