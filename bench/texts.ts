/**
 * What `netsmith run` finds for texts with a time alone, as a user types it: classes of SMS messages, of questions (TREC, six classes) and of
 * movie reviews (SST-2) in 10 minutes each, beside the bag of words that the run trains itself; characters of tiny-shakespeare in 20 minutes,
 * beside nanoGPT's configuration for a CPU trained for the same time; words of the Austen set in 30 minutes, beside an LSTM of two layers
 * trained for the same time. One thread each. The test part is opened once, at the end of each run.
 *
 *     npm run -s bench:texts -- [--only NAME] [--seeds K] [--resume] [--json]
 *
 *     --only NAME        sms, trec, sst2, shakespeare or austen; several with commas
 *     --seeds K          runs of each (3)
 *     --time-scale X     multiplies all times (1); --short: --seeds 1 --time-scale 0.2
 *     --resume           skips what has a row in the file of results
 *     --results FILE     rows, appended as runs end (bench/results/texts.jsonl)
 *     --shared DIR       the data (../shared/data)
 *     --json             rows { task, contestant, seed, seconds, budget, metrics, params, classical }
 *
 * Machine hours on one core: 6.5 (classes 1.5, characters 2, words 3); --short takes 26 minutes.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlags } from './support/flags.ts';

const root = join(import.meta.dirname, '..');
const flags = parseFlags({
  only: { type: 'string' },
  seeds: { type: 'string' },
  'time-scale': { type: 'string' },
  short: { type: 'boolean' },
  resume: { type: 'boolean' },
  results: { type: 'string', default: join(root, 'bench/results/texts.jsonl') },
  shared: { type: 'string', default: join(root, '../shared/data') },
  json: { type: 'boolean' },
});
const seeds = Number(flags.seeds ?? (flags.short ? 1 : 3));
const scale = Number(flags['time-scale'] ?? (flags.short ? 0.2 : 1));

interface Contest {
  readonly task: string;
  readonly contestant: string;
  readonly seconds: number;
  /** What is shown of the test. */
  readonly metric: string;
  /** The command, without time, seed and output. */
  readonly args: readonly string[];
}

interface Row {
  readonly task: string;
  readonly contestant: string;
  readonly seed: number;
  /** Of the whole command, and what it was given. */
  readonly seconds: number;
  readonly budget: number;
  /** Of the exported or trained network, on the test part. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: number;
  /** Baselines that are not networks, by name: their metrics on the test part. */
  readonly classical: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The folder has the official split. */
const classes = (task: string): Contest => ({
  ...{ task, contestant: 'netsmith run', seconds: 600, metric: 'accuracy' },
  args: ['run', join(flags.shared, task === 'sms' ? 'sms-spam' : task), '--text', 'text', '--label', 'label'],
});
const SHAKESPEARE = join(flags.shared, 'tiny-shakespeare/input.txt');
const AUSTEN = [join(flags.shared, 'austen'), '--tokens', 'words'];
const NANO_GPT = [
  ...['--space', 'transformer', '--space-options', 'layers=4,width=128,heads=4,bias=false', '--arch', 'nanoGPT-CPU'],
  ...['--batch-size', '12', '--optimizer', 'adamw', '--learning-rate', '0.001', '--weight-decay', '0.1'],
  ...['--clip-norm', '1', '--schedule', 'cosine', '--epochs', '1000', '--test'],
];
const LSTM = [
  ...['--space', 'rnn', '--space-options', 'embedding=256,width=256,layers=2'],
  '--arch',
  'embedding=256, tokenDropout=0, cell=lstm, layers=2, weightDrop=0, mask=sequence, inputDropout=0.2, dropout=0.2, width1=256, output=tied',
  ...['--batch-size', '20', '--optimizer', 'adamw', '--learning-rate', '0.003', '--weight-decay', '0.01'],
  ...['--clip-norm', '1', '--schedule', 'cosine', '--epochs', '1000', '--test'],
];
const CONTESTS: readonly Contest[] = [
  ...['sms', 'trec', 'sst2'].map(classes),
  {
    ...{ task: 'shakespeare', contestant: 'netsmith run', seconds: 1200, metric: 'loss', args: ['run', SHAKESPEARE] },
  },
  {
    ...{ task: 'shakespeare', contestant: 'nanoGPT', seconds: 1200, metric: 'loss' },
    args: ['train', SHAKESPEARE, ...NANO_GPT],
  },
  { ...{ task: 'austen', contestant: 'netsmith run', seconds: 1800, metric: 'perplexity' }, args: ['run', ...AUSTEN] },
  {
    ...{ task: 'austen', contestant: 'LSTM', seconds: 1800, metric: 'perplexity' },
    args: ['train', ...AUSTEN, ...LSTM],
  },
];

const only = flags.only?.split(',');
const unknown = only?.find((name) => !CONTESTS.some(({ task }) => task === name));
if (unknown !== undefined) refuse(`--only ${unknown}: must be one of sms, trec, sst2, shakespeare, austen`);
if (!(scale > 0)) refuse(`--time-scale ${flags['time-scale']}: must be above 0`);
if (!(Number.isInteger(seeds) && seeds > 0)) refuse(`--seeds ${flags.seeds}: must be a whole number from 1`);
if (existsSync(flags.results) && !flags.resume)
  refuse(`${flags.results} is there: --resume continues it, --results names another file`);

const rows: Row[] = existsSync(flags.results)
  ? readFileSync(flags.results, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Row)
  : [];
const wanted = CONTESTS.filter(({ task }) => only?.includes(task) ?? true);
for (let seed = 0; seed < seeds; seed++)
  for (const contest of wanted) {
    const budget = contest.seconds * scale;
    const isDone = rows.some(
      (row) =>
        row.task === contest.task &&
        row.contestant === contest.contestant &&
        row.seed === seed &&
        row.budget === budget,
    );
    if (isDone) continue;
    const row = held(contest, seed, budget);
    appendFileSync(flags.results, `${JSON.stringify(row)}\n`);
    rows.push(row);
    process.stderr.write(`${row.task}, ${row.contestant}, seed ${seed}: ${row.metrics[contest.metric]}\n`);
  }
if (flags.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
else for (const contest of wanted) process.stdout.write(`${lineOf(contest)}\n`);

function held({ task, contestant, args }: Contest, seed: number, budget: number): Row {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-texts-'));
  const began = performance.now();
  const isRun = args[0] === 'run';
  const more = ['--time', `${budget}s`, '--seed', String(seed), '--json', '--quiet'];
  try {
    const words = [join(root, 'bin/netsmith.js'), ...args, ...more, ...(isRun ? ['--out', join(folder, 'study')] : [])];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (status !== 0) throw new Error(`${task}, ${contestant}: exit code ${status}: ${stderr}`);
    const found = JSON.parse(stdout);
    const tested: readonly { readonly name: string; readonly test?: Readonly<Record<string, number>> }[] =
      found.classical ?? [];
    return {
      ...{ task, contestant, seed, budget, seconds: (performance.now() - began) / 1000 },
      metrics: isRun ? found.export.test : found.test,
      params: isRun ? found.evaluation.params : found.params,
      classical: Object.fromEntries(tested.flatMap(({ name, test }) => (test ? [[name, test]] : []))),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `trec, netsmith run: accuracy 0.8960 ± 0.0040 (3 seeds, 600 s); bag-of-words 0.9000` */
function lineOf({ task, contestant, metric, seconds }: Contest): string {
  const own = rows.filter(
    (row) => row.task === task && row.contestant === contestant && row.budget === seconds * scale && row.seed < seeds,
  );
  const beside = new Set(own.flatMap(({ classical }) => Object.keys(classical)));
  const shown = [...beside].map((name) => `${name} ${spread(own.map(({ classical }) => classical[name]?.[metric]))}`);
  const what = `${task}, ${contestant}: ${metric} ${spread(own.map(({ metrics }) => metrics[metric]))}`;
  return [`${what} (${own.length} seeds, ${seconds * scale} s)`, ...shown].join('; ');
}

/** Mean and standard deviation. */
function spread(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length - 1);
  return `${mean.toFixed(4)} ± ${Math.sqrt(variance).toFixed(4)}`;
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
