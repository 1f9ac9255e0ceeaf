import { rng } from '../../common/random.ts';
import type { DatasetInfo } from '../../data/dataset.ts';
import { interpret } from '../../graph/interpret.ts';
import { type HostTensor, sizeOf } from '../../graph/ir.ts';
import type { Module } from '../../space/tree/module.ts';
import { inferenceGraph } from '../../train/program.ts';

/** A classification of images of that shape, in raw units far from normalized. */
export function imageInfo(input: readonly number[], changes: Partial<DatasetInfo> = {}): DatasetInfo {
  const channels = input[0] ?? Number.NaN;
  return {
    name: 'test images',
    kind: 'classification',
    input,
    outputs: 4,
    labels: ['ant', 'bee', 'cat', 'dog'],
    range: [0, 255],
    mean: Array.from({ length: channels }, (_, c) => 100 + 7 * c),
    deviation: Array.from({ length: channels }, (_, c) => 50 + 3 * c),
    counts: { train: 8, valid: 4, test: 4 },
    notes: [],
    ...changes,
  };
}

/** Weights as after some training: no zeros, running statistics of their own. */
export function trainedWeights(network: Module, info: DatasetInfo, seed = 1): Record<string, HostTensor> {
  const { parameters, statistics } = inferenceGraph({ network, info, resolution: 1 }, 1);
  const draw = (
    path: string,
    shape: readonly number[],
    make: (random: ReturnType<typeof rng>) => number,
  ): HostTensor => {
    const random = rng('trained', seed, path);
    return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => make(random)) };
  };
  return Object.fromEntries([
    ...parameters.map(({ path, shape }) => {
      const deviation = shape.length < 2 ? 0.4 : 1 / Math.sqrt(sizeOf(shape.slice(1)));
      const center = shape.length < 2 ? 0.7 : 0;
      return [path, draw(path, shape, (random) => center + deviation * random.normal())] as const;
    }),
    ...statistics.map(({ path, shape }) => [path, draw(path, shape, (random) => 0.3 + 1.5 * random.float())] as const),
  ]);
}

/** Raw samples [count, ...input] in the range of the data, each with colors of its own, so that classes differ. */
export function rawSamples(info: Pick<DatasetInfo, 'input' | 'range'>, count: number, seed = 1): HostTensor {
  const random = rng('samples', seed);
  const [low, high] = info.range ?? [-3, 3];
  const shape = [count, ...info.input];
  const area = sizeOf(info.input.slice(1));
  const data = new Float32Array(sizeOf(shape));
  for (let start = 0; start < data.length; start += area) {
    const level = random.float();
    for (let i = start; i < start + area; i++) data[i] = low + (high - low) * (0.6 * level + 0.4 * random.float());
  }
  return { shape, data };
}

/** What the network gives in float64 by the reference interpreter: probabilities, or values in the targets' units. */
export function expectedOutputs(
  network: Module,
  info: DatasetInfo,
  weights: Readonly<Record<string, HostTensor>>,
  x: HostTensor,
): number[][] {
  const { graph } = inferenceGraph({ network, info, resolution: 1 }, x.shape[0] as number);
  const { output } = interpret(graph, { ...weights, input: x });
  const rows: number[][] = [];
  for (let i = 0; i < (x.shape[0] ?? Number.NaN); i++) {
    const row = [...(output?.data ?? []).slice(i * info.outputs, (i + 1) * info.outputs)];
    if (info.kind === 'regression') {
      rows.push(row.map((v, t) => v * (info.target?.deviation[t] ?? 1) + (info.target?.mean[t] ?? 0)));
      continue;
    }
    const top = Math.max(...row);
    const total = row.reduce((sum, v) => sum + Math.exp(v - top), 0);
    rows.push(row.map((v) => Math.exp(v - top) / total));
  }
  return rows;
}
