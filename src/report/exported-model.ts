import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import type { Engine } from '../engine/engine.ts';
import { sizeOf } from '../graph/ir.ts';
import { isTaskKind, taskOf } from '../task/index.ts';
import { type Arrays, allocate, type FloatArrays, mapValues } from '../task/spec.ts';
import type { Decoded, TaskDefinition } from '../task/task.ts';
import { feedsOf } from '../train/batches.ts';
import { nextState } from '../train/forward.ts';
import { type ModelMetadata, type ModelTensors, tensorsAt } from './export/metadata.ts';
import type { ReadModel } from './export/onnx.ts';

/** What an exported model says of one sample, or why it says nothing. */
export type Answer = Decoded | { readonly error: string };

/** What a model gives for some samples. */
export interface Answered {
  readonly answers: readonly Answer[];
  /** By name, [count, ...]: the values that the answers are made of. */
  readonly outputs: FloatArrays;
  /** For a recurrent model, [count, ...]: the states that the next call begins with. */
  readonly states: FloatArrays;
}

/** An exported model that has been checked and loaded. */
export interface ExportedModel {
  readonly metadata: ModelMetadata;
  /** How many samples may run at a time. */
  readonly batch: number;
  /**
   * Runs it on `count` samples: raw inputs by name, [count, ...]. `states` are those of an earlier call, zeros by default. `length`: of the
   * samples, where it is open (`metadata.lengths`); the largest by default. Throws UserError when the model cannot be run.
   */
  answer(inputs: Arrays, count: number, states?: FloatArrays, length?: number): Promise<Answered>;
  dispose(): Promise<void>;
}

/**
 * Loads a model that has been read. `own` is its task, where that is one of the user's own. Throws UserError, with `place`, for
 * a model that cannot be loaded, or whose task is unknown.
 */
export async function openModel(
  engine: Engine,
  place: string,
  { metadata, model, batch }: ReadModel,
  own?: TaskDefinition,
): Promise<ExportedModel> {
  if (own === undefined && !isTaskKind(metadata.task))
    throw invalid(
      place,
      `its task is "${printable(metadata.task)}"`,
      'is none of Netsmith: name the file of its data set (predict --data FILE), or give the task',
    );
  const task = taskOf({ kind: metadata.task }, own);
  const { labels, encoding } = metadata;
  const program = await engine.load(model).catch(() => {
    throw invalid(place, 'ONNX Runtime cannot load its graph', 'the file is damaged, or Netsmith did not export it');
  });
  const offset = encoding?.labelOffset ?? 0;

  function decode(tensors: ModelTensors, outputs: FloatArrays, i: number): Answer {
    const values = mapValues(tensors.outputs, ({ shape }, name) => {
      const size = sizeOf(shape);
      return Array.from(outputs[name]?.subarray(i * size, (i + 1) * size) ?? [], (value) => value + offset);
    });
    return Object.values(values).every((own) => own.every(Number.isFinite))
      ? task.decode(values, labels)
      : { error: 'the model answers with numbers that are not finite' };
  }

  return {
    metadata,
    batch,
    async answer(inputs, count, states = {}, length) {
      const tensors = length === undefined ? metadata.tensors : tensorsAt(metadata.tensors, length);
      const begun = { ...allocate(tensors.states, count), ...states };
      const feeds = { ...feedsOf(inputs, tensors.inputs, count), ...feedsOf(begun, tensors.states, count) };
      const results = await program.run(feeds).catch(() => ({}) as Awaited<ReturnType<typeof program.run>>);
      const found = (name: string, size: number): Float32Array => {
        const data = results[name]?.data;
        if (data?.length === count * size) return data;
        throw invalid(place, 'ONNX Runtime cannot run it', 'the file is damaged, or there is too little memory for it');
      };
      const outputs = mapValues(tensors.outputs, ({ shape }, name) => found(name, sizeOf(shape)));
      return {
        answers: Array.from({ length: count }, (_, i) => decode(tensors, outputs, i)),
        outputs,
        states: mapValues(tensors.states, ({ shape }, name) => found(nextState(name), sizeOf(shape))),
      };
    },
    dispose: () => program.dispose(),
  };
}
