/** Compound scaling of a network of a study: the space of one network that results, and the grid search for its coefficients. */

import { invalid, UserError } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import { compareBy, type Metrics, type Objective } from '../common/metrics.ts';
import { type Coefficients, coefficientGrid, type Scaled, scaleNetwork } from '../network/scaling/compound.ts';
import { type Space, searchSpaceOf, spaceToJson } from '../space/index.ts';
import type { Task } from '../space/space.ts';
import { createSpace } from '../space/tree/define.ts';
import type { Module } from '../space/tree/module.ts';
import { TrainingFailure } from '../train/failure.ts';
import type { Setup } from './setup.ts';
import type { TrainedOne } from './trained-one.ts';

/** A network as a space of one. */
export function spaceOfNetwork(name: string, root: Module, task: Task): Space {
  return createSpace({ name, task, options: {}, root, hyperparameters: {} });
}

/** What `--space FILE.json` reads. */
export const networkFile = (name: string, network: Module, task: Task): Json =>
  spaceToJson(spaceOfNetwork(name, network, task));

export interface GridPoint extends Coefficients {
  readonly params: number;
  readonly flops: number;
  /** On the validation data. */
  readonly metrics: Metrics;
}

/**
 * Trains the network scaled by each point of the grid (phi = 1), as the study trains its candidates, and returns the points, the best by
 * the objective first (Tan & Le 2019, section 3.3, step 1). Points that cannot be built are left out. Throws UserError where none can.
 */
export async function searchGrid(
  setup: Setup,
  network: Module,
  task: Task,
  objective: Objective,
  train: (setup: Setup, point: Coefficients) => Promise<TrainedOne>,
): Promise<readonly GridPoint[]> {
  const points = coefficientGrid(task).flatMap((point) => {
    const scaled = scaledOrNone(network, task, point);
    return scaled ? [{ point, scaled }] : [];
  });
  if (points.length === 0)
    throw invalid(
      '--grid',
      'no point of the grid can be built',
      'the network needs blocks that can be repeated, or channels',
    );
  const found: GridPoint[] = [];
  for (const { point, scaled } of points) {
    const space = searchSpaceOf(spaceOfNetwork(`${setup.space.name}, scaled`, scaled.network, task));
    const epochs = await epochsOf(() => train({ ...setup, space }, point));
    found.push({ ...point, params: scaled.params, flops: scaled.flops, metrics: epochs.at(-1)?.valid ?? {} });
  }
  return found.toSorted((a, b) => compareBy(objective, a.metrics, b.metrics));
}

/** None where the training failed: such a point is the worst. */
async function epochsOf(train: () => Promise<TrainedOne>): Promise<TrainedOne['epochs']> {
  try {
    return (await train()).epochs;
  } catch (error) {
    if (error instanceof TrainingFailure) return [];
    throw error;
  }
}

function scaledOrNone(network: Module, task: Task, point: Coefficients): Scaled | undefined {
  try {
    return scaleNetwork(network, task, point, 1);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
