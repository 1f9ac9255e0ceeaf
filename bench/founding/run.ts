/**
 * The founding comparison: reinforcement learning (NASNet-like), ENAS, DARTS and its relatives, single path, evolution, random search
 * and hand-designed networks on CIFAR-10, under one protocol. Each search is `netsmith search` with the same minutes; what it finds is trained from
 * scratch by `netsmith train` with the same epochs, and scored on the test split once, at the end. Writes docs/founding-comparison.md.
 *
 *     npm run -s bench:founding -- [--minutes N] [--seeds K] [--resume]
 *
 *     --short             the fixed small form, 2 seeds: about 3 hours of one core that has no other work, see below
 *     --only METHOD       one or several, with commas (all)
 *     --minutes N         of each search (60)
 *     --seeds K           searches of each method (3); each has its own final training
 *     --space NAME        darts, nasnet or nas-bench-201 (darts)
 *     --cells N           of the networks of a search (8); --channels N (16)
 *     --supernet-epochs N of each supernet (50); --child-epochs N of each child that a search trains (10)
 *     --final-cells N     of the final network (8); --final-channels N (16); --final-epochs N (50)
 *     --eurosat-epochs N  of the same network on EuroSAT (30)
 *     --train-samples N   training images; 0: all (0); --valid-samples N of those that a search measures on; 0: all (0)
 *     --eurosat-seeds N   how many seeds of enas, beta-darts, aging-evolution and random also search on EuroSAT (3)
 *     --resume            continues: skips what has a row, and resumes a search that was stopped; --retry-failed: repeats failed steps
 *     --results FILE      rows, appended as steps end (bench/results/founding.jsonl)
 *     --work FOLDER       where the studies of the searches lie (founding in the temporary folder); --resume needs the same one
 *     --page FILE         the page, and its figure beside it (docs/founding-comparison.md); --page-only: nothing else is done
 *     --watts N           of a busy core, for the energy (10): watt hours = processor hours x watts
 *     --core N            of the machine (0); --threads N of the engine (1)
 *     --shared FOLDER     the data (../shared/data)
 *     --json              the rows of this form on standard output
 *
 * Machine hours on one core, estimated from the processor seconds of single trainings:
 * - the small form, `npm run -s bench:founding -- --short` (nas-bench-201, 3 minutes for each search, 5,000 images): 1.5 for the searches, 1.5 for the
 *   final trainings, in all about 3. It ends with the page; after a stop, `--short --resume` continues it.
 * - the long form: 39 for the searches on CIFAR-10, 12 for those on EuroSAT, and the final trainings, which were not measured.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseFlags } from '../support/flags.ts';
import { killRunning } from '../user/process.ts';
import { type Form, LONG, SEEDS, SHORT, SPACE_NAMES } from './form.ts';
import { METHODS } from './methods.ts';
import { figureOf, page } from './page.ts';
import { appendRow, isOfForm, keyOf, type Row, readRows, writeRows } from './rows.ts';
import type { Venue } from './steps.ts';
import { openLookUp } from './table.ts';
import { compareOne } from './turn.ts';

const root = join(import.meta.dirname, '../..');
const text = { type: 'string' } as const;
const flags = parseFlags({
  short: { type: 'boolean' },
  only: { type: 'string', multiple: true },
  minutes: text,
  seeds: text,
  space: text,
  cells: text,
  channels: text,
  'supernet-epochs': text,
  'child-epochs': text,
  'final-cells': text,
  'final-channels': text,
  'final-epochs': text,
  'eurosat-epochs': text,
  'train-samples': text,
  'valid-samples': text,
  'eurosat-seeds': text,
  resume: { type: 'boolean' },
  'retry-failed': { type: 'boolean' },
  results: { type: 'string', default: join(root, 'bench/results/founding.jsonl') },
  work: { type: 'string', default: join(tmpdir(), 'founding') },
  page: { type: 'string', default: join(root, 'docs/founding-comparison.md') },
  'page-only': { type: 'boolean' },
  watts: { type: 'string', default: '10' },
  core: { type: 'string', default: '0' },
  threads: { type: 'string', default: '1' },
  shared: { type: 'string', default: join(root, '../shared/data') },
  json: { type: 'boolean' },
});

const refuse = (why: string): never => {
  process.stderr.write(`${why}\n`);
  process.exit(2);
};

/** The value of a flag, a number at least `least`, or what the form has. */
const numberOf = (name: keyof typeof flags, otherwise: number, least: number, whole = true): number => {
  const given = flags[name];
  const value = given === undefined ? otherwise : Number(given);
  const fits = (whole ? Number.isInteger(value) : Number.isFinite(value)) && value >= least;
  return fits ? value : refuse(`--${name} ${given}: must be ${whole ? 'a whole' : 'a'} number of at least ${least}`);
};

const usual = flags.short ? SHORT : LONG;
const form: Form = {
  space: flags.space ?? usual.space,
  minutes: numberOf('minutes', usual.minutes, 0.05, false),
  cells: numberOf('cells', usual.cells, 1),
  channels: numberOf('channels', usual.channels, 2),
  supernetEpochs: numberOf('supernet-epochs', usual.supernetEpochs, 1),
  childEpochs: numberOf('child-epochs', usual.childEpochs, 1),
  finalCells: numberOf('final-cells', usual.finalCells, 1),
  finalChannels: numberOf('final-channels', usual.finalChannels, 2),
  finalEpochs: numberOf('final-epochs', usual.finalEpochs, 1),
  eurosatEpochs: numberOf('eurosat-epochs', usual.eurosatEpochs, 1),
  trainSamples: numberOf('train-samples', usual.trainSamples, 0),
  validSamples: numberOf('valid-samples', usual.validSamples, 0),
  eurosatSeeds: numberOf('eurosat-seeds', usual.eurosatSeeds, 0),
};
if (!SPACE_NAMES.includes(form.space)) refuse(`--space ${form.space}: must be among ${SPACE_NAMES.join(', ')}`);
const seeds = numberOf('seeds', flags.short ? SEEDS.short : SEEDS.long, 1);
const watts = numberOf('watts', 10, 0, false);
const names = METHODS.map(({ name }) => name);
const only = (flags.only ?? names).flatMap((list) => list.split(','));
const unknown = only.filter((name) => !names.includes(name));
if (unknown.length > 0) refuse(`--only ${unknown.join(',')}: must be among ${names.join(', ')}`);
const isPageOnly = flags['page-only'] === true;
if (existsSync(flags.results) && !flags.resume && !isPageOnly)
  refuse(`${flags.results} is there: --resume continues it, --results names another file`);
const rows: Row[] = [...readRows(flags.results)];
if (!isPageOnly) await compare();
const own = rows.filter((row) => isOfForm(row, form));
await writePage(own);
if (flags.json) process.stdout.write(`${JSON.stringify(own)}\n`);

/** All methods with one seed, then with the next. */
async function compare(): Promise<void> {
  if (process.platform !== 'linux') refuse('the comparison needs Linux (taskset, setpriv and /proc)');
  const shared = resolve(flags.shared);
  for (const folder of ['cifar-10-batches-bin', 'eurosat-small'])
    if (!existsSync(join(shared, folder))) refuse(`--shared: "${flags.shared}" has no ${folder}`);
  process.once('exit', killRunning);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  if (flags['retry-failed']) {
    const kept = rows.filter((row) => row.reason === undefined || !isOfForm(row, form) || !only.includes(row.method));
    rows.splice(0, rows.length, ...kept);
  }
  // A last line that was cut off goes away here.
  writeRows(flags.results, rows);
  const key = createHash('sha256').update(JSON.stringify(form)).digest('hex').slice(0, 8);
  const core = numberOf('core', 0, 0);
  const threads = numberOf('threads', 1, 1);
  const venue: Venue = { form, shared, work: resolve(flags.work, key), core, threads };
  const done = new Map(rows.filter((row) => isOfForm(row, form)).map((row) => [keyOf(row), row]));
  const add = (row: Row) => {
    appendRow(flags.results, row);
    rows.push(row);
    done.set(keyOf(row), row);
    const data = 'data' in row ? ` ${row.data}` : '';
    process.stderr.write(
      `${row.method}, seed ${row.seed}, ${row.step}${data}: ${row.reason ?? 'done'} in ${Math.round(row.seconds)} s\n`,
    );
  };
  for (let seed = 0; seed < seeds; seed++)
    for (const method of METHODS.filter(({ name }) => only.includes(name)))
      await compareOne({ method, seed }, venue, done, add);
}

async function writePage(all: readonly Row[]): Promise<void> {
  const svg = flags.page.replace(/\.md$/, '.svg');
  const drawn = figureOf(all);
  if (drawn !== undefined) writeFileSync(svg, drawn);
  const machine = `One core of this machine: ${cpus()[0]?.model ?? 'unknown processor'}`;
  const lookUp = form.space === 'nas-bench-201' ? await openLookUp() : undefined;
  const options = { form, watts, machine, figure: basename(svg), ...(lookUp && { lookUp }) };
  writeFileSync(flags.page, page(all, options));
}
