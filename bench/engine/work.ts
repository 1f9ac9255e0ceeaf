/** What a measuring process does: one thing again and again. */
import { rng } from '../../src/common/random.ts';
import type { DatasetInfo, Samples } from '../../src/data/dataset.ts';
import type { CompileOptions, Engine, Feeds, State } from '../../src/engine/engine.ts';
import { totalFlops } from '../../src/graph/flops.ts';
import { type Graph, type HostTensor, type Shape, sizeOf } from '../../src/graph/ir.ts';
import { initialize } from '../../src/network/initialize.ts';
import { type SupernetSteps, supernetSteps } from '../../src/oneshot/mixture-steps.ts';
import { INPUT_NAME } from '../../src/report/export/metadata.ts';
import { exportOnnx } from '../../src/report/export/onnx.ts';
import type { Module } from '../../src/space/index.ts';
import { runAhead, trainingBatches } from '../../src/train/batches.ts';
import { optimizerOf } from '../../src/train/optimizers.ts';
import { freshTensors, inferenceGraph, type TrainingGraph, trainingGraph } from '../../src/train/program.ts';
import { joinTensors } from '../../src/train/vectors.ts';
import { INFO, infoOf, networkOf } from './networks.ts';
import type { WorkOrder } from './order.ts';
import { EPOCH_IMAGES } from './workloads.ts';

/** A compiled program with all that it is fed. */
export interface Work {
  run(): Promise<void>;
  /** Trained weights, in all: as many as the peer's. */
  readonly parameters: number;
  /** Of one run: of convolutions and matrix products in the graph that is compiled. */
  readonly multiplyAdds: number;
}

/** Opens the actions of an order, by name; those of one order share a state. */
export function openWork(
  engine: Engine,
  { network, size, task, batch, actions }: Pick<WorkOrder, 'network' | 'size' | 'task' | 'batch' | 'actions'>,
): (action: string) => Promise<Work> {
  const module = networkOf(network, size);
  if (task === 'infer') return () => openInference(engine, module, batch);
  if (task === 'epoch') return () => openEpoch(engine, network, module, batch);
  if (network === 'darts-supernet') return openSupernet(engine, module, batch, turns(actions.length));
  return () => openTraining(engine, network, module, batch);
}

/** The peers' settings: those of torch_nb201.py, and what Liu et al. 2019 train with. */
const SGD = {
  'nas-bench-201': { optimizer: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4, clipNorm: 0 },
  'darts-v2': { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 3e-4, clipNorm: 5 },
  'darts-supernet': { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 3e-4, clipNorm: 5 },
  'resnet8-28': { optimizer: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4, clipNorm: 0 },
  'resnet8-32': { optimizer: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4, clipNorm: 0 },
} as const;
/** Both steps of a supernet together take no more memory than the larger of them. A step alone keeps its own. */
const turns = (actions: number): CompileOptions => (actions > 1 ? { memory: 'returned' } : {});
const ARCHITECTURE_DECAY = 1e-3;
/** Small: random labels are fitted again and again. */
const LEARNING_RATE = 1e-3;

async function openTraining(engine: Engine, name: keyof typeof SGD, network: Module, batch: number): Promise<Work> {
  return openStepOf(engine, network, INFO, batch, SGD[name]);
}

/** Steps of a network's training on one batch. */
export async function openStepOf(
  engine: Engine,
  network: Module,
  info: DatasetInfo,
  batch: number,
  settings: (typeof SGD)[keyof typeof SGD] = SGD['resnet8-28'],
): Promise<Work> {
  const step = trainingGraph({ network, info, resolution: 1 }, settings, batch);
  const state = engine.createState(joinTensors(step.vectors, freshTensors(step, seeded)));
  return openStep(engine, step, optimizerOf(settings).scalars(LEARNING_RATE, 1), state, batch, {}, info);
}

/** Epochs one after another, their batches prepared as training prepares them; colored images are cropped and flipped. */
async function openEpoch(engine: Engine, name: keyof typeof SGD, network: Module, batch: number): Promise<Work> {
  const [settings, info] = [SGD[name], infoOf(name)];
  const step = trainingGraph({ network, info, resolution: 1 }, settings, batch);
  const state = engine.createState(joinTensors(step.vectors, freshTensors(step, seeded)));
  const program = await engine.compile(step.graph, step.carries);
  const augmented = info.input[0] === 3;
  const batches = trainingBatches(randomSamples(info), info, {
    ...{ batchSize: batch, epochSamples: 0, labelSmoothing: 0, classWeights: 'none', cutout: 0, mixup: 0 },
    ...{ cropPadding: augmented ? 4 : 0, flip: augmented },
  });
  const rates = Object.entries(optimizerOf(settings).scalars(LEARNING_RATE, 1));
  const scalars = Object.fromEntries(rates.map(([rate, value]) => [rate, { shape: [], data: Float32Array.of(value) }]));
  const { parameters, multiplyAdds } = facts(step.graph, step.parameters);
  let epochs = 0;
  return {
    async run() {
      const { prepare } = batches.epoch(epochs++, (...labels) => seeded(...labels.map(String)));
      await runAhead({
        count: batches.stepsPerEpoch,
        prepare,
        run: (feeds) => program.run({ ...feeds, ...scalars }, state),
        take({ loss }) {
          if (!Number.isFinite(loss?.data[0])) throw new Error(`the loss is ${loss?.data[0]}`);
        },
      });
    },
    parameters,
    multiplyAdds: multiplyAdds * batches.stepsPerEpoch,
  };
}

/** Bytes, as images are kept in memory. */
function randomSamples({ input, outputs }: DatasetInfo): Samples {
  const [size, random] = [sizeOf(input), seeded('images')];
  const pixels = Uint8Array.from({ length: EPOCH_IMAGES * size }, () => 256 * random.float());
  const labels = Array.from({ length: EPOCH_IMAGES }, () => Math.floor(outputs * random.float()));
  return {
    count: EPOCH_IMAGES,
    async read(indices, { input: images, target }) {
      for (const [at, index] of indices.entries()) {
        images?.set(pixels.subarray(index * size, (index + 1) * size), at * size);
        target?.set([labels[index] ?? 0], at);
      }
    },
  };
}

/** Both steps of the supernet on one state, as a search has them. */
function openSupernet(
  engine: Engine,
  network: Module,
  batch: number,
  options: CompileOptions,
): (action: string) => Promise<Work> {
  const build = (alsoWeightGradients: boolean) =>
    supernetSteps(
      { network, info: INFO, resolution: 1 },
      SGD['darts-supernet'],
      { weightDecay: ARCHITECTURE_DECAY, alsoWeightGradients },
      batch,
    );
  let steps: SupernetSteps | undefined;
  let state: State | undefined;
  return (action) => {
    steps ??= build(action.endsWith('+weight-gradients'));
    state ??= engine.createState({
      ...joinTensors(steps.state.vectors, freshTensors(steps.state, seeded)),
      ...Object.fromEntries(steps.scratch.map(({ name, shape }) => [name, zeros(shape)])),
    });
    const { weightStep, archGradient } = steps;
    // Adam's update of some hundred parameters is a program of its own, too small to time.
    return action === 'darts-supernet-weight-step'
      ? openStep(engine, weightStep, optimizerOf({ optimizer: 'sgd' }).scalars(LEARNING_RATE, 1), state, batch, options)
      : openStep(engine, { ...weightStep, ...archGradient }, {}, state, batch, options);
  };
}

async function openStep(
  engine: Engine,
  { graph, carries, parameters }: TrainingGraph,
  rates: Readonly<Record<string, number>>,
  state: State,
  batch: number,
  options: CompileOptions = {},
  info: DatasetInfo = INFO,
): Promise<Work> {
  const program = await engine.compile(graph, carries, options);
  const scalars = Object.entries(rates).map(([name, rate]) => [name, { shape: [], data: Float32Array.of(rate) }]);
  const feeds: Feeds = { input: images(batch, info), targets: targets(batch), ...Object.fromEntries(scalars) };
  return {
    async run() {
      const { loss } = await program.run(feeds, state);
      // A step that computes nonsense is not worth timing, and what is not finite takes other time.
      if (!Number.isFinite(loss?.data[0])) throw new Error(`the loss is ${loss?.data[0]}`);
    },
    ...facts(graph, parameters),
  };
}

/** The exported model on a batch. */
async function openInference(engine: Engine, network: Module, batch: number): Promise<Work> {
  const { graph, parameters, statistics } = inferenceGraph({ network, info: INFO, resolution: 1 }, batch);
  const weights = initialize([...parameters, ...statistics], seeded);
  const about = { version: '0', space: 'bench', architecture: 'bench', training: {} };
  const program = await engine.load(exportOnnx({ network, info: INFO, weights, about }));
  const feeds = { [INPUT_NAME]: images(batch) };
  return {
    async run() {
      await program.run(feeds);
    },
    ...facts(graph, parameters),
  };
}

function facts(graph: Graph, parameters: TrainingGraph['parameters']): Omit<Work, 'run'> {
  return {
    parameters: parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    multiplyAdds: totalFlops(graph.nodes),
  };
}

const seeded = (...labels: readonly string[]) => rng('bench', ...labels);
const zeros = (shape: Shape): HostTensor => ({ shape, data: new Float32Array(sizeOf(shape)) });

function images(batch: number, { input } = INFO): HostTensor {
  const random = seeded('images');
  const { shape, data } = zeros([batch, ...input]);
  return { shape, data: data.map(() => 255 * random.float()) };
}

/** One-hot [batch, classes]. */
function targets(batch: number): HostTensor {
  const random = seeded('targets');
  const { shape, data } = zeros([batch, INFO.outputs]);
  for (let i = 0; i < batch; i++) data[i * INFO.outputs + Math.floor(INFO.outputs * random.float())] = 1;
  return { shape, data };
}
