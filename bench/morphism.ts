/**
 * Network morphism on real training. For each of some pairs of architectures that differ in one decision (wider, deeper, a
 * larger kernel), the parent is trained, the child takes over its weights, and then is trained for one epoch; beside it the
 * child's network trained from scratch, for one epoch and for as many as parent and child had together.
 *
 *     npm run -s bench:morphism -- [--data digits | --data cifar-10 --data-dir FOLDER] [--train-samples N]
 *         [--valid-share 0.25] [--space small-cnn] [--pairs 10] [--any] [--parent-epochs 5] [--seed 0] [--threads 2] [--json] [--save]
 *
 * Pairs are random, but only larger children that can preserve the function; `--any`: any that differ in one decision, which take
 * over what they can. The same parents and children in each run of a seed. Every training lays its learning rate out over its own
 * epochs.
 */
import { rng } from '../src/common/random.ts';
import type { Samples, SearchData } from '../src/data/dataset.ts';
import { openDataset } from '../src/data/open.node.ts';
import { createEngine } from '../src/engine/create.ts';
import type { Engine } from '../src/engine/engine.ts';
import { threadedRuntime } from '../src/engine/runtime/thread.node.ts';
import type { EstimateRun, Inheritance } from '../src/estimate/estimator.ts';
import { trainEstimator } from '../src/estimate/train.ts';
import type { HostTensor } from '../src/graph/ir.ts';
import { initialize } from '../src/network/initialize.ts';
import { morphWeights } from '../src/network/morphism.ts';
import { mean } from '../src/report/numbers.ts';
import { type Architecture, formatArchitecture, neighbors, resolve, SPACES, sample } from '../src/space/index.ts';
import type { Space } from '../src/space/space.ts';
import { onlyOf } from '../src/task/spec.ts';
import { decodeCheckpoint } from '../src/train/checkpoint.ts';
import { openInference } from '../src/train/inference.ts';
import { inferenceGraph } from '../src/train/program.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  data: { type: 'string', default: 'digits' },
  'data-dir': { type: 'string' },
  'train-samples': { type: 'string' },
  'valid-share': { type: 'string', default: '0.25' },
  space: { type: 'string', default: 'small-cnn' },
  pairs: { type: 'string', default: '10' },
  any: { type: 'boolean', default: false },
  'parent-epochs': { type: 'string', default: '5' },
  seed: { type: 'string', default: '0' },
  threads: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const [seed, parentEpochs, threads] = [Number(flags.seed), Number(flags['parent-epochs']), Number(flags.threads)];

/** Accuracies are shares of the validation samples. */
interface Row {
  readonly parent: string;
  readonly child: string;
  /** Largest difference of two outputs before and after, as they are and as a share of the largest output. */
  readonly difference: number;
  readonly relativeDifference: number;
  readonly parentAccuracy: number;
  /** After one epoch: with the parent's weights, and from scratch. */
  readonly warm: number;
  readonly fresh: number;
  /** Afresh, with as many epochs as parent and child had together. */
  readonly freshAtEqualEpochs: number;
}

interface Pair {
  readonly parent: Architecture;
  readonly child: Architecture;
}

/** A child's network has weights of its own only; none of them matters here. */
const untrained = (space: Space, architecture: Architecture) => {
  const { input, outputs, kind } = space.task;
  const ones = input.slice(0, 1).flatMap((channels) => Array<number>(channels).fill(1));
  const info = { name: '', kind, input, outputs, labels: [], mean: ones, deviation: ones, notes: [] };
  const network = resolve(space, architecture);
  const on = { network, info: { ...info, counts: { train: 0, valid: 0, test: 0 } }, resolution: 1 };
  const { parameters, statistics } = inferenceGraph(on, 1);
  return { network, weights: initialize([...parameters, ...statistics], (...labels) => rng(...labels)) };
};

/** A random parent, and the first of its neighbors in random order that computes the same and is larger. */
function pairOf(space: Space, number: number): Pair {
  for (let attempt = 0; ; attempt++) {
    const random = rng('morphism', seed, number, attempt);
    const parent = sample(space, random);
    const { network, weights } = untrained(space, parent);
    const size = sizeOf(weights);
    const { input, outputs } = space.task;
    const child = random.shuffle(neighbors(space, parent)).find((one) => {
      if (flags.any) return true;
      const other = untrained(space, one);
      if (sizeOf(other.weights) <= size) return false;
      return (
        morphWeights({ parent: network, child: other.network, weights, input, outputs, rng }).departures.length === 0
      );
    });
    if (child) return { parent, child };
  }
}

const sizeOf = (weights: Readonly<Record<string, HostTensor>>) =>
  Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);

async function outputsOf(
  engine: Engine,
  { info, valid }: SearchData,
  network: ReturnType<typeof resolve>,
  weights: Readonly<Record<string, HostTensor>>,
): Promise<Float32Array> {
  const state = engine.createState(weights);
  const inference = await openInference(engine, { network, info, resolution: 1 }, state, 64);
  try {
    const some: Samples = { ...valid, count: Math.min(valid.count, 512), read: (...args) => valid.read(...args) };
    return onlyOf((await inference.outputs(some)).outputs);
  } finally {
    await inference.dispose();
    state.dispose();
  }
}

async function measure(engine: Engine, data: SearchData, space: Space, number: number): Promise<Row> {
  const { parent, child } = pairOf(space, number);
  const estimator = trainEstimator({ engine, data, settings: DEFAULT_SETTINGS });
  const kept: Uint8Array[] = [];
  const artifacts: EstimateRun['artifacts'] = {
    put: async (bytes) => String(kept.push(bytes) - 1),
    get: async (name) => kept[Number(name)] ?? new Uint8Array(),
  };
  const train = async (architecture: Architecture, epochs: number, label: string, inherit?: Inheritance) => {
    const fidelity = { epochs, data: 1, resolution: 1, width: 1 };
    const result = await estimator.estimate(
      { space, architecture },
      {
        fidelity,
        trial: 0,
        fullFidelity: fidelity,
        rng: (...labels) => rng('morphism', seed, number, label, ...labels),
        signal: new AbortController().signal,
        artifacts,
        report: async () => 'continue',
        ...(inherit && { inherit }),
      },
    );
    return { accuracy: result.metrics.accuracy ?? 0, checkpoint: result.checkpoint ?? '' };
  };

  const trained = await train(parent, parentEpochs, 'parent');
  const [before, after] = [resolve(space, parent), resolve(space, child)];
  const { tensors: weights } = decodeCheckpoint(await artifacts.get(trained.checkpoint));
  const request = { parent: before, child: after, weights, input: data.info.input, outputs: data.info.outputs };
  const morphed = morphWeights({ ...request, rng: (...labels) => rng('morphism', seed, number, ...labels) });
  const [old, now] = [
    await outputsOf(engine, data, before, weights),
    await outputsOf(engine, data, after, { ...untrained(space, child).weights, ...morphed.weights }),
  ];
  const difference = old.reduce((most, value, i) => Math.max(most, Math.abs(value - (now[i] ?? Number.NaN))), 0);
  const largest = old.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  const inherit = { checkpoint: trained.checkpoint, architecture: parent, width: 1 };
  const row: Row = {
    parent: formatArchitecture(space, parent),
    child: formatArchitecture(space, child),
    difference,
    relativeDifference: difference / largest,
    parentAccuracy: trained.accuracy,
    warm: (await train(child, 1, 'child', inherit)).accuracy,
    fresh: (await train(child, 1, 'child')).accuracy,
    freshAtEqualEpochs: (await train(child, parentEpochs + 1, 'child')).accuracy,
  };
  const changed = Object.keys({ ...parent, ...child }).filter((name) => String(parent[name]) !== String(child[name]));
  say(
    `pair ${number}: ${changed.map((name) => `${name} ${parent[name]} -> ${child[name]}`).join(', ')}; outputs differ by ` +
      `${difference.toExponential(1)}; parent ${share(row.parentAccuracy)}, child ${share(row.warm)}, from scratch ${share(row.fresh)}, ` +
      `from scratch for ${parentEpochs + 1} epochs ${share(row.freshAtEqualEpochs)}`,
  );
  return row;
}

const share = (value: number) => `${(100 * value).toFixed(1)} %`;

const trainSamples = flags['train-samples'];
const dataset = await openDataset({
  name: flags.data,
  dir: flags['data-dir'],
  seed,
  validShare: Number(flags['valid-share']),
  ...(trainSamples === undefined ? {} : { trainSamples: Number(trainSamples) }),
});
const data = dataset.search;
const definition = Object.hasOwn(SPACES, flags.space) ? SPACES[flags.space as keyof typeof SPACES] : undefined;
if (definition === undefined) {
  say(`--space: ${flags.space} is not one of ${Object.keys(SPACES).join(', ')}`);
  process.exit(2);
}
const { kind, input, outputs } = data.info;
const space = definition.create({ kind, input, outputs });
const when = circumstances(threads);
const engine = await createEngine(threadedRuntime(), { device: 'cpu', threads });
const rows: Row[] = [];
for (let number = 0; number < Number(flags.pairs); number++) rows.push(await measure(engine, data, space, number));
await engine.dispose();

const summary = {
  data: flags.data,
  space: space.name,
  trainSamples: data.train.count,
  validSamples: data.valid.count,
  any: flags.any,
  parentEpochs,
  pairs: rows.length,
  largestDifference: Math.max(...rows.map(({ difference }) => difference)),
  ahead: rows.filter(({ warm, fresh }) => warm > fresh).length,
  warm: mean(rows.map(({ warm }) => warm)),
  fresh: mean(rows.map(({ fresh }) => fresh)),
  freshAtEqualEpochs: mean(rows.map((row) => row.freshAtEqualEpochs)),
};
if (flags.json) process.stdout.write(`${JSON.stringify({ ...summary, rows }, null, 2)}\n`);
else {
  console.log(
    `outputs differ by at most ${summary.largestDifference.toExponential(1)}; after one epoch ${summary.ahead} of ${rows.length} children ` +
      `are ahead of the same network trained from scratch (mean ${share(summary.warm)} and ${share(summary.fresh)}); with as many epochs as ` +
      `parent and child together, from scratch ${share(summary.freshAtEqualEpochs)}`,
  );
}
if (flags.save) say(`saved: ${saveResult('morphism', when, { ...summary, rows })}`);
