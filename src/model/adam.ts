/** Trains small networks, all their parameters in one vector, on the engine. */
import type { Rng } from '../common/random.ts';
import type { Engine, Feeds, Program } from '../engine/engine.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { type Graph, type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';

/** Where each tensor stands in the vector of all parameters. */
export interface Layout {
  readonly size: number;
  readonly parts: readonly Part[];
}

interface Part {
  readonly at: number;
  readonly shape: Shape;
  /** Initial values are uniform in center ± bound. */
  readonly bound: number;
  readonly center: number;
}

/** Tensors one after another, in the order given. */
export function layoutOf(tensors: readonly (readonly [shape: Shape, bound: number, center?: number])[]): Layout {
  let size = 0;
  const parts = tensors.map(([shape, bound, center = 0]) => {
    const at = size;
    size += sizeOf(shape);
    return { at, shape, bound, center };
  });
  return { size, parts };
}

export function initialParameters({ size, parts }: Layout, rng: Rng): Float32Array {
  const theta = new Float32Array(size);
  for (const { at, shape, bound, center } of parts) {
    if (bound === 0) theta.fill(center, at, at + sizeOf(shape));
    else for (let i = 0; i < sizeOf(shape); i++) theta[at + i] = center + bound * (2 * rng.float() - 1);
  }
  return theta;
}

export interface AdamJob {
  readonly layout: Layout;
  readonly start: Float32Array;
  /** Adds the inputs to the graph, then gives the loss of parameters; one program is built for all jobs of a key. */
  readonly loss: (g: GraphBuilder) => (parts: readonly NodeId[]) => NodeId;
  readonly key: string;
  readonly feeds: Feeds;
  readonly steps: number;
  /** Of the step, from 0. It is constant for ten steps. */
  readonly learningRate: (step: number) => number;
  /** Decoupled from the gradient (Loshchilov & Hutter 2019); part of the program. */
  readonly weightDecay?: number;
}

/** Steps in one run of the program: what a run costs beside its operators is then a small part. */
const STEPS_IN_A_RUN = 10;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];
const CARRIES = { nextTheta: 'theta', nextMean: 'mean', nextSquare: 'square', next1: 'power1', next2: 'power2' };

/** Programs by key, as long as their engine lives. */
const programs = new WeakMap<Engine, Map<string, Promise<Program>>>();

/** The parameters after `steps` steps of Adam (Kingma & Ba 2015), each on all that is fed; steps are rounded up to tens. */
export async function trainByAdam(engine: Engine, job: AdamJob): Promise<Float32Array> {
  const { layout, start, feeds, steps, learningRate } = job;
  const kept = programs.get(engine) ?? new Map<string, Promise<Program>>();
  programs.set(engine, kept);
  const promised = kept.get(job.key) ?? engine.compile(trainingGraph(job), CARRIES);
  kept.set(job.key, promised);
  const program = await promised;
  const zeros = () => ({ shape: [layout.size], data: new Float32Array(layout.size) });
  const scalar = (value: number) => ({ shape: [], data: Float32Array.of(value) });
  const theta = { shape: [layout.size], data: start };
  const state = engine.createState({ theta, mean: zeros(), square: zeros(), power1: scalar(1), power2: scalar(1) });
  try {
    for (let step = 0; step < steps; step += STEPS_IN_A_RUN)
      await program.run({ ...feeds, learningRate: scalar(learningRate(step)) }, state);
    return (await state.read(['theta'])).theta?.data ?? start;
  } finally {
    state.dispose();
  }
}

/** Some steps of Adam. Inputs: those of the loss, learningRate [] and the state. */
function trainingGraph({ layout, loss, weightDecay = 0 }: AdamJob): Graph {
  const g = createGraph();
  const lossOf = loss(g);
  const learningRate = ops.input(g, 'learningRate', []);
  let [theta, mean, square] = ['theta', 'mean', 'square'].map((name) => ops.input(g, name, [layout.size])) as [
    NodeId,
    NodeId,
    NodeId,
  ];
  let [power1, power2] = ['power1', 'power2'].map((name) => ops.input(g, name, [])) as [NodeId, NodeId];
  const one = ops.constant(g, 1);
  for (let step = 0; step < STEPS_IN_A_RUN; step++) {
    const parts = partsOf(g, theta, layout);
    const byParts = gradients(g, lossOf(parts), parts);
    const flat = byParts.map((gradient) => ops.reshape(g, gradient, [sizeOf(g.shape(gradient))]));
    const gradient = ops.concat(g, flat, 0);
    mean = ops.add(g, ops.scale(g, mean, BETA1), ops.scale(g, gradient, 1 - BETA1));
    square = ops.add(g, ops.scale(g, square, BETA2), ops.scale(g, ops.mul(g, gradient, gradient), 1 - BETA2));
    power1 = ops.scale(g, power1, BETA1);
    power2 = ops.scale(g, power2, BETA2);
    const root = ops.sqrt(g, ops.sub(g, one, power2));
    const rate = ops.div(g, ops.mul(g, root, learningRate), ops.sub(g, one, power1));
    const divisor = ops.add(g, ops.sqrt(g, square), ops.constant(g, EPSILON));
    const decayed =
      weightDecay === 0 ? theta : ops.mul(g, theta, ops.sub(g, one, ops.scale(g, learningRate, weightDecay)));
    theta = ops.sub(g, decayed, ops.mul(g, ops.div(g, mean, divisor), rate));
  }
  return finish(g, { nextTheta: theta, nextMean: mean, nextSquare: square, next1: power1, next2: power2 });
}

function partsOf(g: GraphBuilder, theta: NodeId, { parts }: Layout): NodeId[] {
  return parts.map(({ at, shape }) => ops.reshape(g, ops.slice(g, theta, [at], [at + sizeOf(shape)]), shape));
}

/** Padding to it makes few programs serve many sizes. At least 16. */
export const powerOfTwo = (n: number): number => Math.max(16, 2 ** Math.ceil(Math.log2(Math.max(1, n))));
