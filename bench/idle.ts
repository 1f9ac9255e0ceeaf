/**
 * How long the engine waits while it trains: members of `small-cnn` on CIFAR-10, with random crop and flip, the settings'
 * defaults otherwise. One JSON array; `idleShare` is the share of the time after compiling in which the engine was neither
 * at work on a training step nor on validation samples: waits for batches, for JavaScript between two runs, and the ends
 * of the epochs.
 * `npx node --conditions=netsmith-source bench/idle.ts --data-dir ../shared/data/cifar-10-batches-bin [--threads 2]
 * [--samples 3000] [--epochs 2] [--members 3] [--batch-size 32] [--layout auto|portable] [--spin]`; `--spin` keeps threads
 * awake between operators, which `stepMs` shows the worth of: with the machine to itself, and beside another process.
 */
import { rng } from '../src/common/random.ts';
import { totalSpent } from '../src/common/spent.ts';
import { openDataset } from '../src/data/open.node.ts';
import { createEngine } from '../src/engine/create.ts';
import { threadedRuntime } from '../src/engine/runtime/thread.node.ts';
import { formatArchitecture, resolve, sample, smallCnn } from '../src/space/index.ts';
import { trainNetwork } from '../src/train/loop.ts';
import { openPrograms } from '../src/train/programs.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { parseFlags } from './support/flags.ts';

const values = parseFlags({
  'data-dir': { type: 'string' },
  threads: { type: 'string', default: '2' },
  samples: { type: 'string', default: '3000' },
  epochs: { type: 'string', default: '2' },
  members: { type: 'string', default: '3' },
  'batch-size': { type: 'string', default: String(DEFAULT_SETTINGS.batchSize) },
  layout: { type: 'string', default: 'auto' },
  spin: { type: 'boolean', default: false },
});
if (values['data-dir'] === undefined) throw new Error('--data-dir: the folder of the CIFAR-10 binaries');
const layout = values.layout === 'portable' ? 'portable' : 'auto';
const [epochs, batchSize] = [Number(values.epochs), Number(values['batch-size'])];
const settings = { ...DEFAULT_SETTINGS, epochs, batchSize, warmupEpochs: 0, cropPadding: 4, flip: true };

const { search } = await openDataset({
  name: 'cifar-10',
  dir: values['data-dir'],
  seed: 0,
  trainSamples: Number(values.samples),
});
const { kind, input, outputs } = search.info;
const space = smallCnn.create({ kind, input, outputs });
const engine = await createEngine(threadedRuntime(), {
  device: 'cpu',
  threads: Number(values.threads),
  layout,
  spin: values.spin,
});
const programs = openPrograms(engine);
const measured = [];
for (let member = 0; member < Number(values.members); member++) {
  const architecture = sample(space, rng('idle', member));
  const network = resolve(space, architecture);
  const streams = (...labels: readonly (string | number)[]) => rng('idle', member, ...labels);
  const training = await trainNetwork({ engine, programs, network, ...search, settings, rng: streams });
  const { compile, train, valid, idle } = totalSpent(training.history.flatMap(({ spent }) => spent ?? []));
  await training.dispose();
  measured.push({
    architecture: formatArchitecture(space, architecture),
    ...{ batchSize, threads: engine.options.threads, block: engine.options.block, spin: engine.options.spin },
    stepMs: (1000 * train) / (epochs * training.stepsPerEpoch),
    ...{ compile, train, valid, idle },
    idleShare: idle / (train + valid + idle),
  });
}
console.log(JSON.stringify(measured, null, 2));
await engine.dispose();
