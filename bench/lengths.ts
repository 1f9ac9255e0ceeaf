/**
 * What batches of texts of similar lengths save (src/train/lengths.ts): epochs of the same network with them and with every text filled up to
 * one length, in turn, on SMS messages and on the questions of TREC. The networks are those that an engineer would try first in each space of
 * texts (`handDesigned`, the last one).
 *
 *     npm run -s bench:lengths -- [--epochs 3] [--data sms-spam,trec] [--space NAME,...] [--threads 1] [--shared DIR] [--json] [--save]
 *
 * Prints the seconds of an epoch, validation included: the smallest of `--epochs`. Machine hours: 0.2 on one core.
 */
import { join } from 'node:path';
import { rng } from '../src/common/random.ts';
import type { Samples } from '../src/data/dataset.ts';
import { openDataset } from '../src/data/open.node.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { resolve } from '../src/space/tree/resolve.ts';
import { spaceTask } from '../src/task/index.ts';
import { trainingBatches } from '../src/train/batches.ts';
import { openTraining } from '../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { markdown } from './engine/tables.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  epochs: { type: 'string', default: '3' },
  data: { type: 'string', default: 'sms-spam,trec' },
  space: { type: 'string', default: 'transformer,text-cnn,rnn' },
  threads: { type: 'string', default: '1' },
  shared: { type: 'string', default: join(import.meta.dirname, '../../shared/data') },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const threads = Number(flags.threads);
/** The length of a training decides whether it has several programs; only some of its epochs are trained. */
const settings = { ...DEFAULT_SETTINGS, optimizer: 'adam', learningRate: 1e-3, epochs: 20, batchSize: 64 } as const;

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads });
const rows: { data: string; space: string; longest: number; meanLength: number; whole: number; byLength: number }[] =
  [];
for (const data of flags.data.split(',')) {
  const dir = join(flags.shared, data, 'train.csv');
  const { search } = await openDataset({ name: 'csv', dir, text: 'text', label: 'label', seed: 0 });
  const { info, train, valid } = search;
  const { meanLength } = trainingBatches(train, info, settings);
  for (const name of flags.space.split(',')) {
    const definition = Object.values(SPACES).find((one) => one.name === name);
    if (definition === undefined) throw new Error(`there is no space "${name}"`);
    const space = definition.create(spaceTask(info));
    const [designed] = Object.values(definition.handDesigned?.(spaceTask(info)) ?? {}).slice(-1);
    if (designed === undefined) throw new Error(`the space "${name}" has no network designed by hand`);
    const network = resolve(space, designed);
    const open = (samples: Samples) =>
      openTraining({ engine, network, info, train: samples, valid, settings, rng: (...of) => rng('lengths', ...of) });
    const { lengthOf: _, ...filled } = train;
    const trainings = [await open(filled), await open(train)];
    const best = trainings.map(() => Number.POSITIVE_INFINITY);
    // The first epoch also compiles.
    for (let epoch = 0; epoch <= Number(flags.epochs); epoch++)
      for (const [i, training] of trainings.entries()) {
        const { seconds } = await training.epoch();
        if (epoch > 0) best[i] = Math.min(best[i] ?? seconds, seconds);
      }
    for (const training of trainings) await training.dispose();
    const [whole = Number.NaN, byLength = Number.NaN] = best;
    rows.push({ data, space: name, longest: info.input[0] ?? 0, meanLength, whole, byLength });
    console.error(`${data}, ${name}: ${whole.toFixed(2)} s, by length ${byLength.toFixed(2)} s`);
  }
}
await engine.dispose();

if (flags.save) saveResult('lengths', circumstances(threads), { rows });
if (flags.json) console.log(JSON.stringify(rows, null, 2));
else
  console.log(
    markdown(
      ['data', 'space', 'longest', 'mean length', 'one length, s', 'by length, s', 'ratio'],
      rows.map((row) => [
        ...[row.data, row.space, row.longest, row.meanLength.toFixed(1)],
        ...[row.whole.toFixed(2), row.byLength.toFixed(2), (row.byLength / row.whole).toFixed(2)],
      ]),
    ),
  );
