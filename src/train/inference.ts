import type { Metrics } from '../common/metrics.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Engine, Program, State } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { Module } from '../space/module.ts';
import { orderedBatches, runAhead, targetScale } from './batches.ts';
import type { NetworkOnData } from './forward.ts';
import { classificationMetrics, regressionMetrics } from './metrics.ts';
import { inferenceGraph } from './program.ts';

/** What a network gives for some samples, and what would have been right. */
export interface Outputs {
  /** [N, outputs]: logits, or the targets of a regression in their own units. */
  readonly outputs: Float32Array;
  /** Class numbers [N], or targets [N, outputs] in their own units. */
  readonly truths: Float32Array;
}

/** How well a network does on some samples. */
export interface Measured {
  /** accuracy, precision, recall, f1, loss; or loss, mse, r2. `loss` is what training minimises, without smoothing. */
  readonly metrics: Metrics;
  /** Of a classifier: counts, `confusion[truth][predicted]`. */
  readonly confusion?: readonly (readonly number[])[];
}

/** A network ready to be used. */
export interface Inference {
  outputs(samples: Samples, signal?: AbortSignal): Promise<Outputs>;
  measure(samples: Samples, signal?: AbortSignal): Promise<Measured>;
}

/** Compiles the inference program over a state that holds the network's parameters and statistics. */
export async function openInference(
  engine: Engine,
  on: NetworkOnData,
  state: State,
  batchSize: number,
): Promise<Inference & { dispose(): Promise<void> }> {
  const program = await engine.compile(inferenceGraph(on, batchSize).graph);
  return { ...inferenceOver(program, on.info, state, batchSize), dispose: () => program.dispose() };
}

/** The same over a program that is compiled already, for batches of this size. */
export function inferenceOver(program: Program, info: DatasetInfo, state: State, batchSize: number): Inference {
  async function outputs(samples: Samples, signal?: AbortSignal): Promise<Outputs> {
    const batches = orderedBatches(samples, info, batchSize);
    const found = new Float32Array(samples.count * info.outputs);
    const truths: Float32Array[] = [];
    await runAhead({
      count: batches.steps,
      async prepare(step) {
        const { x, truths: some } = await batches.read(step);
        signal?.throwIfAborted();
        truths.push(some.slice());
        return { x };
      },
      run: (feeds) => program.run(feeds, state),
      take({ output }, step) {
        const from = step * batchSize;
        const count = Math.min(batchSize, samples.count - from);
        found.set((output as HostTensor).data.subarray(0, count * info.outputs), from * info.outputs);
      },
    });
    if (info.kind === 'regression') unstandardise(found, info);
    return { outputs: found, truths: joined(truths) };
  }

  return {
    outputs,
    measure: async (samples, signal) => measuredBy(await outputs(samples, signal), info),
  };
}

/** What a network's outputs come to. */
export function measuredBy(result: Outputs, info: DatasetInfo): Measured {
  return info.kind === 'classification'
    ? classificationMetrics(result.outputs, result.truths, info.outputs)
    : { metrics: measureRegression(result, info) };
}

/** What `evaluateNetwork` is given. */
export interface EvaluationRequest {
  readonly engine: Engine;
  /** Without open choices. */
  readonly network: Module;
  readonly info: DatasetInfo;
  /** Parameters and statistics by path; other entries (a checkpoint's optimizer state) are ignored. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly samples: Samples;
  readonly resolution?: number;
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/** Measures a trained network on samples. Throws TrainingFailure when the network cannot be built on this data. */
export async function evaluateNetwork(request: EvaluationRequest): Promise<Measured> {
  const { engine, network, info, weights, samples, resolution = 1, batchSize = 64, signal } = request;
  const state = engine.createState(weights);
  try {
    const size = Math.max(1, Math.min(batchSize, samples.count));
    const inference = await openInference(engine, { network, info, resolution }, state, size);
    try {
      return await inference.measure(samples, signal);
    } finally {
      await inference.dispose();
    }
  } finally {
    state.dispose();
  }
}

/** mse and r2 in the targets' units, loss on the standardised ones. */
function measureRegression({ outputs, truths }: Outputs, info: DatasetInfo): Metrics {
  const { deviation } = targetScale(info);
  let loss = 0;
  for (let i = 0; i < truths.length; i++) {
    const error = ((outputs[i] as number) - (truths[i] as number)) / (deviation[i % info.outputs] as number);
    loss += error ** 2 / truths.length;
  }
  return { loss, ...regressionMetrics(outputs, truths, info.outputs) };
}

function unstandardise(values: Float32Array, info: DatasetInfo): void {
  const { mean, deviation } = targetScale(info);
  for (let i = 0; i < values.length; i++) {
    const t = i % info.outputs;
    values[i] = (values[i] as number) * (deviation[t] as number) + (mean[t] as number);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
