import { suite, test } from 'node:test';
import { type TaskExample, taskRules } from '../conformance.node.ts';
import type { TaskDefinition } from '../task.ts';

export { exampleOf } from '../conformance.node.ts';

/** What every task must do, as tests. */
export function testTask(name: string, task: TaskDefinition, example: TaskExample): void {
  suite(`task conformance: ${name}`, () => {
    for (const { title, check } of taskRules(task, example)) test(title, check);
  });
}
