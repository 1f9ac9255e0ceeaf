import type { Feeds } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import { noiseOf, SKIP_DROPOUT } from '../network/mixture.ts';
import { taskOf } from '../task/index.ts';
import { noiseFor } from '../train/batch-steps.ts';
import { orderedBatches, type TrainingBatches } from '../train/batches.ts';
import type { Guards, Mixture } from '../train/checkpoint.ts';
import type { Borrowed } from '../train/epochs.ts';
import type { NetworkOnData } from '../train/forward.ts';
import { inferenceOver } from '../train/inference.ts';
import type { StateParts } from '../train/program.ts';
import type { Programs } from '../train/programs.ts';
import { effectiveRank } from './effective-rank.ts';
import { eigenvalueIterations, gapSamples, genotypeFeeds, guardsOf } from './guards.ts';
import { type OpenStep, scalars } from './mixture-methods.ts';
import { outputGraph } from './mixture-steps.ts';
import { dominantEigenvalue } from './sharpness.ts';
import type { AfterEpoch, SupernetRequest } from './supernet.ts';

/** What the guards look at. */
export interface Watched {
  readonly open: OpenStep;
  readonly parts: StateParts;
  /** Those of the architecture's loss. */
  readonly batches: TrainingBatches;
  readonly stepsPerEpoch: number;
  readonly programs: Programs;
  readonly borrow: Borrowed['borrow'];
  readonly on: NetworkOnData;
  /** Whether there are architecture parameters that make a network of the space of the supernet. */
  readonly hasGenotypes: boolean;
}

/** What takes the guards after each epoch. */
export async function watch(request: SupernetRequest, watched: Watched) {
  const { open, parts, batches, stepsPerEpoch, programs, borrow, on, hasGenotypes } = watched;
  const { space, info, task, valid, train } = request;
  const { metric } = taskOf(info, task).metrics[0];
  const streams: SupernetRequest['rng'] = (...labels) => request.rng('guards', ...labels);
  const batch = structuredClone(await batches.epoch(0, streams).prepare());
  const { architecture } = parts;
  // Of a concrete distribution, its mixture: without noise, at temperature 1. Skips have no dropout, and growing drop path drops nothing (progress 0).
  const none = architecture.map(({ path, shape }) => [
    noiseOf(path),
    { shape, data: new Float32Array(sizeOf(shape)).fill(Math.exp(-1)) },
  ]);
  const still = { ...Object.fromEntries(none), ...scalars({ temperature: 1, [SKIP_DROPOUT]: 0 }) };
  const fixed = { ...batch, ...noiseFor(open.noise.architecture, streams('noise'), 0)(), ...still };
  const direction = streams('direction');
  const start = Float64Array.from({ length: architecture.reduce((sum, one) => sum + sizeOf(one.shape), 0) }, () =>
    direction.normal(),
  );
  const iterations = eigenvalueIterations(stepsPerEpoch);
  const plain = guardsOf(space);
  const order = streams('samples').shuffle(Array.from({ length: valid?.count ?? 0 }, (_, i) => i));
  const gap = valid && gapSamples(valid, order, train.count);
  const outputs =
    gap &&
    (await borrow(
      programs.program({
        ...{ on, batchSize: gap.batchSize, kind: 'mixture outputs' },
        build: () => outputGraph(on, gap.batchSize),
        compile: { memory: 'returned' },
      }),
    ));

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

  const gapOf = async ({ genotype }: Mixture, { state }: AfterEpoch): Promise<Guards['gap']> => {
    const feeds = hasGenotypes ? genotypeFeeds(space, architecture, genotype) : undefined;
    if (feeds === undefined || gap === undefined || outputs === undefined) return undefined;
    const { samples, batchSize } = gap;
    const noise = { ...noiseFor(outputs.built.randomInputs, streams('outputs'), 0)(), ...still };
    const of = async (given: Feeds) => {
      const inference = inferenceOver(outputs.program, on, state, batchSize, { ...noise, ...given });
      return (await inference.measure(samples, request.signal)).metrics[metric] ?? Number.NaN;
    };
    return { metric, mixture: await of({}), genotype: await of(feeds), samples: samples.count };
  };
  const rankOf = async ({ state }: AfterEpoch): Promise<Guards['effectiveRank']> => {
    if (gap === undefined || outputs === undefined) return undefined;
    const { feeds } = await orderedBatches(gap.samples, taskOf(info, task).spec(info), gap.batchSize).read(0);
    const noise = noiseFor(outputs.built.randomInputs, streams('outputs'), 0)();
    const { features } = await outputs.program.run({ ...feeds, ...noise, ...still }, state);
    return features && effectiveRank(features);
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
    const found = await gapOf(mixture, after);
    const rank = await rankOf(after);
    return {
      ...plain(mixture),
      ...(found && Number.isFinite(found.genotype) && Number.isFinite(found.mixture) && { gap: found }),
      ...(Number.isFinite(eigenvalue) && { eigenvalue }),
      ...(rank && { effectiveRank: rank }),
    };
  };
}
