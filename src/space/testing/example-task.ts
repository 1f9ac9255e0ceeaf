import type { SpaceDefinition, Task } from '../space.ts';

/** The first of some tasks that a space serves: `images`, a table, a language model, a text of a class. */
export function exampleTask(space: Pick<SpaceDefinition, 'create'>, images: Task): Task {
  const { outputs } = images;
  const tasks: readonly Task[] = [
    images,
    { kind: images.kind, input: [8], outputs },
    { kind: 'language-model', input: [6], positions: [6], vocabulary: 12, outputs: 12 },
    { kind: 'text', input: [6], vocabulary: 12, outputs, padded: true },
  ];
  return tasks.find((task) => serves(space, task)) ?? images;
}

function serves(space: Pick<SpaceDefinition, 'create'>, task: Task): boolean {
  try {
    return space.create(task) !== undefined;
  } catch {
    return false;
  }
}
