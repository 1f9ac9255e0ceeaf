import { unknownName } from '../common/closest.ts';
import { createGraph } from '../graph/builder.ts';
import * as ops from '../graph/ops.ts';
import type { Task } from '../space/space.ts';
import { classification } from './classification.ts';
import { prepareInputs } from './inputs.ts';
import { regression } from './regression.ts';
import { mapValues, outputShape, vocabularyOf } from './spec.ts';
import type { TaskData, TaskDefinition } from './task.ts';

/** The behavior of each kind of task. */
const TASKS = { classification, regression } as const satisfies Readonly<Record<string, TaskDefinition>>;

export type TaskKind = keyof typeof TASKS;

export const TASK_KINDS = ['classification', 'regression'] as const satisfies readonly TaskKind[];

/** What the task of a data set does; `own` is a task that is not one of Netsmith's. Throws UserError for an unknown kind. */
export function taskOf({ kind }: { readonly kind: string }, own?: TaskDefinition): TaskDefinition {
  if (own !== undefined) return own;
  if (!Object.hasOwn(TASKS, kind)) throw unknownName('task: unknown kind', kind, TASK_KINDS);
  return TASKS[kind as TaskKind];
}

/** What a search space knows of the task of a data set. */
export function spaceTask(data: TaskData & { readonly kind: string }, own?: TaskDefinition): Task {
  const task = taskOf(data, own);
  const spec = task.spec(data);
  const g = createGraph();
  const inputs = mapValues(spec.inputs, ({ shape, dtype }, name) => ops.input(g, name, [1, ...shape], dtype));
  const [, ...input] = g.shape(prepareInputs(g, task, inputs, data));
  const [outputs = 1, ...positions] = outputShape(spec);
  const vocabulary = vocabularyOf(spec);
  return {
    kind: data.kind,
    input,
    outputs,
    ...(positions.length > 0 && { positions }),
    ...(vocabulary !== undefined && { vocabulary }),
  };
}
