/** Policies and genomes as ONNX files, compared with what they did in training. */

import type { Json } from '../../common/json.ts';
import { observationSize } from '../../control/environment.ts';
import { genomeNetwork } from '../../control/genome-network.ts';
import { observedSamples } from '../../control/probe.ts';
import { OBSERVATIONS, openScaler } from '../../control/train/scaler.ts';
import type { DatasetInfo, Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { exportGenome } from '../../report/export/genome.ts';
import { PARITY_LIMIT, relativeDifference } from '../../report/export/parity.ts';
import { sealModel } from '../../report/export/seal.node.ts';
import type { NeatSpace } from '../../space/genome/neat.ts';
import { netsmithVersion } from '../versions.ts';
import type { OpenedEnvironment } from './environment.ts';

type Tensors = Readonly<Record<string, HostTensor>>;

/** Observations that a file is compared on. */
const COMPARED = 64;

/** The data of a policy with the statistics that its observations were scaled by, its weights without them, and observations to compare on. */
export function policyModel(
  { environment }: OpenedEnvironment,
  info: DatasetInfo,
  weights: Tensors,
): { readonly info: DatasetInfo; readonly weights: Tensors; readonly samples: Samples } {
  const size = observationSize(environment.observation);
  const isStatistic = (name: string) => name.startsWith(`${OBSERVATIONS}/`);
  const scaler = openScaler(OBSERVATIONS, size, weights);
  const scaled = scaler.statistics();
  return {
    info: { ...info, ...(scaled && { mean: [...scaled.mean], deviation: [...scaled.deviation] }) },
    weights: Object.fromEntries(Object.entries(weights).filter(([name]) => !isStatistic(name))),
    samples: observedSamples(environment, COMPARED, info.input),
  };
}

/** The bytes of a genome's file, and how far its outputs are from those of the genome in play. Throws Error where they are too far. */
export async function genomeModel(
  engine: Engine,
  { environment }: OpenedEnvironment,
  space: NeatSpace,
  architecture: unknown,
  training: Json,
) {
  const genome = space.check(architecture);
  const { action, observation } = environment;
  const names = action.names;
  const model = sealModel(
    exportGenome({
      genome,
      shape: space.shape,
      about: {
        ...{ version: netsmithVersion(), space: space.name, environment: environment.name, training },
        ...(names && names.length === space.shape.outputs && { outputs: names }),
      },
    }),
  );
  const size = observationSize(observation);
  const observed = new Float32Array(COMPARED * size);
  const samples = observedSamples(environment, COMPARED, [size]);
  await samples.read(
    Array.from({ length: COMPARED }, (_, i) => i),
    { observation: observed },
  );
  const network = genomeNetwork(genome, space.shape);
  const expected = Array.from({ length: COMPARED }, (_, i) => {
    // As at the beginning of an episode.
    network.reset();
    return [...network.activate(observed.subarray(i * size, (i + 1) * size))];
  }).flat();
  const program = await engine.load(model);
  try {
    const nodes = space.shape.outputs + genome.hidden.length;
    const state = { shape: [COMPARED, nodes], data: new Float32Array(COMPARED * nodes) };
    const feeds = { input: { shape: [COMPARED, size], data: observed }, ...(space.shape.recurrent && { state }) };
    const { output } = await program.run(feeds);
    const parity = relativeDifference(output?.data ?? [], expected);
    if (!(parity <= PARITY_LIMIT))
      throw new Error(`the exported genome differs from the genome by ${parity}; at most ${PARITY_LIMIT} is allowed`);
    return { model, parity, samples: COMPARED };
  } finally {
    await program.dispose();
  }
}
