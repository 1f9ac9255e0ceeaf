// A search without the command line: everything in this process, nothing on disk.
//   node examples/library.ts
import {
  createEngine,
  createStrategy,
  DEFAULT_SETTINGS,
  formatArchitecture,
  inProcessPool,
  memoryStore,
  networkCosts,
  nodeRuntime,
  openDataset,
  type Problem,
  resolveArchitecture,
  runStudy,
  searchSpaceOf,
  trainEstimator,
} from 'netsmith/node';
import { ownSpace } from './own-space.ts';

const settings = { ...DEFAULT_SETTINGS, epochs: 2 };
const { search: data } = await openDataset({ name: 'digits', seed: 1, validShare: 0.25, trainSamples: 400 });
const { kind, input, outputs } = data.info;
const space = ownSpace.create({ kind, input, outputs }, { width: 8 });

const problem: Problem = {
  space: searchSpaceOf(space),
  objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
  limits: [{ cost: 'params', max: 20_000 }],
  seed: 1,
  fidelities: [{ epochs: settings.epochs, data: 1, resolution: 1, width: 1 }],
  costs: (architecture) => {
    const { params, flops } = networkCosts(resolveArchitecture(space, architecture), space.task);
    return { params, flops };
  },
};
const strategy = createStrategy('aging-evolution', { population: 4, sample: 2 });
const store = memoryStore({ name: 'library', settings: {}, state: strategy.init(problem) });
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const estimator = trainEstimator({ engine, data, settings });

const { best } = await runStudy({
  store,
  strategy,
  problem,
  workers: inProcessPool({ space, estimator }, store.artifacts),
  budget: { trials: 6 },
  onEvent(event) {
    if (event.kind === 'ended') console.log(`trial ${event.trial.trial}: ${event.trial.metrics.accuracy}`);
  },
});
for (const { trial, architecture, metrics } of best) {
  console.log(`best: trial ${trial}, accuracy ${metrics.accuracy}; ${formatArchitecture(space, architecture)}`);
}
