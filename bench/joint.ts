/**
 * Joint search on real training: the architectures of a space alone, trained as the settings say, against architecture and training
 * settings in one space (`tune=true`), with the same strategy, number of trials and seeds. Each winner is then trained from scratch on
 * train + valid and tested.
 *
 *     node --conditions=netsmith-source bench/joint.ts [--data digits | --data cifar-10 --data-dir FOLDER] [--train-samples N]
 *         [--valid-share 0.25] [--space small-cnn] [--strategy tpe] [--trials 40] [--epochs 5] [--seeds 3] [--workers 2] [--json] [--save]
 *
 * Searches and evaluations are those of the command line. Validation accuracy is that of a single training, the best of many: it
 * is too good by selection, more so the more decisions there are. The test accuracy has no part in any choice.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deviation, mean } from '../src/report/numbers.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  data: { type: 'string', default: 'digits' },
  'data-dir': { type: 'string' },
  'train-samples': { type: 'string' },
  'valid-share': { type: 'string', default: '0.25' },
  space: { type: 'string', default: 'small-cnn' },
  strategy: { type: 'string', default: 'tpe' },
  trials: { type: 'string', default: '40' },
  epochs: { type: 'string', default: '5' },
  seeds: { type: 'string', default: '3' },
  workers: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const NETSMITH = fileURLToPath(new URL('../bin/netsmith.js', import.meta.url));
const FORMS = ['architecture', 'joint'] as const;

/** One search. Accuracies are shares. */
interface Row {
  readonly form: (typeof FORMS)[number];
  readonly seed: number;
  /** Of the winner, as the search saw it. */
  readonly valid: number;
  /** Of the winner, trained from scratch. */
  readonly test: number;
  /** Of the workers, all trials together. */
  readonly seconds: number;
  readonly found: string;
}

/** What of the command line's JSON is read here. */
interface Answer {
  readonly best: { readonly metrics: { readonly accuracy: number }; readonly text: string };
  readonly test: { readonly accuracy: { readonly mean: number } };
  readonly spent: { readonly workerSeconds: number };
}

function netsmith(...args: readonly string[]): Answer {
  const out = execFileSync(process.execPath, [NETSMITH, ...args, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(out) as Answer;
}

function search(folder: string, form: Row['form'], seed: number): Row {
  const study = join(folder, `${form}-${seed}`);
  const given = (
    ['data', 'data-dir', 'train-samples', 'valid-share', 'space', 'strategy', 'trials', 'epochs', 'workers'] as const
  ).flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]));
  const tune = form === 'joint' ? ['--space-options', 'tune=true'] : [];
  const { best } = netsmith('search', ...given, ...tune, '--seed', String(seed), '--out', study);
  const { test } = netsmith('evaluate', study, '--seeds', '1', '--no-baselines');
  const { spent } = netsmith('status', study);
  return {
    ...{ form, seed, valid: best.metrics.accuracy, test: test.accuracy.mean },
    ...{ seconds: spent.workerSeconds, found: best.text },
  };
}

const when = circumstances(1);
const rows: Row[] = [];
const folder = mkdtempSync(join(tmpdir(), 'netsmith-joint-'));
try {
  for (let seed = 0; seed < Number(flags.seeds); seed++)
    for (const form of FORMS) rows.push(search(folder, form, seed));
} finally {
  rmSync(folder, { recursive: true });
}

const spread = (values: readonly number[]) => ({ mean: mean(values), sd: deviation(values) });
const of = (form: Row['form']) => rows.filter((row) => row.form === form);
const summary = FORMS.map((form) => ({
  form,
  valid: spread(of(form).map(({ valid }) => valid)),
  test: spread(of(form).map(({ test }) => test)),
  seconds: spread(of(form).map(({ seconds }) => seconds)),
}));
/** Joint less architecture alone, by seed. */
const gain = spread(of('joint').map(({ test }, i) => test - (of('architecture')[i]?.test ?? Number.NaN)));
const { json: _, save: __, ...settings } = flags;
const result = { settings: { ...settings, 'data-dir': undefined }, summary, gain, rows };
if (flags.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
else {
  const share = ({ mean, sd }: { mean: number; sd: number }) => `${(100 * mean).toFixed(2)} ± ${(100 * sd).toFixed(2)}`;
  for (const { form, valid, test, seconds } of summary)
    console.log(
      `${form.padEnd(12)}  validation ${share(valid)}  test ${share(test)}  ${seconds.mean.toFixed(0)} s of computing a search`,
    );
  console.log(`joint less architecture alone, test: ${share(gain)} points over ${flags.seeds} seeds`);
}
if (flags.save) process.stderr.write(`saved: ${saveResult('joint', when, result)}\n`);
