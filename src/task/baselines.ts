import { UserError } from '../common/errors.ts';
import type { Task } from '../space/space.ts';
import { BASELINES, type Baseline } from '../space/spaces/index.ts';

/** The best of each kind: the smaller ResNets would only add to the time of an evaluation. */
const EVALUATED: readonly (keyof typeof BASELINES)[] = ['resnet-20', 'mlp'];

/** The hand-designed networks that `evaluate` trains, by name, those that can serve a task: a ResNet needs images, `mlp` images or features. */
export function handDesigned(task: Task): Readonly<Record<string, Baseline>> {
  return Object.fromEntries(
    EVALUATED.flatMap((name) => {
      try {
        return [[name, BASELINES[name](task)]];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    }),
  );
}
