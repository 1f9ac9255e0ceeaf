import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Engine, Feeds, Program, State } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { Module } from '../space/module.ts';
import { taskOf } from '../task/index.ts';
import type { Measured } from '../task/metrics.ts';
import { orderedBatches, runAhead } from './batches.ts';
import type { NetworkOnData } from './forward.ts';
import { inferenceGraph } from './program.ts';

/** What a network gives for some samples, and what would have been right. */
export interface Outputs {
  /** [N, outputs]: logits, or the targets of a regression in their own units. */
  readonly outputs: Float32Array;
  /** Class numbers [N], or targets [N, outputs] in their own units. */
  readonly truths: Float32Array;
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

/** The same over a program that is compiled already, for batches of this size. `more`: what each run is fed besides, such as switches. */
export function inferenceOver(
  program: Program,
  info: DatasetInfo,
  state: State,
  batchSize: number,
  more: Feeds = {},
): Inference {
  const task = taskOf(info);

  /** Gives the outputs of each batch, in the units that people know, with its raw targets; they are used again later. */
  async function eachBatch(
    samples: Samples,
    signal: AbortSignal | undefined,
    take: (outputs: Float32Array, truths: Float32Array, from: number, count: number) => void,
  ): Promise<void> {
    const batches = orderedBatches(samples, info, batchSize);
    const waiting: Float32Array[] = [];
    await runAhead({
      count: batches.steps,
      async prepare(step) {
        const { x, truths } = await batches.read(step);
        signal?.throwIfAborted();
        waiting.push(truths.slice());
        return { x, ...more };
      },
      run: (feeds) => program.run(feeds, state),
      take({ output }, step) {
        const from = step * batchSize;
        const count = Math.min(batchSize, samples.count - from);
        const found = (output as HostTensor).data.slice(0, count * info.outputs);
        task.restore(found, info);
        take(found, waiting.shift() as Float32Array, from, count);
      },
    });
  }

  return {
    async outputs(samples, signal) {
      const outputs = new Float32Array(samples.count * info.outputs);
      const truths = new Float32Array(samples.count * task.targetSize(info));
      await eachBatch(samples, signal, (some, wanted, from) => {
        outputs.set(some, from * info.outputs);
        truths.set(wanted, from * task.targetSize(info));
      });
      return { outputs, truths };
    },
    async measure(samples, signal) {
      const scorer = task.scorer(info);
      await eachBatch(samples, signal, (some, wanted, _, count) => scorer.add(some, wanted, count));
      return scorer.result();
    },
  };
}

/** What a network's outputs come to. */
export function measuredBy({ outputs, truths }: Outputs, info: DatasetInfo): Measured {
  const scorer = taskOf(info).scorer(info);
  scorer.add(outputs, truths, outputs.length / info.outputs);
  return scorer.result();
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
