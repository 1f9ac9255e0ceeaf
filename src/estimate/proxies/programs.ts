/** The programs that proxies of a network, or of all networks of a supernet, are measured by. */
import type { PROXY_METRICS } from '../../common/metrics.ts';
import { rng } from '../../common/random.ts';
import type { Engine, Feeds, Program, State } from '../../engine/engine.ts';
import { finish } from '../../graph/builder.ts';
import { type Graph, type HostTensor, type NodeId, sizeOf } from '../../graph/ir.ts';
import { optimize } from '../../graph/passes.ts';
import type { Parameter, RandomInput } from '../../network/network.ts';
import type { Architecture } from '../../space/space.ts';
import { inputsOf, type NetworkOnData, taskLoss } from '../../train/forward.ts';
import { inferenceGraph } from '../../train/program.ts';
import { switchFeeds } from '../../train/single-path.ts';
import type { ProxyBatch } from './batch.ts';
import { inputName, openNetwork } from './context.ts';
import { fisher, gradNorm, grasp, snip } from './gradients.ts';
import { normalWeights, torchWeights } from './initial-weights.ts';
import { jacobian } from './jacobian.ts';
import { naswot } from './naswot.ts';
import type { Readout } from './readout.ts';
import { synflowFeeds, synflowGraph, synflowScores, synflowTokens } from './synflow.ts';
import { zenGraph, zenNoise, zenScore } from './zen.ts';

/** Read out of one program: a network in training on a batch. */
export const READOUTS = {
  gradNorm,
  snip,
  grasp,
  fisher,
  jacobian,
  naswot,
} as const satisfies Readonly<Partial<Record<keyof typeof PROXY_METRICS, Readout>>>;

type ReadoutName = keyof typeof READOUTS;
type Scores = Readonly<Record<string, number>>;
type Tensors = Readonly<Record<string, HostTensor>>;

/** Programs that are compiled, with their weights. */
export interface Programs {
  measure(architecture: Architecture): Promise<Scores>;
  dispose(): Promise<void>;
}

/** One program, run with the switches of an architecture. */
interface Part {
  measure(switches: Tensors): Promise<Scores>;
  readonly program: Program;
  readonly state: State;
}

/** Compiles what the wanted proxies need. Throws TrainingFailure when the network cannot be built on this data. */
export async function openPrograms(
  engine: Engine,
  on: NetworkOnData,
  wanted: ReadonlySet<string>,
  batch: ProxyBatch,
  seed: number,
): Promise<Programs> {
  const names = (Object.keys(READOUTS) as ReadoutName[]).filter((name) => wanted.has(name));
  const parts: Part[] = [];
  const dispose = async () => {
    for (const { program, state } of parts) {
      await program.dispose();
      state.dispose();
    }
  };
  try {
    if (names.length > 0) parts.push(await openReadouts(engine, on, names, batch, seed));
    if (wanted.has('synflow') || wanted.has('logSynflow')) parts.push(await openSynflow(engine, on, seed));
    if (wanted.has('zen')) parts.push(await openZen(engine, on, batch, seed));
  } catch (error) {
    await dispose();
    throw error;
  }
  const hasSwitches = on.choices === 'switch' && parts.length > 0;
  const switches = hasSwitches ? switchFeeds(inferenceGraph(on, 1)) : () => ({});
  return {
    dispose,
    async measure(architecture) {
      const chosen = switches(architecture);
      const scores: Record<string, number> = {};
      for (const part of parts) Object.assign(scores, await part.measure(chosen));
      return scores;
    },
  };
}

async function openReadouts(
  engine: Engine,
  on: NetworkOnData,
  names: readonly ReadoutName[],
  batch: ProxyBatch,
  seed: number,
): Promise<Part> {
  const { context, lowered } = openNetwork(on, batch.count, 'train');
  const { g, output } = context;
  const loss = taskLoss(g, on, output);
  const outputs: Record<string, NodeId> = {};
  for (const name of names) Object.assign(outputs, READOUTS[name].append(context, loss));
  const graph = optimize(finish(g, outputs));
  const weights = torchWeights(usedBy(graph, lowered.parameters), streams(seed));
  const feeds = { ...batch.feeds, ...randomFeeds(lowered.randomInputs, seed) };
  return open(engine, graph, weights, async (run) => {
    const results = await run(feeds);
    return Object.fromEntries(names.map((name) => [name, READOUTS[name].score(results, on.info)]));
  });
}

async function openSynflow(engine: Engine, on: NetworkOnData, seed: number): Promise<Part> {
  const { graph, parameters } = synflowGraph(on);
  const { input, ...weights } = synflowFeeds(on.info, torchWeights(usedBy(graph, parameters), streams(seed)));
  const feeds = { [inputName(on)]: synflowTokens(on) ?? input };
  return open(engine, graph, weights, async (run) => synflowScores(await run(feeds)));
}

async function openZen(engine: Engine, on: NetworkOnData, batch: ProxyBatch, seed: number): Promise<Part> {
  const { graph, lowered, noise } = zenGraph(on, batch.count);
  const weights = normalWeights(usedBy(graph, lowered.parameters), streams(seed));
  const stream = rng('proxies', seed, 'zen');
  const pairs = Object.entries(noise).map(([name, shape]) => [name, zenNoise(shape, stream)] as const);
  const fed = (k: 0 | 1) => Object.fromEntries(pairs.map(([name, pair]) => [name, pair[k]]));
  const common = { ...batch.feeds, ...randomFeeds(lowered.randomInputs, seed) };
  return open(engine, graph, weights, async (run) => {
    const one = await run({ ...common, ...fed(0) });
    return { zen: zenScore(one, await run({ ...common, ...fed(1) })) };
  });
}

/** Compiles; `score` makes a measurement of runs that get the switches, too. */
async function open(
  engine: Engine,
  graph: Graph,
  weights: Tensors,
  score: (run: (feeds: Feeds) => Promise<Tensors>) => Promise<Scores>,
): Promise<Part> {
  const program = await engine.compile(graph);
  const state = engine.createState(weights);
  return {
    program,
    state,
    measure: (switches) => score((feeds) => program.run({ ...feeds, ...switches }, state)),
  };
}

const streams =
  (seed: number) =>
  (...labels: readonly string[]) =>
    rng('proxies', seed, ...labels);

function usedBy(graph: Graph, parameters: readonly Parameter[]): readonly Parameter[] {
  const inputs = inputsOf(graph);
  return parameters.filter(({ path }) => inputs.has(path));
}

/** What dropout draws. */
function randomFeeds(inputs: readonly RandomInput[], seed: number): Record<string, HostTensor> {
  return Object.fromEntries(
    inputs.map(({ name, shape }) => {
      const random = rng('proxies', seed, 'random', name);
      return [name, { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.float()) }];
    }),
  );
}
