import type { DatasetInfo, Samples } from '../../data/dataset.ts';
import type { Engine, Feeds } from '../../engine/engine.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { Module } from '../../space/tree/module.ts';
import { taskOf } from '../../task/index.ts';
import { allocate, type TensorSpecs } from '../../task/spec.ts';
import type { TaskDefinition } from '../../task/task.ts';
import { feedsOf } from '../../train/batches.ts';
import { openInference } from '../../train/inference.ts';
import { modelMetadata } from './onnx.ts';

/** An export that differs more than this from the training engine is refused. */
export const PARITY_LIMIT = 1e-4;

export interface ParityRequest {
  readonly engine: Engine;
  /** What was exported. */
  readonly network: Module;
  readonly info: DatasetInfo;
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** What the network is for, where it is a task of the user's own. */
  readonly task?: TaskDefinition;
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
  const { engine, model, samples } = request;
  const count = Math.min(request.count ?? 64, samples.count);
  if (count === 0) throw new Error('parity: there are no samples to compare on');
  const expected = await trainingOutputs(request, count);
  const program = await engine.load(model);
  let parity = 0;
  try {
    const { tensors } = modelMetadata('the exported model', model);
    const inputs = await rawInputs(samples, tensors.inputs, count);
    // As at the beginning of a sequence.
    const states = feedsOf(allocate(tensors.states, count), tensors.states, count);
    const results = await program.run({ ...inputs, ...states });
    for (const [name, values] of Object.entries(expected)) {
      const output = results[name];
      if (output === undefined) throw new Error(`parity: the model has no output "${name}"`);
      parity = Math.max(parity, relativeDifference(output.data, values));
    }
  } finally {
    await program.dispose();
  }
  if (!(parity <= PARITY_LIMIT)) {
    throw new Error(
      `the exported model differs from the training engine by ${parity}; at most ${PARITY_LIMIT} is allowed`,
    );
  }
  return { parity, samples: count };
}

/** The first samples as they come from the dataset, each tensor [count, ...]. */
export async function rawInputs(samples: Samples, inputs: TensorSpecs, count: number): Promise<Feeds> {
  const into = allocate(inputs, count);
  await samples.read([...new Array(count).keys()], into);
  return feedsOf(into, inputs, count);
}

async function trainingOutputs(
  request: ParityRequest,
  count: number,
): Promise<Readonly<Record<string, ArrayLike<number>>>> {
  const { engine, network, info, weights, task, resolution = 1, samples } = request;
  const state = engine.createState(weights);
  try {
    const on = { network, info, resolution, ...(task && { task }) };
    const inference = await openInference(engine, on, state, count);
    try {
      const first: Samples = { count, read: (indices, into) => samples.read(indices, into) };
      const { outputs } = await inference.outputs(first);
      return taskOf(info, task).answer?.host(outputs, info) ?? outputs;
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
