import type { DatasetInfo, Samples } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { type HostTensor, sizeOf } from '../../graph/ir.ts';
import type { Module } from '../../space/module.ts';
import { taskOf } from '../../task/index.ts';
import { openInference } from '../../train/inference.ts';
import { INPUT_NAME } from './metadata.ts';

/** An export that differs more than this from the training engine is refused. */
export const PARITY_LIMIT = 1e-4;

export interface ParityRequest {
  readonly engine: Engine;
  /** What was exported. */
  readonly network: Module;
  readonly info: DatasetInfo;
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly resolution?: number;
  /** The exported file. */
  readonly model: Uint8Array;
  /** Real samples; the first `count` of them are used, 64 by default. */
  readonly samples: Samples;
  readonly count?: number;
}

/**
 * How far the exported model is from the training engine's inference on real samples: the largest absolute difference
 * over the largest absolute output. Throws Error above PARITY_LIMIT: such a file must not be handed over.
 */
export async function checkParity(
  request: ParityRequest,
): Promise<{ readonly parity: number; readonly samples: number }> {
  const { engine, info, model, samples } = request;
  const count = Math.min(request.count ?? 64, samples.count);
  if (count === 0) throw new Error('parity: there are no samples to compare on');
  const expected = await trainingOutputs(request, count);
  const program = await engine.load(model);
  let found: Float32Array;
  try {
    const input = await rawInputs(samples, info, count);
    const results = await program.run({ [INPUT_NAME]: input });
    const output = results[taskOf(info).exportedName];
    if (output === undefined) throw new Error(`parity: the model has no output "${taskOf(info).exportedName}"`);
    found = output.data;
  } finally {
    await program.dispose();
  }
  const parity = relativeDifference(found, expected);
  if (!(parity <= PARITY_LIMIT)) {
    throw new Error(
      `the exported model differs from the training engine by ${parity}; at most ${PARITY_LIMIT} is allowed`,
    );
  }
  return { parity, samples: count };
}

/** The first samples as they come from the dataset, [count, ...input]. */
export async function rawInputs(samples: Samples, info: DatasetInfo, count: number): Promise<HostTensor> {
  const data = new Float32Array(count * sizeOf(info.input));
  const targets = new Float32Array(count * taskOf(info).targetSize(info));
  await samples.read([...new Array(count).keys()], data, targets);
  return { shape: [count, ...info.input], data };
}

async function trainingOutputs(request: ParityRequest, count: number): Promise<Float64Array> {
  const { engine, network, info, weights, resolution = 1, samples } = request;
  const state = engine.createState(weights);
  try {
    const inference = await openInference(engine, { network, info, resolution }, state, count);
    try {
      const first: Samples = { count, read: (indices, inputs, targets) => samples.read(indices, inputs, targets) };
      const { outputs } = await inference.outputs(first);
      return taskOf(info).answerOf(outputs, info);
    } finally {
      await inference.dispose();
    }
  } finally {
    state.dispose();
  }
}

/** NaN, which passes no comparison, when the sizes disagree or a value is not finite. */
export function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.NaN;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i] ?? Number.NaN, expected[i] ?? Number.NaN];
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.NaN;
    difference = Math.max(difference, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(b));
  }
  return largest === 0 ? difference : difference / largest;
}
