/**
 * What a step on one path of a supernet of switches costs against a step of that path's network alone: NAS-Bench-201, steps of
 * all taking turns in one process. One JSON object: `ratio` is the supernet's median seconds over the network's, all
 * paths taken together, `meanRatio` the mean of the paths' ratios; `paths` has each of them, first the network of bench/engine.ts, then drawn ones;
 * `compile` the seconds to compile the supernet and, on average, a network.
 * `gdas` and `enas` are the mean ratios of search steps, `together` those of all paths taken together: of GDAS the mean of its two steps, the weights' and the architecture's
 * (`architectureSeconds`), sampling included; of ENAS the weights' step with the controller's sampling.
 * `npx node --conditions=netsmith-source bench/switch.ts [--paths 5] [--runs 7] [--batch 64] [--cells 5] [--channels 16]
 * [--threads 2] [--clock wall|cpu] [--layout auto|portable] [--path TEXT ...] [--save]`; `--path` names architectures in the benchmark's own form, in place of those.
 * `--clock cpu` counts the process's processor time, with one thread: for a core that others use, too. `least` has the same ratios of the
 * least seconds in place of the medians: others on the core, who empty its caches, only ever add.
 */

import { smallest } from '../src/common/extremes.ts';
import { rng } from '../src/common/random.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { type HostTensor, sizeOf } from '../src/graph/ir.ts';
import { freshController } from '../src/model/controller.ts';
import { gateInputs } from '../src/network/gated.ts';
import { architectureStep } from '../src/oneshot/architecture-step.ts';
import { ENAS_DEFAULTS } from '../src/oneshot/enas.ts';
import { gumbelSample } from '../src/oneshot/gumbel.ts';
import { ARCHITECTURE_OPTIMIZER } from '../src/oneshot/mixture-steps.ts';
import { formatArchitecture, parseArchitecture, resolve, SPACES, sample, supernet } from '../src/space/index.ts';
import type { Architecture } from '../src/space/space.ts';
import { drawArchitecture, sequenceOf } from '../src/strategy/sequence.ts';
import { scalarFeeds } from '../src/train/batch-steps.ts';
import { optimizerOf } from '../src/train/optimizers.ts';
import { freshTensors, type TrainingGraph, trainingGraph } from '../src/train/program.ts';
import { switchFeeds } from '../src/train/single-path.ts';
import { joinTensors } from '../src/train/vectors.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { median } from './engine/statistics.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  paths: { type: 'string', default: '5' },
  path: { type: 'string', multiple: true, default: [] },
  runs: { type: 'string', default: '7' },
  batch: { type: 'string', default: '64' },
  cells: { type: 'string', default: '5' },
  channels: { type: 'string', default: '16' },
  threads: { type: 'string', default: '2' },
  clock: { type: 'string', default: 'wall' },
  layout: { type: 'string', default: 'auto' },
  save: { type: 'boolean', default: false },
});
const [batch, runs, threads] = [Number(flags.batch), Number(flags.runs), Number(flags.threads)];
/** The network that bench/engine.ts times as `nas-bench-201-step`. */
const PEER = '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|';
/** ONNX Runtime lays out its memory in the first runs. */
const WARM_UP = 2;

const info = {
  name: 'noise',
  kind: 'classification',
  input: [3, 32, 32],
  outputs: 10,
  labels: [],
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  counts: { train: 0, valid: 0, test: 0 },
  notes: [],
} as const;
const rule = { optimizer: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4, clipNorm: 5 } as const;
const space = SPACES['nas-bench-201'].create(info, { cells: Number(flags.cells), channels: Number(flags.channels) });
const named = flags.path.map((text) => parseArchitecture(space, text));
const others = Array.from({ length: Math.max(0, Number(flags.paths) - 1) }, (_, i) =>
  sample(space, rng('bench switch', i)),
);
const paths = named.length > 0 ? named : [parseArchitecture(space, PEER), ...others];

const layout = flags.layout === 'portable' ? 'portable' : 'auto';
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads, layout, spin: flags.clock !== 'cpu' });
const random = rng('bench switch', 'batch');
const targets = new Float32Array(batch * info.outputs);
for (let i = 0; i < batch; i++) targets[i * info.outputs + (i % info.outputs)] = 1;
const data: Record<string, HostTensor> = {
  input: {
    shape: [batch, ...info.input],
    data: new Float32Array(batch * sizeOf(info.input)).map(() => random.normal()),
  },
  targets: { shape: [batch, info.outputs], data: targets },
};
for (const [name, value] of Object.entries(optimizerOf({ optimizer: 'sgd' }).scalars(1e-3, 1))) {
  data[name] = { shape: [], data: Float32Array.of(value) };
}

/** Seconds. */
const now = (): number => {
  if (flags.clock !== 'cpu') return performance.now() / 1000;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Compiles a step; `run` takes its seconds. */
async function open(step: TrainingGraph) {
  const start = performance.now();
  const program = await engine.compile(step.graph, step.carries);
  const compileSeconds = (performance.now() - start) / 1000;
  const tensors = freshTensors(step, (...labels) => rng('bench switch', ...labels));
  const state = engine.createState(joinTensors(step.vectors, tensors));
  return {
    compileSeconds,
    state,
    async run(more: Record<string, HostTensor> = {}): Promise<number> {
      const from = now();
      const { loss } = await program.run({ ...data, ...more }, state);
      if (!Number.isFinite(loss?.data[0])) throw new Error(`the loss is ${loss?.data[0]}`);
      return now() - from;
    },
    async dispose() {
      state.dispose();
      await program.dispose();
    },
  };
}

const on = { info, resolution: 1 };
const whole = trainingGraph({ ...on, network: supernet(space), choices: 'switch' }, rule, batch);
const all = await open(whole);
const feedsOf = switchFeeds(whole);
const gatedOn = { ...on, network: supernet(space), choices: 'gated' } as const;
const gatedStep = architectureStep(gatedOn, 1e-3, batch);
const gated = await open(gatedStep);
const gatedFeeds = switchFeeds(gatedStep);
const sequence = sequenceOf(space, ENAS_DEFAULTS.hidden);
const controller = freshController(sequence.shape, rng('bench switch', 'controller'));

/** What GDAS does on the host for one step: reads the parameters, samples, and finds the switches. */
async function sampleGates(): Promise<number> {
  const from = now();
  const tensors = await gated.state.read(gatedStep.architecture.map(({ path }) => path));
  gatedFeeds(gumbelSample(gatedStep.architecture, tensors, 1, random).choices);
  return now() - from;
}

/** What ENAS does on the host for one step. */
function samplePath(): number {
  const from = now();
  feedsOf(drawArchitecture(space, sequence, controller.weights, random));
  return now() - from;
}

/** The gates for a path that is given: noise that has its options win. */
function gatesOf(architecture: Architecture): Record<string, HostTensor> {
  const { feeds } = gumbelSample(
    gatedStep.architecture,
    freshTensors(gatedStep, () => rng('bench switch')),
    1,
    random,
  );
  for (const { shape, decisions } of gatedStep.architecture) {
    const { noise, sampled } = gateInputs(shape[1] ?? 0);
    const wins = decisions.flatMap(({ name, options }) =>
      options.map((option) => Number(architecture[name] === option)),
    );
    feeds[noise]?.data.set(wins.map((win) => 3 * win));
    feeds[sampled]?.data.set(wins);
  }
  return { ...feeds, ...gatedFeeds(architecture), ...scalarFeeds()(ARCHITECTURE_OPTIMIZER.scalars(3e-4, 1)) };
}

interface Compared {
  readonly seconds: number;
  readonly architectureSeconds: number;
  readonly aloneSeconds: number;
  readonly ratio: number;
  readonly gdas: number;
  readonly enas: number;
}
interface Row extends Compared {
  readonly path: string;
  readonly least: Compared;
  readonly compileSeconds: number;
}
const measured: Row[] = [];
for (const architecture of paths) {
  const [feeds, gates] = [feedsOf(architecture), gatesOf(architecture)];
  const one = await open(trainingGraph({ ...on, network: resolve(space, architecture) }, rule, batch));
  const taken: Record<'together' | 'alone' | 'gated' | 'gdasHost' | 'enasHost', number[]> = {
    together: [],
    alone: [],
    gated: [],
    gdasHost: [],
    enasHost: [],
  };
  for (let i = 0; i < WARM_UP + runs; i++) {
    taken.together.push(await all.run(feeds));
    taken.alone.push(await one.run());
    taken.gated.push(await gated.run(gates));
    taken.gdasHost.push(await sampleGates());
    taken.enasHost.push(samplePath());
  }
  const compared = (summary: (seconds: readonly number[]) => number): Compared => {
    const of = (key: keyof typeof taken) => summary(taken[key].slice(WARM_UP));
    const [seconds, aloneSeconds, architectureSeconds] = [of('together'), of('alone'), of('gated')];
    return {
      ...{ seconds, architectureSeconds, aloneSeconds },
      ratio: seconds / aloneSeconds,
      gdas: ((seconds + architectureSeconds) / 2 + of('gdasHost')) / aloneSeconds,
      enas: (seconds + of('enasHost')) / aloneSeconds,
    };
  };
  measured.push({
    path: formatArchitecture(space, architecture),
    ...compared(median),
    least: compared(smallest),
    compileSeconds: one.compileSeconds,
  });
  await one.dispose();
}
await all.dispose();
await gated.dispose();
await engine.dispose();

function summarize(rows: readonly Compared[]) {
  const total = (key: 'seconds' | 'aloneSeconds' | 'architectureSeconds') =>
    rows.reduce((sum, one) => sum + one[key], 0);
  const mean = (key: 'ratio' | 'gdas' | 'enas') => rows.reduce((sum, one) => sum + one[key], 0) / rows.length;
  /** All paths taken together, as `ratio` is. */
  const together = (key: 'gdas' | 'enas') =>
    rows.reduce((sum, one) => sum + one[key] * one.aloneSeconds, 0) / total('aloneSeconds');
  return {
    ratio: total('seconds') / total('aloneSeconds'),
    together: { gdas: together('gdas'), enas: together('enas') },
    meanRatio: mean('ratio'),
    gdas: mean('gdas'),
    enas: mean('enas'),
    architectureRatio: total('architectureSeconds') / total('aloneSeconds'),
  };
}
const compileSeconds = measured.reduce((sum, one) => sum + one.compileSeconds, 0) / measured.length;
const result = {
  ...summarize(measured),
  least: summarize(measured.map(({ least }) => least)),
  ...{ batch, threads, clock: flags.clock, block: engine.options.block },
  compile: { supernet: all.compileSeconds, network: compileSeconds },
  paths: measured,
};
console.log(JSON.stringify(result, undefined, 1));
if (flags.save) process.stderr.write(`${saveResult('switch', circumstances(threads), result)}\n`);
