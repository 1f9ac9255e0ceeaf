/** What a measuring process does: one thing again and again. */
import { rng } from '../../src/common/random.ts';
import type { Engine, Feeds, Program, State } from '../../src/engine/engine.ts';
import { totalFlops } from '../../src/graph/flops.ts';
import { type Graph, type HostTensor, type Shape, sizeOf } from '../../src/graph/ir.ts';
import { initialise } from '../../src/network/initialise.ts';
import { INPUT_NAME } from '../../src/report/export/metadata.ts';
import { exportOnnx } from '../../src/report/export/onnx.ts';
import type { Module } from '../../src/space/index.ts';
import { OPTIMISERS } from '../../src/train/optimisers.ts';
import { inferenceGraph, type TrainingGraph, trainingGraph } from '../../src/train/program.ts';
import { INFO, networkOf } from './networks.ts';
import type { Order } from './order.ts';

/** A compiled program with all that it is fed. */
export interface Work {
  run(): Promise<void>;
  readonly compileSeconds: number;
  /** Trained weights, in all: as many as the peer's. */
  readonly parameters: number;
  /** Of one run: of convolutions and matrix products in the graph that is compiled. */
  readonly multiplyAdds: number;
}

/** Opens the actions of an order, by name; those of one order share what they can. */
export function openWork(
  engine: Engine,
  { network, task, batch }: Pick<Order & { kind: 'work' }, 'network' | 'task' | 'batch'>,
): (action: string) => Promise<Work> {
  if (network === 'darts-supernet') throw new Error('there is no supernet here yet');
  if (task === 'infer') return () => openInference(engine, network, networkOf(network), batch);
  return () => openTraining(engine, network, networkOf(network), batch);
}

const seeded = (...labels: readonly string[]) => rng('bench', ...labels);

function images(batch: number): HostTensor {
  const random = seeded('images');
  const shape = [batch, ...INFO.input];
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => 255 * random.float()) };
}

/** One-hot [batch, classes]. */
function targets(batch: number): HostTensor {
  const random = seeded('targets');
  const data = new Float32Array(batch * INFO.outputs);
  for (let i = 0; i < batch; i++) data[i * INFO.outputs + Math.floor(INFO.outputs * random.float())] = 1;
  return { shape: [batch, INFO.outputs], data };
}

function scalars(values: Readonly<Record<string, number>>): Feeds {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { shape: [], data: Float32Array.of(value) }]),
  );
}

function zeros(entries: readonly { readonly name: string; readonly shape: Shape }[]): Feeds {
  return Object.fromEntries(entries.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]));
}

const countOf = (parameters: readonly { readonly shape: Shape }[]): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** The peers' settings: torch_nb201.py, and what Liu et al. 2019 train with. */
const SGD = {
  'nas-bench-201': { optimizer: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4, clipNorm: 0 },
  'darts-v2': { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 3e-4, clipNorm: 5 },
} as const;

/** A training step of a network, weights and optimizer state staying with the engine. */
async function openTraining(engine: Engine, name: keyof typeof SGD, network: Module, batch: number): Promise<Work> {
  const settings = SGD[name];
  const step: TrainingGraph = trainingGraph({ network, info: INFO, resolution: 1 }, settings, batch);
  const state = engine.createState({
    ...initialise([...step.parameters, ...step.statistics], seeded),
    ...zeros(step.optimiserState),
  });
  const program = await engine.compile(step.graph, step.carries);
  const feeds = {
    x: images(batch),
    targets: targets(batch),
    ...scalars(OPTIMISERS[settings.optimizer].scalars(0.01, 1)),
  };
  return workOf(program, step.graph, countOf(step.parameters), feeds, state);
}

/** The loss after each step must be a number: a step that computes nonsense is not timed. */
function workOf(program: Program, graph: Graph, parameters: number, feeds: Feeds, state: State): Work {
  return {
    async run() {
      const { loss } = await program.run(feeds, state);
      if (!Number.isFinite(loss?.data[0])) throw new Error(`the loss is ${loss?.data[0]}`);
    },
    compileSeconds: program.compileSeconds,
    parameters,
    multiplyAdds: totalFlops(graph.nodes),
  };
}

/** The exported model on a batch. */
async function openInference(engine: Engine, name: string, network: Module, batch: number): Promise<Work> {
  const { graph, parameters, statistics } = inferenceGraph({ network, info: INFO, resolution: 1 }, batch);
  const weights = initialise([...parameters, ...statistics], seeded);
  const about = { version: '0', space: name, architecture: name, training: {} };
  const program = await engine.load(exportOnnx({ network, info: INFO, weights, about }));
  const feeds = { [INPUT_NAME]: images(batch) };
  return {
    async run() {
      await program.run(feeds);
    },
    compileSeconds: program.compileSeconds,
    parameters: countOf(parameters),
    multiplyAdds: totalFlops(graph.nodes),
  };
}
