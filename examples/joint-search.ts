// Architecture and training settings in one search: what a space leaves open of the training are decisions like any other.
//   node examples/joint-search.ts
import {
  createEngine,
  createStrategy,
  DEFAULT_SETTINGS,
  defineSpace,
  float,
  inProcessPool,
  memoryStore,
  networkCosts,
  nodeRuntime,
  openDataset,
  type Problem,
  pick,
  resolveArchitecture,
  resolveHyperparameters,
  runStudy,
  searchSpaceOf,
  smallCnn,
  trainEstimator,
} from 'netsmith/node';

const settings = { ...DEFAULT_SETTINGS, epochs: 2 };
const { search: data } = await openDataset({ name: 'digits', seed: 1, validShare: 0.25, trainSamples: 400 });
const { kind, input, outputs } = data.info;

// The network of a known space, and of the training what is to be searched beside it. (`smallCnn.create(task, { tune: true })`
// has its own list; on the command line, --space small-cnn --space-options tune=true.)
const jointSpace = defineSpace('joint', (task) => ({
  network: smallCnn.create(task).root,
  hyperparameters: {
    optimizer: pick('optimizer', ['sgd', 'adamw']),
    learningRate: float('learningRate', 0.001, 0.1, { log: true }),
    weightDecay: float('weightDecay', 1e-6, 0.01, { log: true }),
    batchSize: pick('batchSize', [16, 32, 64]),
    cropPadding: pick('cropPadding', [0, 1]),
  },
}));
const space = jointSpace.create({ kind, input, outputs });

const problem: Problem = {
  space: searchSpaceOf(space),
  objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
  limits: [{ cost: 'params', max: 10_000 }],
  seed: 1,
  fidelities: [{ epochs: settings.epochs, data: 1, resolution: 1, width: 1 }],
  costs: (architecture) => {
    const { params, flops } = networkCosts(resolveArchitecture(space, architecture), space.task);
    return { params, flops };
  },
};
const strategy = createStrategy('tpe', { initial: 4 });
const store = memoryStore({ name: 'joint', settings: {}, state: strategy.init(problem) });
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const estimator = trainEstimator({ engine, data, settings });

const describe = (architecture: Parameters<typeof resolveArchitecture>[1]) =>
  Object.entries(resolveHyperparameters(space, architecture))
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toPrecision(3)) : value}`)
    .join(', ');

const { best } = await runStudy({
  store,
  strategy,
  problem,
  workers: inProcessPool({ space, estimator }, store.artifacts),
  budget: { trials: 8 },
  onEvent(event) {
    if (event.kind !== 'ended') return;
    const { trial, metrics, architecture } = event.trial;
    console.log(`trial ${trial}: ${metrics.accuracy} with ${describe(architecture)}`);
  },
});
for (const { trial, architecture, metrics } of best) {
  console.log(`best: trial ${trial}, accuracy ${metrics.accuracy}; ${describe(architecture)}`);
}
