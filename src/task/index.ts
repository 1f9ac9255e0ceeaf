import { classification } from './classification.ts';
import { regression } from './regression.ts';
import type { TaskDefinition, TaskKind } from './task.ts';

/** The behavior of each kind of task. */
const TASKS = { classification, regression } as const satisfies Record<TaskKind, TaskDefinition>;

export const TASK_KINDS = ['classification', 'regression'] as const satisfies readonly (keyof typeof TASKS)[];

/** What the task of a data set does. */
export const taskOf = ({ kind }: { readonly kind: TaskKind }): TaskDefinition => TASKS[kind];
