/**
 * The recurrent controller of Zoph & Le 2017, "Neural Architecture Search with Reinforcement Learning": an LSTM that
 * makes one decision after another, each given those before. Sampling and probabilities are plain TypeScript (one
 * architecture is some ten thousand products); the update is a graph of our own, run by an engine.
 *
 * All weights are one vector, in this order: embedding [K + 1, D], its way to the gates [D, 4H], the state's way [H, 4H],
 * bias [4H] (input, forget, cell, output), output [K, H], its bias [K]. K options of all decisions together, H hidden
 * units, D = H / 2. Row K of the embedding is used at the beginning and for an inactive decision.
 */
import { largest } from '../common/extremes.ts';
import type { Rng } from '../common/random.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { createGraph, finish, type GraphBuilder } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import type { Graph, HostTensor, NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';

export interface ControllerShape {
  /** How many options each decision has, in the order of deciding. */
  readonly sizes: readonly number[];
  /** H, even. */
  readonly hidden: number;
}

/** Weights and what Adam keeps of them, each [P]. */
export interface ControllerWeights {
  readonly weights: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  /** Updates so far. */
  readonly steps: number;
}

/** One architecture as the controller sees it. */
export interface Episode {
  /** The input of each step from the one before it: an option's number, or undefined for none. One fewer than decisions. */
  readonly told: readonly (number | undefined)[];
  /** The option that was chosen; undefined: the decision is inactive. */
  readonly chosen: readonly (number | undefined)[];
  /** How much better than the baseline it was. */
  readonly advantage: number;
}

export interface ControllerTraining {
  readonly algorithm: 'reinforce' | 'ppo';
  readonly learningRate: number;
  /** Weight of the entropy bonus, per nat. */
  readonly entropy: number;
  /** PPO: how far a probability ratio may go from 1. */
  readonly clip: number;
  /** Updates by the same episodes. */
  readonly epochs: number;
}

interface Layout {
  readonly options: number;
  readonly embedding: number;
  /** Where each tensor begins in the vector, and its shape; the last is the end. */
  readonly parts: Readonly<Record<PartName, { readonly start: number; readonly shape: readonly number[] }>>;
  readonly size: number;
  /** The number of each decision's first option. */
  readonly offsets: readonly number[];
}

type PartName = 'embedding' | 'input' | 'recurrent' | 'gates' | 'output' | 'bias';

function layoutOf({ sizes, hidden }: ControllerShape): Layout {
  const options = sizes.reduce((sum, size) => sum + size, 0);
  const embedding = hidden / 2;
  let size = 0;
  const part = (...shape: number[]) => {
    const start = size;
    size += shape.reduce((product, n) => product * n, 1);
    return { start, shape };
  };
  const parts = {
    embedding: part(options + 1, embedding),
    input: part(embedding, 4 * hidden),
    recurrent: part(hidden, 4 * hidden),
    gates: part(4 * hidden),
    output: part(options, hidden),
    bias: part(options),
  };
  const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, one) => sum + one, 0));
  return { options, embedding, parts, size, offsets };
}

/** Weights uniform in ±0.08, as in the paper. */
export function freshController(shape: ControllerShape, stream: Rng): ControllerWeights {
  const { size } = layoutOf(shape);
  const weights = Float32Array.from({ length: size }, () => 0.16 * stream.float() - 0.08);
  return { weights, mean: new Float32Array(size), square: new Float32Array(size), steps: 0 };
}

/**
 * Runs the LSTM over the decisions. `choose` gets a decision's number and the logarithms of its options' probabilities,
 * and gives the option that the next step receives (undefined: none). O(decisions · H · (6H + options)).
 */
export function unroll(
  shape: ControllerShape,
  weights: Float32Array,
  choose: (decision: number, logProbabilities: Float64Array) => number | undefined,
): void {
  const { hidden, sizes } = shape;
  const { parts, embedding, options, offsets } = layoutOf(shape);
  const at = (index: number) => weights[index] ?? Number.NaN;
  const gates = new Float64Array(4 * hidden);
  const h = new Float64Array(hidden);
  const c = new Float64Array(hidden);
  let token = options;
  for (const [decision, size] of sizes.entries()) {
    for (let j = 0; j < 4 * hidden; j++) gates[j] = at(parts.gates.start + j);
    accumulate(gates, embedding, parts.input.start, (i) => at(parts.embedding.start + token * embedding + i));
    accumulate(gates, hidden, parts.recurrent.start, (i) => h[i] ?? Number.NaN);
    for (let j = 0; j < hidden; j++) {
      const gate = (k: number) => gates[k * hidden + j] ?? Number.NaN;
      c[j] = sigmoid(gate(1)) * (c[j] ?? Number.NaN) + sigmoid(gate(0)) * Math.tanh(gate(2));
      h[j] = sigmoid(gate(3)) * Math.tanh(c[j] ?? Number.NaN);
    }
    const offset = offsets[decision] ?? Number.NaN;
    const logits = Float64Array.from({ length: size }, (_, k) => {
      const row = parts.output.start + (offset + k) * hidden;
      return h.reduce((sum, value, j) => sum + value * at(row + j), at(parts.bias.start + offset + k));
    });
    const told = choose(decision, logSoftmax(logits));
    token = told === undefined ? options : offset + told;
  }

  function accumulate(sums: Float64Array, rows: number, start: number, value: (row: number) => number): void {
    const width = sums.length;
    for (let i = 0; i < rows; i++) {
      const factor = value(i);
      if (factor === 0) continue;
      const row = start + i * width;
      for (let j = 0; j < width; j++) sums[j] = (sums[j] ?? Number.NaN) + factor * (weights[row + j] ?? Number.NaN);
    }
  }
}

/** The logarithm of the probability of each choice of an episode; 0 for an inactive one. */
export function logProbabilitiesOf(
  shape: ControllerShape,
  weights: Float32Array,
  episode: Omit<Episode, 'advantage'>,
): number[] {
  const found: number[] = [];
  unroll(shape, weights, (decision, logProbabilities) => {
    const chosen = episode.chosen[decision];
    found.push(chosen === undefined ? 0 : (logProbabilities[chosen] ?? Number.NaN));
    return episode.told[decision];
  });
  return found;
}

/** Programs are compiled once for each engine, shape, size of batch and kind of training. */
const programs = new WeakMap<Engine, Map<string, Promise<Program>>>();

/** The controller after `epochs` updates by a batch of episodes. */
export async function trainController(
  engine: Engine,
  shape: ControllerShape,
  before: ControllerWeights,
  episodes: readonly Episode[],
  training: ControllerTraining,
): Promise<ControllerWeights> {
  const { algorithm, entropy, clip } = training;
  const compiled = programs.get(engine) ?? new Map<string, Promise<Program>>();
  programs.set(engine, compiled);
  const key = JSON.stringify([shape, episodes.length, algorithm, entropy, clip]);
  const compiling =
    compiled.get(key) ?? engine.compile(controllerStep(shape, episodes.length, training), CONTROLLER_CARRIES);
  compiled.set(key, compiling);
  return updateController(engine, await compiling, shape, before, episodes, training);
}

/** The same by a program of `controllerStep` for as many episodes, compiled with `CONTROLLER_CARRIES`. */
export async function updateController(
  engine: Engine,
  program: Program,
  shape: ControllerShape,
  before: ControllerWeights,
  episodes: readonly Episode[],
  { epochs, learningRate }: Pick<ControllerTraining, 'epochs' | 'learningRate'>,
): Promise<ControllerWeights> {
  const vector = (data: Float32Array): HostTensor => ({ shape: [data.length], data });
  const state = engine.createState({
    weights: vector(before.weights),
    mean: vector(before.mean),
    square: vector(before.square),
  });
  try {
    const feeds = feedsOf(shape, before.weights, episodes);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const step = before.steps + epoch;
      const scalar = (value: number): HostTensor => ({ shape: [], data: Float32Array.of(value) });
      await program.run(
        {
          ...feeds,
          stepSize: scalar(learningRate / (1 - BETA1 ** step)),
          correction: scalar(1 / Math.sqrt(1 - BETA2 ** step)),
        },
        state,
      );
    }
    const { weights, mean, square } = await state.read();
    if (!weights || !mean || !square) throw new Error('the state of the controller has lost a vector');
    return { weights: weights.data, mean: mean.data, square: square.data, steps: before.steps + epochs };
  } finally {
    state.dispose();
  }
}

export const CONTROLLER_CARRIES = { 'next:weights': 'weights', 'next:mean': 'mean', 'next:square': 'square' };
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** Rows stand decision by decision: row t·B + b is decision t of episode b. */
function feedsOf(
  shape: ControllerShape,
  weights: Float32Array,
  episodes: readonly Episode[],
): Record<string, HostTensor> {
  const { options, offsets } = layoutOf(shape);
  const [steps, batch] = [shape.sizes.length, episodes.length];
  const told = new Float32Array(steps * batch * (options + 1));
  const chosen = new Float32Array(steps * batch * options);
  const old = new Float32Array(steps * batch);
  for (const [b, episode] of episodes.entries()) {
    const now = logProbabilitiesOf(shape, weights, episode);
    for (let t = 0; t < steps; t++) {
      const row = t * batch + b;
      const [before, option] = [t === 0 ? undefined : episode.told[t - 1], episode.chosen[t]];
      told[row * (options + 1) + (before === undefined ? options : (offsets[t - 1] ?? Number.NaN) + before)] = 1;
      if (option !== undefined) chosen[row * options + (offsets[t] ?? Number.NaN) + option] = 1;
      old[row] = now[t] ?? Number.NaN;
    }
  }
  return {
    told: { shape: [steps * batch, options + 1], data: told },
    chosen: { shape: [steps, batch, options], data: chosen },
    old: { shape: [steps, batch], data: old },
    advantage: { shape: [1, batch], data: Float32Array.from(episodes, ({ advantage }) => advantage) },
  };
}

/**
 * One update of the controller as a graph. REINFORCE (Williams 1992): the loss is the mean over episodes of -A · Σ log p.
 * PPO (Schulman et al. 2017, equation 7): of -Σ min(r A, clip(r, 1 - ε, 1 + ε) A), r being the ratio of a choice's
 * probability to that before the first epoch. Both less `entropy` times the entropy of the decisions made. Then Adam.
 *
 * Inputs: told [T·B, K + 1], chosen [T, B, K], old [T, B], advantage [1, B], stepSize and correction [], and the state:
 * weights, mean, square [P]. Outputs: loss, and the next state.
 */
export function controllerStep(
  shape: ControllerShape,
  batch: number,
  { algorithm, entropy, clip }: Pick<ControllerTraining, 'algorithm' | 'entropy' | 'clip'>,
): Graph {
  const { parts, size, options } = layoutOf(shape);
  const steps = shape.sizes.length;
  const g = createGraph();
  const weights = ops.input(g, 'weights', [size]);
  const part = (name: PartName) => {
    const { start, shape: own } = parts[name];
    const length = own.reduce((product, n) => product * n, 1);
    return ops.reshape(g, ops.slice(g, weights, [start], [start + length]), own);
  };
  const told = ops.input(g, 'told', [steps * batch, options + 1]);
  const inputs = ops.matmul(g, ops.matmul(g, told, part('embedding')), part('input'), { bias: part('gates') });
  const states = recur(g, inputs, part('recurrent'), steps, batch, shape.hidden); // [T·B, H]
  const logits = ops.matmul(g, states, part('output'), { transposeB: true, bias: part('bias') });
  const open = ops.add(g, ops.reshape(g, logits, [steps, batch, options]), maskOf(g, shape)); // [T, B, K]
  const logProbabilities = ops.logSoftmax(g, open);

  const chosen = ops.input(g, 'chosen', [steps, batch, options]);
  const advantage = ops.input(g, 'advantage', [1, batch]);
  const now = ops.reduceSum(g, ops.mul(g, logProbabilities, chosen), [2]); // [T, B]; 0 where inactive
  const active = ops.reduceSum(g, chosen, [2]);
  const gain = algorithm === 'reinforce' ? ops.mul(g, now, advantage) : clippedGain(g, now, advantage, clip);
  const products = ops.mul(g, ops.exp(g, logProbabilities), logProbabilities);
  const disorder = ops.mul(g, ops.neg(g, ops.reduceSum(g, products, [2])), active);
  const worth = ops.reduceSum(g, ops.add(g, gain, ops.scale(g, disorder, entropy)), [0, 1]);
  const loss = ops.scale(g, worth, -1 / batch);
  const [gradient] = gradients(g, loss, [weights]);
  if (gradient === undefined) throw new Error('the loss has no gradient');
  return finish(g, { loss, ...adam(g, weights, gradient, size) });
}

/** The LSTM over all steps: inputs [T·B, 4H] -> states [T·B, H]. */
function recur(
  g: GraphBuilder,
  inputs: NodeId,
  recurrent: NodeId,
  steps: number,
  batch: number,
  hidden: number,
): NodeId {
  let state: { readonly h: NodeId; readonly c: NodeId } | undefined;
  const states: NodeId[] = [];
  for (let t = 0; t < steps; t++) {
    const own = ops.slice(g, inputs, [t * batch, 0], [(t + 1) * batch, 4 * hidden]);
    const all = state === undefined ? own : ops.add(g, own, ops.matmul(g, state.h, recurrent)); // [B, 4H]
    const gate = (k: number) => ops.slice(g, all, [0, k * hidden], [batch, (k + 1) * hidden]);
    const fresh = ops.mul(g, ops.sigmoid(g, gate(0)), ops.tanh(g, gate(2)));
    const c = state === undefined ? fresh : ops.add(g, ops.mul(g, ops.sigmoid(g, gate(1)), state.c), fresh);
    const h = ops.mul(g, ops.sigmoid(g, gate(3)), ops.tanh(g, c));
    state = { h, c };
    states.push(h);
  }
  return ops.concat(g, states, 0);
}

/** [T, 1, K]: 0 for the options of decision t, -1e9 for those of others. */
function maskOf(g: GraphBuilder, shape: ControllerShape): NodeId {
  const { options, offsets } = layoutOf(shape);
  const data = shape.sizes.flatMap((size, t) => {
    const start = offsets[t] ?? Number.NaN;
    return Array.from({ length: options }, (_, k) => (k >= start && k < start + size ? 0 : -1e9));
  });
  return ops.constant(g, data, [shape.sizes.length, 1, options]);
}

function clippedGain(g: GraphBuilder, now: NodeId, advantage: NodeId, clip: number): NodeId {
  const ratio = ops.exp(g, ops.sub(g, now, ops.input(g, 'old', g.shape(now))));
  const near = ops.clip(g, ratio, 1 - clip, 1 + clip);
  return ops.minimum(g, ops.mul(g, ratio, advantage), ops.mul(g, near, advantage));
}

/** Adam (Kingma & Ba 2015), β = (0.9, 0.999). */
function adam(g: GraphBuilder, weights: NodeId, gradient: NodeId, size: number): Record<string, NodeId> {
  const blend = (name: string, value: NodeId, beta: number) =>
    ops.add(g, ops.scale(g, ops.input(g, name, [size]), beta), ops.scale(g, value, 1 - beta));
  const mean = blend('mean', gradient, BETA1);
  const square = blend('square', ops.mul(g, gradient, gradient), BETA2);
  const root = ops.mul(g, ops.sqrt(g, square), ops.input(g, 'correction', []));
  const direction = ops.div(g, mean, ops.add(g, root, ops.constant(g, EPSILON)));
  const next = ops.sub(g, weights, ops.mul(g, direction, ops.input(g, 'stepSize', [])));
  return { 'next:weights': next, 'next:mean': mean, 'next:square': square };
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function logSoftmax(logits: Float64Array): Float64Array {
  const top = largest(logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - top), 0);
  return logits.map((logit) => logit - top - Math.log(sum));
}
