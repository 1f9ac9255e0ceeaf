import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { Engine, Feeds, Program, State } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import type { CarriedState } from '../network/network.ts';
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
import { type NetworkOnData, nextState } from './forward.ts';
import { lengthIn } from './lengths.ts';
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
  const { graph, states } = inferenceGraph(on, batchSize);
  const program = await engine.compile(graph);
  return { ...inferenceOver(program, on, state, batchSize, {}, { carried: states }), dispose: () => program.dispose() };
}

/** What some networks have besides. */
interface InferenceParts {
  /** The states of recurrent layers, which each batch hands on to the next; they are zeros for the first. */
  readonly carried?: readonly Pick<CarriedState, 'name' | 'shape'>[];
  /** Programs for samples that are cut to fewer tokens, by their number, ascending. */
  readonly shorter?: ReadonlyMap<number, Program>;
}

/**
 * The same over a program that is compiled already, for batches of this size. `more`: what each run is fed besides, such as switches.
 */
export function inferenceOver(
  program: Program,
  { info, task: own }: Pick<NetworkOnData, 'info' | 'task'>,
  state: State,
  batchSize: number,
  more: Feeds = {},
  { carried = [], shorter = new Map() }: InferenceParts = {},
): Inference {
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const size = sizeOf(outputShape(spec));

  /** Gives each batch of outputs, with its raw targets; they are used again later. */
  async function eachBatch(
    samples: Samples,
    signal: AbortSignal | undefined,
    take: (batch: Batch) => void,
  ): Promise<void> {
    const lengths = [...shorter.keys()];
    const batches = orderedBatches(samples, spec, batchSize, { continued: carried.length > 0, lengths });
    const waiting: Pick<Batch, 'truths' | 'indices'>[] = [];
    const run = running();
    await runAhead({
      count: batches.steps,
      async prepare(step) {
        const { feeds, truths, indices } = await batches.read(step);
        signal?.throwIfAborted();
        waiting.push({ truths: mapValues(truths, (values) => values.slice()), indices });
        return { ...feeds, ...more };
      },
      run,
      take({ output }) {
        const { truths, indices } = waiting.shift() ?? { truths: {}, indices: [] };
        const count = indices.length;
        const given = splitValues(spec, (output as HostTensor).data.slice(0, count * size), count);
        const outputs = task.restore === undefined ? given : mapValues(given, (values) => values.slice());
        task.restore?.(outputs, info);
        take({ outputs, given, truths, indices });
      },
    });
  }

  /** Runs batches in turn. With states, each waits for those that the one before leaves. */
  function running(): (feeds: Feeds) => Promise<Record<string, HostTensor>> {
    if (carried.length === 0)
      return (feeds) => (shorter.get(lengthIn(feeds, spec) ?? Number.NaN) ?? program).run(feeds, state);
    let before = Promise.resolve<Feeds>(zerosOf(carried));
    return (feeds) => {
      const results = before.then((states) => program.run({ ...feeds, ...states }, state));
      before = results.then((found) =>
        Object.fromEntries(carried.map(({ name }) => [name, found[nextState(name)] as HostTensor])),
      );
      before.catch(() => {});
      return results;
    };
  }

  return {
    async outputs(samples, signal) {
      const { count } = samples;
      const outputs = mapValues(spec.outputs, ({ shape }) => new Float32Array(count * sizeOf(shape)));
      const truths = allocate(spec.targets, count);
      const scorer = task.scorer(info);
      const write = (into: Arrays, values: Arrays, specs: TensorSpecs, indices: readonly number[]) => {
        for (const [name, { shape }] of Object.entries(specs)) {
          const size = sizeOf(shape);
          for (const [k, index] of indices.entries())
            into[name]?.set(values[name]?.subarray(k * size, (k + 1) * size) ?? [], index * size);
        }
      };
      await eachBatch(samples, signal, (batch) => {
        write(outputs, batch.outputs, spec.outputs, batch.indices);
        write(truths, batch.truths, spec.targets, batch.indices);
        scorer.add(batch.outputs, batch.truths, batch.indices.length, batch.given);
      });
      return { outputs, truths, measured: scorer.result() };
    },
    async measure(samples, signal) {
      const scorer = task.scorer(info);
      await eachBatch(samples, signal, ({ outputs, truths, indices, given }) =>
        scorer.add(outputs, truths, indices.length, given),
      );
      return scorer.result();
    },
  };
}

interface Batch extends Omit<Outputs, 'measured'> {
  /** Of its samples. */
  readonly indices: readonly number[];
  /** The outputs as the network gives them. */
  readonly given: FloatArrays;
}

/** States before the first run. */
export function zerosOf(carried: readonly Pick<CarriedState, 'name' | 'shape'>[]): Record<string, HostTensor> {
  return Object.fromEntries(carried.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]));
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
    const isContinued = taskOf(info, task).spec(info).continued === true;
    const on = { network, info, resolution, ...(task && { task }), ...(isContinued && { state: true }) };
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
