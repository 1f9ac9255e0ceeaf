import { unknownName } from '../common/closest.ts';
import { createGraph } from '../graph/builder.ts';
import type { Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Task } from '../space/space.ts';
import { classification } from './classification.ts';
import { control } from './control.ts';
import { prepareInputs } from './inputs.ts';
import { languageModel } from './language-model.ts';
import { regression } from './regression.ts';
import { isPadded, mapValues, outputShape, type TaskSpec, vocabularyOf } from './spec.ts';
import type { OwnTask, StepTask, TaskData, TaskDefinition, TaskFacts } from './task.ts';
import { text } from './text.ts';

/** The behavior of each kind of task. */
const TASKS = {
  control,
  classification,
  regression,
  'language-model': languageModel,
  text,
} as const satisfies Readonly<Record<string, TaskDefinition>>;

export type TaskKind = keyof typeof TASKS;

export const TASK_KINDS = [
  'classification',
  'regression',
  'language-model',
  'text',
] as const satisfies readonly TaskKind[];

/** What the task of a data set does; `own` is a task that is not one of Netsmith's. Throws UserError for an unknown kind. */
export function taskOf<T extends StepTask = TaskDefinition>(
  { kind }: { readonly kind: string },
  own?: T,
): T | TaskDefinition {
  if (own !== undefined) return own;
  if (!Object.hasOwn(TASKS, kind)) throw unknownName('task: unknown kind', kind, TASK_KINDS);
  return TASKS[kind as TaskKind];
}

/** The kind of task of a data set, and the stored description of a task of the user's own. */
export interface TaskKindOf {
  readonly kind: string;
  readonly ownTask?: OwnTask;
}

/** The task of an environment: it learns from rewards. */
export const CONTROL = 'control' satisfies TaskKind;

/** Whether it is a task of Netsmith that learns from samples. */
export const isTaskKind = (kind: string): kind is TaskKind => TASK_KINDS.some((known) => known === kind);

/** Describes the task of a data set, without running the code of a task of the user's own. Throws UserError for an unknown kind. */
export function factsOf({ kind, ownTask }: TaskKindOf): TaskFacts {
  return ownTask ?? taskOf<TaskDefinition>({ kind });
}

/** What a study stores of a task of a user's own. */
export function ownTaskOf(data: TaskData & { readonly kind: string }, task: TaskDefinition): OwnTask {
  const { metrics, classes, standardized, outputsName, meaning } = task;
  const { kind: _, ...space } = spaceTask(data, task);
  return { metrics, classes, standardized, outputsName, meaning, space };
}

/** The task of a data set as a search space needs it. For a user's own task it comes from the definition, or from what a study stores. */
export function spaceTask(data: TaskData & TaskKindOf, own?: TaskDefinition): Task {
  if (own === undefined && data.ownTask !== undefined) return { kind: data.kind, ...data.ownTask.space };
  const task = taskOf(data, own);
  const spec = task.spec(data);
  const [outputs = 1, ...positions] = outputShape(spec);
  const vocabulary = vocabularyOf(spec);
  // The data of a table have no statistics to prepare inputs with.
  const isPlain = own === undefined && task.prepare === undefined;
  return {
    kind: data.kind,
    input: isPlain ? data.input : preparedShape(task, spec, data),
    outputs,
    ...(positions.length > 0 && { positions }),
    ...(vocabulary !== undefined && { vocabulary }),
    ...(isPadded(spec) && { padded: true as const }),
    ...policyOf(data),
    ...(task.prepare === undefined && data.quantiles !== undefined && { quantiles: data.quantiles }),
  };
}

function policyOf({ environment }: TaskData): Pick<Task, 'head' | 'largest'> {
  if (environment === undefined) return {};
  const { form, action, largest } = environment;
  const value = form === 'actor-critic';
  return { head: { value, deviations: value && action.kind === 'continuous' }, ...(largest && { largest }) };
}

function preparedShape(task: TaskDefinition, spec: TaskSpec, data: TaskData): Shape {
  const g = createGraph();
  const inputs = mapValues(spec.inputs, ({ shape, dtype }, name) => ops.input(g, name, [1, ...shape], dtype));
  const [, ...input] = g.shape(prepareInputs(g, task, inputs, data));
  return input;
}
