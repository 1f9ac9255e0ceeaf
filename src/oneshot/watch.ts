import type { Feeds } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { noiseOf, SKIP_DROPOUT } from '../network/mixture.ts';
import { taskOf } from '../task/index.ts';
import type { TrainingBatches } from '../train/batches.ts';
import type { Guards, Mixture } from '../train/checkpoint.ts';
import { noiseFor } from '../train/loop.ts';
import type { StateParts } from '../train/program.ts';
import { eigenvalueIterations, gapSamples, genotypeFeeds, guardsOf } from './guards.ts';
import { type OpenStep, scalars } from './mixture-methods.ts';
import { dominantEigenvalue } from './sharpness.ts';
import type { AfterEpoch, SupernetRequest } from './supernet.ts';

/** What the guards look at. */
export interface Watched {
  readonly open: OpenStep;
  readonly parts: StateParts;
  /** Those of the architecture's loss. */
  readonly batches: TrainingBatches;
  readonly stepsPerEpoch: number;
  /** Whether there are architecture parameters that make a network of the space of the supernet. */
  readonly hasGenotypes: boolean;
}

/** What takes the guards after each epoch. */
export async function watch(request: SupernetRequest, { open, parts, batches, stepsPerEpoch, hasGenotypes }: Watched) {
  const { space, info, task, valid, train } = request;
  const { metric } = taskOf(info, task).metrics[0];
  const streams: SupernetRequest['rng'] = (...labels) => request.rng('guards', ...labels);
  const batch = structuredClone(await batches.epoch(0, streams).prepare());
  const { architecture } = parts;
  // Of a concrete distribution, its mixture: without noise, at temperature 1. Skips have no dropout.
  const none = architecture.map(({ path, shape }) => [
    noiseOf(path),
    { shape, data: new Float32Array(sizeOf(shape)).fill(Math.exp(-1)) },
  ]);
  const noise = { ...noiseFor(open.noise.architecture, streams('noise'))(), ...Object.fromEntries(none) };
  const fixed = { ...batch, ...noise, ...scalars({ temperature: 1, [SKIP_DROPOUT]: 0 }) };
  const direction = streams('direction');
  const start = Float64Array.from({ length: architecture.reduce((sum, one) => sum + sizeOf(one.shape), 0) }, () =>
    direction.normal(),
  );
  const iterations = eigenvalueIterations(stepsPerEpoch);
  const plain = guardsOf(space);
  const order = streams('samples').shuffle(Array.from({ length: valid?.count ?? 0 }, (_, i) => i));
  const samples = valid && gapSamples(valid, order, train.count);

  /** One list of numbers as the architecture's tensors. */
  const asFeeds = (values: Float64Array): Feeds => {
    let from = 0;
    return Object.fromEntries(
      architecture.map(({ path, shape }) => {
        const data = Float32Array.from(values.subarray(from, from + sizeOf(shape)));
        from += sizeOf(shape);
        return [path, { shape, data }];
      }),
    );
  };
  const asList = (tensors: Readonly<Record<string, HostTensor>>) =>
    Float64Array.from(architecture.flatMap(({ path }) => Array.from(tensors[path]?.data ?? [])));

  const gapOf = async ({ genotype }: Mixture, { valid: all, measureWith }: AfterEpoch): Promise<Guards['gap']> => {
    const feeds = hasGenotypes ? genotypeFeeds(space, architecture, genotype) : undefined;
    if (feeds === undefined || samples === undefined) return undefined;
    const of = async (given: Feeds) => (await measureWith(given, samples)).metrics[metric] ?? Number.NaN;
    const mixture = samples === valid ? (all[metric] ?? Number.NaN) : await of({});
    return { metric, mixture, genotype: await of(feeds), samples: samples.count };
  };
  return async (mixture: Mixture, after: AfterEpoch): Promise<Guards> => {
    const gradientAt = async (values: Float64Array) =>
      asList(await open.gradient({ ...fixed, ...asFeeds(values) }, after.state));
    const eigenvalue = await dominantEigenvalue({
      gradientAt,
      at: asList(after.tensors),
      direction: start,
      iterations,
    });
    const gap = await gapOf(mixture, after);
    return {
      ...plain(mixture),
      ...(gap && Number.isFinite(gap.genotype) && { gap }),
      ...(Number.isFinite(eigenvalue) && { eigenvalue }),
    };
  };
}
