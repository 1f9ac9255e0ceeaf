/** A policy's network on an environment: its tensors, and the task by which spaces and training steps know it. */
import type { DatasetInfo } from '../../data/dataset.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import type { NodeId } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import type { Module } from '../../space/tree/module.ts';
import { isRecurrent } from '../../space/tree/walk.ts';
import { outputsOf, type PolicyForm } from '../../task/environment.ts';
import { CONTROL } from '../../task/index.ts';
import { mapValues, type Nodes, type TensorSpec } from '../../task/spec.ts';
import type { StepTask } from '../../task/task.ts';
import type { NetworkOnData } from '../../train/forward.ts';
import { bound, type Environment, type ObservationSpec, observationSize } from '../environment.ts';

/** An environment as the data of policies of this form, which a search space and an export are made for. `memory`: with a time axis. */
export function environmentData(
  environment: Environment,
  form: PolicyForm,
  memory = false,
  counts: DatasetInfo['counts'] = { train: 0, valid: 0, test: 0 },
): DatasetInfo {
  const { name, description, observation, action, maxSteps, success, fitness } = environment;
  const size = action.kind === 'discrete' ? action.count : action.size;
  const largest = largestOf(observation);
  return {
    name,
    kind: CONTROL,
    input: memory ? [observationSize(observation), 1] : observation.shape,
    outputs: outputsOf(action, form),
    labels: action.names ?? Array.from({ length: size }, (_, i) => `action ${i}`),
    mean: [],
    deviation: [],
    environment: {
      description,
      action,
      form,
      ...(largest.some((value) => value !== 1) && { largest }),
      maxSteps,
      success: success.rule,
      ...(fitness !== undefined && { fitness }),
    },
    counts,
    notes: [],
  };
}

/** By the bounds of each number; 1 where it has none. */
function largestOf(observation: ObservationSpec): readonly number[] {
  const { low, high } = observation;
  return Array.from({ length: observationSize(observation) }, (_, i) => {
    const most = Math.max(Math.abs(bound(low, i)), Math.abs(bound(high, i)));
    return most > 0 && Number.isFinite(most) ? most : 1;
  });
}

/** The loss of R steps, []: outputs [R, outputs], targets [R, width] by name. `weight`, [R, 1], sums to 1; it is 0 for what is no step. */
export type PolicyLoss = (g: GraphBuilder, outputs: NodeId, targets: Nodes) => NodeId;

/** What a policy's network is for. */
export interface PolicyUse {
  readonly form: PolicyForm;
  /** Absent: it is not trained. */
  readonly loss?: PolicyLoss;
  /** How many numbers a step has of each target. */
  readonly targets?: Readonly<Record<string, number>>;
}

/**
 * The network as training and inference graphs take it. A network with a memory reads sequences of `length` steps, [F, T], and begins with
 * states that are fed; another one reads one observation. Targets are [T, width].
 */
export function onEnvironment(
  network: Module,
  environment: Environment,
  { form, loss, targets = {} }: PolicyUse,
  length = 1,
): NetworkOnData<StepTask> {
  const { observation, action } = environment;
  const outputs = outputsOf(action, form);
  const recurrent = isRecurrent(network);
  const steps = recurrent ? length : 1;
  const input = recurrent ? [observationSize(observation), length] : observation.shape;
  const spec = (shape: readonly number[]): TensorSpec => ({ shape, dtype: 'float32', axes: [] });
  const task: StepTask = {
    spec: () => ({
      inputs: { observation: spec(input) },
      targets: mapValues(targets, (width) => spec([steps, width])),
      outputs: { outputs: spec(recurrent ? [outputs, length] : [outputs]) },
    }),
    prepare: (_g, inputs) => inputs.observation as NodeId,
    loss(g, nodes, given) {
      if (loss === undefined) throw new Error('this network is not trained');
      const own = nodes.outputs as NodeId;
      const [batch = 1] = g.shape(own);
      const rows = recurrent ? ops.transpose(g, own, [0, 2, 1]) : own; // [N, T, outputs]
      const flat = (x: NodeId, width: number) => ops.reshape(g, x, [batch * steps, width]);
      return loss(
        g,
        flat(rows, outputs),
        mapValues(given, (target, key) => flat(target, targets[key] ?? 1)),
      );
    },
  };
  const info: DatasetInfo = { ...environmentData(environment, form), input };
  return { network, info, resolution: 1, task, ...(recurrent && { state: true }) };
}
