import { createGraph } from '../graph/builder.ts';
import { forwardGraph, type NetworkOnData } from '../train/forward.ts';
import { finishStep, lossGradients, type TrainingGraph } from '../train/program.ts';
import { vectorOf } from '../train/vectors.ts';
import { ARCHITECTURE_OPTIMIZER, withCosts } from './mixture-steps.ts';

/** One step of the architecture's parameters by their gradient of a batch's loss, as a single graph. `costs`: and by that of costs, which is fed. */
export function architectureStep(
  on: NetworkOnData,
  weightDecay: number,
  batchSize: number,
  costs = false,
): TrainingGraph {
  const forward = forwardGraph(on, batchSize);
  const { graph, loss, architecture } = forward;
  const g = createGraph(graph);
  const { byOthers } = lossGradients(
    g,
    loss,
    [],
    architecture.map(({ node }) => node),
  );
  const gradients = costs ? withCosts(g, architecture, byOthers) : byOthers;
  const update = g.within('optimizer', () =>
    ARCHITECTURE_OPTIMIZER.append(g, { weightDecay }, architecture, gradients),
  );
  const trained = architecture.map(({ path, shape }) => vectorOf(path, [{ name: path, shape }]));
  return finishStep(g, forward, { returned: { loss }, trained, update });
}
