import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Engine, Feeds, Program, State } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import type { Module } from '../space/tree/module.ts';
import { taskOf } from '../task/index.ts';
import type { Measured } from '../task/metrics.ts';
import {
  type Arrays,
  allocate,
  type FloatArrays,
  mapValues,
  outputShape,
  splitValues,
  type TensorSpecs,
} from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';
import { orderedBatches, runAhead } from './batches.ts';
import type { NetworkOnData } from './forward.ts';
import { inferenceGraph } from './program.ts';

/** What a network gives for some samples, and what would have been right. */
export interface Outputs {
  /** By name, [N, ...]: logits, or the targets of a regression in their own units. */
  readonly outputs: FloatArrays;
  /** Raw targets by name, [N, ...]: class numbers, or targets of a regression in their own units. */
  readonly truths: Arrays;
  /** Their metrics. */
  readonly measured: Measured;
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
  return { ...inferenceOver(program, on, state, batchSize), dispose: () => program.dispose() };
}

/** The same over a program that is compiled already, for batches of this size. `more`: what each run is fed besides, such as switches. */
export function inferenceOver(
  program: Program,
  { info, task: own }: Pick<NetworkOnData, 'info' | 'task'>,
  state: State,
  batchSize: number,
  more: Feeds = {},
): Inference {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const size = sizeOf(outputShape(spec));

  /** Gives each batch of outputs, with its raw targets; they are used again later. */
  async function eachBatch(
    samples: Samples,
    signal: AbortSignal | undefined,
    take: (batch: Batch, from: number) => void,
  ): Promise<void> {
    const batches = orderedBatches(samples, spec, batchSize);
    const waiting: Arrays[] = [];
    await runAhead({
      count: batches.steps,
      async prepare(step) {
        const { feeds, truths } = await batches.read(step);
        signal?.throwIfAborted();
        waiting.push(mapValues(truths, (values) => values.slice()));
        return { ...feeds, ...more };
      },
      run: (feeds) => program.run(feeds, state),
      take({ output }, step) {
        const from = step * batchSize;
        const count = Math.min(batchSize, samples.count - from);
        const given = splitValues(spec, (output as HostTensor).data.slice(0, count * size), count);
        const outputs = task.restore === undefined ? given : mapValues(given, (values) => values.slice());
        task.restore?.(outputs, info);
        take({ outputs, given, truths: waiting.shift() ?? {}, count }, from);
      },
    });
  }

  return {
    async outputs(samples, signal) {
      const { count } = samples;
      const outputs = mapValues(spec.outputs, ({ shape }) => new Float32Array(count * sizeOf(shape)));
      const truths = allocate(spec.targets, count);
      const scorer = task.scorer(info);
      const write = (into: Arrays, values: Arrays, specs: TensorSpecs, from: number) => {
        for (const [name, { shape }] of Object.entries(specs))
          into[name]?.set(values[name] ?? [], from * sizeOf(shape));
      };
      await eachBatch(samples, signal, (batch, from) => {
        write(outputs, batch.outputs, spec.outputs, from);
        write(truths, batch.truths, spec.targets, from);
        scorer.add(batch.outputs, batch.truths, batch.count, batch.given);
      });
      return { outputs, truths, measured: scorer.result() };
    },
    async measure(samples, signal) {
      const scorer = task.scorer(info);
      await eachBatch(samples, signal, ({ outputs, truths, count, given }) =>
        scorer.add(outputs, truths, count, given),
      );
      return scorer.result();
    },
  };
}

interface Batch extends Omit<Outputs, 'measured'> {
  readonly count: number;
  /** The outputs as the network gives them. */
  readonly given: FloatArrays;
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
  readonly task?: TaskDefinition;
  readonly resolution?: number;
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/** Measures a trained network on samples. Throws TrainingFailure when the network cannot be built on this data. */
export async function evaluateNetwork(request: EvaluationRequest): Promise<Measured> {
  const { engine, network, info, task, weights, samples, resolution = 1, batchSize = 64, signal } = request;
  const state = engine.createState(weights);
  try {
    const size = Math.max(1, Math.min(batchSize, samples.count));
    const on = { network, info, resolution, ...(task && { task }) };
    const inference = await openInference(engine, on, state, size);
    try {
      return await inference.measure(samples, signal);
    } finally {
      await inference.dispose();
    }
  } finally {
    state.dispose();
  }
}
