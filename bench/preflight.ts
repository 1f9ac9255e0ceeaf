/**
 * Predicted against real memory of training: for each network, batch size and layout, its own process compiles the
 * training and the inference program, does a few steps and measures a batch; supernets do the same with all their programs. `measured` is how far the process's largest
 * memory lies above what it held before; `ratio` is predicted over measured, so that above 1 is on the safe side.
 * `npx node --conditions=netsmith-source bench/preflight.ts [--only NAME] [--batch 16,64,128] [--json]`
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { rng } from '../src/common/random.ts';
import type { DatasetInfo, Samples } from '../src/data/dataset.ts';
import { createEngine } from '../src/engine/create.ts';
import { threadedRuntime } from '../src/engine/runtime/thread.node.ts';
import { sizeOf } from '../src/graph/ir.ts';
import { ONE_SHOT } from '../src/oneshot/index.ts';
import { darts, mlp, nasBench201, parseArchitecture, resnet, resolve, sample, smallCnn } from '../src/space/index.ts';
import type { Space } from '../src/space/space.ts';
import type { Module } from '../src/space/tree/module.ts';
import { openTraining, type TrainRequest } from '../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { parseFlags } from './support/flags.ts';

const STEPS = 3;
const IMAGES = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;
const CELL = '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|';

function member(number: number): Module {
  const space = smallCnn.create(IMAGES);
  return resolve(space, sample(space, rng('preflight', number)));
}
function cells(count: number): Module {
  const space = nasBench201.create(IMAGES, { cells: count });
  return resolve(space, parseArchitecture(space, CELL));
}
const NETWORKS: Readonly<Record<string, () => Module>> = {
  'small-cnn-0': () => member(0),
  'small-cnn-1': () => member(1),
  'small-cnn-2': () => member(2),
  'small-cnn-3': () => member(3),
  'nas-bench-201-1': () => cells(1),
  'nas-bench-201-5': () => cells(5),
  darts: () => {
    const space = darts.create(IMAGES, { channels: 16, cells: 5 });
    return resolve(space, sample(space, rng('preflight')));
  },
  resnet: () => {
    const space = resnet.create(IMAGES, { depth: 14 });
    return resolve(space, sample(space, rng('preflight')));
  },
  mlp: () => {
    const space = mlp.create(IMAGES);
    return resolve(space, sample(space, rng('preflight')));
  },
};

/** Supernets, by method and space. Their graphs have many small nodes. */
const SUPERNETS: Readonly<Record<string, () => { readonly method: keyof typeof ONE_SHOT; readonly space: Space }>> = {
  'supernet-darts-1': () => ({ method: 'darts', space: supernetOf(1) }),
  'supernet-darts-5': () => ({ method: 'darts', space: supernetOf(5) }),
  'supernet-gdas-1': () => ({ method: 'gdas', space: supernetOf(1) }),
  'supernet-single-path-1': () => ({ method: 'single-path', space: supernetOf(1) }),
};

function supernetOf(count: number): Space {
  return nasBench201.create(IMAGES, { cells: count, search: true });
}

interface Row {
  readonly name: string;
  readonly batch: number;
  readonly layout: string;
  readonly predictedMiB: number;
  readonly measuredMiB: number;
  readonly ratio: number;
}

const values = parseFlags({
  only: { type: 'string' },
  batch: { type: 'string', default: '16,64,128' },
  json: { type: 'boolean', default: false },
  child: { type: 'string' },
});

if (values.child === undefined) compare();
else await measure(JSON.parse(values.child) as Pick<Row, 'name' | 'batch' | 'layout'>);

function compare(): void {
  const rows: Row[] = [];
  for (const name of [...Object.keys(NETWORKS), ...Object.keys(SUPERNETS)]) {
    if (values.only !== undefined && !name.startsWith(values.only)) continue;
    for (const batch of values.batch.split(',').map(Number)) {
      for (const layout of ['auto', 'portable']) {
        const flags = ['--conditions=netsmith-source', '--expose-gc', fileURLToPath(import.meta.url)];
        const output = execFileSync(process.execPath, [...flags, '--child', JSON.stringify({ name, batch, layout })]);
        const row: Row = JSON.parse(output.toString());
        rows.push(row);
        if (!values.json) console.log(line(row));
      }
    }
  }
  if (values.json) console.log(JSON.stringify(rows, null, 2));
  const ratios = rows.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const [least = 0, most = 0] = [ratios[0], ratios.at(-1)];
  if (!values.json) console.log(`predicted over measured: from ${least.toFixed(2)} to ${most.toFixed(2)}`);
}

function line({ name, batch, layout, predictedMiB, measuredMiB, ratio }: Row): string {
  const numbers = [`${predictedMiB.toFixed(0)} MiB predicted`, `${measuredMiB.toFixed(0)} measured`];
  return `${name.padEnd(16)} batch ${String(batch).padEnd(4)} ${layout.padEnd(9)} ${numbers.join(', ')}, ${ratio.toFixed(2)}`;
}

async function measure({ name, batch, layout }: Pick<Row, 'name' | 'batch' | 'layout'>): Promise<void> {
  const info: DatasetInfo = {
    ...IMAGES,
    name: 'noise',
    labels: [],
    mean: [0, 0, 0],
    deviation: [1, 1, 1],
    counts: { train: 2 * STEPS * batch, valid: batch, test: 0 },
    notes: [],
  };
  const samples = (count: number): Samples => ({
    count,
    async read(indices, { input, target }) {
      for (let i = 0; i < indices.length * sizeOf(info.input); i++) if (input) input[i] = (i % 17) / 17;
      target?.fill(1);
    },
  });
  const settings = { ...DEFAULT_SETTINGS, batchSize: batch, epochs: 1, learningRate: 1e-4 };
  const engine = await createEngine(threadedRuntime(), {
    device: 'cpu',
    threads: 1,
    layout: layout === 'auto' ? 'auto' : 'portable',
  });
  global.gc?.();
  const before = process.memoryUsage.rss();
  const request = {
    ...{ engine, info, settings },
    // Of which a supernet may take half for its weights.
    train: samples(2 * STEPS * batch),
    valid: samples(batch),
    rng: (...labels: readonly (string | number)[]) => rng('preflight', ...labels),
  };
  const training = await opened(name, request);
  await training.epoch();
  const measured = process.resourceUsage().maxRSS * 1024 - before;
  const [predictedMiB, measuredMiB] = [training.memoryBytes, measured].map((bytes) => bytes / 2 ** 20);
  console.log(
    JSON.stringify({ name, batch, layout, predictedMiB, measuredMiB, ratio: training.memoryBytes / measured }),
  );
  await engine.dispose();
}

function opened(name: string, request: Omit<TrainRequest, 'network'>) {
  const supernet = SUPERNETS[name]?.();
  if (supernet !== undefined) return ONE_SHOT[supernet.method].open({ ...request, space: supernet.space }, {});
  const network = NETWORKS[name]?.();
  if (network === undefined) throw new Error(`no network ${name}`);
  return openTraining({ ...request, network });
}
