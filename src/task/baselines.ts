import { UserError } from '../common/errors.ts';
import type { Task } from '../space/space.ts';
import { BASELINES, type Baseline } from '../space/spaces/index.ts';

/** The hand-designed networks of Netsmith by name, those that can serve a task: `resnet` needs images, `mlp` images or features. */
export function handDesigned(task: Task): Readonly<Record<string, Baseline>> {
  return Object.fromEntries(
    Object.entries(BASELINES).flatMap(([name, create]) => {
      try {
        return [[name, create(task)]];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    }),
  );
}
