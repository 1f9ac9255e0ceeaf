/**
 * One-shot methods on NAS-Bench-201 with real CIFAR-10 images: each trains a supernet for the same minutes, and the architecture that it
 * finds is looked up in the table (accuracy on the test set after 200 epochs, mean of the authors' trainings).
 *
 *     npm run -s bench:oneshot -- [--json] [--only METHOD] [--minutes N] [--seeds K] [--resume]
 *
 * The largest cell without any search has 93.76 %. A random cell, and the best of 20 after 12 epochs, are printed beside. The settings are
 * those of bench/oneshot/settings.ts; they were chosen by the table's validation column. With `--validate` the test column stays closed, and
 * that column is shown instead.
 *
 *     --only METHOD     one or several, with commas (all of settings.ts)
 *     --minutes N       for each supernet (20); seconds of opening and compiling count
 *     --seeds K         searches of each method (3)
 *     --ranked N        random cells that a method which finds weights is asked to rank (1000), always the same ones; what it finds
 *                       is the best that aging evolution meets with the shared weights (`evaluations` in settings.ts), or, with
 *                       `confirm` above 1, the best of that many of these by a short training from scratch
 *     --validate        shows the validation column, for choosing settings
 *     --set a=1,b=2     options and settings in place of those of settings.ts, for choosing them; the rows are marked
 *     --sweep a=1,2,3   searches with each of these values in turn, for the methods that have the option, and prints how far they are
 *                       apart, [{ method, option, values: [{ value, seeds, tableAccuracy }], spread }] as JSON; may be given several times,
 *                       each sweep by itself: --sweep archLearningRate=1e-4,3e-4,1e-3 --sweep archDeviation=0,1e-3,0.1
 *     --resume          continues: rows and checkpoints of a run that was stopped are used. Rows say nothing of the table, so rows of --validate
 *                       are looked up in the test column without it
 *     --results FILE    rows, appended as searches end (bench/results/oneshot.jsonl); checkpoints lie beside it
 *     --threads N       of the engine (1)
 *     --shared FOLDER   the data (../shared/data)
 *     --json            [{ method, space, seeds, searchSeconds, architectures, tableAccuracy: { mean, sd }, kendall,
 *                       kendallInterval, kendallOfParams, ... }]
 *
 * Machine hours: methods x seeds x minutes / 60 on one core, 6 with all methods and the defaults; acceptance: --minutes 3 --seeds 1.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../src/common/errors.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { createEngine } from '../../src/engine/create.ts';
import { threadedRuntime } from '../../src/engine/runtime/thread.node.ts';
import { ONE_SHOT } from '../../src/oneshot/index.ts';
import { parseArchitecture } from '../../src/space/index.ts';
import { parseFlags } from '../support/flags.ts';
import { optionsFrom } from './options.ts';
import { appendRow, readRows, type SearchRow } from './rows.ts';
import { searchOnce } from './search-once.ts';
import { METHOD_NAMES, SETTINGS } from './settings.ts';
import { summaries, summaryTable } from './summary.ts';
import { changesOf, type Sweep, sensitivities, sensitivityTable, sweepFrom } from './sweep.ts';
import { openTable, randomCells } from './table.ts';

const root = join(import.meta.dirname, '../..');
const flags = parseFlags({
  json: { type: 'boolean' },
  only: { type: 'string', multiple: true },
  minutes: { type: 'string', default: '20' },
  seeds: { type: 'string', default: '3' },
  ranked: { type: 'string', default: '1000' },
  validate: { type: 'boolean' },
  set: { type: 'string' },
  sweep: { type: 'string', multiple: true, default: [] },
  resume: { type: 'boolean' },
  results: { type: 'string', default: join(root, 'bench/results/oneshot.jsonl') },
  threads: { type: 'string', default: '1' },
  shared: { type: 'string', default: join(root, '../shared/data') },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const minutes = positive('--minutes', flags.minutes);
const seeds = positive('--seeds', flags.seeds);
const ranked = positive('--ranked', flags.ranked);
const methods =
  flags.only === undefined ? METHOD_NAMES : flags.only.flatMap((names) => names.split(',')).map(methodNamed);
const images = join(flags.shared, 'cifar-10-batches-bin');
if (!existsSync(images)) refuse(`--shared: "${flags.shared}" has no cifar-10-batches-bin`);
mkdirSync(dirname(flags.results), { recursive: true });

const table = await openTable(flags.validate === true);
const dataset = await openDataset({ name: 'cifar-10', dir: images, seed: 0, validShare: 0.25 });
const sweeps = flags.sweep.map(sweepNamed);
const done: SearchRow[] = flags.resume ? [...readRows(flags.results)] : [];
const engine = await createEngine(threadedRuntime(), { device: 'cpu', threads: positive('--threads', flags.threads) });
try {
  for (let seed = 0; seed < seeds; seed++) {
    for (const asked of searchesOf(seed)) {
      const { method, changed } = asked;
      const isDone = ({ method, seed, minutes, changed }: SearchRow) =>
        method === asked.method && seed === asked.seed && minutes === asked.minutes && changed === asked.changed;
      if (done.some(isDone)) continue;
      const found = await searchOnce({
        ...{ engine, data: dataset.search, table, method, seed, minutes, say },
        ranked: randomCells(table.space, ranked),
        settings: { ...SETTINGS[method], ...optionsFrom(changed === '' ? undefined : changed) },
        checkpoint: `${flags.results}.${method}-${seed}-${minutes}${changed === '' ? '' : `-${changed}`}.checkpoint`,
        resume: flags.resume === true,
      });
      const row: SearchRow = { ...asked, ...found };
      appendRow(flags.results, row);
      done.push(row);
      say(
        `${method}${changed === '' ? '' : ` (${changed})`}, seed ${seed}: ${(100 * accuracyOf(row)).toFixed(2)} % ${table.column}, ${row.epochs} epochs in ${Math.round(row.seconds)} s, ${row.architecture}`,
      );
    }
  }
} finally {
  await engine.dispose();
}
const wanted = new Set(searchesOf(0).map(({ method, changed }) => `${method} ${changed}`));
const rows = done.filter((row) => row.minutes === minutes && wanted.has(`${row.method} ${row.changed}`));
process.stdout.write(`${sweeps.length === 0 ? summarized() : swept()}\n`);

function summarized(): string {
  const summary = summaries(rows, randomCells(table.space, ranked), table);
  return flags.json ? JSON.stringify(summary) : summaryTable(summary, table.column);
}

function swept(): string {
  const found = sensitivities(rows, sweeps, accuracyOf, flags.set);
  return flags.json ? JSON.stringify(found) : sensitivityTable(found, table.column);
}

function accuracyOf({ architecture }: SearchRow): number {
  return table.accuracy(parseArchitecture(table.space, architecture));
}

function searchesOf(seed: number) {
  return methods.flatMap((method) =>
    changesOf(sweeps, flags.set, ONE_SHOT[method]).map((changed) => ({ method, seed, minutes, changed })),
  );
}

function sweepNamed(text: string): Sweep {
  try {
    return sweepFrom(text);
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) refuse(`${flag}: "${text}"; must be above 0`);
  return value;
}

function methodNamed(text: string) {
  const name = METHOD_NAMES.find((known) => known === text);
  if (name === undefined) refuse(`--only: "${text}"; must be among ${METHOD_NAMES.join(', ')}`);
  return name;
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}
