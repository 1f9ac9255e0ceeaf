/**
 * What a start from a language model is worth where labels are few: searches on 200 labeled questions of TREC (six classes), with and without
 * `--init-from`. The language model reads all 5,452 training questions without their labels. Each seed draws other labeled questions and has
 * its own language model, a GRU; both searches have the space `text-cnn`, the same trials and epochs, and choose by the validation part of
 * the 200. The best is trained again on all 200, and the 500 official test questions are opened once.
 *
 *     npm run -s bench:pretraining -- [--seeds K] [--short] [--resume] [--json]
 *
 *     --seeds K       searches of each (5)
 *     --labels N      labeled questions (200)
 *     --trials N      networks of each search (12)
 *     --epochs N      epochs of the language model (20)
 *     --short         --seeds 2 --trials 3 --epochs 2
 *     --resume        skips what has a row in the file of results
 *     --results FILE  rows, appended as searches end (bench/results/pretraining.jsonl)
 *     --shared DIR    the data (../shared/data)
 *     --json          rows { seed, start, labels, trials, modelEpochs, accuracy, validation, architecture, seconds }
 *
 * Prints the mean of each and the difference by seed with its 95 % interval (paired, Student): the gain is significant where that excludes 0.
 * Machine hours: not measured as a whole yet; the last line adds up those of the rows. It trains a language model for each seed (21 epochs) and
 * 26 classifiers (20 epochs of 150 or 200 questions).
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { rng } from '../src/common/random.ts';
import { parseFlags } from './support/flags.ts';
import { meanInterval } from './support/mean-interval.ts';

const root = join(import.meta.dirname, '..');
const flags = parseFlags({
  seeds: { type: 'string' },
  labels: { type: 'string', default: '200' },
  trials: { type: 'string' },
  epochs: { type: 'string' },
  short: { type: 'boolean' },
  resume: { type: 'boolean' },
  results: { type: 'string', default: join(root, 'bench/results/pretraining.jsonl') },
  shared: { type: 'string', default: join(root, '../shared/data') },
  json: { type: 'boolean' },
});
const [seeds, labels, trials, modelEpochs] = [
  whole('seeds', flags.seeds ?? (flags.short ? '2' : '5')),
  whole('labels', flags.labels),
  whole('trials', flags.trials ?? (flags.short ? '3' : '12')),
  whole('epochs', flags.epochs ?? (flags.short ? '2' : '20')),
];

interface Row {
  readonly seed: number;
  readonly start: 'fresh' | 'pretrained';
  readonly labels: number;
  readonly trials: number;
  readonly modelEpochs: number;
  /** On the test part, and of the best trial on the validation part. */
  readonly accuracy: number;
  readonly validation: number;
  readonly architecture: string;
  /** Of the search and the final training; of a pretrained one with the language model. */
  readonly seconds: number;
}

const STARTS = ['fresh', 'pretrained'] as const;
const OPTIMIZER = ['--optimizer', 'adamw', '--weight-decay', '0.01', '--clip-norm', '1', '--schedule', 'cosine'];
/** A GRU; its table of words is as wide as the networks of `text-cnn` have it. */
const MODEL = [
  ...['--space', 'rnn', '--space-options', 'embedding=64,width=64,layers=1', '--hand-designed', 'gru'],
  ...['--tokens', 'words', '--vocabulary', '4000', '--text-length', '16', '--learning-rate', '0.003'],
];
const CLASSIFIER = [
  ...['--space', 'text-cnn', '--hand-designed', 'kim'],
  ...['--learning-rate', '0.002', '--batch-size', '16', '--epochs', '20'],
];

if (existsSync(flags.results) && !flags.resume)
  refuse(`${flags.results} is there: --resume continues it, --results names another file`);
mkdirSync(dirname(flags.results), { recursive: true });
const rows: Row[] = existsSync(flags.results)
  ? readFileSync(flags.results, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Row)
  : [];
const isWanted = (row: Row) =>
  row.seed < seeds && row.labels === labels && row.trials === trials && row.modelEpochs === modelEpochs;

for (let seed = 0; seed < seeds; seed++) {
  const missing = STARTS.filter(
    (start) => !rows.some((row) => isWanted(row) && row.seed === seed && row.start === start),
  );
  if (missing.length === 0) continue;
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-pretraining-'));
  try {
    writeQuestions(folder, seed);
    for (const start of missing) {
      const row = searched(folder, seed, start);
      appendFileSync(flags.results, `${JSON.stringify(row)}\n`);
      rows.push(row);
      process.stderr.write(`seed ${seed}, ${start}: ${row.accuracy} (${row.seconds.toFixed(0)} s)\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const wanted = rows.filter(isWanted);
if (flags.json) process.stdout.write(`${JSON.stringify(wanted, undefined, 2)}\n`);
else summarize();

/** `all.txt`: all training questions, in an order of the seed; `few.csv`: as many as have labels, with them. */
function writeQuestions(folder: string, seed: number): void {
  const text = readFileSync(join(flags.shared, 'trec', 'train.csv'), 'utf8');
  const questions: readonly { readonly label: string; readonly text: string }[] = parse(text, { columns: true });
  const shuffled = rng(seed, 'questions').shuffle([...questions]);
  const cell = (value: string) => `"${value.replaceAll('"', '""')}"`;
  // Two of each class come first: a search needs one for training and one for validation.
  const rank = (i: number) => shuffled.slice(0, i).filter(({ label }) => label === shuffled[i]?.label).length;
  const early = shuffled.filter((_, i) => rank(i) < 2);
  const few = [...early, ...shuffled.filter((one) => !early.includes(one))]
    .slice(0, labels)
    .map((one) => `${cell(one.text)},${cell(one.label)}`);
  writeFileSync(join(folder, 'all.txt'), `${shuffled.map((one) => one.text).join('\n')}\n`);
  writeFileSync(join(folder, 'few.csv'), `text,label\n${few.join('\n')}\n`);
}

function searched(folder: string, seed: number, start: Row['start']): Row {
  const began = performance.now();
  const common = [...OPTIMIZER, '--seed', String(seed)];
  const final = ['--seeds', '1', '--no-baselines', '--no-samples'];
  const model = join(folder, 'model');
  if (start === 'pretrained') {
    netsmith('search', join(folder, 'all.txt'), ...MODEL, ...common, '--trials', '1', '--epochs', '1', '--out', model);
    netsmith('evaluate', model, ...final, '--epochs', String(modelEpochs));
  }
  const study = join(folder, start);
  const data = [join(folder, 'few.csv'), '--text', 'text', '--test-data', join(flags.shared, 'trec', 'test.csv')];
  const from = start === 'pretrained' ? ['--init-from', model] : [];
  const found = netsmith(
    'search',
    ...data,
    ...common,
    ...CLASSIFIER,
    '--trials',
    String(trials),
    ...from,
    '--out',
    study,
  );
  const { test } = netsmith('evaluate', study, ...final);
  return {
    ...{ seed, start, labels, trials, modelEpochs },
    accuracy: test.accuracy.mean,
    validation: found.best.metrics.accuracy,
    architecture: found.best.text,
    seconds: (performance.now() - began) / 1000,
  };
}

function netsmith(...args: readonly string[]) {
  const words = [join(root, 'bin/netsmith.js'), ...args, '--json', '--quiet'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`netsmith ${args.join(' ')}: exit code ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

function summarize(): void {
  const accuracies = (start: Row['start']) =>
    wanted
      .filter((row) => row.start === start)
      .toSorted((a, b) => a.seed - b.seed)
      .map(({ accuracy }) => accuracy);
  const [fresh, pretrained] = [accuracies('fresh'), accuracies('pretrained')];
  const percent = (share: number) => (100 * share).toFixed(2);
  const show = (values: readonly number[]) => {
    const { mean, half } = meanInterval(values);
    return values.length > 1 ? `${percent(mean)} ± ${percent(half)} %` : `${percent(mean)} %`;
  };
  const gains = pretrained.map((accuracy, i) => accuracy - (fresh[i] ?? Number.NaN));
  const { mean, half } = meanInterval(gains);
  const isOne = gains.length < 2;
  const verdict = isOne ? 'one seed has no interval' : Math.abs(mean) > half ? 'significant' : 'not significant';
  process.stdout.write(
    [
      `${labels} labels of TREC, ${seeds} seeds, test accuracy (95 % intervals)`,
      `fresh       ${show(fresh)}`,
      `pretrained  ${show(pretrained)}`,
      `gain        ${percent(mean)}${isOne ? '' : ` ± ${percent(half)}`} points (paired): ${verdict}`,
      `${(wanted.reduce((sum, { seconds }) => sum + seconds, 0) / 3600).toFixed(2)} machine hours`,
      '',
    ].join('\n'),
  );
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) refuse(`--${name} ${text}: must be a whole number from 1`);
  return value;
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
