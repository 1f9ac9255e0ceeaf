/** The known spaces by name, and the hand-designed baselines that a search is held against. */
import { checkArchitecture } from '../architecture.ts';
import type { Architecture, Space, SpaceDefinition, Task } from '../space.ts';
import { darts } from './darts.ts';
import { mlp } from './mlp.ts';
import { nasBench201 } from './nas-bench-201.ts';
import { resnet } from './resnet.ts';
import { smallCnn } from './small-cnn.ts';

export const SPACES = {
  'nas-bench-201': nasBench201,
  mlp,
  'small-cnn': smallCnn,
  resnet,
  darts,
} as const satisfies Readonly<Record<string, SpaceDefinition>>;

export interface Baseline {
  readonly space: Space;
  readonly architecture: Architecture;
}

/** Each throws UserError for a task that it cannot serve: `resnet` needs images. */
export const BASELINES = {
  resnet: (task: Task): Baseline => ({ space: resnet.create(task), architecture: {} }),
  /** Two hidden layers of 128 with batch norm and ReLU. */
  mlp: (task: Task): Baseline => {
    const space = mlp.create(task);
    const architecture = checkArchitecture(space, {
      depth: 2,
      'layer/0/width': 128,
      'layer/1/width': 128,
      normalisation: 'batch',
      activation: 'relu',
      dropout: 0,
    });
    return { space, architecture };
  },
} as const satisfies Readonly<Record<string, (task: Task) => Baseline>>;

export { GENOTYPES } from './darts-genotype.ts';
export { darts, mlp, nasBench201, resnet, smallCnn };
