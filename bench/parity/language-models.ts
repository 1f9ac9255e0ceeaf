/**
 * Language models beside PyTorch, on the same batches from the same weights: nanoGPT's configuration for a CPU (4 layers, 4 heads, 128 wide,
 * windows of 64 characters, batch 12) on tiny-shakespeare, and an LSTM of 2 layers of 256 units on the words of the Austen set, whose
 * states are carried from batch to batch.
 *
 * The losses must agree within 1e-4 relative at the first step and 1 % in the first 50; after the last step, the losses over the whole
 * validation split within 0.03. Exit code 1 otherwise. The time of a step is shown as a ratio to PyTorch's best form.
 *
 *     python3 -m venv /tmp/torchenv && /tmp/torchenv/bin/pip install torch numpy
 *     npx node --conditions=netsmith-source bench/parity/language-models.ts --python /tmp/torchenv/bin/python
 *
 *     --only NAME     transformer or lstm
 *     --steps N       2000 of the transformer, 500 of the LSTM by default
 *     --threads N     of both (1)
 *     --seed N        of the initial weights (1)
 *     --shared DIR    the data (../shared/data)
 *
 * Machine hours: about 10 minutes of one core for the transformer, 30 for the LSTM.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rng } from '../../src/common/random.ts';
import type { DataRequest, SearchData } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { type HostTensor, sizeOf } from '../../src/graph/ir.ts';
import * as s from '../../src/space/tree/builders.ts';
import type { Module } from '../../src/space/tree/module.ts';
import { taskOf } from '../../src/task/index.ts';
import { onlyOf } from '../../src/task/spec.ts';
import { orderedBatches } from '../../src/train/batches.ts';
import { evaluateNetwork } from '../../src/train/inference.ts';
import { openTraining, VALID_BATCH } from '../../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../../src/train/settings.ts';
import { parseFlags } from '../support/flags.ts';

const [FIRST, WITHIN, VALID_WITHIN, COMPARED] = [1e-4, 0.01, 0.03, 50];

const flags = parseFlags({
  python: { type: 'string' },
  only: { type: 'string' },
  steps: { type: 'string' },
  threads: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' },
  shared: { type: 'string', default: join(import.meta.dirname, '../../../shared/data') },
});
const { python } = flags;
if (python === undefined) throw new Error('--python PATH is needed: a Python with torch and numpy');
const [threads, seed] = [Number(flags.threads), Number(flags.seed)];
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Model {
  readonly name: 'transformer' | 'lstm';
  readonly data: Partial<DataRequest>;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly steps: number;
  /** The forms of PyTorch's attention. */
  readonly forms: readonly string[];
  readonly network: Module;
  /** Where PyTorch has the tensor of a path, or several. */
  names(path: string): string;
}

const plain = { bias: false } as const;
const norm = () => s.layerNorm({ axes: 'channel' });
const block = s.sequential(
  s.residual(s.sequential(norm(), s.attention(4, { causal: true, ...plain }))),
  s.residual(s.sequential(norm(), s.linear(512, plain), s.activation('gelu'), s.linear(128, plain))),
);

const ENDS: Readonly<Record<string, string>> = {
  '1/weight': 'positions.weight',
  '3/weight': 'norm.weight',
  '3/bias': 'norm.bias',
};

const MODELS: readonly Model[] = [
  {
    name: 'transformer',
    data: { dir: join(flags.shared, 'tiny-shakespeare/input.txt'), tokens: 'characters', textLength: 64 },
    ...{ batchSize: 12, learningRate: 1e-3, steps: 2000, forms: ['flash', 'manual'] },
    network: s.sequential(
      s.shared('tokens', s.embedding('inputs', 128)),
      s.positions(),
      s.repeat(4, block),
      norm(),
      s.shared('tokens', s.linear('outputs', plain)),
    ),
    names(path) {
      const [, layer, branch, , place, part = ''] = path.match(/^2\/(\d)\/(\d)\/(body)\/(\d)\/(.*)$/) ?? [];
      if (layer === undefined) return path === 'shared/tokens/weight' ? 'tokens.weight' : (ENDS[path] ?? path);
      const modules = branch === '0' ? ['first', ''] : ['second', 'wide', '', 'narrow'];
      const inner = part.replace('qkv/weight', 'qkv.weight').replace('out/weight', 'out.weight');
      return ['blocks', layer, modules[Number(place)] ?? '', inner].filter((one) => one !== '').join('.');
    },
  },
  {
    name: 'lstm',
    data: { dir: join(flags.shared, 'austen'), tokens: 'words', vocabulary: 10_000, textLength: 35 },
    ...{ batchSize: 20, learningRate: 1e-3, steps: 500, forms: ['flash'] },
    network: s.sequential(
      s.shared('tokens', s.embedding('inputs', 256)),
      s.recurrent('lstm', 256),
      s.recurrent('lstm', 256),
      s.shared('tokens', s.linear('outputs')),
    ),
    names: (path) =>
      path
        .replace('shared/tokens/weight', 'tokens.weight')
        .replace('shared/tokens/bias', 'bias')
        .replace(/^([12])\/(input|hidden)\/(weight|bias)$/, (_, layer, of, part) => {
          return `lstm.${part}_${of === 'input' ? 'ih' : 'hh'}_l${Number(layer) - 1}`;
        }),
  },
];
let failed = false;
for (const model of MODELS.filter(({ name }) => flags.only === undefined || name === flags.only)) await compare(model);
process.exitCode = failed ? 1 : 0;

interface Trained {
  readonly losses: readonly number[];
  readonly validLoss: number;
  readonly stepSeconds: number;
  readonly parameters: number;
}

async function compare(model: Model): Promise<void> {
  const steps = Number(flags.steps ?? model.steps);
  const { search } = await openDataset({ name: 'text', seed: 1, validShare: 0.05, ...model.data });
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-language-'));
  try {
    const ours = await trainHere(model, search, steps, folder);
    const theirs = model.forms.map((attention) => trainThere(folder, attention));
    const best = theirs.reduce((a, b) => (b.stepSeconds < a.stepSeconds ? b : a));
    report(model.name, steps, ours, best);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains, and leaves in the folder what PyTorch needs to do the same. */
async function trainHere(model: Model, search: SearchData, steps: number, folder: string): Promise<Trained> {
  const { info, train, valid } = search;
  const fed: Int32Array[] = [];
  const recorded = (samples: typeof train): typeof train => ({
    count: samples.count,
    async read(indices, into) {
      await samples.read(indices, into);
      const { tokens, next } = into;
      if (tokens instanceof Int32Array && next instanceof Int32Array) fed.push(tokens.slice(), next.slice());
    },
    ...(samples.shifted && { shifted: (share) => recorded(samples.shifted?.(share) ?? samples) }),
  });
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads });
  const settings = {
    ...DEFAULT_SETTINGS,
    optimizer: 'adamw',
    schedule: 'constant',
    ...{ warmupEpochs: 0, epochs: 1000, clipNorm: 1, weightDecay: 0.1 },
    ...{ learningRate: model.learningRate, batchSize: model.batchSize },
  } as const;
  const losses: number[] = [];
  const ends: number[] = [];
  const enough = new AbortController();
  const training = await openTraining({
    ...{ engine, network: model.network, info, train: recorded(train), settings, signal: enough.signal },
    rng: (...labels) => rng(seed, ...labels),
    onStep(_, __, loss) {
      losses.push(loss);
      ends.push(performance.now());
      if (losses.length === steps) enough.abort(enough);
    },
  });
  try {
    const initial = await training.weights();
    while (losses.length < steps)
      await training.epoch().catch((error: unknown) => {
        if (error !== enough) throw error;
      });
    const validBatch = Math.max(model.batchSize, VALID_BATCH);
    const { metrics } = await evaluateNetwork({
      ...{ engine, network: model.network, info, weights: await training.weights(), samples: valid },
      batchSize: validBatch,
    });
    const given = Object.entries(initial);
    writeFileSync(join(folder, 'weights.bin'), bytesOf(given.map(([, { data }]) => data)));
    writeFileSync(join(folder, 'train.bin'), bytesOf(fed.slice(0, 2 * steps)));
    const batches = orderedBatches(valid, taskOf(info).spec(info), validBatch, { continued: true });
    const measured: Int32Array[] = [];
    for (let step = 0; step < batches.steps; step++) {
      const { feeds, truths } = await batches.read(step);
      const next = new Int32Array(validBatch * (info.input[0] ?? 1)).fill(-1);
      next.set(onlyOf(truths));
      measured.push(Int32Array.from(feeds.tokens?.data ?? []), next);
    }
    writeFileSync(join(folder, 'valid.bin'), bytesOf(measured));
    const work = {
      ...{ model: model.name, vocabulary: info.outputs, length: info.input[0], threads, steps, validBatch },
      ...{ batch: model.batchSize, stepsPerEpoch: training.stepsPerEpoch, validSteps: batches.steps },
      ...{ learningRate: settings.learningRate, weightDecay: settings.weightDecay, clipNorm: settings.clipNorm },
      weights: given.map(([path, { shape }]) => [model.names(path), shape]),
    };
    writeFileSync(join(folder, 'work.json'), JSON.stringify(work));
    const times = ends.slice(1).map((end, i) => (end - (ends[i] ?? end)) / 1000);
    return {
      losses: losses.slice(0, steps),
      validLoss: metrics.loss ?? Number.NaN,
      stepSeconds: median(times.slice(20)),
      parameters: given.reduce((sum, [, { shape }]: [string, HostTensor]) => sum + sizeOf(shape), 0),
    };
  } finally {
    await training.dispose();
    await engine.dispose();
  }
}

function trainThere(folder: string, attention: string): Trained & { readonly torch: string } {
  const file = join(folder, 'work.json');
  const work = JSON.parse(execFileSync('cat', [file], { encoding: 'utf8' }));
  writeFileSync(file, JSON.stringify({ ...work, attention }));
  const script = join(import.meta.dirname, '../peers/torch_language_models.py');
  const trained = JSON.parse(execFileSync(python ?? '', [script, folder], { encoding: 'utf8', maxBuffer: 2 ** 28 }));
  say(`PyTorch ${trained.torch}, ${attention}: ${(1000 * trained.stepSeconds).toFixed(1)} ms a step`);
  return trained;
}

function report(name: string, steps: number, ours: Trained, theirs: Trained): void {
  const differences = ours.losses
    .slice(0, COMPARED)
    .map((loss, i) => Math.abs(loss - (theirs.losses[i] ?? Number.NaN)) / (theirs.losses[i] ?? 1));
  const [first = Number.NaN] = differences;
  const most = Math.max(...differences);
  const valid = Math.abs(ours.validLoss - theirs.validLoss);
  const rules: readonly (readonly [string, boolean])[] = [
    [`${ours.parameters} parameters, PyTorch ${theirs.parameters}`, ours.parameters === theirs.parameters],
    [`first loss differs by ${first.toExponential(1)} (at most ${FIRST})`, first <= FIRST],
    [`the first ${differences.length} losses differ by at most ${most.toExponential(1)} (${WITHIN})`, most <= WITHIN],
    [
      `validation loss after ${steps} steps: ${ours.validLoss.toFixed(4)}, PyTorch ${theirs.validLoss.toFixed(4)} (within ${VALID_WITHIN})`,
      valid <= VALID_WITHIN,
    ],
  ];
  for (const [line, holds] of rules) {
    say(`${name}: ${holds ? 'ok' : 'FAILED'}: ${line}`);
    failed ||= !holds;
  }
  const ratio = ours.stepSeconds / theirs.stepSeconds;
  say(
    `${name}: a step takes ${(1000 * ours.stepSeconds).toFixed(1)} ms, ${ratio.toFixed(2)} times PyTorch's best form, ${threads} thread(s)`,
  );
}

function bytesOf(arrays: readonly (Float32Array | Int32Array)[]): Buffer {
  return Buffer.concat(arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
